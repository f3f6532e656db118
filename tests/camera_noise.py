"""Noise of a camera, for tests that measure it or take it out."""

from __future__ import annotations

import numpy as np

from vfxgen.frame import Pixels

GAIN, FLOOR = 2e-3, 1e-5


def camera(clean: Pixels, seed: int = 0) -> Pixels:
    """`clean` with the noise of a camera: its variance grows with light."""
    noise = np.random.default_rng(seed).normal(size=clean.shape) * np.sqrt(GAIN * np.maximum(clean, 0) + FLOOR)
    return (clean + noise).astype(np.float32)
