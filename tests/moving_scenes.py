"""Scenes that move in a known way, for tests of flow and of what rests on it."""

from __future__ import annotations

import cv2
import numpy as np

from vfxgen.frame import Pixels
from vfxgen.image.warp import displacement, warped


def texture(size: tuple[int, int], seed: int = 1) -> Pixels:
    """Light with detail at every size, 0.02 .. 1.5."""
    noise = np.random.default_rng(seed).random((*size, 3), np.float32)
    octaves = sum(cv2.GaussianBlur(noise, (0, 0), s) * s for s in (1.5, 3, 6, 12))
    low, high = np.min(octaves), np.max(octaves)
    return np.asarray(0.02 + 1.48 * (octaves - low) / (high - low), np.float32)


def moved(matrix: np.ndarray, size: tuple[int, int] = (180, 240), border: int = 40) -> tuple[Pixels, Pixels, Pixels]:
    """Two frames of a scene, and the true flow between them: `matrix` takes the first one's pixels to the second's."""
    scene = texture((size[0] + 2 * border, size[1] + 2 * border))
    place = np.array([[1, 0, border], [0, 1, border], [0, 0, 1.0]])
    this = scene[border:-border, border:-border].copy()
    other, _ = warped(scene, displacement(place @ np.linalg.inv(matrix), size))
    return this, other, displacement(matrix, size)


TRANSLATION = np.array([[1, 0, 5.4], [0, 1, -3.7], [0, 0, 1]])
TURN = np.array([[1.01, -0.02, 4.0], [0.02, 1.01, -3.0], [1e-5, -2e-5, 1]])
