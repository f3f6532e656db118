"""Passing: what stands before a hole in another picture, told by this one's showing it in another place."""

from __future__ import annotations

import numpy as np

from vfxgen.frame import Mask, Pixels
from vfxgen.image.likeness import agreement, exposed_as, toe_of
from vfxgen.image.warp import warped

# Pixels between a place and the one where the target shows what a source has there, from which that counts, as far as
# both look alike; and from which it counts however they look: motion errs by less. At twice as many it counts in full.
_AWAY, _FAR = 3.0, 6.0


def home(light: Pixels, hidden: Mask, target: Pixels, unknown: Mask, places: Pixels) -> Pixels:
    """Where a target shows the pixels of another picture, and how much it looks like them there.

    Parameters
    ----------
    light, hidden
        (h, w, 3), scene-linear, finite, and (h, w): the picture, and where it does not show the scene.
    target, unknown
        (H, W, 3) and (H, W): the same of the target.
    places
        (h, w, 2): x and y in the target that the motion of the picture's own pixels leads to; NaN where none does.

    Returns
    -------
    Pixels
        (h, w, 4): x and y; how alike both are, 0 .. 1; 1 where both show the scene, else 0.
    """
    known = np.asarray(np.isfinite(places).all(axis=-1), np.bool_)
    places = np.where(known[..., None], places, np.float32(-1))
    lies = places - _grid(places)
    there, valid = warped(target, lies, "bilinear")
    covered, _ = warped(unknown.astype(np.float32)[..., None], lies, "bilinear")
    both = np.asarray(known & valid & (covered[..., 0] == 0) & ~hidden, np.bool_)
    alike = agreement(exposed_as(there, light, both), light, toe_of(light, ~hidden), both)
    return np.stack([places[..., 0], places[..., 1], alike, both], axis=-1, dtype=np.float32)


def passing(home: Pixels, lies: Pixels) -> Pixels:
    """How sure it is that what a picture shows passes before the place it would fill, (H, W), 0 .. 1.

    Parameters
    ----------
    home
        (h, w, 4), of the function of that name.
    lies
        (H, W, 2): from the pixels of the target to where they are looked up in the picture.
    """
    x, y, alike, shown = np.moveaxis(warped(home, lies, "bilinear")[0], -1, 0)
    grid = _grid(lies)
    away = np.hypot(x - grid[..., 0], y - grid[..., 1])
    sure = np.maximum(alike, shown * _from(away, _FAR))
    return np.asarray(sure * _from(away, _AWAY), np.float32)


def _from(away: Pixels, least: float) -> Pixels:
    """0 up to that many pixels, 1 from twice as many on."""
    return np.asarray(np.clip(away / np.float32(least) - 1, 0, 1), np.float32)


def _grid(field: Pixels) -> Pixels:
    """The place of each pixel, x and y, (H, W, 2)."""
    rows, columns = np.mgrid[: field.shape[0], : field.shape[1]].astype(np.float32)
    return np.stack([columns, rows], axis=-1)
