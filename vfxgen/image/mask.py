"""Working within a mask: what lies outside stays bit for bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vfxgen.frame import Frame, Pixels


def within(mask: Frame, result: Pixels, plate: Frame, channels: Sequence[str]) -> Pixels:
    """`result` (H, W, C) where the mask is 1, the plate's `channels` bit for bit where it is 0, a mix between.

    The mask is placed by its data window and counts as 0 outside; a NaN in it counts as 0 too.
    """
    matte = mask.on(plate.data_window).matte
    old = plate.pixels(*channels)
    with np.errstate(invalid="ignore", over="ignore"):
        # Equal values, infinities above all, must not go through the sum.
        mixed = np.where(result == old, old, old * (1 - matte) + result * matte)
    return np.where(matte > 0, np.where(matte >= 1, result, mixed), old)
