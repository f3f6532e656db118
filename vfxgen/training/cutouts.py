"""Subjects without a background, to be put before another: rendered ones, and photographs through drawn mattes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vfxgen.errors import MediaError
from vfxgen.frame import RGB, Pixels
from vfxgen.media.image import read_image
from vfxgen.training.screens import smooth_noise, wrinkles
from vfxgen.training.shapes import random_coverage
from vfxgen.training.upscaling import read_rgb, to_light

RENDERED = ".exr"
BOUNCE = tuple(f"bounce.{name}" for name in RGB)


@dataclass(frozen=True)
class Cutout:
    """A subject, in scene-linear light.

    Attributes
    ----------
    alpha
        (H, W, 1), 0 .. 1.
    foreground
        (H, W, 3): its own colour, straight, under neutral surroundings.
    bounce
        (H, W, 3): the light that white surroundings behind it add.
    """

    alpha: Pixels
    foreground: Pixels
    bounce: Pixels

    def oriented(self, turn: int, flip: bool) -> Cutout:
        """Turned by `turn` quarters, and mirrored."""
        parts = (self.alpha, self.foreground, self.bounce)
        return Cutout(*(np.rot90(part[:, ::-1] if flip else part, turn).copy() for part in parts))

    def folded(self, random: np.random.Generator) -> Cutout:
        """As cloth or haze in folds: thinner and thicker by stops of what goes through; solid and empty stay so."""
        size = self.alpha.shape[0]
        stops = random.uniform(0.0, 1.5) * wrinkles(size, random)
        stops += random.uniform(0.0, 0.8) * smooth_noise((size, size), random.uniform(0.1, 0.5) * size, random)
        return replace(self, alpha=np.asarray(1 - (1 - self.alpha) ** np.exp2(stops)[..., None], np.float32))

    def soft(self, sigma: float) -> Cutout:
        """As a lens sees it: alpha and premultiplied light through a Gaussian of `sigma` pixels."""
        if sigma < 0.2:
            return self
        alpha = cv2.GaussianBlur(self.alpha, (0, 0), sigma)[..., None]
        lights = [cv2.GaussianBlur(self.alpha * light, (0, 0), sigma) for light in (self.foreground, self.bounce)]
        covered = np.maximum(alpha, 1e-3)
        return Cutout(alpha, *(np.where(alpha > 1e-3, light / covered, 0).astype(np.float32) for light in lights))


def rendered(path: Path) -> Cutout:
    """A sample of `shots.pairs.make`.

    Raises
    ------
    MediaError
        It cannot be read, or has not the channels R G B A and bounce.R bounce.G bounce.B.
    """
    frame = read_image(str(path), 0)
    if missing := [name for name in (*RGB, "A", *BOUNCE) if name not in frame.planes]:
        raise MediaError(f"{path}: has no {missing[0]}; subjects are rendered by shots/pairs/make.py")
    foreground, alpha, bounce = (np.asarray(frame.pixels(*names), np.float32) for names in (RGB, ("A",), BOUNCE))
    return Cutout(np.clip(alpha, 0, 1), np.maximum(foreground, 0), np.maximum(bounce, 0))


def photographed(light: Pixels, random: np.random.Generator, alpha: Pixels | None = None) -> Cutout:
    """A square of a photograph (H, H, 3) through a drawn matte, or through `alpha` (H, H, 1).

    White surroundings behind it light its rim, more of it where it turns away, in its own colour.
    """
    size = light.shape[0]
    matte = random_coverage(size, random)[..., None] if alpha is None else alpha
    level = max(float(light.mean()), 1e-3)
    inside = cv2.GaussianBlur(matte, (0, 0), random.uniform(2, 30))[..., None]
    rim = np.clip(1.15 - inside, 0, 1) * random.uniform(0.3, 1.5) + random.uniform(0, 0.1)
    return Cutout(matte.astype(np.float32), light, (light / level * 0.3 * rim).astype(np.float32))


def random_subject(
    subjects: Sequence[Path], photos: Sequence[Path], size: int, share: float, own: float, random: np.random.Generator
) -> Cutout:
    """Any subject, turned, mirrored, more or less sharp; of those that are rendered some in a photograph's colours.

    Parameters
    ----------
    subjects, photos
        Files of rendered subjects, and of photographs.
    size
        Side in pixels.
    share
        Of rendered subjects; the others are photographs through drawn mattes.
    own
        Share of rendered subjects that keep their colours; the others take a photograph's.

    Raises
    ------
    MediaError
        A file cannot be read, or a rendered subject is of another size.
    """
    turn, flip, sigma = int(random.integers(4)), bool(random.integers(2)), max(0.0, random.uniform(-0.9, 0.9))
    alpha = None
    if random.random() < share:
        path = subjects[int(random.integers(len(subjects)))]
        cutout = rendered(path)
        if cutout.alpha.shape != (size, size, 1):
            raise MediaError(f"{path}: is {cutout.alpha.shape[1]}x{cutout.alpha.shape[0]} pixels, not {size}x{size}")
        if own == 1 or random.random() < own:
            return cutout.oriented(turn, flip).soft(sigma)
        alpha = cutout.alpha
    light = square(photograph(photos[int(random.integers(len(photos)))]), size, random)
    return photographed(light, random, alpha).oriented(turn, flip).soft(sigma)


def photograph(path: Path) -> NDArray[np.uint8]:
    """An 8-bit photograph, (H, W, 3); raises as `vfxgen.training.upscaling.read_rgb`."""
    return read_rgb(path)


def square(photo: NDArray[np.uint8], size: int, random: np.random.Generator) -> Pixels:
    """A random square of a photograph, some of it made smaller, as light (size, size, 3)."""
    shortest = min(photo.shape[:2])
    side = int(min(shortest, size * random.uniform(1, 2)))
    y, x = (int(random.integers(0, length - side + 1)) for length in photo.shape[:2])
    part = np.rot90(photo[y : y + side, x : x + side], 0 if random.random() < 0.7 else int(random.integers(4)))
    part = np.ascontiguousarray(part[:, ::-1] if random.random() < 0.5 else part)
    light = to_light(torch.from_numpy(part).float() / 255).numpy()
    sized: Pixels = cv2.resize(light, (size, size), interpolation=cv2.INTER_AREA if side >= size else cv2.INTER_LINEAR)
    return sized
