"""The objective of nets for mattes: subjects before photographs, what the classical matte makes of them, the truth.

Plates are composed in scene-linear light when the cache is made, and solved there for a few guides each: trimaps, or
the bands about the edges of rough masks. The net is given what `vfxgen.image.natural_matte.clues` found, beside the
plate, and learns what is left to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vfxgen.encoding import Encoding
from vfxgen.errors import RequestError
from vfxgen.frame import Pixels
from vfxgen.image.trimap import CLUES, SUBJECT, UNKNOWN, trimap_of
from vfxgen.training.augment import compressed, noisy
from vfxgen.training.cached import Measure
from vfxgen.training.composed import SHOWN, ComposedObjective, ComposedSettings, stacked
from vfxgen.training.guides import Guide, random_mask, random_trimap
from vfxgen.training.losses import charbonnier, gradient, laplacian, settled
from vfxgen.training.objective import Batch, Forward, Picture
from vfxgen.training.patches import Cut, read_pictures

ENCODING = Encoding("srgb")
GUIDES = 2
"""Guides that each plate is solved for."""
TOLD = len(CLUES.split())
KNOWN = 0.005
"""Share of a plate that a guide must know to be subject, and to be background."""
HOPELESS = 0.2
"""Mean error of the classical matte from which a plate is left out: what is behind glass and veils cannot be seen."""
WIDTHS = (5.0, 16.0)
"""Pixels to each side of a rough mask's edge that are to be decided."""


@dataclass(frozen=True)
class Settings(ComposedSettings):
    """The table ``[objective]`` of a matte's recipe; the rest is in `ComposedSettings`.

    Parameters
    ----------
    exposure_stops
        Plates are exposed by as much up or down from where the operator brings every frame.
    balance_stops
        And each channel of colour by as much by itself.
    least_contrast
        Light of both layers is raised to a power between this and 1 before they are mixed: from the contrast of display
        code to that of light.
    """

    samples: int = 300
    rendered: float = 1.0
    least_contrast: float = 0.5
    exposure_stops: float = 1.0
    balance_stops: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.least_contrast <= 1:
            raise RequestError(f"objective: least_contrast = {self.least_contrast:g} must be above 0 and at most 1")


