"""The upscalers' objective: photographs and the same made smaller, as display code and as light.

Of every batch one part is the published benchmarks' task (display code values, MATLAB's bicubic), the rest is
scene-linear light made smaller as a sensor does it (means of blocks), exposed at random and encoded. The truth of a
share of both is a photograph made half as large: what its camera's filter and its file's compression did to the finest
detail is gone there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vfxgen.encoding import Encoding
from vfxgen.errors import MediaError, RequestError
from vfxgen.image.bicubic import smaller
from vfxgen.training.cached import CachedObjective, Measure
from vfxgen.training.losses import charbonnier
from vfxgen.training.objective import Batch, Forward, Picture
from vfxgen.training.patches import Cut, read_pictures, write_pictures

ENCODING = Encoding("srgb")
LUMA = np.array([65.481, 128.553, 24.966]) / 255
"""Y of BT.601, studio range."""
SAMPLE = 96
"""Side of a sample, in pixels of the large picture."""

Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Settings:
    """The table ``[objective]`` of an upscaler's recipe.

    Parameters
    ----------
    patch
        Side of a patch of the small picture, in pixels.
    batch, light
        Patches a step, and how many of them are light; the others are display code.
    exposure_stops
        Light is exposed by as much up or down.
    halved
        Share of the patches that come from photographs made half as large.
    luminance
        Share of the loss that is of Y of BT.601 alone, 0 .. 1; the rest is of R G B.
    epsilon
        Of the Charbonnier loss.
    seed
        Of the patches.
    """

    patch: int = 48
    batch: int = 6
    light: int = 2
    exposure_stops: float = 3.0
    halved: float = 0.0
    luminance: float = 0.0
    epsilon: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.patch < 1 or self.batch < 1 or not 0 <= self.light <= self.batch:
            raise RequestError(
                f"objective: patch = {self.patch} and batch = {self.batch} must be 1 or more, "
                f"light = {self.light} between 0 and batch"
            )
        if not 0 <= self.halved <= 1 or not 0 <= self.luminance <= 1:
            raise RequestError(
                f"objective: halved = {self.halved:g} and luminance = {self.luminance:g} must be between 0 and 1"
            )


class Upscaling(CachedObjective):
    """Random patches of the cached photographs; see `Settings`."""

    settings_type: ClassVar[type] = Settings
    inputs: ClassVar = [{"name": "picture", "channels": "R G B", "encoding": ENCODING.name}]
    outputs: ClassVar = [{"name": "enlarged", "channels": "R G B", "encoding": ENCODING.name}]
    measures: ClassVar = {
        "PSNR of Y": Measure("PSNR, Y of BT.601, border = scale", "dB", "MATLAB bicubic, display code fed as it is")
    }
    lower_is_better = False

    @classmethod
    def prepare(
        cls, files: Sequence[Path], held_out: Path | None, net: dict[str, Any], settings: Settings, cache: Path
    ) -> None:
        """Per photograph the 8-bit original, and both small versions; of `held_out` its `HR` and `LR_xSCALE`.

        With `Settings.halved` the same of all photographs made half as large, after them.
        """
        scale = said_scale(net)
        sizes = (1, 2) if settings.halved else (1,)
        wanted = ((path, size) for size in sizes for path in files)
        write_pictures(cache, "large", (photograph(path, scale, settings.patch, size) for path, size in wanted))
        large = read_pictures(cache, "large")
        write_pictures(cache, "code", (smaller(photo, scale) for photo in large))
        write_pictures(cache, "light", (_smaller_light(photo, scale) for photo in large))
        for name, folder in (("held_out_large", "HR"), ("held_out_small", f"LR_x{scale}")):
            found = sorted((held_out / folder).glob("*.png")) if held_out else []
            if held_out and not found:
                raise MediaError(f"{held_out / folder}: has no .png; validation needs HR and LR_x{scale}")
            write_pictures(cache, name, map(read_rgb, found))
        if held_out:
            _check_pairs(held_out, scale, *(read_pictures(cache, f"held_out_{size}") for size in ("large", "small")))

    def __init__(self, net: dict[str, Any], settings: Settings, cache: Path) -> None:
        self.scale, self.settings = net["scale"], settings
        self.large, self.code, self.light = (read_pictures(cache, name) for name in ("large", "code", "light"))
        self.held_out = list(
            zip(read_pictures(cache, "held_out_large"), read_pictures(cache, "held_out_small"), strict=True)
        )
        area = np.array([photo.size for photo in self.large], np.float64)
        groups = np.split(area, 2) if settings.halved else [area]
        shares = (1 - settings.halved, settings.halved)
        self.chance = np.concatenate([share * part / part.sum() for share, part in zip(shares, groups, strict=False)])

    def batch(self, step: int) -> Batch:
        """Large uint8 (B, 3, sP, sP); small uint8 codes and float16 light (.., 3, P, P); exposures in stops."""
        settings, scale = self.settings, self.scale
        random = np.random.default_rng((settings.seed, step))
        displayed = settings.batch - settings.light
        large, small = [], []
        for position, n in enumerate(random.choice(len(self.large), settings.batch, p=self.chance)):
            source = (self.code if position < displayed else self.light)[n]
            cut = Cut.random(source.shape, settings.patch, random)
            small.append(cut.of(source))
            large.append(cut.of(self.large[n], scale))
        stops = random.uniform(-settings.exposure_stops, settings.exposure_stops, settings.light)
        batch = {"large": torch.from_numpy(np.stack(large)), "stops": torch.from_numpy(stops.astype(np.float32))}
        for name, patches in (("code", small[:displayed]), ("light", small[displayed:])):
            if patches:
                batch[name] = torch.from_numpy(np.stack(patches))
        return batch

    def loss(self, net: Forward, batch: Batch) -> dict[str, Tensor]:
        """Charbonnier, on codes: of R G B, and of their luminance."""
        given, truth = encoded(batch)
        made, share, epsilon = net(given), self.settings.luminance, self.settings.epsilon
        terms = {"charbonnier": (1 - share) * charbonnier(made, truth, epsilon=epsilon)}
        if share:
            y = made.new_tensor(LUMA / LUMA.sum()).view(3, 1, 1)
            apart = ((made - truth) * y).sum(1, keepdim=True)
            terms["luminance"] = share * charbonnier(apart, torch.zeros_like(apart), epsilon=epsilon)
        return terms

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Mean PSNR of Y by the published protocol."""
        figures = [luma_psnr(self._enlarged(net, small), large, self.scale) for large, small in self.held_out]
        return {"PSNR of Y": sum(figures) / len(figures)} if figures else {}

    def samples(self, net: nn.Module) -> Picture | None:
        """The middle of the held-out pictures: nearest pixel, result, truth; one picture a row."""
        return np.concatenate([self._sample(net, *pair) for pair in self.held_out]) if self.held_out else None

    def _sample(self, net: nn.Module, large: Codes, small: Codes) -> Picture:
        side = min(SAMPLE, *(size * self.scale for size in small.shape[:2])) // self.scale
        y, x = ((size - side) // 2 for size in small.shape[:2])
        before = small[y : y + side, x : x + side].repeat(self.scale, 0).repeat(self.scale, 1)
        part = tuple(slice(start * self.scale, (start + side) * self.scale) for start in (y, x))
        row = [before, self._enlarged(net, small)[part].clip(0, 255), large[part]]
        pad = ((0, SAMPLE - side * self.scale),) * 2
        return np.concatenate([np.pad(p, (*pad, (0, 0))) for p in row], 1).astype(np.float32) / np.float32(255)

    def _enlarged(self, net: nn.Module, small: Codes) -> NDArray[np.float32]:
        device = next(net.parameters()).device
        given = torch.from_numpy(np.array(small)).to(device).permute(2, 0, 1)[None].float() / 255
        result: NDArray[np.float32] = (net(given)[0].permute(1, 2, 0) * 255).cpu().numpy()
        return result


def said_scale(net: dict[str, Any]) -> int:
    """How many times as large pictures become, of a net's hyper-parameters.

    Raises
    ------
    RequestError
        They do not say.
    """
    if "scale" not in net:
        raise RequestError("net: hyperparameters have no scale; say how many times as large: scale = 2, 3 or 4")
    return int(net["scale"])


def _check_pairs(folder: Path, scale: int, large: Sequence[Codes], small: Sequence[Codes]) -> None:
    pairs = f"each picture in HR has its small one in LR_x{scale}, in the order of their names"
    if len(large) != len(small):
        raise MediaError(f"{folder}: {len(large)} pictures in HR, {len(small)} in LR_x{scale}; {pairs}")
    for number, (one, other) in enumerate(zip(large, small, strict=True), 1):
        wanted, found = (
            [side // size for side in picture.shape[1::-1]] for picture, size in ((one, scale), (other, 1))
        )
        if wanted != found:
            raise MediaError(
                f"{folder}: picture {number} in LR_x{scale} is {found[0]}x{found[1]}, that in HR makes "
                f"{wanted[0]}x{wanted[1]}; {pairs}"
            )


def encoded(batch: Batch) -> tuple[Tensor, Tensor]:
    """What the net is given and what it should give: display code first, then exposed light, encoded."""
    truth = batch["large"].float() / 255
    displayed = len(batch["code"]) if "code" in batch else 0
    given = [batch["code"].float() / 255] if displayed else []
    if "light" in batch:
        exposure = batch["stops"].exp2()[:, None, None, None]
        given.append(ENCODING.encode(batch["light"].float() * exposure))
        truth = torch.cat([truth[:displayed], ENCODING.encode(to_light(truth[displayed:]) * exposure)])
    return torch.cat(given), truth


def to_light(code: Tensor) -> Tensor:
    """SRGB display code (IEC 61966-2-1), 0 .. 1, to light."""
    return torch.where(code <= 0.04045, code / 12.92, ((code.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)


def luma_psnr(picture: NDArray[np.float32], truth: Codes, border: int) -> float:
    """The published protocol: 8-bit, Y of BT.601 studio range, `border` pixels off each side; (H, W, 3) in dB.

    Of `truth` only what `picture` covers counts.
    """
    truth = truth[: picture.shape[0], : picture.shape[1]]
    error = (picture.round().clip(0, 255).astype(np.float64) - truth) @ LUMA
    # Without an error, as in a flat picture, the figure would be infinite: no card can hold it.
    return float(10 * np.log10(255**2 / max((error[border:-border, border:-border] ** 2).mean(), 1e-10)))


def read_rgb(path: Path) -> Codes:
    """An 8-bit picture, (H, W, 3) RGB.

    Raises
    ------
    MediaError
        OpenCV cannot read it.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise MediaError(f"{path}: is not a picture that OpenCV reads; take it away or mend it")
    return np.ascontiguousarray(image[..., ::-1]).astype(np.uint8)


def photograph(path: Path, scale: int, patch: int, size: int = 1) -> Codes:
    """As `read_rgb`, made smaller `size` times and cut so that `scale` divides its sides.

    Raises
    ------
    MediaError
        No patch of the small picture fits in.
    """
    photo = read_rgb(path)
    if min(photo.shape[:2]) < patch * scale * size:
        height, width = photo.shape[:2]
        raise MediaError(f"{path}: is {width}x{height}, smaller than a patch of {patch * scale * size} pixels")
    photo = smaller(photo, size) if size > 1 else photo
    return photo[: photo.shape[0] // scale * scale, : photo.shape[1] // scale * scale]


def _smaller_light(photo: Codes, scale: int) -> NDArray[np.float16]:
    """Light as a coarser sensor gathers it, block by block: a filter that rings would leave black beside lamps."""
    light = to_light(torch.from_numpy(np.array(photo)).float() / 255).numpy()
    height, width = (side // scale for side in photo.shape[:2])
    gathered: NDArray[np.float16] = light.reshape(height, scale, width, scale, 3).mean(axis=(1, 3)).astype(np.float16)
    return gathered
