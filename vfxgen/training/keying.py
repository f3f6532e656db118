"""The objective of a key's net: subjects before lit screens, what the classical key makes of them, and the truth.

Plates are composed in scene-linear light when the cache is made: a subject, the screen's light on it, an uneven screen
with wrinkles, markers and its shadow, a lens, a sensor, some of it compressed. The net is given what
`vfxgen.image.keying.key` found, beside plate and screen, and learns what is left to do.
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
from vfxgen.image.undecided import CHANNELS, undecided
from vfxgen.training.augment import compressed, noisy
from vfxgen.training.cached import Measure
from vfxgen.training.composed import SHOWN, ComposedObjective, ComposedSettings, stacked
from vfxgen.training.losses import charbonnier, gradient, mean, settled
from vfxgen.training.objective import Batch, Forward, Picture
from vfxgen.training.patches import Cut, read_pictures

ENCODING = Encoding("srgb")
LIGHT = [n for n, name in enumerate(CHANNELS.split()) if name != "A"]
TRIES = 4
"""Places that are drawn for a patch: the one with most to be decided is taken, as far as `ENOUGH` of it."""
ENOUGH = 0.25
FACTORS = (1, 1, 2, 2, 4)
"""Of the key's working pixels, by chance: as if the plate were a part of one of 384, 960 or 1920 pixels."""


@dataclass(frozen=True)
class Settings(ComposedSettings):
    """The table ``[objective]`` of a key's recipe; the rest is in `ComposedSettings`.

    Parameters
    ----------
    edges
        How much more a pixel counts where the classical key is undecided.
    spill
        The most that the light which the screen adds to a subject is multiplied by; between 0 and that for most
        plates, nothing for two of seven. The lamp that subjects were rendered with has a radiance of 1.9: about 0.5 is
        a screen as large and near, more stands for whiter cloth and for hair that lets light through.
    folded
        Share of plates whose subject is thinner and thicker in folds than it was rendered.
    """

    edges: float = 4.0
    spill: float = 1.0
    folded: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.edges, self.spill, self.folded) < 0 or self.folded > 1:
            raise RequestError(
                f"objective: edges = {self.edges:g} and spill = {self.spill:g} must be 0 or more, "
                f"folded = {self.folded:g} between 0 and 1"
            )


class Keying(ComposedObjective):
    """Patches of the composed plates; see `Settings`."""

    settings_type = Settings
    needs_photographs = False
    inputs: ClassVar = [{"name": "keyed", "channels": CHANNELS, "encoding": ENCODING.name}]
    outputs: ClassVar = [{"name": "refined", "channels": "R G B A", "encoding": ENCODING.name}]
    measures: ClassVar = {
        "alpha": Measure("mean absolute error of alpha", "/ 1000", "whole frames of held-out subjects"),
        "alpha, classical": Measure("mean absolute error of alpha, by the classical key", "/ 1000"),
        "foreground": Measure("mean absolute error of straight colour, alpha 0.02 .. 0.98", "/ 1000", "screen = 500"),
        "foreground, classical": Measure("mean absolute error of straight colour, by the classical key", "/ 1000"),
    }

    @staticmethod
    def compose(
        subjects: Sequence[Path],
        photos: Sequence[Path],
        settings: Settings,
        random: np.random.Generator,
        only_rendered: bool = False,
    ) -> NDArray[np.float16] | None:
        """See `plate_and_truth`."""
        return plate_and_truth(subjects, photos, settings, random, only_rendered)

    def __init__(self, net: dict[str, Any], settings: Settings, cache: Path) -> None:
        self.settings = settings
        self.plates, self.held = read_pictures(cache, "plates"), read_pictures(cache, "held_out")

    def batch(self, step: int) -> Batch:
        """``light``: (B, 14, P, P) float16, what the net is given and the truth, not yet encoded."""
        random = np.random.default_rng((self.settings.seed, step))
        chosen = random.integers(0, len(self.plates), self.settings.batch)
        patches = [self._patch(self.plates[n], random) for n in chosen]
        return {"light": torch.from_numpy(np.stack(patches))}

    def loss(self, net: Forward, batch: Batch) -> dict[str, Tensor]:
        """Coverage and colour, both counted more where the classical key is undecided."""
        given, truth = encoded(batch["light"])
        made = mended(net, given)
        alpha, true = settled(made[:, 3:], truth[:, 3:]), truth[:, 3:]
        # By what is given, never by the truth: pixels that look alike must count alike, or the net leans to one side.
        weight = 1 + self.settings.edges * ((given[:, 3:4] > 0) & (given[:, 3:4] < 1)).float()
        covered = weight * (true * 4).clamp(0, 1)
        return {
            "alpha": charbonnier(alpha, true, weight),
            "steps": gradient(alpha, true, weight),
            "foreground": charbonnier(made[:, :3], truth[:, :3], covered),
        }

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Errors over the held-out plates, beside those of the classical key."""
        if not self.held:
            return {}
        errors: dict[str, list[Tensor]] = {name: [] for name in self.measures}
        for plate in self.held:
            given, truth = _whole(plate, net)
            for made, end in ((mended(net, given), ""), (given, ", classical")):
                alpha, fraction = made[:, 3:4].clamp(0, 1), (truth[:, 3:] > 0.02) & (truth[:, 3:] < 0.98)
                off = (ENCODING.decode(made[:, :3]) - ENCODING.decode(truth[:, :3])).abs()
                errors[f"alpha{end}"].append((alpha - truth[:, 3:]).abs().mean())
                errors[f"foreground{end}"].append(mean(off, fraction.float()))
        return {name: 1000 * float(torch.stack(values).mean()) for name, values in errors.items()}

    def samples(self, net: nn.Module) -> Picture | None:
        """Held-out plates, one a row: plate, alpha of the classical key, of the net, truth; then colour over grey."""
        rows = []
        for plate in self.held[:SHOWN]:
            given, truth = _whole(plate, net)
            keys = [given[:, :4], mended(net, given), truth]
            over = [_over_grey(key) for key in keys]
            rows.append(torch.cat([given[:, 4:7], *(k[:, 3:].expand(-1, 3, -1, -1) for k in keys), *over], 3)[0])
        return stacked(rows)

    def _patch(self, plate: NDArray[np.float16], random: np.random.Generator) -> NDArray[np.float16]:
        cuts = [Cut.random(plate.shape, self.settings.patch, random) for _ in range(TRIES)]
        patches = [cut.of(plate) for cut in cuts]
        decides = [((patch[-1, ::4, ::4] > 0) & (patch[-1, ::4, ::4] < 1)).mean() for patch in patches]
        return patches[int(np.argmax(np.minimum(decides, ENOUGH)))]


def encoded(light: Tensor) -> tuple[Tensor, Tensor]:
    """What the net is given, (B, 10, H, W), and should give, (B, 4, H, W), from the cache's (B, 14, H, W)."""
    light = light.float()
    given, truth = light[:, :10].clone(), light[:, 10:].clone()
    given[:, LIGHT], truth[:, :3] = ENCODING.encode(given[:, LIGHT]), ENCODING.encode(truth[:, :3])
    return given, truth


