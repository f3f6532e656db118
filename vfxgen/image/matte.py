"""A matte as coverage: grain taken out of it, its ends clipped softly."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

CERTAIN = 1.5
"""Sigmas of grain within which alpha counts as 0 or 1."""


def smooth_grain(alpha: Tensor, variance: Tensor) -> Tensor:
    """Take grain of known variance out of a matte, and only as much as is there.

    Each pixel goes to the mean of the 5 x 5 around it by the share of their variance that grain explains (Lee 1980, the
    local linear minimum mean square error filter: a guided filter, He et al. 2013, that is its own guide and whose
    epsilon is measured). Then alpha is stretched by `CERTAIN` sigmas of the grain that is left, so that `clip` ends it.

    Parameters
    ----------
    alpha, variance
        (B, 1, H, W).
    """
    radius = 2
    count = (2 * radius + 1) ** 2
    mean = _box(alpha, radius)
    spread = (_box(alpha * alpha, radius) - mean * mean).clamp_min_(1e-12)
    detail = (1 - 1.5 * variance / spread).clamp_(0, 1)
    alpha = torch.lerp(mean, alpha, detail)
    left = (variance * (detail**2 + (1 - detail) ** 2 / count)).sqrt_().clamp_(max=0.2)
    return (alpha - CERTAIN * left) / (1 - 2 * CERTAIN * left)


def _box(image: Tensor, radius: int) -> Tensor:
    """Mean over a square, the border repeating; sums of slices, several times faster than pooling."""
    size = 2 * radius + 1
    for axis in (-1, -2):
        length = image.shape[axis]
        reach = (radius, radius, 0, 0) if axis == -1 else (0, 0, radius, radius)
        wide = pad(image, reach, mode="replicate")
        total = wide.narrow(axis, 0, length).clone()
        for offset in range(1, size):
            total += wide.narrow(axis, offset, length)
        image = total.div_(size)
    return image


def clip(alpha: Tensor, black: float = 0.0, white: float = 1.0) -> Tensor:
    """Alpha stretched so that `black` becomes 0 and `white` 1, with shoulders as wide as half of what they cut.

    With 0 and 1 it only clamps.

    Parameters
    ----------
    alpha
        (B, 1, H, W).
    black, white
        0 <= black < white <= 1.
    """
    span = white - black
    alpha = _shoulder((alpha - black) / span, min(0.5, black / span / 2))
    return 1 - _shoulder(1 - alpha, min(0.5, (1 - white) / span / 2))


def _shoulder(value: Tensor, width: float) -> Tensor:
    """max(value, 0), a parabola from -width to width."""
    if width < 1e-6:
        return value.clamp_min(0)
    return torch.where(value > width, value, (value + width).clamp_min(0) ** 2 / (4 * width))
