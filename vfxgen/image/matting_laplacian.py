"""The matting Laplacian, never written down as a matrix, and the coverage that agrees best with it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.cancel import stop_if_cancelled
from vfxgen.frame import Mask, Pixels

Floats = NDArray[np.float64]

FLATNESS = 1e-5
"""Variance in a window below which colour says nothing, as a fraction of the window's mean squared light."""
# Below that share of the frame's mean light there is nothing but noise.
_DARK = 0.02
# The equations count as solved when their residual has fallen by that factor; and no step after that many.
_SOLVED, _STEPS = 1e-3, 150
# A coarser level is solved first as long as it has that many pixels on its shorter side.
_COARSEST = 48


class MattingLaplacian:
    """How far coverage is from a linear function of colour in every 3x3 window (Levin, Lischinski, Weiss 2008).

    Its product with a plane is eight box filters (He, Sun, Tang 2010): memory is a few planes, not 25 numbers a pixel.
    What counts as flat is a fraction of each window's own light: brighter or darker light gives the same matrix, and a
    lamp does not hide the texture beside it.

    Parameters
    ----------
    light
        (H, W, 3), scene-linear, finite, at least 3x3.
    """

    def __init__(self, light: Pixels) -> None:
        level = float(np.mean(np.abs(light))) or 1.0
        planes = [np.asarray(light[..., c] / level, np.float64) for c in range(3)]
        self.light = planes
        self.mean = [_box(plane) for plane in planes]
        power = sum(_box(plane * plane) for plane in planes)
        covariance = {
            (i, j): _box(planes[i] * planes[j]) - self.mean[i] * self.mean[j] for i in range(3) for j in range(i, 3)
        }
        for i in range(3):
            covariance[i, i] = covariance[i, i] + FLATNESS * (power / 3 + _DARK**2)
        self.inverse = _inverse(covariance)
        # Windows that reach over the border do not count.
        self.whole = np.zeros(light.shape[:2])
        self.whole[1:-1, 1:-1] = 1
        self.count = 9 * _box(self.whole)

    def __matmul__(self, plane: Floats) -> Floats:
        """The Laplacian times `plane`, (H, W)."""
        mean = _box(plane)
        rise = [_box(light * plane) - m * mean for light, m in zip(self.light, self.mean, strict=True)]
        slope = [sum((self._inverse(i, j) * rise[j] for j in range(3)), np.zeros(())) * self.whole for i in range(3)]
        offset = mean * self.whole - sum(s * m for s, m in zip(slope, self.mean, strict=True))
        fitted = _box(offset)
        for s, light in zip(slope, self.light, strict=True):
            fitted += _box(s) * light
        return self.count * plane - 9 * fitted

    @property
    def diagonal(self) -> Floats:
        """Its diagonal, (H, W)."""
        total = np.zeros_like(self.count)
        of_light = [np.zeros_like(self.count) for _ in range(3)]
        constant = self.whole.copy()
        for i in range(3):
            for j in range(3):
                inverse = self._inverse(i, j) * self.whole
                total += _box(inverse) * self.light[i] * self.light[j]
                of_light[i] += inverse * self.mean[j]
                constant += inverse * self.mean[i] * self.mean[j]
        for i in range(3):
            total -= 2 * _box(of_light[i]) * self.light[i]
        return np.maximum(self.count - (total + _box(constant)), 0.05)

    def _inverse(self, i: int, j: int) -> Floats:
        return self.inverse[min(i, j), max(i, j)]


