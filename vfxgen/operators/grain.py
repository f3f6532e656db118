"""Grain: the grain of a film stock or a sensor, laid over a picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import RGB, Box, Frame, Pixels
from vfxgen.image.mask import within
from vfxgen.operator import Color, Operator, image_input, matte_input, parameter
from vfxgen.operators.grade import REC709_LUMA
from vfxgen.sequence import Sequence

_MIDDLE_GREY = np.float32(0.18)
_TILE = 256


class Grain(Operator):
    """Add grain: new in every frame, stronger in brighter light, fine or coarse.

    The grain's deviation on middle grey (0.18) is `strength` times that grey, and grows with the square root of light,
    as that of film grains and of photons does; `shadows` is the part of it that is left in black. It is added to
    scene-linear light and may go below 0. Where coverage is partial there is as much less of it; alpha stays.

    A grain belongs to its seed, its frame number and its place: it is the same however the job was cut, whatever was
    rendered before, and does not move when the data window changes. Channels of strength 0 stay bit for bit.

    Notes
    -----
    White noise of the counter-based generator Philox (Salmon et al. 2011), drawn on the CPU and convolved with one
    grain: a disc with a rim softened by a Gaussian (the model of Newson, Delon, Galerne 2017, for many small grains).

    Examples
    --------
    >>> import vfxgen
    >>> from vfxgen.testing import constant
    >>> grey = constant([0.18, 0.18, 0.18], size=(128, 128))
    >>> round(float(vfxgen.Grain(grey, strength=0.1)[1001].rgb.std()), 3)
    0.018
    """

    plate: Sequence = image_input("Frames to lay grain over.", channels="R G B")
    mask: Sequence | None = matte_input("Where to: 1 fully, 0 leaves the plate untouched.")
    strength: Color = parameter(
        (0.04, 0.04, 0.055), "Deviation on middle grey, relative to it.", minimum=0.0, maximum=4.0
    )
    size: float = parameter(1.8, "Diameter of a grain.", minimum=1.0, maximum=32.0, unit="pixels")
    softness: float = parameter(0.4, "Of a grain's rim: 0 is sharp, 1 as wide as the grain.", minimum=0.0, maximum=1.0)
    shadows: float = parameter(0.2, "Grain in black, relative to that in middle grey.", minimum=0.0, maximum=1.0)
    seed: int = parameter(0, "Another number is another grain.", minimum=0, maximum=2**31 - 1)

    writes = RGB
    draws_noise = True

    def frame(self, number: int) -> Frame:
        plate = self.input_frame("plate", number)
        if not any(self.strength):
            return plate
        light = plate.rgb
        amplitude = self._amplitude(light, plate.alpha)
        kernel = grain_kernel(self.size, self.softness)
        grainy = light.copy()
        for i, strength in enumerate(self.strength):
            if strength:
                noise = grain(plate.data_window, kernel, (self.seed, number, i))
                grainy[..., i] += noise * amplitude * np.float32(strength)
        grainy = np.where(np.isfinite(light), grainy, light)
        if self.mask is not None:
            grainy = within(self.mask[number], grainy, plate, RGB)
        return plate.with_pixels(RGB, grainy)

    def _amplitude(self, light: Pixels, alpha: Pixels) -> Pixels:
        """Deviation of the grain for a strength of 1, (H, W)."""
        coverage = np.where(np.isfinite(alpha), np.clip(alpha, 0, 1), 0)[..., 0]
        seen = np.sum(np.where(np.isfinite(light), light, 0) * REC709_LUMA, axis=-1)
        brightness = np.maximum(seen, 0) / np.where(coverage > 0, coverage, 1) / _MIDDLE_GREY
        floor = np.float32(self.shadows**2)
        deviation: Pixels = _MIDDLE_GREY * np.sqrt(floor + (1 - floor) * brightness) * coverage
        return deviation


def grain_kernel(size: float, softness: float) -> Pixels:
    """One grain, (N, N): a disc `size` pixels wide, its rim softened, that leaves white noise its deviation of 1."""
    import cv2

    radius, sigma = size / 2, softness * size / 2
    reach = math.ceil(radius - 0.5 + 3 * sigma)
    place = np.arange(-reach, reach + 1, dtype=np.float32)
    disc = np.clip(radius + 0.5 - np.hypot(place[:, None], place), 0, 1).astype(np.float32)
    if sigma > 0 and reach:
        disc = cv2.GaussianBlur(disc, (2 * reach + 1, 2 * reach + 1), sigma, borderType=cv2.BORDER_CONSTANT)
    kernel: Pixels = disc / np.sqrt(np.sum(disc**2))
    return kernel


def grain(window: Box, kernel: Pixels, key: tuple[int, int, int]) -> Pixels:
    """Grain of deviation 1 on `window`, (H, W): a function of the pixel's place and of seed, frame, channel (`key`)."""
    import cv2

    rim = kernel.shape[0] // 2
    x, y = window.x // _TILE * _TILE, window.y // _TILE * _TILE
    right, bottom = -(-window.right // _TILE) * _TILE, -(-window.bottom // _TILE) * _TILE
    noise = white_noise(Box(x - rim, y - rim, right - x + 2 * rim, bottom - y + 2 * rim), key)
    out = np.empty((bottom - y, right - x), np.float32)
    # Tile by tile: how a convolution rounds may depend on the size of what it is given.
    for down in range(0, bottom - y, _TILE):
        for across in range(0, right - x, _TILE):
            around = np.ascontiguousarray(noise[down : down + _TILE + 2 * rim, across : across + _TILE + 2 * rim])
            filtered = cv2.filter2D(around, cv2.CV_32F, kernel, borderType=cv2.BORDER_CONSTANT)
            out[down : down + _TILE, across : across + _TILE] = filtered[rim : rim + _TILE, rim : rim + _TILE]
    return out[window.y - y : window.bottom - y, window.x - x : window.right - x]


def white_noise(window: Box, key: tuple[int, int, int]) -> Pixels:
    """Normal noise on `window`, (H, W), drawn in tiles of absolute place."""
    out = np.empty((window.height, window.width), np.float32)
    for row in range(window.y // _TILE, (window.bottom - 1) // _TILE + 1):
        for column in range(window.x // _TILE, (window.right - 1) // _TILE + 1):
            tile = Box(column * _TILE, row * _TILE, _TILE, _TILE)
            both = tile.intersection(window)
            out[both.y - window.y : both.bottom - window.y, both.x - window.x : both.right - window.x] = _tile(
                key, row, column
            )[both.y - tile.y : both.bottom - tile.y, both.x - tile.x : both.right - tile.x]
    return out


def _tile(key: tuple[int, int, int], row: int, column: int) -> NDArray[np.float32]:
    seed, frame, channel = key
    # Negative numbers as their two's complement: each has a stream of its own.
    words = np.array([seed, frame, channel, row, column], np.int64).view(np.uint64)
    generator = np.random.Philox(key=words[:2], counter=np.concatenate([[np.uint64(0)], words[2:]]))
    return np.random.Generator(generator).standard_normal((_TILE, _TILE), np.float32)
