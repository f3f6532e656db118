"""Noise of a camera: how strong it is, and how it grows with light."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Mask, Pixels

# Bins of brightness at most, and 2x2 blocks in one at least: enough to know a variance to a tenth.
_BINS, _BIN = 24, 256
# A normal distribution's standard deviation by its median absolute deviation.
_MAD = 1.4826
# Deviations beyond which light is held where it is stabilised.
_FAR = np.float32(1e12)


class Noise(NamedTuple):
    """Noise of the variance `gain` * light + `floor`, in scene-linear units."""

    gain: float
    floor: float

    def stabilised(self, light: Pixels) -> Pixels:
        """`light` where the noise has a standard deviation of 1, whatever the light; straight below 0."""
        room = self.floor + 0.375 * self.gain**2
        positive = np.maximum(light, 0)
        root = np.sqrt(np.float32(self.gain) * positive + np.float32(room)) + np.float32(room**0.5)
        level = np.where(light < 0, light / np.float32(room**0.5), 2 * positive / root)
        return np.clip(level, -_FAR, _FAR)


def measure_noise(plane: Pixels, valid: Mask, other: Pixels | None = None) -> Noise:
    """The noise of one channel, (H, W), scene-linear, from its `valid` pixels alone.

    The median absolute deviation of the diagonal Haar band (Donoho 1994) in bins of brightness, and the line gain *
    light + floor (Foi et al. 2008) through the least noisy of them. With `other`, the same scene with other noise, what
    is measured is the noise of their difference: of detail, which is easily taken for noise, it has less.

    Examples
    --------
    >>> plane = np.random.default_rng(1).normal(0.2, 0.01, (96, 96)).astype(np.float32)
    >>> noise = measure_noise(plane, np.ones((96, 96), bool))
    >>> bool(abs((noise.gain * 0.2 + noise.floor) ** 0.5 / 0.01 - 1) < 0.1)
    True
    """
    height, width = (side // 2 * 2 for side in plane.shape)
    block, rest = (
        light[:height, :width].astype(np.float64).reshape(height // 2, 2, width // 2, 2)
        for light in (plane, plane if other is None else plane - other)
    )
    use = valid[:height, :width].reshape(height // 2, 2, width // 2, 2).all(axis=(1, 3))
    mean = block.mean(axis=(1, 3))[use]
    diagonal = ((rest[:, 0, :, 0] - rest[:, 0, :, 1] - rest[:, 1, :, 0] + rest[:, 1, :, 1]) / 2)[use]
    if mean.size < 16:
        return Noise(0.0, 0.0)
    order = np.argsort(mean, kind="stable")
    bins = np.array_split(order, min(_BINS, max(1, mean.size // _BIN)))
    light = np.maximum([np.median(mean[b]) for b in bins], 0)
    deviation = np.array([_MAD * np.median(np.abs(diagonal[b])) for b in bins])
    return _fitted(light, deviation**2)


def _fitted(light: NDArray[np.float64], variance: NDArray[np.float64]) -> Noise:
    """The line through the least noisy bins: texture only ever adds."""
    if not np.count_nonzero(variance):
        return Noise(0.0, 0.0)
    weight = np.maximum(variance, variance.max() * 1e-6) ** -2.0
    gain = floor = 0.0
    for _ in range(8):
        moments = np.array([[light @ (weight * light), weight @ light], [weight @ light, weight.sum()]])
        sides = np.array([light @ (weight * variance), weight @ variance])
        gain, floor = np.linalg.lstsq(moments, sides, rcond=None)[0]
        if gain < 0:
            gain, floor = 0.0, sides[1] / moments[1, 1]
        elif floor < 0:
            gain, floor = sides[0] / moments[0, 0], 0.0
        expected = np.maximum(gain * light + floor, variance.max() * 1e-6)
        # Textured bins lie above the line, further than chance puts them, and lose their say.
        weight = expected**-2.0 / (1 + np.maximum(variance / expected - 1.2, 0) * 8) ** 2
    return Noise(float(gain), float(floor))
