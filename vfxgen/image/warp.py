"""Warps: a picture seen from where its pixels have moved to."""

from __future__ import annotations

from functools import reduce
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Pixels
from vfxgen.image.resample import filled

Filter = Literal["bicubic", "bilinear"]

# Rows that are looked up at once; pixels by which the border is repeated before and after the picture.
_STRIP, _BEFORE, _AFTER = 32, 2, 3


def warped(picture: Pixels, flow: Pixels, filter: Filter = "bicubic") -> tuple[Pixels, NDArray[np.bool_]]:
    """`picture` looked up along `flow`: what a frame's pixels look like in the frame that the flow leads to.

    Catmull-Rom cubics (Keys 1981, a = -0.5) held to the range of the four pixels around the place, so that no lamp gets
    a dark ring; or bilinear. A whole number of pixels keeps every bit, no displacement above all. What is not finite
    stays on the pixels that are nearest to it and touches no other.

    Parameters
    ----------
    picture
        (H, W, C) of any values, of the frame that is looked into.
    flow
        (h, w, 2), in pixels, x to the right and y down: see `vfxgen.image.flow.flow`.

    Returns
    -------
    warped, valid
        (h, w, C), its border repeated beyond the frame; (h, w), False where the place is beyond the frame's outermost
        pixel centres, or where the nearest pixel is not finite.

    Examples
    --------
    >>> ramp = np.arange(6, dtype=np.float32).reshape(1, 6, 1).repeat(5, axis=0)
    >>> moved, valid = warped(ramp, np.full((5, 6, 2), (1.5, 0), np.float32))
    >>> moved[2, :, 0].tolist(), valid[2].tolist()
    ([1.5, 2.5, 3.5, 4.5625, 5.0, 5.0], [True, True, True, True, False, False])
    """
    planes = [np.ascontiguousarray(picture[..., i], np.float32) for i in range(picture.shape[-1])]
    bad = {i: ~np.isfinite(plane) for i, plane in enumerate(planes) if not np.isfinite(plane).all()}
    whole = [_bordered(filled(plane, bad[i]) if i in bad else plane) for i, plane in enumerate(planes)]
    made = np.empty((*flow.shape[:2], len(planes)), np.float32)
    valid = np.empty(flow.shape[:2], np.bool_)
    # Strip by strip: what is at work stays in the processor's cache, which makes it three times as fast.
    for top in range(0, flow.shape[0], _STRIP):
        rows = slice(top, top + _STRIP)
        place, valid[rows] = _place(flow[rows], top, picture.shape)
        corner = np.floor(place)
        across, down = (_weights(np.ascontiguousarray(part), filter) for part in np.moveaxis(place - corner, -1, 0))
        first = (corner + 1).astype(np.int16)
        for i, plane in enumerate(whole):
            made[rows, :, i] = _looked_up(plane, first, across, down)
            if i in bad:
                nearest = np.floor(place + np.float32(0.5))
                stays = _at(bad[i].astype(np.uint8), nearest) > 0
                made[rows, :, i][stays] = _at(planes[i], nearest)[stays]
                valid[rows] &= ~stays
    return made, valid


def displacement(homography: NDArray[np.float64], size: tuple[int, int]) -> Pixels:
    """The flow of a homography, (H, W, 2): from each pixel of a frame of `size` (H, W) to where it is in the other.

    Parameters
    ----------
    homography
        3x3, of pixel centres: (x, y, 1) in this frame to (x', y', 1) times any factor in the other. An affine map has
        0, 0, 1 as its last row.

    Examples
    --------
    >>> displacement(np.array([[2.0, 0, 1], [0, 1, 0], [0, 0, 1]]), (1, 3))[0].tolist()
    [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]
    """
    return through(homography, np.zeros((*size, 2), np.float32))


def through(homography: NDArray[np.float64], flow: Pixels) -> Pixels:
    """The flow (H, W, 2) to where a homography takes the places that `flow` leads to."""
    rows, columns = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float64)
    x, y = transformed(homography, columns + flow[..., 0], rows + flow[..., 1])
    return np.stack([x - columns, y - rows], axis=-1).astype(np.float32)


def transformed(
    homography: NDArray[np.float64], x: NDArray[Any], y: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where a homography takes places, `x` and `y` of any shape; NaN beyond the horizon, where nothing is seen."""
    over, down, depth = (m[0] * x + m[1] * y + m[2] for m in np.asarray(homography, np.float64))
    depth = np.where(depth > 0, depth, np.nan)
    return over / depth, down / depth


def _place(flow: Pixels, top: int, size: tuple[int, ...]) -> tuple[Pixels, NDArray[np.bool_]]:
    """Where the rows from `top` on look, (h, w, 2), and whether that is within a picture of `size`."""
    place = flow.astype(np.float32)
    place[..., 0] += np.arange(flow.shape[1], dtype=np.float32)
    place[..., 1] += np.arange(top, top + flow.shape[0], dtype=np.float32)[:, None]
    last = np.array([size[1] - 1, size[0] - 1], np.float32)
    within = (place >= 0) & (place <= last)
    valid: NDArray[np.bool_] = within[..., 0] & within[..., 1]
    # Far places, and those that are not finite, must not overflow as whole numbers.
    return np.clip(np.nan_to_num(place, nan=-1), -1, last + 1), valid


def _bordered(plane: Pixels) -> Pixels:
    """`plane` with its border repeated: as far as the taps of a place beside it reach."""
    bordered: Pixels = cv2.copyMakeBorder(plane, _BEFORE, _AFTER, _BEFORE, _AFTER, cv2.BORDER_REPLICATE)
    return bordered


def _weights(part: Pixels, filter: Filter) -> dict[int, Pixels]:
    """Of the pixels at -1 .. 2 from the whole place, along one axis, `part` of a pixel further."""
    if filter == "bilinear":
        return {0: 1 - part, 1: part}
    square = part * part
    cube = square * part
    return {
        0: 1 - 2.5 * square + 1.5 * cube,
        1: 0.5 * part + 2 * square - 1.5 * cube,
        -1: square - 0.5 * (part + cube),
        2: 0.5 * (cube - square),
    }


def _looked_up(plane: Pixels, first: NDArray[np.int16], across: dict[int, Pixels], down: dict[int, Pixels]) -> Pixels:
    """Weighted sums of what is around whole places; `first` is where the taps begin in a bordered plane."""
    around, made = list[Pixels](), np.zeros(first.shape[:2], np.float32)
    for y, one in down.items():
        row = np.zeros_like(made)
        for x, other in across.items():
            value = cv2.remap(plane[y + 1 :, x + 1 :], first, None, cv2.INTER_NEAREST)
            if x in (0, 1) and y in (0, 1):
                around.append(value)
            row += value * other
        row *= one
        made += row
    least, most = (reduce(extreme, around) for extreme in (np.minimum, np.maximum))
    return np.clip(made, least, most, out=made)


def _at(plane: NDArray[Any], place: Pixels) -> NDArray[Any]:
    """Pixels of `plane` at whole places, its border repeated."""
    found: NDArray[Any] = cv2.remap(plane, place, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return found
