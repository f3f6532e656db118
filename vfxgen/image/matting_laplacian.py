"""The matting Laplacian, written down for the unknown pixels alone, and the coverage that agrees best with it."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.cancel import stop_if_cancelled
from vfxgen.frame import Mask, Pixels

Floats = NDArray[np.float64]
Plane = TypeVar("Plane", Pixels, Floats)

FLATNESS = 1e-5
"""Variance in a window below which colour says nothing, as a fraction of the window's mean squared light."""
# Below that share of the frame's mean light there is nothing but noise.
_DARK = 0.02
# The equations count as solved when their residual has fallen by that factor, from a guided start by the second one:
# solved farther, coverage follows grain and texture. And no step after that many.
_SOLVED, _GUIDED, _STEPS = 1e-3, 3e-3, 150
# A pixel that counts for less in the Laplacian is held where it was: nothing else would hold it.
_LOOSE = np.float32(0.1)
# A coarser level is solved first as long as it has that many pixels on its shorter side.
_COARSEST = 48
# Rows and columns from the middle of a window to its pixels, and from a pixel to all that share a window with it.
_WINDOW = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]
_BESIDE = [(row, column) for row in range(-2, 3) for column in range(-2, 3)]


class MattingLaplacian:
    """How far coverage is from a linear function of colour in every 3x3 window (Levin, Lischinski, Weiss 2008).

    What counts as flat is a fraction of each window's own light: brighter or darker light gives the same matrix, and a
    lamp does not hide the texture beside it.

    Parameters
    ----------
    light
        (H, W, 3), scene-linear, finite, at least 3x3.
    """

    def __init__(self, light: Pixels) -> None:
        self.level = np.float32(float(np.mean(np.abs(light))) or 1.0)
        self.light = [np.asarray(light[..., c] / self.level, np.float32) for c in range(3)]
        # Beside a lamp, what little the rest varies is lost in single precision.
        self._exact = [plane.astype(np.float64) for plane in self.light]
        self._mean = [_box(plane) for plane in self._exact]
        covariance = {(i, j): _box(self._exact[i] * self._exact[j]) for i in range(3) for j in range(i, 3)}
        power = covariance[0, 0] + covariance[1, 1] + covariance[2, 2]
        for i, j in covariance:
            covariance[i, j] -= self._mean[i] * self._mean[j]
        for i in range(3):
            covariance[i, i] += FLATNESS * (power / 3 + _DARK**2)
        # Windows that reach over the border do not count.
        self.whole: Pixels = np.zeros(light.shape[:2], np.float32)
        self.whole[1:-1, 1:-1] = 1
        self.mean = [plane.astype(np.float32) for plane in self._mean]
        # Where light varies along one colour alone, what is left of its products is the difference of large numbers.
        self._exact_inverse = {place: plane * self.whole for place, plane in _inverse(covariance).items()}
        self.inverse = {place: plane.astype(np.float32) for place, plane in self._exact_inverse.items()}
        self.count = 9 * _box(self.whole)

    def enlarged(self, plane: Pixels, light: Pixels) -> Pixels:
        """`plane` at the size of the same picture's `light`, (H', W', 3), whose every detail it follows.

        What it is of colour in each window, it is of the larger picture's colour (He and Sun 2015, "Fast guided
        filter"); but never farther off what it is around than it varies there, or a lamp would be anything.
        """
        fits = np.stack(self._fitted(plane), -1) / np.maximum(self.count / 9, np.float32(1 / 9))[..., None]
        offset, *slopes = cv2.split(cv2.resize(fits, light.shape[1::-1], interpolation=cv2.INTER_LINEAR))
        for c, slope in enumerate(slopes):
            offset += slope * (light[..., c] / self.level)
        low, high = cv2.erode(plane, np.ones((3, 3))), cv2.dilate(plane, np.ones((3, 3)))
        low, high = (
            cv2.resize(limit, light.shape[1::-1], interpolation=cv2.INTER_LINEAR)
            for limit in (2 * low - high, 2 * high - low)
        )
        found: Pixels = np.clip(offset, low, high)
        return found

    def windows(self, middles: NDArray[np.intp], pixels: NDArray[np.intp]) -> tuple[Pixels, Pixels]:
        """How the light of the pixels (9, N) of some windows differs from the windows' means; and weighed.

        Parameters
        ----------
        middles, pixels
            (N,) and (9, N): places in the flat picture.

        Returns
        -------
        apart, slopes
            (9, 3, N) each; their product over the channels is how much two pixels of a window are one.
        """
        planes = zip(self._exact, self._mean, strict=True)
        apart = np.stack([light.ravel()[pixels] - mean.ravel()[middles] for light, mean in planes], axis=1)
        slopes = np.zeros_like(apart)
        for i in range(3):
            for j in range(3):
                slopes[:, i] += self._exact_inverse[min(i, j), max(i, j)].ravel()[middles] * apart[:, j]
        return apart.astype(np.float32), slopes.astype(np.float32)

    def _fitted(self, plane: Pixels) -> list[Pixels]:
        """Offset and slopes of the linear functions of colour that fit `plane`, a ninth of their sum at each pixel."""
        exact = plane.astype(np.float64)
        mean = _box(exact)
        rises = [
            (_box(light * exact) - m * mean).astype(np.float32)
            for light, m in zip(self._exact, self._mean, strict=True)
        ]
        offset, slopes = mean.astype(np.float32) * self.whole, []
        for i in range(3):
            slope = self._inverse(i, 0) * rises[0]
            for j in (1, 2):
                slope += self._inverse(i, j) * rises[j]
            offset -= slope * self.mean[i]
            slopes.append(slope)
        return [_box(part) for part in (offset, *slopes)]

    def _inverse(self, i: int, j: int) -> Pixels:
        return self.inverse[min(i, j), max(i, j)]


