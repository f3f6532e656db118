"""What mattes carried from two keyframes say together: the likely coverage, how sure it is, and a trimap."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from vfxgen.frame import Pixels
from vfxgen.image.color_pairs import NO_KNOWLEDGE, Estimate
from vfxgen.image.fill import push_pull
from vfxgen.image.tensor import to_pixels, to_tensor
from vfxgen.image.trimap import trimap_of

DRIFT = 0.25
"""Pixels that a matte may have strayed with every frame it was carried."""
# Variance of a carried matte at best, and trust below which its place is filled from around.
_BEST, _LOST = 1e-3, 0.05


class Carry(NamedTuple):
    """A matte carried to a frame.

    Parameters
    ----------
    matte, trust
        (H, W), 0 .. 1.
    distance
        Frames from its keyframe, 1 or more.
    """

    matte: Pixels
    trust: Pixels
    distance: int


def together(carries: list[Carry]) -> Estimate:
    """The coverage that mattes carried from one or two sides agree on, and its variance.

    The nearer and more trusted counts more. Variance comes from the edges that may have strayed, from disagreement, and
    from want of trust. Where none is trusted, coverage is filled in from around.

    Examples
    --------
    >>> ones = np.ones((8, 8), np.float32)
    >>> both = together([Carry(ones, ones, 1), Carry(ones * 0, ones, 3)])
    >>> float(both.coverage[4, 4]), bool(both.variance[4, 4] > NO_KNOWLEDGE)
    (0.75, True)
    """
    weights = [carry.trust / np.float32(carry.distance) for carry in carries]
    total = np.maximum(np.sum(weights, 0), np.float32(1e-6))
    told: Pixels = np.sum([w * c.matte for w, c in zip(weights, carries, strict=True)], 0) / total
    trust: Pixels = np.maximum.reduce([carry.trust for carry in carries])
    known = np.clip(trust / _LOST - 1, 0, 1)[..., None]
    filled, _ = push_pull(to_tensor(told[..., None]), to_tensor(known))
    coverage: Pixels = np.clip(to_pixels(filled)[..., 0], 0, 1)
    apart = np.sum([w * (c.matte - coverage) ** 2 for w, c in zip(weights, carries, strict=True)], 0) / total
    strayed = _strayed(coverage, DRIFT * min(carry.distance for carry in carries))
    variance = _BEST + apart + strayed + (1 - trust) * np.float32(NO_KNOWLEDGE)
    return Estimate(coverage, variance.astype(np.float32))


def trimap_between(believed: Estimate, width: float, distance: int) -> Pixels:
    """A trimap (H, W) of carried coverage: wider the farther it came."""
    return trimap_of(believed.coverage, width + DRIFT * distance)


def _strayed(coverage: Pixels, reach: float) -> Pixels:
    """The variance of coverage that may lie `reach` pixels elsewhere."""
    radius = max(1, round(reach))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    spread: Pixels = cv2.dilate(coverage, kernel) - cv2.erode(coverage, kernel)
    return np.float32(min(1.0, reach / radius) ** 2 / 12) * spread**2
