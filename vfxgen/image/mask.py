"""Working within a mask: what lies outside stays bit for bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vfxgen.frame import RGB, Frame, Pixels
from vfxgen.image.formats import say_of_another_format
from vfxgen.log import say_once

# A filter that sharpens leaves as much beside the edge of a good matte.
_OVERSHOOT = 0.1


def within(mask: Frame, result: Pixels, plate: Frame, channels: Sequence[str]) -> Pixels:
    """`result` (H, W, C) where the mask is 1, the plate's `channels` bit for bit where it is 0, a mix between.

    The mask is placed by its data window and counts as 0 outside; a NaN in it counts as 0 too.
    """
    matte = matte_on(mask, plate)
    old = plate.pixels(*channels)
    with np.errstate(invalid="ignore", over="ignore"):
        # Equal values, infinities above all, must not go through the sum.
        mixed = np.where(result == old, old, old * (1 - matte) + result * matte)
    return np.where(matte > 0, np.where(matte >= 1, result, mixed), old)


def matte_on(mask: Frame, plate: Frame) -> Pixels:
    """The matte of `mask` on the plate's data window, (H, W, 1).

    A mask of another format, and one that is hardly a matte, is said once.
    """
    say_of_another_format(mask, plate, "matte")
    say_of_what_is_no_matte(mask)
    return mask.on(plate.data_window).matte


def say_of_what_is_no_matte(mask: Frame) -> None:
    """Say once of values that are no coverage, and of an alpha that says nothing beside a picture that does."""
    matte = mask.matte
    if not matte.size:
        return
    low, high = (float(edge.reduce(matte, axis=None)) for edge in (np.fmin, np.fmax))
    if low < -_OVERSHOOT or high > 1 + _OVERSHOOT:
        say_once(
            f"{mask.source}: a matte with values from {low:g} to {high:g}: what is below 0 counts as 0, what is "
            "above 1 as 1; scale it to 0 .. 1 if that is not meant",
            about=f"{mask.files} range",
        )
    if "A" in mask.planes and low == high == 1:
        shown = [name for name in (*RGB, "Y") if name in mask.planes and (mask.planes[name] != 1).any()]
        if shown:
            say_once(
                f"{mask.source}: its A is taken as the matte, and is 1 everywhere, but {' '.join(shown)} is not: if "
                "the matte is there, write it as A, or without A",
                about=f"{mask.files} alpha",
            )
