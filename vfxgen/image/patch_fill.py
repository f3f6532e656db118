"""Exemplar fill: a hole made of patches of the picture around it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Mask, Pixels
from vfxgen.image.harmonic import harmonic

Places = NDArray[np.intp]
"""(N, 2): row and column."""

# Half the side of a patch; the hole's radius below which no coarser level is made; candidates looked at together.
_HALF, _SMALL_HOLE, _CHUNK = 3, 2, 8192
# Rounds of search and vote at each level, and at the finest of all; searches in each; how far is looked, in pixels of
# the level: what is near fits in light and in perspective.
_ROUNDS, _FINEST_ROUNDS, _SEARCHES, _REACH = 6, 3, 2, 40
# Pixels of the level around a piece of the hole whose colours are those of what is made up in it.
_COLOURED = 7
# Green, nearly brightness; and how much redder, and how much bluer.
_APART = np.array([[0, 1, 0], [1, -1, 0], [0, -1, 1]], np.float32)
# The share of patches that count for much in a vote: a mean of many that are not alike is a blur.
_GOOD = 30
# How sure a pixel of the hole is with each pixel that it is farther inside, and at least: what meets the border is
# settled first, and what is inside follows it. Else the smooth surface that is there first finds smooth patches.
_SURE, _LEAST_SURE = 0.5, 1e-3
_NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0))


class _Level(NamedTuple):
    """A picture of the pyramid with a rim of half a patch, its hole, the middles of whole patches, how sure it is.

    And between which colours (`_colours`) each pixel of the hole lies.
    """

    code: Pixels
    hole: Mask
    whole: Mask
    sure: Pixels
    colours: tuple[Pixels, Pixels]


def patch_filled(code: Pixels, hole: Mask, seed: int = 0) -> Pixels:
    """`code` with its hole filled so that every patch in it looks like one beside it.

    Coarse to fine (Wexler, Shechtman, Irani 2007): for every 7x7 patch that touches the hole the most alike is found
    among those that do not (PatchMatch: Barnes et al. 2009), then every pixel becomes the mean of what the patches over
    it say. Pixels count the less the farther inside the hole they are, when patches are compared, and so do patches in
    the mean, as Wexler et al. do, but falling faster. Patches reach over the border of the hole, so that the fill meets
    what is there. Outside the hole the result is what the patches say too, as far as they reach. No pixel is
    brighter, darker, redder or bluer than what is around the border of its piece of the hole: patches bring no colour
    from elsewhere.

    Parameters
    ----------
    code
        (H, W, 3), code values of about 0 .. 1, in which equal steps look equal; finite outside the hole.
    hole
        (H, W). Where no whole patch is outside it, the fill is `harmonic`.
    seed
        The same seed gives the same fill.

    Examples
    --------
    >>> stripes = np.tile(np.float32([0.2, 0.2, 0.8, 0.8]), (32, 8))[..., None].repeat(3, axis=-1)
    >>> hole = np.zeros((32, 32), bool)
    >>> hole[12:20, 12:20] = True
    >>> bool(np.abs(patch_filled(np.where(hole[..., None], 0, stripes), hole) - stripes)[hole].mean() < 0.05)
    True
    """
    pyramid = [(np.where(hole[..., None], np.float32(0), code), hole)]
    while _radius(pyramid[-1][1]) > _SMALL_HOLE and min(pyramid[-1][1].shape) >= 8 * _HALF:
        pyramid.append(_halved(*pyramid[-1]))
    random = np.random.default_rng(seed)
    coarse, coarse_hole = pyramid[-1]
    filled, field = harmonic(coarse, ~coarse_hole), None
    for fine, (picture, mask) in reversed(list(enumerate(pyramid))):
        size = (picture.shape[1], picture.shape[0])
        guess = cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR) if filled.shape != picture.shape else filled
        level = _level(np.where(mask[..., None], guess, picture), mask)
        if not level.whole.any():
            filled, field = level.code[_HALF:-_HALF, _HALF:-_HALF], None
            continue
        filled, field = _synthesised(level, field, random, _ROUNDS if fine else _FINEST_ROUNDS)
    return filled


def _synthesised(
    level: _Level, coarser: NDArray[np.intp] | None, random: np.random.Generator, rounds: int
) -> tuple[Pixels, NDArray[np.intp]]:
    """Search and vote; the picture, and for each of its pixels where its patch came from (-1 where it needs none)."""
    code = level.code.copy()
    kernel = np.ones((2 * _HALF + 1,) * 2, np.uint8)
    touched = cv2.dilate(level.hole.astype(np.uint8), kernel) > 0
    touched[:_HALF], touched[-_HALF:], touched[:, :_HALF], touched[:, -_HALF:] = False, False, False, False
    targets = np.argwhere(touched)
    found = _first(level, targets, coarser, random)
    index = np.full(level.hole.shape, -1, np.intp)
    index[targets[:, 0], targets[:, 1]] = np.arange(len(targets))
    for turn in range(rounds):
        distance = _distance(code, level.sure, targets, found)
        for _ in range(_SEARCHES):
            for candidates in _candidates(level, targets, found, index, random):
                allowed = level.whole[candidates[:, 0], candidates[:, 1]]
                new = np.full(len(targets), np.inf, np.float32)
                new[allowed] = _distance(code, level.sure, targets[allowed], candidates[allowed])
                found = np.where((new < distance)[:, None], candidates, found)
                distance = np.minimum(distance, new)
        voted = _in_colour(_voted(code, level.sure, targets, found, distance), level)
        code = np.where(level.hole[..., None] | (turn == rounds - 1), voted, code)
    inner = np.s_[_HALF:-_HALF, _HALF:-_HALF]
    field = np.full((*level.hole.shape, 2), -1, np.intp)
    field[targets[:, 0], targets[:, 1]] = found - _HALF
    return code[inner], field[inner]


def _first(level: _Level, targets: Places, coarser: NDArray[np.intp] | None, random: np.random.Generator) -> Places:
    """Where patches are looked for first: twice as far as on the level below, else somewhere near."""
    found = np.stack(_nearest(level.whole), axis=-1)[targets[:, 0], targets[:, 1]]
    last = np.array(level.whole.shape) - 1
    around = np.clip(found + random.integers(-_REACH // 2, _REACH // 2 + 1, size=found.shape), 0, last)
    found = np.where(level.whole[around[:, 0], around[:, 1]][:, None], around, found)
    if coarser is None:
        return found
    inner = targets - _HALF
    below = np.minimum(inner // 2, np.array(coarser.shape[:2]) - 1)
    known = coarser[below[:, 0], below[:, 1]]
    doubled = np.clip(2 * known + inner % 2 + _HALF, 0, last)
    good = (known[:, 0] >= 0) & level.whole[doubled[:, 0], doubled[:, 1]]
    return np.asarray(np.where(good[:, None], doubled, found), np.intp)


def _candidates(
    level: _Level, targets: Places, found: Places, index: Places, random: np.random.Generator
) -> list[Places]:
    """What neighbours found, moved along, and random places ever nearer to what was found."""
    last = np.array(level.whole.shape) - 1
    given = []
    for step in _NEIGHBOURS:
        beside = np.clip(targets + step, 0, last)
        neighbour = index[beside[:, 0], beside[:, 1]]
        given.append(np.where((neighbour >= 0)[:, None], found[neighbour] - step, found))
    reach = min(_REACH, max(last))
    while reach >= 1:
        given.append(found + random.integers(-reach, reach + 1, size=found.shape))
        reach //= 3
    return [np.clip(places, 0, last) for places in given]


def _distance(code: Pixels, sure: Pixels, targets: Places, found: Places) -> NDArray[np.float32]:
    """Mean squared difference of the patches at two lists of places, pixels counting by how sure the first ones are."""
    side = (2 * _HALF + 1,) * 2
    patches = np.lib.stride_tricks.sliding_window_view(code, side, axis=(0, 1))
    counts = np.lib.stride_tricks.sliding_window_view(sure, side)
    made = np.empty(len(targets), np.float32)
    for start in range(0, len(targets), _CHUNK):
        some = slice(start, start + _CHUNK)
        corners = targets[some] - _HALF
        count = counts[corners[:, 0], corners[:, 1]]
        ours, theirs = (patches[p[some, 0] - _HALF, p[some, 1] - _HALF] for p in (targets, found))
        apart = np.square(ours - theirs).mean(axis=1)
        made[some] = np.einsum("nij,nij->n", apart, count) / count.sum(axis=(1, 2))
    return made


def _voted(code: Pixels, sure: Pixels, targets: Places, found: Places, distance: NDArray[np.float32]) -> Pixels:
    """The mean of what all patches over a pixel say, like and sure ones counting more; what no patch covers stays."""
    spread = max(float(np.percentile(distance, _GOOD)), 1e-7)
    weight = (np.exp(-distance / (2 * spread)) + np.float32(1e-4)) * sure[targets[:, 0], targets[:, 1]] ** 2
    total = np.zeros((*code.shape[:2], 4), np.float64)
    # Targets differ from each other: under one shift no pixel is written twice.
    for row in range(-_HALF, _HALF + 1):
        for column in range(-_HALF, _HALF + 1):
            step = np.array([row, column])
            there, source = targets + step, found + step
            total[there[:, 0], there[:, 1], :3] += code[source[:, 0], source[:, 1]] * weight[:, None]
            total[there[:, 0], there[:, 1], 3] += weight
    covered = total[..., 3:] > 0
    return np.where(covered, total[..., :3] / np.where(covered, total[..., 3:], 1), code).astype(np.float32)


def _in_colour(code: Pixels, level: _Level) -> Pixels:
    """`code` whose colours in the hole are brought between those of the level."""
    kept = np.clip(code @ _APART.T, *level.colours) @ np.linalg.inv(_APART).T
    return np.where(level.hole[..., None], kept, code)


def _colours(code: Pixels, hole: Mask) -> tuple[Pixels, Pixels]:
    """The least and the greatest of `_APART` that is known around the piece of the hole next to each, (H, W, 3)."""
    # Grown by a pixel: pieces that share a pixel around them are one, so each has colours of its own around it.
    count, piece = cv2.connectedComponents(cv2.dilate(hole.astype(np.uint8), np.ones((3, 3), np.uint8)))
    piece = piece[_nearest(hole)]
    around = ~hole & (cv2.dilate(hole.astype(np.uint8), np.ones((2 * _COLOURED + 1,) * 2, np.uint8)) > 0)
    colour = (code @ _APART.T)[around]
    least, most = (np.full((count, 3), end, np.float32) for end in (np.inf, -np.inf))
    np.minimum.at(least, piece[around], colour)
    np.maximum.at(most, piece[around], colour)
    return least[piece], most[piece]


def _level(code: Pixels, hole: Mask) -> _Level:
    rim = [(_HALF, _HALF)] * 2
    padded = np.pad(hole, rim, constant_values=True)
    kernel = np.ones((2 * _HALF + 1,) * 2, np.uint8)
    whole = cv2.dilate(padded.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1) == 0
    inside = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5)
    sure = np.pad(np.maximum(np.float32(_SURE) ** inside, np.float32(_LEAST_SURE)), rim, mode="reflect")
    least, most = (np.pad(limit, [*rim, (0, 0)], mode="edge") for limit in _colours(code, hole))
    return _Level(np.pad(code, [*rim, (0, 0)], mode="reflect"), np.pad(hole, rim), whole, sure, (least, most))


def _nearest(there: Mask) -> tuple[Places, Places]:
    """Row and column, (H, W) each, of the nearest pixel that is there: one is."""
    _, label = cv2.distanceTransformWithLabels(
        (~there).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    place = np.zeros((label.max() + 1, 2), np.intp)
    place[label[there]] = np.argwhere(there)
    return place[label, 0], place[label, 1]


def _radius(hole: Mask) -> float:
    """Of the largest disc in the hole."""
    return float(cv2.distanceTransform(np.pad(hole, 1).astype(np.uint8), cv2.DIST_L2, 3).max())


def _halved(code: Pixels, hole: Mask) -> tuple[Pixels, Mask]:
    """Half the size: the mean of what is known of 2x2 pixels; hole where less than half is."""
    height, width = (side // 2 * 2 for side in hole.shape)
    known = (~hole[:height, :width]).astype(np.float32)[..., None].reshape(height // 2, 2, width // 2, 2, 1)
    total = known.sum(axis=(1, 3))
    sums = (code[:height, :width].reshape(height // 2, 2, width // 2, 2, -1) * known).sum(axis=(1, 3))
    return np.asarray(sums / np.maximum(total, 1), np.float32), total[..., 0] < 2
