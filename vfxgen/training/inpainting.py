"""The inpainter's objective: photographs with holes, as exposed light, filled coarse to fine as the operator does it.

First the values are learned; late, a critic joins in, to which a fill must look like a photograph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from vfxgen.encoding import Encoding
from vfxgen.errors import MediaError, RequestError
from vfxgen.frame import Mask, Pixels
from vfxgen.image import coarse_to_fine
from vfxgen.image.harmonic import harmonic
from vfxgen.training.adversarial import Opposition
from vfxgen.training.cached import CachedObjective, Measure
from vfxgen.training.hole_masks import KINDS, hole
from vfxgen.training.losses import charbonnier, gradient, laplacian
from vfxgen.training.objective import Batch, Forward, Picture
from vfxgen.training.patches import Cut, read_pictures, write_pictures
from vfxgen.training.upscaling import read_rgb, to_light

ENCODING = Encoding("srgb")
LEVELS = 2
"""How often the patch is halved at most; a larger hole is more of the same."""
SIDE = 192
"""Of the middle of a held-out picture, in pixels."""


@dataclass(frozen=True)
class Settings:
    """The table ``[objective]`` of an inpainter's recipe.

    Parameters
    ----------
    patch
        Side of a patch, in pixels; a multiple of 16.
    batch
        Patches a step; the kinds of holes take turns.
    exposure_stops
        Light is exposed by as much up or down. The operator exposes what it gives a net, so this can be small.
    lamps
        Share of patches whose highlights, white in the photograph, are made brighter, up to 4 stops.
    edges, pyramid
        Weights of the losses of gradients and of Laplacian pyramids, beside Charbonnier's.
    adversarial, matching
        Weights of the critic's verdict and of its features.
    adversarial_from
        The step from which the critic counts, in full after a tenth as many more.
    critic_width
        Channels of its first layer.
    seed
        Of patches and holes.
    """

    patch: int = 128
    batch: int = 6
    exposure_stops: float = 1.0
    lamps: float = 0.1
    edges: float = 0.5
    pyramid: float = 0.1
    adversarial: float = 0.005
    matching: float = 0.1
    adversarial_from: int = 3000
    critic_width: int = 24
    seed: int = 0

    def __post_init__(self) -> None:
        if self.patch < 64 or self.patch % 16 or self.batch < 1:
            raise RequestError(
                f"objective: patch = {self.patch} must be a multiple of 16, 64 or more, batch = {self.batch} 1 or more"
            )
        if min(self.exposure_stops, self.edges, self.pyramid, self.adversarial, self.matching) < 0:
            raise RequestError("objective: exposure_stops, edges, pyramid, adversarial and matching must be 0 or more")
        if not 0 <= self.lamps <= 1 or self.adversarial_from < 0 or self.critic_width < 1:
            raise RequestError(
                f"objective: lamps = {self.lamps} must be 0 .. 1, adversarial_from = {self.adversarial_from} 0 or more "
                f"and critic_width = {self.critic_width} 1 or more"
            )


class Inpainting(CachedObjective):
    """Random patches of the cached photographs with random holes; see `Settings`."""

    settings_type = Settings
    inputs: ClassVar = [{"name": "picture_and_mask", "channels": "R G B M", "encoding": ENCODING.name}]
    outputs: ClassVar = [{"name": "filled", "channels": "R G B", "encoding": ENCODING.name}]
    measures: ClassVar = {
        "PSNR in holes": Measure("PSNR in holes", "dB", "code of the encoding, free-form, box and scratch, mean of all")
    }
    lower_is_better = False

    @classmethod
    def prepare(
        cls, files: Sequence[Path], held_out: Path | None, net: dict[str, Any], settings: Settings, cache: Path
    ) -> None:
        """The 8-bit photographs, and those in the folder `held_out`."""
        write_pictures(cache, "photos", (_photograph(path, settings.patch) for path in files))
        found = sorted(held_out.glob("*.png")) if held_out else []
        if held_out and not found:
            raise MediaError(f"{held_out}: has no .png to validate on")
        write_pictures(cache, "held_out", map(read_rgb, found))

    def __init__(self, net: dict[str, Any], settings: Settings, cache: Path) -> None:
        self.settings = settings
        self.photos, self.held_out = (read_pictures(cache, name) for name in ("photos", "held_out"))
        area = np.array([photo.size for photo in self.photos], np.float64)
        self.chance = area / area.sum()
        verdict, matching = settings.adversarial, settings.matching
        self.opposition = Opposition(4, settings.critic_width, verdict, matching, settings.adversarial_from)
        self.critic = self.opposition.critic if verdict else None

    def batch(self, step: int) -> Batch:
        """``truth`` (B, 3, P, P) code; ``levels`` (B,), how often each is halved; ``mask N`` and ``first N`` of each.

        ``first N`` is the picture of level N with `harmonic` under its hole; ``opposed`` how much the critic counts,
        from the step on at which it does.
        """
        settings = self.settings
        random = np.random.default_rng((settings.seed, step))
        truths, levels = [], []
        parts: dict[str, list[Tensor]] = {f"{name} {n}": [] for n in range(LEVELS + 1) for name in ("mask", "first")}
        for position, n in enumerate(random.choice(len(self.photos), settings.batch, p=self.chance)):
            truth = self._exposed(Cut.random(self.photos[n].shape, settings.patch, random).of(self.photos[n]), random)
            kind = list(KINDS)[(position + step * settings.batch) % len(KINDS)]
            there = hole(kind, truth.shape[:2], settings.patch, random)
            truths.append(_tensor(truth))
            levels.append(min(LEVELS, coarse_to_fine.levels(there)))
            code = truth
            for level in range(LEVELS + 1):
                parts[f"mask {level}"].append(torch.from_numpy(there[None].astype(np.float32)))
                parts[f"first {level}"].append(_tensor(harmonic(code, ~there)))
                code, there = coarse_to_fine.halved(code, there)
        batch = {name: torch.stack(tensors) for name, tensors in parts.items()}
        batch |= {"truth": torch.stack(truths), "levels": torch.tensor(levels)}
        if self.critic is not None and (share := self.opposition.share(step)):
            batch["opposed"] = torch.tensor(share)
        return batch

    def loss(self, net: Forward, batch: Batch) -> dict[str, Tensor]:
        """Of each level what it made of its hole; at the finest the critic's verdict too, once it counts."""
        settings, terms = self.settings, dict[str, Tensor]()
        made = torch.zeros(0)
        for level in range(LEVELS, -1, -1):
            mask, first = batch[f"mask {level}"], batch[f"first {level}"]
            if level < LEVELS:
                larger = interpolate(made.detach(), scale_factor=2.0, mode="bilinear", align_corners=False)
                goes_on = (batch["levels"] > level)[:, None, None, None] & (mask > 0)
                first = torch.where(goes_on, larger, first)
            made = net(torch.cat((first, mask), 1))
            truth = avg_pool2d(batch["truth"], 2**level)
            weight = _each_alike(mask, truth, batch[f"first {level}"]) * (batch["levels"] >= level)[:, None, None, None]
            terms[f"charbonnier {level}"] = charbonnier(made, truth, weight) * 0.5**level
        terms["edges"] = settings.edges * gradient(made, truth, weight)
        terms["pyramid"] = settings.pyramid * laplacian(made, truth, weight, levels=4)
        if "opposed" in batch:
            real, seen = (torch.cat((code, mask), 1) for code in (batch["truth"], made))
            terms |= self.opposition.terms(real, seen, batch["opposed"])
        return terms

    def critic_loss(self, batch: Batch) -> dict[str, Tensor]:
        """The hinge; nothing before the critic counts."""
        return self.opposition.critic_terms() if "opposed" in batch else {}

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Mean PSNR in a hole of each kind in each held-out picture."""
        errors = [
            float(np.mean((made - truth)[there] ** 2)) for truth, there, made in (self._filled(net, n, kind)
            for n in range(len(self.held_out)) for kind in KINDS)
        ]  # fmt: skip
        return {"PSNR in holes": float(np.mean(-10 * np.log10(np.maximum(errors, 1e-10))))} if errors else {}

    def samples(self, net: nn.Module) -> Picture | None:
        """Held-out pictures with a hole of each kind in turn: with the hole, result, truth; one a row."""
        rows = []
        for n in range(min(4, len(self.held_out))):
            truth, there, made = self._filled(net, n, list(KINDS)[n % len(KINDS)])
            row = np.concatenate([np.where(there[..., None], np.float32(1), truth), made, truth], 1)
            rows.append(np.pad(row, ((0, SIDE - row.shape[0]), (0, 3 * SIDE - row.shape[1]), (0, 0))))
        return np.concatenate(rows).clip(0, 1) if rows else None

    def _filled(self, net: nn.Module, n: int, kind: str) -> tuple[Pixels, Mask, Pixels]:
        """Truth, hole and result of the middle of a held-out picture."""
        photo = self.held_out[n]
        side = min(SIDE, *photo.shape[:2]) // 4 * 4
        y, x = ((size - side) // 2 for size in photo.shape[:2])
        truth = _code(np.ascontiguousarray(photo[y : y + side, x : x + side]))
        there = hole(kind, truth.shape[:2], side / 2, np.random.default_rng((self.settings.seed, n)))
        return truth, there, coarse_to_fine.filled(truth, there, lambda first, mask: through(net, first, mask))

    def _exposed(self, patch: np.ndarray[Any, Any], random: np.random.Generator) -> Pixels:
        stops = random.uniform(-self.settings.exposure_stops, self.settings.exposure_stops)
        lamps = random.uniform(0, 4) if random.random() < self.settings.lamps else 0.0
        return _code(patch.transpose(1, 2, 0), stops, lamps)


def through(net: nn.Module, first: Pixels, there: Mask) -> Pixels:
    """What a net makes of a picture (H, W, 3) and its hole (H, W); sides are padded to a multiple of 4."""
    height, width = there.shape
    rim = ((0, -height % 4), (0, -width % 4))
    given = np.concatenate([first, there[..., None].astype(np.float32)], axis=-1)
    tensor = _tensor(np.pad(given, (*rim, (0, 0)), "edge"))[None].to(next(net.parameters()).device)
    made: Pixels = net(tensor)[0].permute(1, 2, 0).cpu().numpy()[:height, :width]
    return made


def _code(photo: np.ndarray[Any, Any], stops: float = 0.0, lamps: float = 0.0) -> Pixels:
    """8-bit display code (H, W, 3) as light, its highlights raised by up to `lamps` stops, exposed and encoded."""
    light = to_light(torch.from_numpy(np.ascontiguousarray(photo)).float() / 255)
    white = ((light.amax(-1, keepdim=True) - 0.8) / 0.2).clamp(0, 1)
    code: Pixels = ENCODING.encode(light * (lamps * white + stops).exp2()).numpy()
    return code


def _each_alike(mask: Tensor, truth: Tensor, first: Tensor) -> Tensor:
    """A scratch counts as much as a box, and structure that can be known as much as texture that cannot.

    Weights (B, 1, H, W) over the hole, divided by how wrong the smooth fill is there: means of PSNR, in dB, do so too.
    """
    share = mask.mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-3)
    wrong = (mask * (first - truth).abs()).mean(dim=(1, 2, 3), keepdim=True) / share
    return mask / share / (wrong + 0.02)


def _tensor(pixels: Pixels) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


def _photograph(path: Path, patch: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    photo = read_rgb(path)
    if min(photo.shape[:2]) < patch:
        raise MediaError(f"{path}: is {photo.shape[1]}x{photo.shape[0]}, smaller than a patch of {patch} pixels")
    return photo
