"""Coverage of single pixels: which colours of subject and background around them they are a mixture of."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from vfxgen.frame import Mask, Pixels
from vfxgen.image.fill import push_pull
from vfxgen.image.tensor import to_pixels, to_tensor

NOISE = 0.1
"""How far light of one thing varies, as a fraction of it."""
DARKNESS = 0.01
"""And at least that fraction of the frame's mean light."""
NEARNESS = 0.3
"""How much the second distance to a colour counts beside its misfit, in squared deviations."""
TEXTURE = 0.3
"""How much of the variance between candidates is taken for uncertainty."""
NO_KNOWLEDGE = 1 / 12
"""The variance of coverage of which nothing is known: equally likely from 0 to 1."""
# Known pixels that far from the wanted ones show how far to trust colour, one of every two by two of them; and never
# more than four times what it says.
_RING, _EVERY, _AT_MOST = 6, 2, 0.25
# Pixels that are worked at together, 25 pairs of colours for each: what a processor's cache holds.
_TOGETHER = 1 << 12


class Estimate(NamedTuple):
    """Coverage (H, W) and its variance, where it was asked for; elsewhere 0 and infinite."""

    coverage: Pixels
    variance: Pixels


def estimate(light: Pixels, subject: Mask, background: Mask, wanted: Mask) -> Estimate:
    """The coverage of each wanted pixel from pairs of colours, one of the subject and one of the background.

    Candidates are the first known pixels along the axes and the mean of all that is around (`push_pull`);
    a pair that the pixel lies between, and that is near, counts more. From the robust matting of Wang and Cohen (2007)
    and the shared sampling of Gastal and Oliveira (2010), with a variance in place of their confidence: how far the
    pairs disagree, how much texture the colours have, and how little they differ. On a ring of known pixels around the
    wanted ones the same is asked without them, and the variance is corrected by how wrong it was there: before a busy
    background colour counts for little.

    Parameters
    ----------
    light
        (H, W, 3), scene-linear, finite.
    subject, background, wanted
        (H, W): where coverage is known to be 1, known to be 0, and asked for.

    Examples
    --------
    >>> light = np.full((24, 24, 3), (0.1, 0.3, 0.1), np.float32)
    >>> light[:, 12:] = (0.6, 0.2, 0.1)
    >>> light[:, 12] = (0.35, 0.25, 0.1)
    >>> right, middle = np.arange(24)[None].repeat(24, 0) > 14, np.arange(24)[None].repeat(24, 0) == 12
    >>> found = estimate(light, right, right[:, ::-1].copy(), middle)
    >>> bool(np.abs(found.coverage[:, 12] - 0.5).max() < 0.02), bool(found.variance[:, 12].max() < NO_KNOWLEDGE)
    (True, True)
    """
    found = _estimate(light, subject, background, wanted)
    near = cv2.dilate(wanted.astype(np.uint8), np.ones((2 * _RING + 1, 2 * _RING + 1), np.uint8)) > 0
    ring = np.zeros_like(near)
    some = np.s_[::_EVERY, ::_EVERY]
    ring[some] = (near & (subject | background) & ~wanted)[some]
    tried = _estimate(light, subject & ~near, background & ~near, ring)
    surprise = _surprise(tried, subject, ring)
    return found._replace(variance=found.variance * np.float32(max(surprise, _AT_MOST)))


def information(variance: Pixels) -> Pixels:
    """How much an estimate of that variance tells, beside knowing nothing; 0 where it tells nothing."""
    return np.maximum(1 / (variance + np.float32(0.01)) - np.float32(1 / NO_KNOWLEDGE), 0)


def _surprise(tried: Estimate, subject: Mask, ring: Mask) -> float:
    """By how much squared errors on the ring are above the variance that was claimed; 1 where there is no ring."""
    variance = np.minimum(tried.variance[ring], 1)
    counts = information(variance)
    claimed = float((counts * variance).sum())
    return float((counts * (tried.coverage - subject)[ring] ** 2).sum()) / claimed if claimed > 0 else 1.0


def _estimate(light: Pixels, subject: Mask, background: Mask, wanted: Mask) -> Estimate:
    coverage = np.zeros(wanted.shape, np.float32)
    variance = np.full(wanted.shape, np.inf, np.float32)
    if not (wanted.any() and subject.any() and background.any()):
        return Estimate(coverage, variance)
    (front, front_far), (back, back_far) = (_candidates(light, known, wanted) for known in (subject, background))
    dark = np.float32(DARKNESS * (np.abs(light).mean() + 1e-12))
    here = light[wanted]
    found = np.empty((len(here), 2), np.float32)
    for first in range(0, len(here), _TOGETHER):
        part = slice(first, first + _TOGETHER)
        found[part] = _voted(here[part], front[part], back[part], front_far[part], back_far[part], dark)
    coverage[wanted], variance[wanted] = found.T
    return Estimate(coverage, variance)