def _whole(plate: NDArray[np.float16], net: nn.Module) -> tuple[Tensor, Tensor]:
    """What `encoded` makes of one plate (H, W, 14), where the net is."""
    light = torch.from_numpy(np.array(plate)).movedim(-1, 0)[None]
    return encoded(light.to(next(net.parameters()).device))


def mended(net: Forward, given: Tensor) -> Tensor:
    """The classical key with what the net made of it where it was undecided, (B, 4, H, W)."""
    return torch.where(undecided(given[:, 3:4]), net(given), given[:, :4])


def _over_grey(code: Tensor) -> Tensor:
    alpha = code[:, 3:].clamp(0, 1)
    return ENCODING.encode(alpha * ENCODING.decode(code[:, :3]) + (1 - alpha) * 0.18)


def plate_and_truth(
    subjects: Sequence[Path],
    photos: Sequence[Path],
    settings: Settings,
    random: np.random.Generator,
    only_rendered: bool = False,
) -> NDArray[np.float16] | None:
    """One plate, keyed, and its truth: (H, W, 14); None where there is no screen left to key from.

    Parameters
    ----------
    subjects, photos
        Files of rendered subjects, and of photographs.
    """
    from vfxgen.image.keying import key
    from vfxgen.image.refined_key import given, level
    from vfxgen.image.tensor import to_pixels, to_tensor
    from vfxgen.image.unmix import REC709_LUMINANCE
    from vfxgen.training.cutouts import random_subject
    from vfxgen.training.screens import lit_screen, screen_color, shadow

    name = random.choice(["green", "green", "blue"])
    share, kept = (1.0, 1.0) if only_rendered else (settings.rendered, settings.own_colors)
    cutout = random_subject(subjects, photos, settings.size, share, kept, random)
    if settings.folded and random.random() < settings.folded:
        cutout = cutout.folded(random)
    color = screen_color(name, random)
    screen = lit_screen(settings.size, color, random) * shadow(cutout.alpha, random)
    spill = np.float32(settings.spill * max(0.0, random.uniform(-0.4, 1.0))) * cutout.bounce
    solid = np.average(cutout.foreground, weights=np.broadcast_to(cutout.alpha, cutout.foreground.shape))
    own = cutout.foreground * np.float32(color.max() * np.exp2(random.normal(-0.3, 1.0)) / max(solid, 0.02))
    grey = np.float32(np.dot(color, REC709_LUMINANCE))
    plate = cutout.alpha * (own + spill * color) + (1 - cutout.alpha) * screen
    truth = np.concatenate([own + spill * grey, cutout.alpha], -1)
    photographed = _through_camera(to_tensor(plate), float(color.max()), random)
    clean = to_tensor(screen) if random.random() < 0.2 else None
    try:
        keyed = key(photographed, name, clean=clean, factor=int(random.choice(FACTORS)))
    except ValueError:
        return None
    unit = level(keyed, name)
    order = [0, 1, 2, 3] if name == "green" else [0, 2, 1, 3]
    true = to_tensor(truth.astype(np.float32))[:, order]
    true[:, :3] /= unit
    pixels = to_pixels(torch.cat([given(photographed, keyed, name), true], 1))
    return np.asarray(np.clip(pixels, -1000, 1000), np.float16)


def _through_camera(plate: Tensor, screen: float, random: np.random.Generator) -> Tensor:
    """Noise of a sensor that is exposed for the screen, and sometimes a codec; (1, 3, H, W)."""
    exposed = plate * (0.35 / screen)
    exposed = noisy(exposed, np.array([random.choice([0.002, random.uniform(0.002, 0.01)])]), random)
    if random.random() < 0.15:
        exposed = compressed(exposed[0], int(random.integers(88, 98)))[None]
    return exposed * (screen / 0.35)