class Rows:
    """The rows of a matting Laplacian that belong to some pixels: 25 numbers for each of N.

    Parameters
    ----------
    laplacian
        Of (H, W) pixels.
    pixels
        (H, W).

    Examples
    --------
    >>> pixels = np.zeros((8, 8), bool)
    >>> pixels[4, 4] = True
    >>> rows = Rows(MattingLaplacian(np.random.default_rng(1).random((8, 8, 3), np.float32)), pixels)
    >>> rows.diagonal.shape, bool(abs(rows @ np.ones((8, 8), np.float32))[0] < 1e-4)
    ((1,), True)
    """

    def __init__(self, laplacian: MattingLaplacian, pixels: Mask) -> None:
        width, places = pixels.shape[1], np.flatnonzero(pixels)
        # What would lie beyond the picture is weighed with 0.
        self._beside = np.stack([places + row * width + column for row, column in _BESIDE]).clip(0, pixels.size - 1)
        touching = cv2.dilate(pixels.astype(np.uint8), np.ones((3, 3), np.uint8)) * laplacian.whole
        middles = np.flatnonzero(touching)
        inside = np.stack([middles + row * width + column for row, column in _WINDOW])
        apart, slopes = laplacian.windows(middles, inside)
        # What has no row goes into one more, which is left out.
        row_of = np.full(pixels.size, len(places), np.intp)
        row_of[places] = np.arange(len(places))
        rows = row_of[inside]
        shared = np.zeros((len(_BESIDE), len(places) + 1), np.float32)
        for one in range(len(_WINDOW)):
            for other in range(one, len(_WINDOW)):
                both = 1 + sum(apart[one][c] * slopes[other][c] for c in range(3))
                step = _BESIDE.index((_WINDOW[other][0] - _WINDOW[one][0], _WINDOW[other][1] - _WINDOW[one][1]))
                shared[step, rows[one]] += both
                if other > one:
                    shared[-1 - step, rows[other]] += both
        self._numbers = shared[:, :-1] / np.float32(-9)
        self.diagonal = self._numbers[len(_BESIDE) // 2]
        # What is constant has no fault: to the last bit, or it would count as believed to be 0.
        self.diagonal -= self._numbers.sum(axis=0)

    def __matmul__(self, plane: Pixels) -> Pixels:
        """The product with `plane`, (H, W): (N,)."""
        product: Pixels = np.einsum("bn,bn->n", self._numbers, plane.ravel().take(self._beside))
        return product


class MattingSystem:
    """The equations of what is unknown in one picture, for any beliefs; at every size that is solved on the way.

    Parameters
    ----------
    light
        (H, W, 3), scene-linear, finite, at least 3x3.
    unknown
        (H, W).
    guided
        What was found at half size is carried up along the light: nearer to the truth where colours alone decide. Else
        it is carried up smoothly: steadier over time where the belief was carried along motion.

    Examples
    --------
    >>> ramp = np.clip(np.arange(16, dtype=np.float32) / 8 - 0.5, 0, 1)[None].repeat(8, axis=0)
    >>> light = ramp[..., None] * np.float32([0.5, 0.2, 0.1]) + np.float32([0.1, 0.1, 0.3])
    >>> unknown = (ramp > 0) & (ramp < 1)
    >>> found = MattingSystem(light, unknown).solve(np.where(unknown, 0, ramp), np.zeros_like(ramp))
    >>> bool(np.abs(found - ramp).max() < 0.02)
    True
    """

    def __init__(self, light: Pixels, unknown: Mask, guided: bool = False) -> None:
        self.unknown, self._guided = unknown, guided
        self.laplacian = MattingLaplacian(light)
        self._rows = Rows(self.laplacian, unknown)
        self._light = light
        self._half: MattingSystem | None = None
        if min(unknown.shape) >= 2 * _COARSEST:
            # Of what is mixed of known and unknown the unknown counts alone.
            self._half = MattingSystem(halved(light), halved(unknown.astype(np.float32)) > 0, guided)

    def solve(self, believed: Pixels, weight: Pixels) -> Pixels:
        """The coverage that is smooth where the light says so, and near to what is believed of it.

        The minimum of ``a' L a + sum weight (a - believed)^2`` over the unknown pixels, L being `MattingLaplacian`; the
        others keep `believed`. Conjugate gradients from the solution at half size (Levin et al. 2008, section 4.2).

        Parameters
        ----------
        believed, weight
            (H, W) coverage and how much it counts, 0 not at all.

        Returns
        -------
        Pixels
            (H, W), 0 .. 1.
        """
        start = np.where(self.unknown, np.clip(self._guess(believed, weight), 0, 1), believed)
        return np.clip(self._conjugate_gradients(believed, weight, start), 0, 1)

    def _guess(self, believed: Pixels, weight: Pixels) -> Pixels:
        if self._half is None:
            return np.where(weight > 0, believed, np.float32(0.5))
        counts = halved(np.where(self.unknown, weight, np.float32(0)))
        told = halved(np.where(self.unknown, weight * believed, np.float32(0)))
        known = np.where(self._half.unknown, told / np.maximum(counts, np.float32(1e-12)), halved(believed))
        found = self._half.solve(known, 4 * counts)
        if self._guided:
            return self._half.laplacian.enlarged(found, self._light)
        guess: Pixels = cv2.resize(found, self.unknown.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return guess

    def _conjugate_gradients(self, believed: Pixels, weight: Pixels, start: Pixels) -> Pixels:
        unknown, rows, found = self.unknown, self._rows, start[self.unknown]
        # A lamp is a linear function of its colour whatever it is: it stays as it was found at half size.
        loose = np.maximum(_LOOSE - rows.diagonal, 0)
        counts = weight[unknown] + loose
        told = weight[unknown] * believed[unknown] + loose * found
        scale = 1 / np.maximum(rows.diagonal + counts, _LOOSE)
        given = told - rows @ np.where(unknown, np.float32(0), start)
        plane = np.zeros_like(start)

        def product(values: Pixels) -> Pixels:
            plane[unknown] = values
            return np.asarray(rows @ plane + counts * values, np.float32)

        residual = given - product(found)
        step = scale * residual
        left = _dot(residual, step)
        # Measured against the whole right-hand side, or a good start would have to become a perfect one.
        enough = (_GUIDED if self._guided else _SOLVED) ** 2 * max(_dot(given, scale * given), 1e-12)
        for _ in range(_STEPS):
            if left <= enough:
                break
            stop_if_cancelled()
            across = product(step)
            length = np.float32(left / _dot(step, across))
            found += length * step
            residual -= length * across
            scaled = scale * residual
            last, left = left, _dot(residual, scaled)
            step = scaled + np.float32(left / last) * step
        solved: Pixels = start.astype(np.float32)
        solved[unknown] = found
        return solved


def halved(picture: Pixels) -> Pixels:
    """Means of two by two pixels, (H, W[, C]) -> (H // 2, W // 2[, C])."""
    height, width = picture.shape[:2]
    half: Pixels = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return half


def _box(plane: Plane) -> Plane:
    """The mean of the 3x3 pixels around each, 0 beyond the border."""
    mean: Plane = cv2.blur(plane, (3, 3), borderType=cv2.BORDER_CONSTANT)
    return mean


def _dot(one: Pixels, other: Pixels) -> float:
    return float((one * other).sum(dtype=np.float64))


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