def _candidates(light: Pixels, known: Mask, wanted: Mask) -> tuple[Pixels, Pixels]:
    """Colours (N, 5, 3) that the N wanted pixels may have a part of, and their distances in pixels (N, 5)."""
    rays = _along_axes(_blurred_within(light, known), known, wanted)
    around, nearness = push_pull(to_tensor(light), to_tensor(known[..., None].astype(np.float32)), decay=0.5)
    # Each octave away halves it.
    far: Pixels = np.reciprocal(np.maximum(to_pixels(nearness)[wanted], np.float32(1e-3)))
    rays.append((to_pixels(around)[wanted], far[:, 0]))
    return np.stack([colour for colour, _ in rays], 1), np.stack([distance for _, distance in rays], 1)


def _blurred_within(light: Pixels, known: Mask) -> Pixels:
    """The mean of the known pixels among 3x3: grain is no colour of its own."""
    counts = cv2.blur(known.astype(np.float32), (3, 3))[..., None]
    total = cv2.blur(np.where(known[..., None], light, np.float32(0)), (3, 3))
    mean: Pixels = total / np.maximum(counts, np.float32(1e-6))
    return mean


def _along_axes(light: Pixels, known: Mask, wanted: Mask) -> list[tuple[Pixels, Pixels]]:
    """Above, below, left and right of each wanted pixel the first known colour (N, 3), and its distance (N,)."""
    rows, columns = np.nonzero(wanted)
    found = []
    for axis, at in ((0, rows), (1, columns)):
        length = known.shape[axis]
        place = np.arange(length, dtype=np.int32).reshape((-1, 1) if axis == 0 else (1, -1))
        before = np.maximum.accumulate(np.where(known, place, -1), axis)[wanted]
        after = np.minimum.accumulate(np.flip(np.where(known, place, length), axis), axis)
        for first in (before, np.flip(after, axis)[wanted]):
            there = (first >= 0) & (first < length)
            index = np.where(there, first, 0)
            colour = light[index, columns] if axis == 0 else light[rows, index]
            found.append((colour, np.where(there, np.abs(at - index), np.inf).astype(np.float32)))
    return found


def _voted(
    here: Pixels, subject: Pixels, background: Pixels, subject_far: Pixels, background_far: Pixels, dark: np.float32
) -> Pixels:
    """Coverage and its variance, (N, 2), by all pairs of candidates."""
    # Pixels last: what is summed over pairs is then summed along the whole of a plane.
    here, subject, background = here.T.copy(), subject.T.copy(), background.T.copy()
    subject_far, background_far = subject_far.T.copy(), background_far.T.copy()
    channels, pairs = range(3), (0, 1)
    across = [subject[c][:, None] - background[c][None] for c in channels]
    above = [(here[c] - background[c])[None] for c in channels]
    apart = sum((across[c] ** 2 for c in channels), np.float32(0))
    noise = (NOISE * np.maximum(np.abs(here).max(0), dark)) ** 2 + dark**2
    share = sum((above[c] * across[c] for c in channels), np.float32(0)) / (apart + 1e-3 * noise)
    share = np.clip(share, 0, 1)
    misfit = sum(((above[c] - share * across[c]) ** 2 for c in channels), np.float32(0)) / noise
    near = [far / np.maximum(far.min(0), 1) - 1 for far in (subject_far, background_far)]
    cost = np.minimum(misfit + NEARNESS * (near[0][:, None] + near[1][None]), 1e4)
    votes = np.exp(-0.5 * (cost - cost.min(pairs)))
    votes /= votes.sum(pairs)
    coverage = (votes * share).sum(pairs)
    spread = (votes * (share - coverage) ** 2).sum(pairs)
    blurred = (votes * np.minimum(noise * (1 + misfit) / (apart + 1e-3 * noise), 1)).sum(pairs)
    direction = np.stack([(votes * across[c]).sum(pairs) for c in channels])
    texture = (
        coverage**2 * _spread_along(subject, subject_far, direction)
        + (1 - coverage) ** 2 * _spread_along(background, background_far, direction)
    ) / np.maximum((direction**2).sum(0), 1e-3 * noise) ** 2
    return np.stack([coverage, spread + blurred + np.minimum(TEXTURE * texture, 1)], -1)


def _spread_along(colours: Pixels, far: Pixels, direction: Pixels) -> Pixels:
    """The variance of candidates (3, K, N) along a direction (3, N), the near ones counting more; times its length."""
    near = 1 / (far + np.float32(1))
    near /= near.sum(0)
    along = (colours * direction[:, None]).sum(0)
    spread: Pixels = (near * (along - (near * along).sum(0)) ** 2).sum(0)
    return spread
