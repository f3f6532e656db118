"""Working within a mask: what lies outside stays bit for bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vfxgen.frame import Frame, Pixels
from vfxgen.image.formats import say_of_another_format


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
    """The matte of `mask` on the plate's data window, (H, W, 1); a mask of another format is said once."""
    say_of_another_format(mask, plate, "matte")
    return mask.on(plate.data_window).matte
