"""The power spectrum of grain: the same in all directions, falling with frequency, told from the detail around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Pixels

Floats = NDArray[np.float64]

SIDE = 32
"""Of the blocks that are measured, in pixels."""

# Blocks that are at least used, and how much rougher than the roughest of these another one may be.
_LEAST, _ROUGHER = 24, 1.2
# The median of what is distributed as the power of noise is, relative to its mean.
_MEDIAN = float(np.log(2))
# Below this frequency (cycles a block) power follows what those from the second to the last say: there are few
# coefficients, and most of what looks like grain is detail.
_LOW, _LINE = 4, slice(1, 7)
# How the share of power that interpolation takes grows with the way to the middle between two pixels.
_GROWTH = 2.2

_FREQUENCY = np.minimum(np.arange(SIDE), SIDE - np.arange(SIDE))
_RADIUS = np.hypot(_FREQUENCY[:, None], _FREQUENCY)
# In the corners there are hardly any coefficients.
_RING = np.minimum(np.rint(_RADIUS), 21).astype(int).ravel()
RINGS = np.arange(1, _RING.max() + 1)
"""Frequencies, in cycles a block, that a spectrum is told at."""
_ORDER = np.argsort(_RING, kind="stable")
_COUNT = np.bincount(_RING)[1:]
_START = np.cumsum(np.bincount(_RING))[:-1]


def transformed(blocks: Pixels | Floats) -> NDArray[np.complex128]:
    """(M, SIDE, SIDE, C) under a Hann window, Fourier transformed: white noise of deviation 1 has the mean power 1."""
    window = np.hanning(SIDE + 2)[1:-1]
    window = np.outer(window, window)
    return np.asarray(np.fft.fft2(blocks * window[..., None], axes=(1, 2)) / np.sqrt(np.sum(window**2)))


def power_spectrum(blocks: Floats) -> Floats:
    """Mean power at each frequency of (M, SIDE, SIDE) blocks of one channel; (SIDE, SIDE), as `fft2` has it."""
    return np.asarray(np.mean(np.abs(transformed(blocks[..., None])[..., 0]) ** 2, axis=0))


def grain_profile(power: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The spectrum that the flattest blocks share, and which those are.

    Detail only ever adds to grain. A block is as rough as its power is, relative to the spectrum, at all frequencies
    together; the spectrum is the median of the power in blocks that are hardly rougher than the least rough. Both are
    found in turns, from the least power that is found at each frequency.

    Parameters
    ----------
    power
        (M, SIDE, SIDE, C): of each block, at least 24.

    Returns
    -------
    profile, flat
        (C, RINGS + 1), from frequency 0 on; (M,).

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(0, 0.5, (200, SIDE, SIDE, 1))
    >>> noise[100:] += np.sin(np.arange(SIDE) / 3)[:, None, None]
    >>> profile, flat = grain_profile(np.abs(transformed(noise)) ** 2)
    >>> int(flat[100:].sum()), bool(np.abs(profile / 0.25 - 1).max() < 0.15)
    (0, True)
    """
    rings = power.reshape(len(power), -1, power.shape[-1])[:, _ORDER]
    means = np.add.reduceat(rings, _START, axis=1) / _COUNT[:, None]
    # Power of nothing at all, as coded plates have it, has no logarithm.
    least = np.maximum(means.mean() * 1e-6, 1e-30)
    profile = np.maximum(np.quantile(means, 0.05, axis=0), least)
    flat = np.ones(len(power), np.bool_)
    for _ in range(5):
        rough = np.mean(np.average(means / profile, axis=1, weights=_COUNT), axis=-1)
        flat = np.asarray(rough <= _ROUGHER * np.partition(rough, _LEAST - 1)[_LEAST - 1])
        pieces = np.split(rings[flat], _START[1:], axis=1)
        pieces[0] = pieces[0][:, 1:]
        middle = np.stack([np.median(piece, axis=(0, 1)) for piece in pieces]) / _MEDIAN
        whole = np.stack([_falling(np.maximum(one, least)) for one in middle.T])
        profile = whole[:, 1:].T
    return whole, flat


def kernel(profile: Floats) -> Pixels:
    """The kernel without phase that gives white noise of deviation 1 this spectrum: (N, N)."""
    middle, reach = SIDE // 2, SIDE // 4
    spread = np.fft.fftshift(np.fft.ifft2(np.sqrt(spectrum_of(profile))).real)
    spread = spread[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
    # What lies beyond belongs to it all the same.
    return np.asarray(spread * np.sqrt(spectrum_of(profile).mean() / np.sum(spread**2)), np.float32)


def spectrum_of(profile: Floats) -> Floats:
    """(SIDE, SIDE) as `fft2` has it."""
    return np.asarray(np.interp(_RADIUS, np.arange(len(profile)), profile))


def taken_by_interpolation(flow: Pixels) -> Pixels:
    """The share of what cubics half-way between pixels take of power (`HALF_WAY`) that they take along `flow`; (H, W).

    The places of (H, W, 2) are what counts, not the whole pixels on the way there.
    """
    part = flow - np.floor(flow)
    return np.asarray(np.mean((4 * part * (1 - part)) ** _GROWTH, axis=-1), np.float32)


def _half_way() -> Floats:
    """The mean share of power, at each frequency from 0 on, that is lost half-way between four pixels."""
    turn = np.pi * np.arange(SIDE) * 2 / SIDE
    # Catmull-Rom: -1/16, 9/16, 9/16, -1/16.
    across = ((9 * np.cos(turn / 2) - np.cos(3 * turn / 2)) / 8) ** 2
    lost = (1 - np.outer(across, across)).ravel()
    return np.asarray(np.bincount(_RING, lost) / np.bincount(_RING))


HALF_WAY = _half_way()
"""The share of power that cubics half-way between pixels take along both axes, at each frequency from 0 on."""


def _falling(power: Floats) -> Floats:
    """A spectrum at `RINGS`, with frequency 0 before, that never rises: the nearest, but for its low frequencies."""
    place = RINGS[_LINE].astype(np.float64) ** 2
    weight = np.sqrt(_COUNT[_LINE])
    slope, level = np.polyfit(place, np.log(power[_LINE]), 1, w=weight)
    low = np.exp(level + min(float(slope), 0.0) * np.arange(_LOW) ** 2)
    known = np.concatenate([low, power[_LOW - 1 :]])
    means, counts, lengths = list[float](), list[float](), list[int]()
    # Pool adjacent violators (Barlow et al. 1972).
    for value, count in zip(known, [1, *_COUNT], strict=True):
        means.append(float(value))
        counts.append(float(count))
        lengths.append(1)
        while len(means) > 1 and means[-2] < means[-1]:
            both = counts[-2] + counts[-1]
            means[-2:] = [(means[-2] * counts[-2] + means[-1] * counts[-1]) / both]
            counts[-2:], lengths[-2:] = [both], [sum(lengths[-2:])]
    return np.repeat(means, lengths)
