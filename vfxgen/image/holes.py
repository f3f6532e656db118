"""Holes: from a mask to what is replaced and how it mixes with what stays."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Mask, Pixels

# Pieces of fewer pixels are specks.
_SPECK = 9


def grown(matte: Pixels, pixels: float) -> Mask:
    """Where a matte (H, W) is above 0, and all within `pixels` of that; NaN counts as 0.

    Examples
    --------
    >>> matte = np.zeros((1, 7), np.float32)
    >>> matte[0, 3] = 0.1
    >>> grown(matte, 2).astype(int).tolist()
    [[0, 1, 1, 1, 1, 1, 0]]
    """
    there: Mask = np.greater(matte, 0)
    return there if not there.any() else _distance(there) <= pixels


def feathered(hole: Mask, pixels: float) -> Pixels:
    """A matte (H, W): 1 in the hole, falling to 0 over the `pixels` beyond it.

    Examples
    --------
    >>> feathered(np.array([[True, False, False, False]]), 2).round(2).tolist()
    [[1.0, 0.6700000166893005, 0.33000001311302185, 0.0]]
    """
    return np.asarray(np.clip(1 - _distance(hole) / np.float32(int(pixels) + 1), 0, 1), np.float32)


def mixed(fill: Pixels, light: Pixels, matte: Pixels) -> Pixels:
    """`fill` (H, W, C) where the matte (H, W) is 1, `light` bit for bit where it is 0 or not finite, a mix between."""
    share = matte[..., None]
    with np.errstate(invalid="ignore", over="ignore"):
        between = light * (1 - share) + fill * share
    return np.where(share >= 1, fill, np.where((share > 0) & np.isfinite(light), between, light))


def without_specks(there: Mask) -> Mask:
    """What is there (H, W), less pieces of fewer than 9 pixels, which join over sides; all of it if none is larger.

    Examples
    --------
    >>> there = np.zeros((5, 8), bool)
    >>> there[1:4, :3], there[2, 6] = True, True
    >>> without_specks(there).astype(int).tolist()[2]
    [1, 1, 1, 0, 0, 0, 0, 0]
    """
    _, labels, found, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8), connectivity=4)
    large = found[:, cv2.CC_STAT_AREA] >= _SPECK
    large[0] = False
    return np.asarray(large[labels], np.bool_) if large.any() else there


def narrow(hole: Mask, reach: float) -> Mask:
    """The pieces of a hole (H, W) of which no pixel is farther than `reach` from what is known.

    Examples
    --------
    >>> hole = np.zeros((7, 9), bool)
    >>> hole[1:6, 1:6], hole[:, 7] = True, True
    >>> narrow(hole, 2).astype(int).tolist()[3]
    [0, 0, 0, 0, 0, 0, 0, 1, 0]
    """
    _, labels = cv2.connectedComponents(hole.astype(np.uint8))
    return hole & ~np.isin(labels, np.unique(labels[_distance(~hole) > reach]))


def around(hole: Mask, margin: int, share: float = 0.0) -> tuple[slice, slice]:
    """The rows and columns of the hole and of `margin` pixels, or `share` of its size, around it."""
    spans = []
    for axis in (1, 0):
        there = np.flatnonzero(hole.any(axis=axis))
        first, last = int(there[0]), int(there[-1]) + 1
        more = max(margin, round(share * (last - first)))
        spans.append(slice(max(0, first - more), min(hole.shape[1 - axis], last + more)))
    return spans[0], spans[1]


def _distance(there: Mask) -> NDArray[np.float32]:
    """Pixels to the nearest that is there; far where none is."""
    if not there.any():
        return np.full(there.shape, np.inf, np.float32)
    found: NDArray[np.float32] = cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return found
