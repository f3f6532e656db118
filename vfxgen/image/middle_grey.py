"""How bright a frame is: the gain that makes it as bright as others."""

from __future__ import annotations

import numpy as np

from vfxgen.frame import Pixels

GREY = 0.18


def gain_to_grey(light: Pixels) -> float:
    """What `light` (H, W, 3), scene-linear, is to be multiplied by so that the median of what is lit becomes 0.18.

    Twice the light gives half the gain. 1 where nothing is lit.

    Examples
    --------
    >>> light = np.full((4, 4, 3), 0.36, np.float32)
    >>> light[0, 0] = 2000
    >>> round(gain_to_grey(light), 6), round(gain_to_grey(light * 16), 6), gain_to_grey(light * 0)
    (0.5, 0.03125, 1.0)
    """
    brightness = light.mean(axis=-1)
    lit = brightness[np.isfinite(brightness) & (brightness > 0)]
    return GREY / float(np.median(lit)) if lit.size else 1.0
