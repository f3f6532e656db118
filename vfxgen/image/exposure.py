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
# Pixels from which a ratio is taken.
_ENOUGH = 16


def gain(source: Pixels, target: Pixels, known: Mask, sigma: float) -> Pixels:
    """What `source` is to be multiplied by, (H, W, 3), so that its light is that of `target` around each pixel.

    For each channel the ratio of what is seen within about `sigma` pixels, without what differs otherwise than in
    exposure; far from everything known, the ratio of the whole. A channel that is black in one of them, or below 0, is
    exposed as the others are. 1 where nothing is known, or all is black.

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
    usable = [
        known & (ours > 0) & (ours < np.inf) & (theirs > 0) & (theirs < np.inf)
        for ours, theirs in zip(cv2.split(source), cv2.split(target), strict=True)
    ]
    together = np.asarray(reduce(np.logical_and, usable), np.bool_)
    if np.count_nonzero(together) >= _ENOUGH:
        return _gain(source, target, together, sigma)
    alone = {
        channel: _gain(source[..., [channel] * 3], target[..., [channel] * 3], there, sigma)[..., 0]
        for channel, there in enumerate(usable)
        if np.count_nonzero(there) >= _ENOUGH
    }
    if not alone:
        return np.ones_like(source)
    others: Pixels = np.mean(list(alone.values()), axis=0)
    return np.stack([alone.get(channel, others) for channel in range(3)], axis=-1)


def _gain(source: Pixels, target: Pixels, there: Mask, sigma: float) -> Pixels:
    """The same where all three channels of both are above 0 on the pixels that are `there`."""
    height, width = there.shape
    # What a wide blur leaves is smooth: a sixteenth of the pixels tells it.
    factor = 4 if sigma >= 12 and min(height, width) >= 16 else 1
    size = (-(-width // factor), -(-height // factor))
    seen = cv2.resize(there.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    ours, theirs = (_means(light, there, seen) for light in (source, target))
    known = seen > 0
    # Some thousand pixels tell the whole picture's gain as well as all of them.
    step = max(1, int(np.sqrt(np.count_nonzero(known) / 20000)))
    some = np.s_[::step, ::step] if known[::step, ::step].any() else np.s_[:, :]
    stops = np.log2(theirs / ours)
    whole = np.median(stops[some][known[some]], axis=0).astype(np.float32)
    unlike = reduce(np.maximum, cv2.split(np.abs(stops - whole)))
    # A lamp weighs no more than what is around it: the ratio of bright things alone is not that of the picture.
    level = np.percentile(theirs[some][known[some]], 95)
    dimmed = np.minimum(1, level / reduce(np.maximum, cv2.split(theirs)))
    weight = seen * np.exp(-0.5 * (unlike / _UNLIKE) ** 2) * dimmed
    prior = np.float32(_PRIOR) * np.median(ours[some][known[some]], axis=0)
    ours, theirs = (
        cv2.GaussianBlur(light * weight[..., None], (0, 0), sigma / factor, borderType=cv2.BORDER_REPLICATE)
        for light in (ours, theirs)
    )
    ratio = np.asarray((theirs + prior * np.exp2(whole)) / (ours + prior), np.float32)
    return np.asarray(cv2.resize(ratio, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _means(light: Pixels, there: Mask, seen: Pixels) -> Pixels:
    """Means over what is there of coarser pixels, in which a share of `seen` is; 1 where nothing is."""
    height, width = seen.shape
    sums = cv2.resize(np.where(there[..., None], light, np.float32(0)), (width, height), interpolation=cv2.INTER_AREA)
    means: Pixels = np.where(seen[..., None] > 0, sums / np.maximum(seen, np.float32(1e-6))[..., None], np.float32(1))
    return means
