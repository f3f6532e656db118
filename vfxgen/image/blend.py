"""Blends without a seam: the detail of one picture, the level of another along the border between them."""

from __future__ import annotations

import cv2
import numpy as np

from vfxgen.frame import Mask, Pixels
from vfxgen.image.harmonic import harmonic

# Pixels over which the step at the seam is averaged, so that grain draws no streaks into the hole.
_SMOOTH = 3.0
# A step of that share of the light there, or more, is no difference in level but an edge that is off by a pixel.
_MOST = 0.2


def normalised_blur(values: Pixels, weight: Pixels, sigma: float) -> Pixels:
    """The mean of (H, W, C) around each pixel, weighted by (H, W) and a Gaussian (Knutsson and Westin 1993).

    0 where nothing near has weight.
    """
    weighted = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    total = cv2.GaussianBlur(weight, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)[..., None]
    return np.where(total > 1e-6, weighted.reshape(values.shape) / np.maximum(total, 1e-6), np.float32(0))


def seamless(source: Pixels, target: Pixels, hole: Mask, overlap: Mask) -> Pixels:
    """`target` with its `hole` filled from `source`, whose level bends to the target's along the border.

    Poisson blending (Perez, Gangnet, Blake 2003) in its membrane form (Farbman et al. 2009), in the light given, of any
    range: the step between the pictures, smoothed along the border, is carried over the hole as a harmonic surface.

    Parameters
    ----------
    source, target
        (H, W, 3), finite where they count.
    hole
        (H, W): what is to be filled.
    overlap
        (H, W): where both show the same thing, beside the hole. Where there is none, the source comes as it is.

    Examples
    --------
    >>> hole = np.zeros((24, 24), bool)
    >>> hole[8:16, 8:16] = True
    >>> dark, bright = np.full((24, 24, 3), 1.0, np.float32), np.full((24, 24, 3), 1.2, np.float32)
    >>> bool(np.allclose(seamless(dark, bright, hole, ~hole), bright))
    True
    """
    both = overlap & ~hole
    if not both.any() or not hole.any():
        return np.where(hole[..., None], source, target)
    ours, theirs = (np.where(both[..., None], light, np.float32(0)) for light in (source, target))
    step = theirs - ours
    level = np.maximum((np.abs(ours) + np.abs(theirs)).max(axis=-1), 1e-6)
    weight = np.where(both, np.clip(1 - np.abs(step).max(axis=-1) / (np.float32(_MOST) * level), 0, 1), 0)
    smooth = normalised_blur(step, weight.astype(np.float32), _SMOOTH)
    known = cv2.GaussianBlur(weight.astype(np.float32), (0, 0), _SMOOTH) > 0.02
    return np.where(hole[..., None], source + harmonic(smooth, known & both), target)
