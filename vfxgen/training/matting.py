"""The objective of nets for mattes: subjects before photographs, a trimap or a rough mask, and the true coverage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from vfxgen.encoding import Encoding
from vfxgen.training.augment import compressed, noisy
from vfxgen.training.cached import Measure
from vfxgen.training.composed import HELD_OUT, SHOWN, ComposedObjective, ComposedSettings, stacked
from vfxgen.training.guides import Guide, random_guide
from vfxgen.training.losses import charbonnier, gradient, laplacian, settled
from vfxgen.training.objective import Batch, Forward, Picture
from vfxgen.training.patches import Cut, read_pictures

ENCODING = Encoding("srgb")
TRIES = 3
"""Places that are drawn for a patch: the one with most to be decided is taken."""
BAND = 10
"""Pixels to each side of a mask's edge that are to be decided, as the parameter `width` of `matte` has it."""


@dataclass(frozen=True)
class Settings(ComposedSettings):
    """The table ``[objective]`` of a matte's recipe; the rest is in `ComposedSettings`.

    Parameters
    ----------
    exposure_stops
        Plates are exposed by as much up or down from where the operator brings every frame.
    """

    samples: int = 1200
    rendered: float = 0.6
    exposure_stops: float = 1.0


class Matting(ComposedObjective):
    """Patches of the composed plates with trimaps drawn anew for each; see `Settings`."""

    guide: ClassVar[Guide] = "trimap"
    settings_type = Settings
    needs_photographs = True
    inputs: ClassVar = [{"name": "picture", "channels": "R G B T", "encoding": ENCODING.name}]
    outputs: ClassVar = [{"name": "alpha", "channels": "A"}]
    measures: ClassVar = {
        "alpha": Measure("mean absolute error of alpha where it is to be decided", "/ 1000", "held-out subjects"),
        "square": Measure("mean square error of alpha where it is to be decided", "/ 1000", "held-out subjects"),
    }

    @staticmethod
    def compose(
        subjects: Sequence[Path],
        photos: Sequence[Path],
        settings: Settings,
        random: np.random.Generator,
        only_rendered: bool = False,
    ) -> NDArray[np.float16]:
        """See `plate_and_truth`."""
        return plate_and_truth(subjects, photos, settings, random, only_rendered)

    def __init__(self, net: dict[str, Any], settings: Settings, cache: Path) -> None:
        self.settings = settings
        self.plates = read_pictures(cache, "plates")
        self.held = [
            (plate, random_guide(self.guide, _alpha(plate), np.random.default_rng((settings.seed, HELD_OUT, n))))
            for n, plate in enumerate(read_pictures(cache, "held_out"))
        ]

    def batch(self, step: int) -> Batch:
        """``light`` (B, 4, P, P) float16: plate and coverage; ``guide`` (B, 1, P, P); ``stops`` (B,)."""
        settings = self.settings
        random = np.random.default_rng((settings.seed, step))
        lights, guides = [], []
        for n in random.integers(0, len(self.plates), settings.batch):
            plate = self.plates[n]
            guide = random_guide(self.guide, _alpha(plate), random)
            cut = self._cut(plate, guide, random)
            lights.append(cut.of(plate))
            guides.append(cut.of(guide[..., None]).copy())
        stops = random.uniform(-settings.exposure_stops, settings.exposure_stops, settings.batch)
        return {
            "light": torch.from_numpy(np.stack(lights)),
            "guide": torch.from_numpy(np.stack(guides)),
            "stops": torch.from_numpy(stops.astype(np.float32)),
        }

    def loss(self, net: Forward, batch: Batch) -> dict[str, Tensor]:
        """Coverage, its pyramid and its steps, where the guide leaves it open; a mask leaves all of it open."""
        light = batch["light"].float()
        exposed = light[:, :3] * batch["stops"].exp2()[:, None, None, None]
        truth, guide = light[:, 3:], batch["guide"]
        alpha = settled(net(torch.cat([ENCODING.encode(exposed), guide], 1)), truth)
        weight = self._open(guide).float() + (0.1 if self.guide == "mask" else 0.0)
        alpha = torch.where(weight > 0, alpha, truth)
        return {
            "alpha": charbonnier(alpha, truth, weight),
            "pyramid": laplacian(alpha, truth, weight, levels=4),
            "steps": gradient(alpha, truth, weight),
        }

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Errors where the guide leaves coverage open, over the held-out plates."""
        if not self.held:
            return {}
        errors: dict[str, list[Tensor]] = {name: [] for name in self.measures}
        for plate, guide in self.held:
            given, truth = self._whole(plate, guide, next(net.parameters()).device)
            off = (net(given).clamp(0, 1) - truth)[self._open(given[:, 3:])]
            errors["alpha"].append(off.abs().mean())
            errors["square"].append(off.square().mean())
        return {name: 1000 * float(torch.stack(values).mean()) for name, values in errors.items()}

    def samples(self, net: nn.Module) -> Picture | None:
        """Held-out plates, one a row: plate, guide, result, truth."""
        rows = []
        for plate, guide in self.held[:SHOWN]:
            given, truth = self._whole(plate, guide, next(net.parameters()).device)
            mattes = [given[:, 3:], torch.where(self._open(given[:, 3:]), net(given), given[:, 3:]), truth]
            rows.append(torch.cat([given[:, :3], *(matte.expand(-1, 3, -1, -1) for matte in mattes)], 3)[0])
        return stacked(rows)

    def _open(self, guide: Tensor) -> Tensor:
        """Where the guide leaves coverage open, by what it says alone: pixels that look alike must count alike."""
        return guide == 0.5 if self.guide == "trimap" else _edge(guide)

    def _whole(
        self, plate: NDArray[np.float16], guide: NDArray[np.float32], device: torch.device
    ) -> tuple[Tensor, ...]:
        light = torch.from_numpy(np.array(plate)).movedim(-1, 0)[None].to(device).float()
        given = torch.cat([ENCODING.encode(light[:, :3]), torch.from_numpy(guide)[None, None].to(device)], 1)
        return given, light[:, 3:]

    def _cut(self, plate: NDArray[np.float16], guide: NDArray[np.float32], random: np.random.Generator) -> Cut:
        """Where most is to be decided, of a few places."""
        open_ = (plate[..., 3] > 0) & (plate[..., 3] < 1) & ((guide == 0.5) | (self.guide == "mask"))
        cuts = [Cut.random(plate.shape, self.settings.patch, random) for _ in range(TRIES)]
        decides = [np.count_nonzero(cut.of(open_[..., None])) for cut in cuts]
        return cuts[int(np.argmax(decides))]


class CoarseMatting(Matting):
    """The same with rough masks."""

    guide = "mask"
    inputs: ClassVar = [{"name": "picture", "channels": "R G B M", "encoding": ENCODING.name}]


def _alpha(plate: NDArray[np.float16]) -> NDArray[np.float32]:
    return plate[..., 3].astype(np.float32)


def _edge(mask: Tensor) -> Tensor:
    """(B, 1, H, W), True within `BAND` of what in a mask is neither empty nor solid, or between both."""
    size = 2 * BAND + 1
    return (max_pool2d(mask, size, 1, BAND) > 0.02) & (max_pool2d(1 - mask, size, 1, BAND) > 0.02)


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

    cutout = random_subject(subjects, photos, settings.size, 1.0 if only_rendered else settings.rendered, random)
    behind = square(photograph(photos[int(random.integers(len(photos)))]), settings.size, random)
    if random.random() < 0.6:
        behind = cv2.GaussianBlur(behind, (0, 0), random.uniform(0.5, 8))
    levels = [max(0.02, float(light.mean())) for light in (cutout.foreground, behind)]
    own = cutout.foreground * np.float32(np.exp2(random.normal(0, 0.8)) * levels[1] / levels[0])
    around = behind.mean((0, 1)) * np.float32(random.uniform(0, 0.6))
    plate = cutout.alpha * (own + cutout.bounce * around) + (1 - cutout.alpha) * behind
    light = torch.from_numpy(plate.astype(np.float32)).movedim(-1, 0)[None]
    light = noisy(light, np.array([random.choice([0.0, random.uniform(0.0, 0.015)])]), random)
    if random.random() < 0.3:
        light = compressed(light[0], int(random.integers(60, 98)))[None]
    shown = light[0].movedim(0, -1).numpy()
    pixels = np.concatenate([shown * np.float32(gain_to_grey(shown)), cutout.alpha], -1)
    return np.asarray(np.clip(pixels, -100, 1000), np.float16)
