"""From render passes to film frames: straight colour, the composed plate, sensor noise, and EXR files."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Grain:
    """Noise of a camera, as it stands in scene-linear R, G, B."""

    gain: tuple[float, float, float]
    """Variance per unit of light: photons or film grains."""
    floor: tuple[float, float, float]
    """Standard deviation in the dark."""
    kernel: tuple[float, ...]
    """White noise is spread over neighbours with these weights, along both axes."""
    shared: float
    """Part of the variance that the three channels share."""


SENSOR = Grain((7e-5, 5e-5, 8e-5), (0.0018, 0.0014, 0.0021), (0.25, 0.50, 0.25), 0.5)
"""A digital camera: debayering spreads the noise, a colour matrix shares it."""
FILM = Grain((3.6e-4, 3.0e-4, 5.4e-4), (0.0016, 0.0014, 0.0024), (0.07, 0.24, 0.38, 0.24, 0.07), 0.35)
"""A fast film stock, finely scanned: 4 % on middle grey, coarser than a pixel."""
GRAIN_SEED = "vfxgen:grain_seed"
"""The header attribute that tells the seed of a frame's noise."""
SHADOW_SOFTNESS = 48.0
"""Pixels over which the shadow on the screen is smoothed."""
ALPHA_STEPS = 512
"""Coverage is kept in steps that half float holds exactly."""


def read(path: Path) -> Image:
    """All channels of an image, (H, W, C)."""
    return np.asarray(oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT))


def coverage(alpha: Image) -> Image:
    """Alpha (H, W, 1) in the steps in which it is stored."""
    return np.asarray(np.round(np.clip(alpha, 0, 1) * ALPHA_STEPS) / ALPHA_STEPS, np.float32)


def straight(premultiplied: Image, alpha: Image) -> Image:
    """Un-premultiplied colour (H, W, 3); the neighbourhood's where coverage is thin, else zero."""
    premultiplied = np.where(alpha > 0, np.maximum(premultiplied, 0), 0)
    around = np.zeros_like(premultiplied)
    for sigma in (24.0, 8.0, 2.5):
        weight = cv2.GaussianBlur(alpha, (0, 0), sigma)[..., None]
        blurred = cv2.GaussianBlur(premultiplied, (0, 0), sigma) / np.maximum(weight, 1e-6)
        trust = np.clip(weight / 0.05, 0, 1)
        around = around * (1 - trust) + blurred * trust
    trust = np.clip((alpha - 0.05) / 0.30, 0, 1)
    colour = trust * premultiplied / np.maximum(alpha, 1e-3) + (1 - trust) * around
    return np.where(alpha > 0, colour, 0).astype(np.float32)


def noise_deviation(light: Image, grain: Grain = SENSOR) -> Image:
    """Standard deviation of the noise at each pixel and channel of a noiseless frame."""
    gain, floor = np.array(grain.gain, np.float32), np.array(grain.floor, np.float32)
    return np.asarray(np.sqrt(gain * np.maximum(light, 0) + floor**2), np.float32)


def noise(light: Image, seed: int, grain: Grain = SENSOR) -> Image:
    """Noise to add to a noiseless frame (H, W, 3), reproducible from its seed; it depends on each pixel's own light."""
    random = np.random.default_rng(seed)
    height, width, _ = light.shape
    shared, own = random.standard_normal((height, width, 1)), random.standard_normal(light.shape)
    white = (np.sqrt(grain.shared) * shared + np.sqrt(1 - grain.shared) * own).astype(np.float32)
    kernel = np.array(grain.kernel, np.float32)
    soft = cv2.sepFilter2D(white, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT)
    soft /= float((kernel**2).sum())
    return np.asarray(soft * noise_deviation(light, grain), np.float32)


def rounded(image: Image, steps: Image) -> Image:
    """Half-float values without the mantissa bits that are worth less than a step, so that ZIP packs them."""
    last_bit = np.exp2(np.floor(np.log2(np.maximum(np.abs(image), 2.0**-14))) - 10)
    bits = np.clip(np.floor(np.log2(np.maximum(steps, 1e-9) / last_bit)), 0, 9)
    step = last_bit * 2**bits
    return np.asarray(np.round(image / step) * step, np.float32)


def without_fringe(image: Image) -> Image:
    """A soft image (H, W, C) rid of the denoiser's marks at its borders and of what noise it left."""
    clean = cv2.medianBlur(np.ascontiguousarray(image), 5)[2:-2, 2:-2]
    bordered = cv2.copyMakeBorder(clean, 2, 2, 2, 2, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(bordered, (0, 0), 1.5))


def shaded(empty: Image, shadowed: Image) -> Image:
    """A clean screen (H, W, 3) darkened like a noisier one; smoothly, so that the cloth does not flicker."""
    ratio = cv2.GaussianBlur(shadowed / np.maximum(empty, 1e-4), (0, 0), SHADOW_SOFTNESS)
    return np.asarray(empty * ratio, np.float32)


def lens_blur(image: Image, diameter: float) -> Image:
    """Blur with a disc, as a lens out of focus does; diameter in pixels."""
    size = 2 * int(np.ceil(diameter / 2)) + 1
    y, x = np.mgrid[:size, :size] - size // 2
    disc = np.clip(diameter / 2 - np.hypot(x, y) + 0.5, 0, 1)
    kernel = (disc / disc.sum()).astype(np.float32)
    return np.asarray(cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT))


def timecode(frame: int, rate: int) -> tuple[int, int]:
    """The two words of an SMPTE time code `frame` frames after 01:00:00:00."""
    seconds, frames = divmod(frame, rate)
    minutes, seconds = divmod(seconds, 60)
    word = 0
    for shift, number in ((0, frames), (8, seconds), (16, minutes), (24, 1)):
        word |= (number // 10 << 4 | number % 10) << shift
    return word, 0


def coded(image: Image, channels: Sequence[str], compression: str) -> Image:
    """What a reader gets of an image that was written with a lossy compression."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "coded.exr"
        write(path, image, channels, compression, {})
        return read(path)


def write(path: Path, image: Image, channels: Sequence[str], compression: str, attributes: dict[str, object]) -> None:
    """Write a half-float EXR; it appears under its name only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width, depth = image.shape
    spec = oiio.ImageSpec(width, height, depth, oiio.HALF)
    spec.channelnames = tuple(channels)
    if "A" in channels:
        spec.alpha_channel = channels.index("A")
    spec.attribute("compression", compression)
    spec.attribute("Software", "vfxgen shots")
    spec.attribute("colorInteropID", "lin_rec709_scene")
    for name, value in attributes.items():
        if name == "FramesPerSecond":
            spec.attribute(name, oiio.TypeDesc("rational"), value)
        elif name == "smpte:TimeCode":
            spec.attribute(name, oiio.TypeDesc("timecode"), value)
        else:
            spec.attribute(name, value)
    part = path.with_name(f".{path.stem}.part.exr")
    frame = oiio.ImageBuf(spec)
    if not (frame.set_pixels(spec.roi, image) and frame.write(str(part))):
        raise OSError(f"{path}: {frame.geterror()}")
    os.replace(part, path)
