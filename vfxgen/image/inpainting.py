"""Inpainting without a net: a hole filled from the picture around it, in light of any range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import cv2
import numpy as np

from vfxgen.encoding import Encoding
from vfxgen.errors import FrameError
from vfxgen.frame import Mask, Pixels
from vfxgen.image.harmonic import harmonic
from vfxgen.image.holes import around
from vfxgen.image.patch_fill import patch_filled

Method = Literal["patch", "telea", "smooth"]

# Pixels around each hole that are looked at, at least, and relative to its size.
_MARGIN, _SHARE = 48, 1.0
# Pixels over which Telea's method looks around.
_TELEA_RADIUS = 5.0


def inpainted(light: Pixels, hole: Mask, method: Method = "patch", seed: int = 0) -> Pixels:
    """`light` with its hole filled from what is around it, and no other pixel changed.

    All methods work on code values of `vfxgen.encoding.Encoding("srgb")`, whose shoulder holds any highlight: what a
    lamp gives a hole beside it is a lamp.

    Parameters
    ----------
    light
        (H, W, 3), scene-linear, finite outside the hole.
    hole
        (H, W).
    method
        ``patch``: patches of the picture (`vfxgen.image.patch_fill`). ``telea``: fast marching (Telea 2004), the
        reference of old. ``smooth``: a harmonic surface.
    seed
        Of ``patch``: another seed is another fill.

    Raises
    ------
    FrameError
        The hole is the whole picture.

    Examples
    --------
    >>> light = np.full((16, 16, 3), 500.0, np.float32)
    >>> hole = np.zeros((16, 16), bool)
    >>> hole[6:10, 6:10] = True
    >>> bool(np.allclose(inpainted(np.where(hole[..., None], 0, light), hole, "telea"), light, rtol=1e-4))
    True
    """
    if hole.all():
        raise FrameError("the hole is the whole picture: there is nothing to fill it from")
    if not hole.any():
        return light
    crop = around(hole, _MARGIN, _SHARE)
    part, there = light[crop], hole[crop]
    code = _encoded(part, there)
    if method == "patch":
        filled = patch_filled(code, there, seed)
    else:
        filled = (_telea if method == "telea" else _smooth)(code, there)
    result = light.copy()
    result[crop] = np.where(there[..., None], _decoded(filled), part)
    return result


def _telea(code: Pixels, hole: Mask) -> Pixels:
    """In 16 bits between the least and the greatest value around the hole: OpenCV's float path does not converge."""
    mask = hole.astype(np.uint8)
    low, high = float(code[~hole].min()), float(code[~hole].max())
    step = max(high - low, 1e-6) / 65535
    planes = [np.round((code[..., i] - low) / step).clip(0, 65535).astype(np.uint16) for i in range(code.shape[-1])]
    filled = [cv2.inpaint(plane, mask, _TELEA_RADIUS, cv2.INPAINT_TELEA) for plane in planes]
    return np.stack([plane.astype(np.float32) * np.float32(step) + np.float32(low) for plane in filled], axis=-1)


def _smooth(code: Pixels, hole: Mask) -> Pixels:
    return harmonic(code, ~hole)


def _encoded(light: Pixels, hole: Mask) -> Pixels:
    return _converted(np.where(hole[..., None], np.float32(0), light), Encoding("srgb").encode)


def _decoded(code: Pixels) -> Pixels:
    return _converted(code, Encoding("srgb").decode)


def _converted(pixels: Pixels, convert: Callable[..., object]) -> Pixels:
    import torch

    return np.asarray(convert(torch.from_numpy(np.ascontiguousarray(pixels, np.float32))), np.float32)
