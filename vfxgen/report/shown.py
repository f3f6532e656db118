"""Light and coverage as pictures for people."""

from __future__ import annotations

import numpy as np

from vfxgen import color
from vfxgen.frame import Pixels


def displayed(light: Pixels, colorspace: str) -> Pixels:
    """Light (H, W, 3) in `colorspace` through the view transform, display-referred 0 .. 1; NaN is black."""
    return np.clip(np.nan_to_num(color.to_display(light.astype(np.float32), colorspace)), 0, 1)


def in_grey(coverage: Pixels) -> Pixels:
    """Coverage, (H, W) or (H, W, 1), as (H, W, 3), held to 0 .. 1; NaN is black.

    Examples
    --------
    >>> in_grey(np.array([[0.5, 2.0]])).tolist()
    [[[0.5, 0.5, 0.5], [1.0, 1.0, 1.0]]]
    """
    held = np.clip(np.nan_to_num(coverage), 0, 1).reshape(*coverage.shape[:2], 1)
    return np.repeat(held, 3, axis=-1).astype(np.float32)
