"""Augmentation in scene-linear light: what may happen to a picture between the lens and the disk.

Everything drawn comes from the generator given, so a batch is a function of its seed and step. Turning and blurring are
kornia's; the rest runs where kornia is not installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from vfxgen.encoding import Encoding
from vfxgen.errors import TrainingError

_DISPLAY = Encoding("srgb-clipped")


@dataclass(frozen=True)
class Augmentation:
    """How far pictures are changed; each value is the limit of what is drawn, and 0 leaves a change out.

    Parameters
    ----------
    exposure
        Stops up and down.
    balance
        Stops up and down that R and B move against G.
    flip
        Mirror half of the pictures left to right.
    rotation, zoom
        Degrees to either side; share of the size, larger or smaller.
    blur
        Standard deviation in pixels, of half of the pictures.
    noise
        Standard deviation at a light of 0.18, growing with the root of light as a sensor's does.
    compression
        Share of pictures that go through an 8-bit JPEG of quality 30 .. 95.

    Examples
    --------
    >>> augmentation = Augmentation(rotation=0, zoom=0)
    >>> picture, matte = torch.rand(2, 3, 8, 8), torch.rand(2, 1, 8, 8)
    >>> one = augmentation.placed(np.random.default_rng((7, 0)), picture, matte)
    >>> two = augmentation.placed(np.random.default_rng((7, 0)), picture, matte)
    >>> all(torch.equal(a, b) for a, b in zip(one, two))
    True
    """

    exposure: float = 4.0
    balance: float = 0.3
    flip: bool = True
    rotation: float = 5.0
    zoom: float = 0.1
    blur: float = 1.0
    noise: float = 0.01
    compression: float = 0.1

    def placed(self, random: np.random.Generator, *pictures: Tensor) -> list[Tensor]:
        """The same flip, turn and zoom for all of `pictures`, (B, C, H, W) each of one size: plate, target, masks."""
        count = len(pictures[0])
        flips = torch.from_numpy(random.random(count) < 0.5 * self.flip)
        angles = random.uniform(-self.rotation, self.rotation, count)
        zooms = 1 + random.uniform(-self.zoom, self.zoom, count)
        mirrored = [torch.where(flips[:, None, None, None], picture.flip(-1), picture) for picture in pictures]
        if not (self.rotation or self.zoom):
            return mirrored
        return [turned(picture, angles, zooms) for picture in mirrored]

    def gains(self, random: np.random.Generator, count: int) -> Tensor:
        """What plate and coloured target are multiplied by: (count, 3, 1, 1)."""
        stops = np.repeat(random.uniform(-self.exposure, self.exposure, (count, 1)), 3, axis=1)
        stops[:, ::2] += random.uniform(-self.balance, self.balance, (count, 2))
        return torch.from_numpy(np.exp2(stops).astype(np.float32))[:, :, None, None]

    def degraded(self, random: np.random.Generator, plate: Tensor) -> Tensor:
        """`plate` (B, 3, H, W) softer, noisier and compressed: for the plate alone, never its truth."""
        count = len(plate)
        sigmas = random.uniform(0, self.blur, count) * (random.random(count) < 0.5)
        amounts = random.uniform(0, self.noise, count)
        chosen, qualities = random.random(count) < self.compression, random.integers(30, 96, count)
        if self.blur:
            plate = blurred(plate, sigmas)
        if self.noise:
            plate = noisy(plate, amounts, random)
        if chosen.any():
            plate = torch.stack(
                [compressed(p, int(q)) if c else p for p, c, q in zip(plate, chosen, qualities, strict=True)]
            )
        return plate


def turned(picture: Tensor, degrees: np.ndarray[Any, Any], zoom: np.ndarray[Any, Any]) -> Tensor:
    """(B, C, H, W) about its middle by `degrees` counter-clockwise and larger by `zoom`, (B,) each; border mirrored.

    Raises
    ------
    TrainingError
        kornia is not installed.
    """
    transform = needed("kornia.geometry.transform")
    height, width = picture.shape[-2:]
    centre = torch.tensor([[(width - 1) / 2, (height - 1) / 2]]).expand(len(picture), 2)
    scale = torch.from_numpy(zoom.astype(np.float32))[:, None].expand(-1, 2)
    angle = torch.from_numpy(degrees.astype(np.float32))
    matrix = needed("kornia.geometry").get_rotation_matrix2d(centre, angle, scale)
    made: Tensor = transform.warp_affine(
        picture, matrix, (height, width), mode="bilinear", padding_mode="reflection", align_corners=True
    )
    return made


def blurred(light: Tensor, sigma: np.ndarray[Any, Any]) -> Tensor:
    """(B, C, H, W) through a Gaussian of `sigma` pixels, (B,); where it is 0, bit for bit as it was.

    Raises
    ------
    TrainingError
        kornia is not installed.
    """
    if not sigma.any():
        return light
    radius = max(1, int(np.ceil(3 * sigma.max())))
    each = torch.from_numpy(np.maximum(sigma, 1e-3).astype(np.float32))[:, None].expand(-1, 2)
    soft: Tensor = needed("kornia.filters").gaussian_blur2d(light, 2 * radius + 1, each, "replicate")
    return torch.where(torch.from_numpy(sigma > 0)[:, None, None, None], soft, light)


def noisy(light: Tensor, deviation: np.ndarray[Any, Any], random: np.random.Generator) -> Tensor:
    """(B, C, H, W) with a sensor's noise: shot noise, whose variance grows with light, and a floor (Foi et al. 2008).

    `deviation` (B,) is that at a light of 0.18; a tenth of its variance is the floor.
    """
    variance = torch.from_numpy(deviation.astype(np.float32) ** 2)[:, None, None, None]
    drawn = torch.from_numpy(random.standard_normal(light.shape, np.float32))
    return light + drawn * (variance * (0.9 * light.clamp_min(0) / 0.18 + 0.1)).sqrt()


def compressed(light: Tensor, quality: int) -> Tensor:
    """(3, H, W) through an 8-bit JPEG of its display code; what lies beyond black and white stays on top."""
    code = _DISPLAY.encode(light)
    picture = (code * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    _, coded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    back = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))[..., ::-1].copy()
    beyond = light - _DISPLAY.decode(code)
    kept = torch.where((code <= 0) | (code >= 1), beyond, 0)
    return _DISPLAY.decode(torch.from_numpy(back).permute(2, 0, 1).float() / 255) + kept


def needed(module: str) -> Any:
    """A module of kornia, imported when it is asked for.

    Raises
    ------
    TrainingError
        kornia is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise TrainingError(
            f"training: {module} cannot be imported ({error}); pip install kornia, or leave out rotation, zoom, blur "
            "and the loss of structure"
        ) from None
