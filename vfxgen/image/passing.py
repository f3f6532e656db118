"""Passing: what stands before a hole in another picture, told by this one's showing it in another place."""

from __future__ import annotations

import numpy as np

from vfxgen.frame import Mask, Pixels
from vfxgen.image.warp import warped

# Pixels between a place and the one where the target shows what a source has there, from which that counts: motion errs
# by less. At twice as many it counts in full.
_AWAY = 6.0


def home(hidden: Mask, unknown: Mask, places: Pixels) -> Pixels:
    """Where a target shows the pixels of another picture.

    Parameters
    ----------
    hidden, unknown
        (h, w) and (H, W): where the picture, and where the target, does not show the scene.
    places
        (h, w, 2): x and y in the target that the motion of the picture's own pixels leads to; NaN where none does.

    Returns
    -------
    Pixels
        (h, w, 3): x and y; 1 where both show the scene, else 0.
    """
    known = np.asarray(np.isfinite(places).all(axis=-1), np.bool_)
    places = np.where(known[..., None], places, np.float32(-1))
    covered, valid = warped(unknown.astype(np.float32)[..., None], places - _grid(places), "bilinear")
    shown = known & valid & (covered[..., 0] == 0) & ~hidden
    return np.concatenate([places, shown[..., None]], axis=-1, dtype=np.float32)


def passing(home: Pixels, lies: Pixels) -> Pixels:
    """How sure it is that what a picture shows passes before the place it would fill, (H, W), 0 .. 1.

    Parameters
    ----------
    home
        (h, w, 3), of the function of that name.
    lies
        (H, W, 2): from the pixels of the target to where they are looked up in the picture.
    """
    x, y, shown = np.moveaxis(warped(home, lies, "bilinear")[0], -1, 0)
    grid = _grid(lies)
    away = np.hypot(x - grid[..., 0], y - grid[..., 1])
    return np.asarray(shown * np.clip(away / np.float32(_AWAY) - 1, 0, 1), np.float32)


def _grid(field: Pixels) -> Pixels:
    """The place of each pixel, x and y, (H, W, 2)."""
    rows, columns = np.mgrid[: field.shape[0], : field.shape[1]].astype(np.float32)
    return np.stack([columns, rows], axis=-1)
