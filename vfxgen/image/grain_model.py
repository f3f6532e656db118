"""Grain of a plate: measured where the picture is flat, and made again with the same strength, size and colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Mask, Pixels

Floats = NDArray[np.float64]

# Side of the blocks that are measured, their step, how many there must be, and how much more coarse variance than the
# flattest of them a block may have: as much as chance gives it, so that none is chosen for its grain.
_BLOCK, _STEP, _LEAST, _FLAT = 32, 8, 24, 2.5
# The tenth percentile of the variance of blocks of pure grain, relative to its mean.
_LOWEST = 0.85
# Deviation of the difference of two grains, one of them interpolated, relative to one.
_OF_TWO = 1.8**0.5


class GrainModel(NamedTuple):
    """Grain of variance `gain` * light + `floor`, each of R, G, B.

    Parameters
    ----------
    gain, floor
        (3,), scene-linear.
    kernels
        (3, N, N): what white noise of deviation 1 is convolved with, so that it has the grain's power spectrum and
        deviation 1.
    mix
        (3, 3): what three planes of independent noise are mixed with, so that they share what the channels share.
    """

    gain: Floats
    floor: Floats
    kernels: Pixels
    mix: Floats

    def deviation(self, light: Pixels) -> Pixels:
        """Of the grain on `light` (H, W, 3)."""
        positive = np.maximum(light, 0)
        return np.asarray(np.sqrt(positive * self.gain.astype(np.float32) + self.floor.astype(np.float32)), np.float32)


def measured_grain(
    light: Pixels, known: Mask, noise: Sequence[tuple[float, float]], other: Pixels | None = None
) -> GrainModel | None:
    """The grain of a frame, from the flattest of its blocks of 32 pixels; None where it has none, or too few are known.

    How grain grows with light comes from outside, measured on the finest detail; how much of it there is at all sizes,
    and how it looks, from blocks in which that noise explains most of what is left once a slope is taken out.

    Parameters
    ----------
    light
        (H, W, 3), scene-linear, finite where known.
    known
        (H, W).
    noise
        Gain and floor of each channel (`vfxgen.operators.denoise.measure_noise`).
    other
        The same picture with other grain: a neighbouring frame, looked up along the motion, finite where known. The
        difference has grain and hardly any detail, so that a plate that is nowhere flat can be measured too.

    Examples
    --------
    >>> picture = np.random.default_rng(1).normal(0.2, 0.01, (96, 96, 3)).astype(np.float32)
    >>> model = measured_grain(picture, np.ones((96, 96), bool), [(0, 1e-4)] * 3)
    >>> bool(np.abs(model.deviation(picture).mean() / 0.01 - 1) < 0.1)
    True
    """
    blocks = _blocks(light, known)
    gain, floor = np.array(noise, np.float64).T
    if len(blocks) < _LEAST or not (gain + floor).all():
        return None
    expected = np.sqrt(np.maximum(blocks.mean(axis=(1, 2)), 0) * gain + floor)
    rest = blocks if other is None else (blocks - _blocks(other, known)) / _OF_TWO
    white = _without_slope(rest) / np.maximum(expected, 1e-9)[:, None, None]
    part = _BLOCK // 4
    coarse = white.reshape(len(white), part, 4, part, 4, 3).mean(axis=(2, 4)).var(axis=(1, 2)).sum(axis=-1)
    # Detail shows in what is left at a quarter of the size, where there is little grain.
    flat = white[coarse <= _FLAT * np.partition(coarse, _LEAST - 1)[_LEAST - 1]]
    raw = [power_spectrum(flat[..., i]) for i in range(3)]
    power = [_extended(one) for one in raw]
    # Of blocks that are hardly flat, the least rough say most; the slopes that were taken out held variance too.
    least = np.percentile(flat.var(axis=(1, 2)), 10, axis=0) / _LOWEST
    scale = least * [full.mean() / max(one.mean(), 1e-12) for full, one in zip(power, raw, strict=True)]
    if not scale.all():
        return None
    return GrainModel(gain * scale, floor * scale, np.stack([_kernel(one) for one in power]), _mixing(flat))


def grain_like(model: GrainModel, white: Pixels, light: Pixels) -> Pixels:
    """Grain to be added to grainless `light`, made of `white` noise of deviation 1: (H, W, 3) each.

    Where the noise at a pixel depends on its place alone (`vfxgen.operators.grain.white_noise`), so does the grain.
    """
    mixed = (white.astype(np.float64) @ model.mix.T).astype(np.float32)
    planes = [
        cv2.filter2D(np.ascontiguousarray(mixed[..., i]), cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT)
        for i, kernel in enumerate(model.kernels)
    ]
    return np.stack(planes, axis=-1) * model.deviation(light)


def power_spectrum(blocks: Floats) -> Floats:
    """Mean power at each frequency of (M, N, N) blocks of one channel, under a Hann window; (N, N), as `fft2` has it.

    White noise of deviation 1 has the power 1 everywhere.
    """
    window = np.hanning(blocks.shape[1] + 2)[1:-1]
    window = np.outer(window, window)
    power: Floats = np.mean(np.abs(np.fft.fft2(blocks * window)) ** 2, axis=0) / np.sum(window**2)
    return power


def _blocks(light: Pixels, known: Mask) -> Floats:
    """Blocks (M, N, N, 3) that are known all over."""
    if min(known.shape) < _BLOCK:
        return np.zeros((0, _BLOCK, _BLOCK, 3))
    view = np.lib.stride_tricks.sliding_window_view
    whole = view(known, (_BLOCK, _BLOCK))[::_STEP, ::_STEP].all(axis=(-2, -1))
    pieces = view(light, (_BLOCK, _BLOCK), axis=(0, 1))[::_STEP, ::_STEP]
    return np.moveaxis(pieces[whole], 1, -1).astype(np.float64)


def _without_slope(blocks: Floats) -> Floats:
    place = np.linspace(-1, 1, _BLOCK)
    place /= np.sqrt(np.mean(place**2))
    rest: Floats = blocks - blocks.mean(axis=(1, 2), keepdims=True)
    for slope in (place[:, None, None], place[None, :, None]):
        rest = rest - (rest * slope).mean(axis=(1, 2), keepdims=True) * slope
    return rest


def _extended(power: Floats) -> Floats:
    """A spectrum whose lowest frequencies, which lack the slopes, follow a parabola through the next two."""
    full = power.copy()
    second, third = (np.mean([power[0, k], power[k, 0], power[0, -k], power[-k, 0]]) for k in (2, 3))
    bend = max(0.0, (second - third) / 5)
    for row, column in ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)):
        full[row, column] = second + bend * (4 - row**2 - column**2)
    return full


def _kernel(power: Floats) -> Pixels:
    """The kernel without phase that gives white noise this power spectrum, and leaves it its deviation."""
    middle, reach = _BLOCK // 2, _BLOCK // 4
    kernel = np.fft.fftshift(np.fft.ifft2(np.sqrt(power)).real)
    kernel = kernel[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
    return np.asarray(kernel / np.sqrt(np.sum(kernel**2)), np.float32)


def _mixing(blocks: Floats) -> Floats:
    """What the channels share: the Cholesky factor of their correlation."""
    correlation = np.corrcoef(blocks.reshape(-1, 3).T)
    return np.asarray(np.linalg.cholesky(0.999 * correlation + 0.001 * np.eye(3)))
