"""Smaller pictures as the published upscaling test sets make them. Numpy alone: training reads it on bare machines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def smaller(image: NDArray[Any], scale: int) -> NDArray[Any]:
    """`image` made smaller by a whole factor, as MATLAB's ``imresize(image, 1 / scale, "bicubic")`` does it.

    Keys' kernel (Keys 1981, a = -0.5) widened by `scale` against aliasing, rows first, then columns, the border
    repeated. Bit for bit what the published low-resolution Set5 is.

    Parameters
    ----------
    image
        (H, W, C) or (H, W). uint8 is rounded to uint8 after each axis, as MATLAB does; float stays float, and passes
        its range a little where there are edges.
    scale
        Whole factor, 2 or more. What H and W leave over is cut off at the bottom and at the right first.

    Returns
    -------
    numpy.ndarray
        (H // scale, W // scale, C), uint8 or float32.

    Examples
    --------
    >>> smaller(np.full((4, 6, 3), 7, np.uint8), 2).shape
    (2, 3, 3)
    >>> step = np.repeat([[0, 0, 0, 0, 200, 200, 200, 200]], 4, axis=0).astype(np.uint8)
    >>> smaller(step, 2)[0].tolist()
    [0, 13, 187, 202]
    """
    centre = (scale - 1) / 2
    first, last = math.ceil(centre - 2 * scale), math.floor(centre + 2 * scale)
    weights = _keys(np.abs(np.arange(first, last + 1) - centre) / scale)
    weights = (weights / weights.sum()).astype(np.float32)
    for axis in (0, 1):
        lines = np.moveaxis(image, axis, 0)
        count = lines.shape[0] // scale
        lines = lines[: count * scale]
        padded = np.pad(lines, [(-first, last)] + [(0, 0)] * (lines.ndim - 1), "edge")
        out = np.zeros((count, *lines.shape[1:]), np.float32)
        for start, weight in enumerate(weights):
            out += weight * padded[start : start + scale * count : scale][:count]
        rounded = np.floor(out + 0.5).clip(0, 255).astype(np.uint8) if image.dtype == np.uint8 else out
        image = np.moveaxis(rounded, 0, axis)
    return image


def _keys(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, np.where(distance <= 2, far, 0))
