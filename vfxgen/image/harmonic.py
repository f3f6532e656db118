"""Harmonic fill: the smoothest surface over a hole that meets what is around it."""

from __future__ import annotations

import cv2
import numpy as np

from vfxgen.frame import Mask, Pixels

_SWEEPS = 40
_NEIGHBOURS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4


def harmonic(values: Pixels, known: Mask) -> Pixels:
    """`values` where they are known, and between them the solution of Laplace's equation.

    Solved on a pyramid, coarse to fine, with Jacobi sweeps at every level (nested iteration); the frame's border
    mirrors. What is known keeps its bits; all 0 where nothing is.

    Parameters
    ----------
    values
        (H, W, C), finite where known.
    known
        (H, W).

    Examples
    --------
    >>> ramp = np.tile(np.arange(9, dtype=np.float32), (9, 1))[..., None]
    >>> known = np.ones((9, 9), bool)
    >>> known[2:7, 2:7] = False
    >>> bool(np.abs(harmonic(np.where(known[..., None], ramp, 0), known) - ramp).max() < 0.02)
    True
    """
    if known.all():
        return values
    clean = np.where(known[..., None], values, np.float32(0))
    solved = np.concatenate(
        [_solved(clean[..., i : i + 4], known.astype(np.float32)) for i in range(0, clean.shape[-1], 4)], axis=-1
    )
    return np.where(known[..., None], values, solved)


def _solved(values: Pixels, weight: Pixels) -> Pixels:
    """`values` (H, W, 1 .. 4) times `weight` (H, W) are known; coarser pixels are known as far as their parts are."""
    height, width = weight.shape
    unknown = (weight <= 0)[..., None]
    if min(height, width) <= 2 or not unknown.any():
        total = weight.sum()
        mean = (values * weight[..., None]).sum(axis=(0, 1)) / max(float(total), 1e-12)
        flat: Pixels = np.where(unknown, mean, values).astype(np.float32)
        return flat
    coarse, coarse_weight = _halved(values * weight[..., None]), _halved(weight[..., None])
    means = np.asarray(coarse / np.maximum(coarse_weight, 1e-12), np.float32)
    guess = _solved(means, coarse_weight[..., 0])
    doubled = cv2.resize(guess, (2 * guess.shape[1], 2 * guess.shape[0]), interpolation=cv2.INTER_LINEAR)
    field = np.where(unknown, doubled.reshape(*doubled.shape[:2], -1)[:height, :width], values)
    top, bottom, left, right = _bounds(unknown[..., 0])
    part, there = field[top:bottom, left:right], unknown[top:bottom, left:right]
    for _ in range(_SWEEPS):
        mean = cv2.filter2D(part, -1, _NEIGHBOURS, borderType=cv2.BORDER_REFLECT)
        np.copyto(part, mean.reshape(part.shape), where=there)
    return field


def _halved(picture: Pixels) -> Pixels:
    """Means of 2x2 pixels; an odd border counts with zeros, which weigh nothing."""
    height, width, count = picture.shape
    even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)))
    return np.asarray(even.reshape(-(-height // 2), 2, -(-width // 2), 2, count).mean(axis=(1, 3)), np.float32)


def _bounds(there: Mask) -> tuple[int, int, int, int]:
    """First and last row and column of what is there, with a pixel around it."""
    rows, columns = (np.flatnonzero(there.any(axis=axis)) for axis in (1, 0))
    return max(0, rows[0] - 1), rows[-1] + 2, max(0, columns[0] - 1), columns[-1] + 2
