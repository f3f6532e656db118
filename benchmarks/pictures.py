"""Light and coverage as pictures for people."""

from __future__ import annotations

import numpy as np

from vfxgen import color
from vfxgen.frame import Pixels

SPACE = "lin_rec709_scene"
"""What the sample shots are measured in."""


def displayed(light: Pixels) -> Pixels:
    """Light in `SPACE`, (H, W, 3), through the view transform, 0 .. 1."""
    return np.clip(np.nan_to_num(color.to_display(light.astype(np.float32), SPACE)), 0, 1)


def in_grey(alpha: Pixels) -> Pixels:
    """Coverage, (H, W) or (H, W, 1), as (H, W, 3)."""
    return np.repeat(np.clip(alpha, 0, 1).reshape(*alpha.shape[:2], 1), 3, axis=-1).astype(np.float32)