class Matting(ComposedObjective):
    """Patches of the composed plates about what is unknown, of one of their guides; see `Settings`."""

    guide: ClassVar[Guide] = "trimap"
    settings_type = Settings
    needs_photographs = True
    inputs: ClassVar = [{"name": "solved", "channels": f"{CLUES} R G B", "encoding": ENCODING.name}]
    outputs: ClassVar = [{"name": "alpha", "channels": "A"}]
    measures: ClassVar = {
        "alpha": Measure("mean absolute error of alpha where it is unknown", "/ 1000", "held-out subjects"),
        "alpha, classical": Measure("the same of method = mixture", "/ 1000"),
        "square": Measure("mean square error of alpha where it is unknown", "/ 1000", "held-out subjects"),
        "square, classical": Measure("the same of method = mixture", "/ 1000"),
    }

    @classmethod
    def compose(
        cls,
        subjects: Sequence[Path],
        photos: Sequence[Path],
        settings: Settings,
        random: np.random.Generator,
        only_rendered: bool = False,
    ) -> NDArray[np.float16] | None:
        """One plate and what was solved: (H, W, 4 + 5 `GUIDES`), `plate_and_truth`, then the clues of each guide.

        None where a guide knows nothing, or nothing can be seen of what it leaves unknown.
        """
        from vfxgen.image.natural_matte import clues

        plate = plate_and_truth(subjects, photos, settings, random, only_rendered)
        light, truth = plate[..., :3].astype(np.float32), plate[..., 3].astype(np.float32)
        layers: list[NDArray[Any]] = [plate]
        for _ in range(GUIDES):
            trimap = _guide(cls.guide, truth, random)
            if min((trimap == SUBJECT).mean(), (trimap == 0).mean()) < KNOWN or not (trimap == UNKNOWN).any():
                return None
            layers.append(clues(light, trimap))
            if np.abs(layers[-1][..., 0] - truth)[trimap == UNKNOWN].mean() > HOPELESS:
                return None
        return np.concatenate(layers, -1).astype(np.float16)

    def __init__(self, net: dict[str, Any], settings: Settings, cache: Path) -> None:
        self.settings = settings
        self.plates, self.held = read_pictures(cache, "plates"), read_pictures(cache, "held_out")

    def batch(self, step: int) -> Batch:
        """``pixels`` (B, 9, P, P) float16: clues, plate and coverage; ``stops`` (B, 3)."""
        settings = self.settings
        random = np.random.default_rng((settings.seed, step))
        chosen = random.integers(0, len(self.plates), settings.batch)
        patches = [self._patch(self.plates[n], random) for n in chosen]
        stops = random.uniform(-settings.exposure_stops, settings.exposure_stops, (settings.batch, 1))
        stops = stops + random.uniform(-settings.balance_stops, settings.balance_stops, (settings.batch, 3))
        return {"pixels": torch.from_numpy(np.stack(patches)), "stops": torch.from_numpy(stops.astype(np.float32))}

    def loss(self, net: Forward, batch: Batch) -> dict[str, Tensor]:
        """Coverage, its pyramid and its steps, where the guide leaves it open."""
        given, truth = encoded(batch["pixels"], batch["stops"])
        unknown = _unknown(given)
        alpha = torch.where(unknown, settled(net(given), truth), truth)
        weight = unknown.float()
        return {
            "alpha": charbonnier(alpha, truth, weight),
            "pyramid": laplacian(alpha, truth, weight, levels=4),
            "steps": gradient(alpha, truth, weight),
        }

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Errors over the unknown of the held-out plates, beside those of the classical matte."""
        if not self.held:
            return {}
        errors: dict[str, list[Tensor]] = {name: [] for name in self.measures}
        for plate in self.held:
            given, truth = self._whole(plate, net)
            for alpha, end in ((net(given).clamp(0, 1), ""), (given[:, :1], ", classical")):
                off = (alpha - truth)[_unknown(given)]
                errors[f"alpha{end}"].append(off.abs().mean())
                errors[f"square{end}"].append(off.square().mean())
        return {name: 1000 * float(torch.stack(values).mean()) for name, values in errors.items()}

    def samples(self, net: nn.Module) -> Picture | None:
        """Held-out plates, one a row: plate, trimap, the classical matte, the net's, truth."""
        rows = []
        for plate in self.held[:SHOWN]:
            given, truth = self._whole(plate, net)
            mattes = [given[:, TOLD - 1 : TOLD], given[:, :1], mended(net, given), truth]
            rows.append(torch.cat([given[:, TOLD:], *(matte.expand(-1, 3, -1, -1) for matte in mattes)], 3)[0])
        return stacked(rows)

    def _whole(self, plate: NDArray[np.float16], net: nn.Module) -> tuple[Tensor, Tensor]:
        pixels = torch.from_numpy(_of_guide(plate, 0)).movedim(-1, 0)[None]
        return encoded(pixels.to(next(net.parameters()).device))

    def _patch(self, plate: NDArray[np.float16], random: np.random.Generator) -> NDArray[np.float16]:
        """About a pixel that is unknown; channels of colour in any order, since the classical matte knows of none."""
        seen, size = _of_guide(plate, int(random.integers(GUIDES))), self.settings.patch
        places = np.flatnonzero(seen[..., TOLD - 1] == UNKNOWN)
        middle = np.unravel_index(places[int(random.integers(len(places)))], seen.shape[:2])
        y, x = (int(np.clip(at - size // 2, 0, side - size)) for at, side in zip(middle, seen.shape, strict=False))
        patch = Cut(y, x, size, int(random.integers(4)), bool(random.integers(2))).of(seen)
        colors = TOLD + random.permutation(3)
        return np.concatenate([patch[:TOLD], patch[colors], patch[-1:]])


class CoarseMatting(Matting):
    """The same with the bands about the edges of rough masks: what they know may be wrong."""

    guide = "mask"


def encoded(pixels: Tensor, stops: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """What the net is given, (B, 8, H, W), and should give, (B, 1, H, W), from the cache's (B, 9, H, W)."""
    pixels = pixels.float()
    light = pixels[:, TOLD:-1]
    if stops is not None:
        light = light * stops.exp2()[..., None, None]
    return torch.cat([pixels[:, :TOLD], ENCODING.encode(light)], 1), pixels[:, -1:]


def mended(net: nn.Module, given: Tensor) -> Tensor:
    """The classical matte with what the net made of its unknown pixels, (B, 1, H, W)."""
    return torch.where(_unknown(given), net(given).clamp(0, 1), given[:, :1])


def _unknown(given: Tensor) -> Tensor:
    return given[:, TOLD - 1 : TOLD] == UNKNOWN


def _of_guide(plate: NDArray[np.float16], number: int) -> NDArray[np.float16]:
    """Clues of one guide, plate and coverage, (H, W, 9)."""
    first = 4 + TOLD * number
    return np.concatenate([plate[..., first : first + TOLD], plate[..., :4]], -1)


def _guide(kind: Guide, truth: Pixels, random: np.random.Generator) -> Pixels:
    """A trimap; of a rough mask the band about its edge."""
    if kind == "trimap":
        return random_trimap(truth, random)
    return trimap_of(random_mask(truth, random), float(np.exp(random.uniform(*np.log(WIDTHS)))))


def plate_and_truth(
    subjects: Sequence[Path],
    photos: Sequence[Path],
    settings: Settings,
    random: np.random.Generator,
    only_rendered: bool = False,
) -> NDArray[np.float16]:
    """One plate and its coverage: (H, W, 4), light whose median is middle grey, and A."""
    import cv2

    from vfxgen.image.middle_grey import gain_to_grey
    from vfxgen.training.cutouts import photograph, random_subject, square

    share, kept = (1.0, 1.0) if only_rendered else (settings.rendered, settings.own_colors)
    cutout = random_subject(subjects, photos, settings.size, share, kept, random)
    behind = square(photograph(photos[int(random.integers(len(photos)))]), settings.size, random)
    if random.random() < 0.6:
        behind = cv2.GaussianBlur(behind, (0, 0), random.uniform(0.5, 8))
    contrast = np.float32(random.uniform(settings.least_contrast, 1))
    behind, foreground, bounce = (layer**contrast for layer in (behind, cutout.foreground, cutout.bounce))
    covered = np.average(foreground, weights=np.broadcast_to(cutout.alpha, foreground.shape))
    own = foreground * np.float32(np.exp2(random.normal(0, 0.8)) * behind.mean() / max(covered, 0.02))
    around = behind.mean((0, 1)) * np.float32(random.uniform(0, 0.6))
    plate = cutout.alpha * (own + bounce * around) + (1 - cutout.alpha) * behind
    light = torch.from_numpy(plate.astype(np.float32)).movedim(-1, 0)[None]
    light = noisy(light, np.array([random.choice([0.0, random.uniform(0.0, 0.015)])]), random)
    if random.random() < 0.3:
        light = compressed(light[0], int(random.integers(60, 98)))[None]
    shown = light[0].movedim(0, -1).numpy()
    pixels = np.concatenate([shown * np.float32(gain_to_grey(shown)), cutout.alpha], -1)
    return np.asarray(np.clip(pixels, -100, 1000), np.float16)
