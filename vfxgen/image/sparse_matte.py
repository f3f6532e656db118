"""Closed-form and KNN matting by pymatting, in memory that does not grow with the frame."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np

from vfxgen.cancel import stop_if_cancelled
from vfxgen.encoding import Encoding
from vfxgen.errors import RequestError
from vfxgen.frame import Mask, Pixels
from vfxgen.image.tensor import to_pixels, to_tensor

Name = Literal["closed-form", "knn"]

# A crop of more pixels is solved at half size first, then in tiles of that side with that much around each.
_MOST, _TILE, _AROUND = 1 << 18, 384, 48
# Pull to what was there before, without which flat islands have no answer; when equations count as solved.
_PULL, _SOLVED = 1e-5, 1e-4
# Mean light goes to this before it is encoded.
_GREY = 0.18


def sparse_matte(name: Name, light: Pixels, trimap: Pixels, own: Mask) -> Pixels:
    """Coverage by a matting Laplacian as a sparse matrix: a `vfxgen.image.natural_matte.Method`.

    ``closed-form``: Levin, Lischinski, Weiss (2008); ``knn``: Chen, Li, Tang (2013); both of pymatting (Germer et al.
    2020), on display-encoded colour as published. Where the crop is large, from the solution at half size, tile by
    tile.

    Raises
    ------
    RequestError
        pymatting is not installed.
    """
    _pymatting()
    level = float(np.mean(np.abs(light))) or 1.0
    code = to_pixels(Encoding("srgb").encode(to_tensor(light * np.float32(_GREY / level))))
    return _solved(name, code.astype(np.float64), own, trimap.astype(np.float64)).astype(np.float32)


def _pymatting() -> Any:
    try:
        import pymatting
    except ImportError:
        raise RequestError(
            "matte: method closed-form and knn need pymatting: pip install 'vfxgen[matte]', or take method = mixture"
        ) from None
    return pymatting


def _solved(name: Name, code: Pixels, unknown: Mask, known: Pixels) -> Pixels:
    if unknown.size <= _MOST:
        return _direct(name, code, unknown, known)
    height, width = unknown.shape
    half = (width // 2, height // 2)
    small_unknown = cv2.resize(unknown.astype(np.float32), half, interpolation=cv2.INTER_AREA) > 0
    small = _solved(
        name,
        cv2.resize(code, half, interpolation=cv2.INTER_AREA),
        small_unknown,
        cv2.resize(known, half, interpolation=cv2.INTER_AREA),
    )
    guess = np.where(unknown, cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), known)
    total, count = np.zeros_like(guess), np.zeros_like(guess)
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            _add_tile(name, code, unknown, guess, (top, left), total, count)
    return np.where(count > 0, total / np.maximum(count, 1e-9), guess)


def _add_tile(
    name: Name, code: Pixels, unknown: Mask, guess: Pixels, corner: tuple[int, int], total: Pixels, count: Pixels
) -> None:
    """Solve one tile, its rim held to the guess, and add it to the mean; what is near the rim counts less."""
    crop = tuple(slice(max(0, begin - _AROUND), begin + _TILE + _AROUND) for begin in corner)
    free = unknown[crop].copy()
    inner = np.zeros_like(free)
    inner[2:-2, 2:-2] = True
    free &= inner
    if not free.any():
        return
    solved = _direct(name, code[crop], free, guess[crop])
    away = cv2.distanceTransform(np.pad(inner, 1).astype(np.uint8), cv2.DIST_C, 3)[1:-1, 1:-1].astype(np.float64)
    total[crop] += away * solved * unknown[crop]
    count[crop] += away * unknown[crop]


def _direct(name: Name, code: Pixels, unknown: Mask, known: Pixels) -> Pixels:
    """The unknown pixels, with the others as they are known."""
    stop_if_cancelled()
    if not unknown.any():
        return known
    pymatting = _pymatting()
    free, values = unknown.ravel(), known.ravel().copy()
    if name == "closed-form":
        laplacian = pymatting.cf_laplacian(np.ascontiguousarray(code), is_known=~free)
        precondition = pymatting.ichol
    else:
        laplacian = pymatting.knn_laplacian(np.ascontiguousarray(code))
        precondition = pymatting.jacobi
    rows = laplacian[free]
    matrix = rows[:, free].tocsc()
    matrix.setdiag(matrix.diagonal() + _PULL)
    given = _PULL * values[free] - rows[:, ~free].dot(values[~free])
    values[free] = pymatting.cg(matrix, given, M=precondition(matrix), maxiter=20000, rtol=_SOLVED)
    clipped: Pixels = np.clip(values, 0, 1).reshape(unknown.shape)
    return clipped
