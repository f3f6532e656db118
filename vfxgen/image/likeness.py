"""Likeness: how much two pictures, brought to one exposure, show the same."""

from __future__ import annotations

import cv2
import numpy as np

from vfxgen.frame import Mask, Pixels
from vfxgen.image.blend import normalised_blur
from vfxgen.image.exposure import gain

# Pixels over which exposure is averaged.
_EXPOSURE_BLUR = 24.0
# Stops that two pictures may be apart to count for half, and the share of the local contrast that may come on top:
# fine detail never lies exactly.
_HALF, _CONTRAST = 0.15, 0.35
# Light this far below a picture's level counts as black where pictures are compared: stops.
_TOE = 5.0


def exposed_as(light: Pixels, other: Pixels, both: Mask) -> Pixels:
    """`light` (H, W, 3), made as bright as another picture from place to place, as far as `both` show the same."""
    return light * gain(light, other, both, _EXPOSURE_BLUR)


def agreement(light: Pixels, other: Pixels, toe: float, both: Mask) -> Pixels:
    """1 where two pictures are alike, a half where they are `_HALF` stops apart; 0 beside `both`, (H, W)."""
    ours, theirs = (grey_of(stops_of(picture, toe)) for picture in (light, other))
    kernel = np.ones((3, 3), np.uint8)
    contrast = cv2.dilate(theirs, kernel) - cv2.erode(theirs, kernel)
    apart = np.stack([np.abs(ours - theirs), contrast], axis=-1)
    apart = normalised_blur(apart, both.astype(np.float32), 1.5)
    return np.asarray(both / (1 + (apart[..., 0] / (_HALF + _CONTRAST * apart[..., 1])) ** 2), np.float32)


def toe_of(light: Pixels, where: Mask) -> float:
    """Light that counts as black: `_TOE` stops below the median of what is there."""
    level = float(np.median(np.maximum(light[where], 0))) if where.any() else 0.0
    return level * 2**-_TOE or 1e-4


def grey_of(light: Pixels) -> Pixels:
    """The mean of R, G and B."""
    return (light[..., 0] + light[..., 1] + light[..., 2]) / np.float32(3)


def stops_of(light: Pixels, toe: float) -> Pixels:
    """Light as a logarithm, level near the toe."""
    return np.asarray(np.log2(np.maximum(light, 0) + np.float32(toe)), np.float32)
