"""Holes of any size, filled coarse to fine by something that knows small ones. Numpy and OpenCV alone."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from vfxgen.frame import Mask, Pixels
from vfxgen.image.harmonic import harmonic

# Half the width of a hole, in pixels, up to which it is filled at once.
THIN = 8.0
# No side is made smaller.
_LEAST_SIDE = 32


def levels(hole: Mask) -> int:
    """How often a picture is halved until its `hole` (H, W) is at most 16 pixels wide.

    Examples
    --------
    >>> hole = np.zeros((256, 256), bool)
    >>> hole[100:140, 10:200] = True
    >>> levels(hole)
    2
    """
    if not hole.any():
        return 0
    radius = float(cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE).max())
    side, count = min(hole.shape), 0
    while radius > THIN and side >= 2 * _LEAST_SIDE:
        radius, side, count = radius / 2, side // 2, count + 1
    return count


def halved(code: Pixels, hole: Mask) -> tuple[Pixels, Mask]:
    """Means of what is known in 2x2 pixels, 0 where nothing is; (H, W, C) to (ceil H / 2, ceil W / 2, C).

    Examples
    --------
    >>> code, hole = halved(np.float32([[[1], [9]], [[9], [9]]]), np.array([[False, True], [True, True]]))
    >>> code.ravel().tolist(), hole.ravel().tolist()
    ([1.0], [False])
    """
    height, width = hole.shape
    odd = ((0, height % 2), (0, width % 2))
    weight = np.pad((~hole).astype(np.float32), odd)[..., None]
    known = np.pad(np.where(hole[..., None], np.float32(0), code), (*odd, (0, 0)))
    total = _sums(weight)
    return np.asarray(_sums(known) / np.maximum(total, 1), np.float32), total[..., 0] == 0


def filled(code: Pixels, hole: Mask, fill: Callable[[Pixels, Mask], Pixels]) -> Pixels:
    """`code` (H, W, C) with its hole filled at each size, the smallest first.

    Parameters
    ----------
    code
        Finite outside the hole.
    hole
        (H, W).
    fill
        Given a picture with a first fill under its hole, `harmonic` at the smallest size and from there the result of
        the size before, gives a better one.

    Examples
    --------
    >>> code, hole = np.full((80, 80, 3), 0.5, np.float32), np.zeros((80, 80), bool)
    >>> hole[20:60, 20:60] = True
    >>> sizes = []
    >>> made = filled(np.where(hole[..., None], 0, code), hole, lambda first, there: sizes.append(first.shape) or first)
    >>> sizes, bool(np.allclose(made, code))
    ([(40, 40, 3), (80, 80, 3)], True)
    """
    pyramid = [(code, hole)]
    for _ in range(levels(hole)):
        pyramid.append(halved(*pyramid[-1]))
    small, there = pyramid.pop()
    result = fill(harmonic(small, ~there), there)
    for large, there in reversed(pyramid):
        result = fill(np.where(there[..., None], doubled(result, there.shape), large), there)
    return result


def doubled(code: Pixels, size: tuple[int, ...]) -> Pixels:
    """(h, w, C) twice as large, bilinear, cut to `size` (H, W)."""
    large = cv2.resize(code, (2 * code.shape[1], 2 * code.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large.reshape(*large.shape[:2], -1)[: size[0], : size[1]], np.float32)


def _sums(values: Pixels) -> Pixels:
    height, width, count = values.shape
    return np.asarray(values.reshape(height // 2, 2, width // 2, 2, count).sum(axis=(1, 3)), np.float32)
