"""Trimaps: what is surely subject, what surely is not, and the band between that is to be solved."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from vfxgen.frame import Mask, Pixels

Crop = tuple[slice, slice]

BACKGROUND, UNKNOWN, SUBJECT = 0.0, 0.5, 1.0
CLUES = "A smooth.A likely.A sure T"
"""What a net that solves a trimap is told beside R G B; see `vfxgen.image.natural_matte.clues`."""
# Coverage below and above which a pixel counts as empty and as solid.
_EMPTY, _SOLID = 0.02, 0.98
# Unknown pixels nearer to each other than twice this are solved together.
_JOINED = 12


def trimap_of(matte: Pixels, width: float) -> Pixels:
    """A trimap from a rough mask or an alpha: its solid and empty parts, both made smaller by `width`.

    Parameters
    ----------
    matte
        (H, W), 0 .. 1.
    width
        In pixels, to each side of the edge; 0 leaves unknown what is neither solid nor empty.

    Returns
    -------
    Pixels
        (H, W): 0 background, 0.5 unknown, 1 subject.

    Examples
    --------
    >>> trimap_of(np.float32([[0, 0, 0, 0, 1, 1, 1, 1]]), 1)[0].tolist()
    [0.0, 0.0, 0.0, 0.5, 0.5, 1.0, 1.0, 1.0]
    """
    subject = _farther(matte < _SOLID, width)
    background = _farther(matte > _EMPTY, width)
    return np.where(subject, SUBJECT, np.where(background, BACKGROUND, UNKNOWN)).astype(np.float32)


def trimap_levels(painted: Pixels) -> Pixels:
    """A painted trimap (H, W) as exactly 0, 0.5 and 1: what is not within 0.05 of 0 or 1 is unknown.

    Examples
    --------
    >>> trimap_levels(np.float32([[0.01, 0.3, 0.502, 1.0]]))[0].tolist()
    [0.0, 0.5, 0.5, 1.0]
    """
    return np.where(painted > 0.95, SUBJECT, np.where(painted < 0.05, BACKGROUND, UNKNOWN)).astype(np.float32)


def pieces(unknown: Mask, margin: int) -> Iterator[tuple[Crop, Mask]]:
    """The connected pieces of what is unknown, each with the crop that holds it and `margin` pixels around it.

    Yields
    ------
    crop, own
        Two slices of (H, W); (h, w), True where the crop's pixels are unknown and of this piece.
    """
    kernel = np.ones((2 * _JOINED + 1, 2 * _JOINED + 1), np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(cv2.dilate(unknown.astype(np.uint8), kernel))
    for label in range(1, count):
        x, y, width, height = boxes[label, :4].tolist()
        crop = (
            slice(max(0, y - margin + _JOINED), y + height + margin - _JOINED),
            slice(max(0, x - margin + _JOINED), x + width + margin - _JOINED),
        )
        yield crop, unknown[crop] & (labels[crop] == label)


def between(trimap: Pixels) -> Mask:
    """Unknown pixels (H, W) of the pieces that touch known subject and known background.

    A net that mends is believed there alone: it learned from such pieces. In a hole within the subject, with no
    background in sight, what is around says nothing of what is behind.

    Examples
    --------
    >>> between(np.float32([[1, 0.5, 0, 0, 0.5, 0]])).astype(int).tolist()
    [[0, 1, 0, 0, 0, 0]]
    """
    _, labels = cv2.connectedComponents((trimap == UNKNOWN).astype(np.uint8), connectivity=8)
    beside = [
        cv2.dilate((trimap == known).astype(np.uint8), np.ones((3, 3), np.uint8)) for known in (SUBJECT, BACKGROUND)
    ]
    both = np.intersect1d(*(labels[near > 0] for near in beside))
    return np.isin(labels, both[both > 0])


def _farther(mask: Mask, width: float) -> Mask:
    """Where the nearest pixel of `mask` is farther than `width`."""
    if not mask.any():
        return np.ones(mask.shape, np.bool_)
    away: Pixels = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away > width)
