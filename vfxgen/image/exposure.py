"""Exposure matching: the gain, from place to place, that makes one picture as bright as another."""

from __future__ import annotations

from functools import reduce

import cv2
import numpy as np

from vfxgen.frame import Mask, Pixels

# A pixel that differs by that many stops from the whole picture's gain shows something else.
_UNLIKE = 0.5
# How much the gain of the whole picture counts, in pixels seen near by, out of all the blur covers.
_PRIOR = 0.05


def gain(source: Pixels, target: Pixels, known: Mask, sigma: float) -> Pixels:
    """What `source` is to be multiplied by, (H, W, 3), so that its light is that of `target` around each pixel.

    For each channel the ratio of what is seen within about `sigma` pixels, without what differs otherwise than in
    exposure; far from everything known, the ratio of the whole. 1 where nothing is known, or all is black.

    Parameters
    ----------
    source, target
        (H, W, 3), scene-linear.
    known
        (H, W): where both show the same thing.
    sigma
        In pixels.

    Examples
    --------
    >>> light = np.random.default_rng(1).uniform(0.1, 1, (32, 32, 3)).astype(np.float32)
    >>> gains = gain(light, light * np.float32([2, 1, 0.5]), np.ones((32, 32), bool), 8)
    >>> np.round(gains[3, 4], 3).tolist()
    [2.0, 1.0, 0.5]
    """
    positive = [(plane > 0) & (plane < np.inf) for light in (source, target) for plane in cv2.split(light)]
    there = np.asarray(reduce(np.logical_and, positive, known), np.bool_)
    if np.count_nonzero(there) < 16:
        return np.ones_like(source)
    # A thousandth of the pixels tells the whole picture's gain as well as all of them.
    step = max(1, int(np.sqrt(np.count_nonzero(there) / 20000)))
    safe_source, safe_target = (np.where(there[..., None], light, np.float32(1)) for light in (source, target))
    stops = np.log2(safe_target / safe_source)
    some, where = np.s_[::step, ::step], there[::step, ::step]
    whole = np.median(stops[some][where], axis=0) if where.any() else np.median(stops[there], axis=0)
    unlike = reduce(np.maximum, cv2.split(np.abs(stops - whole.astype(np.float32))))
    alike = np.exp(-0.5 * (unlike / _UNLIKE) ** 2) * there
    # A lamp weighs no more than what is around it: the ratio of bright things alone is not that of the picture.
    level = np.percentile(safe_target[some][where], 95) if where.any() else np.float32(1)
    brightest = reduce(np.maximum, cv2.split(safe_target))
    weight = (alike * np.minimum(1, level / brightest))[..., None].astype(np.float32)
    ours, theirs = (_blurred(light * weight, sigma) for light in (safe_source, safe_target))
    prior = np.float32(_PRIOR) * np.median(safe_source[some][where] if where.any() else safe_source[there], axis=0)
    return np.asarray((theirs + prior * np.exp2(whole)) / (ours + prior), np.float32)


def _blurred(light: Pixels, sigma: float) -> Pixels:
    """Wide blurs at a quarter of the size: what they leave is smooth."""
    height, width = light.shape[:2]
    factor = 4 if sigma >= 12 and min(height, width) >= 16 else 1
    small = cv2.resize(light, (-(-width // factor), -(-height // factor)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_REPLICATE)
    blurred: Pixels = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return blurred