def solve(light: Pixels, unknown: Mask, believed: Pixels, weight: Pixels) -> Pixels:
    """The coverage that is smooth where the light says so, and near to what is believed of it.

    The minimum of ``a' L a + sum weight (a - believed)^2`` over the unknown pixels, L being `MattingLaplacian`; the
    others keep `believed`. Conjugate gradients from the solution at half size (Levin et al. 2008, section 4.2).

    Parameters
    ----------
    light
        (H, W, 3), scene-linear, finite.
    unknown
        (H, W).
    believed, weight
        (H, W) coverage and how much it counts, 0 not at all.

    Returns
    -------
    Pixels
        (H, W), 0 .. 1.

    Examples
    --------
    >>> ramp = np.clip(np.arange(16, dtype=np.float32) / 8 - 0.5, 0, 1)[None].repeat(8, axis=0)
    >>> light = ramp[..., None] * np.float32([0.5, 0.2, 0.1]) + np.float32([0.1, 0.1, 0.3])
    >>> unknown = (ramp > 0) & (ramp < 1)
    >>> found = solve(light, unknown, np.where(unknown, 0, ramp), np.zeros_like(ramp))
    >>> bool(np.abs(found - ramp).max() < 0.02)
    True
    """
    start = np.where(unknown, np.clip(_guess(light, unknown, believed, weight), 0, 1), believed)
    return np.clip(_conjugate_gradients(light, unknown, believed, weight, start), 0, 1).astype(np.float32)


def _guess(light: Pixels, unknown: Mask, believed: Pixels, weight: Pixels) -> Pixels:
    height, width = unknown.shape
    if min(height, width) < 2 * _COARSEST:
        return np.where(weight > 0, believed, np.float32(0.5))
    half = (width // 2, height // 2)
    # Of what is mixed of known and unknown the unknown counts alone.
    small_unknown = cv2.resize(unknown.astype(np.float32), half, interpolation=cv2.INTER_AREA) > 0
    small_weight = cv2.resize(np.where(unknown, weight, np.float32(0)), half, interpolation=cv2.INTER_AREA)
    told = cv2.resize(np.where(unknown, weight * believed, np.float32(0)), half, interpolation=cv2.INTER_AREA)
    known = cv2.resize(believed, half, interpolation=cv2.INTER_AREA)
    small_believed = np.where(small_unknown, told / np.maximum(small_weight, 1e-12), known)
    small = solve(
        cv2.resize(light, half, interpolation=cv2.INTER_AREA), small_unknown, small_believed, 4 * small_weight
    )
    guess: Pixels = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return guess


def _conjugate_gradients(light: Pixels, unknown: Mask, believed: Pixels, weight: Pixels, start: Pixels) -> Floats:
    laplacian = MattingLaplacian(light)
    counts = np.where(unknown, weight, 0).astype(np.float64)
    scale = unknown / (laplacian.diagonal + counts)
    found = start.astype(np.float64)
    residual = unknown * (counts * (believed - found) - laplacian @ found)
    step = scale * residual
    left = first = float(np.vdot(residual, step))
    # Measured against the whole right-hand side, or a good start would have to become a perfect one.
    nothing = np.where(unknown, 0.0, found)
    given = unknown * (counts * believed - laplacian @ nothing)
    enough = _SOLVED**2 * max(float(np.vdot(given, scale * given)), 1e-12)
    for _ in range(_STEPS):
        if left <= enough or first == 0:
            break
        stop_if_cancelled()
        product = unknown * (laplacian @ step) + counts * step
        length = left / float(np.vdot(step, product))
        found += length * step
        residual -= length * product
        scaled = scale * residual
        last, left = left, float(np.vdot(residual, scaled))
        step = scaled + (left / last) * step
    return found


def _box(plane: Floats) -> Floats:
    """The mean of the 3x3 pixels around each, 0 beyond the border."""
    mean: Floats = cv2.blur(plane, (3, 3), borderType=cv2.BORDER_CONSTANT)
    return mean


def _inverse(covariance: dict[tuple[int, int], Floats]) -> dict[tuple[int, int], Floats]:
    """The inverse of a symmetric 3x3 matrix at every pixel, by its upper triangle."""
    a, b, c = covariance[0, 0], covariance[0, 1], covariance[0, 2]
    d, e, f = covariance[1, 1], covariance[1, 2], covariance[2, 2]
    upper = {
        (0, 0): d * f - e * e,
        (0, 1): c * e - b * f,
        (0, 2): b * e - c * d,
        (1, 1): a * f - c * c,
        (1, 2): b * c - a * e,
        (2, 2): a * d - b * b,
    }
    determinant = a * upper[0, 0] + b * upper[0, 1] + c * upper[0, 2]
    return {place: minor / determinant for place, minor in upper.items()}
