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
    mixed = old + (result - old) * matte
    return np.where(matte > 0, np.where(matte >= 1, result, mixed), old)
