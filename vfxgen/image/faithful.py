"""Holding an enlarged picture to the one it was made from."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, pad

ROUNDS = 2
# Source rows that a row of the result depends on to each side: the range's window, and one for each round.
_REACH = 1 + ROUNDS
# Source rows worked on at a time: what is in between stays in the processor's cache, and small at any frame size.
_BAND = 64


def held_to_source(enlarged: Tensor, source: Tensor, scale: int) -> Tensor:
    """`enlarged` corrected towards the light of the pixels it stands for, within what is around them.

    Back-projection (Irani and Peleg 1991): what the mean of a block lacks of its source pixel is added to the block.
    And no value leaves the range of the source's 3x3 neighbourhood: what a net imagines beside a lamp, in a logarithmic
    code, would else be many times as bright as the lamp.

    Parameters
    ----------
    enlarged
        (B, C, scale H, scale W), scene-linear, finite.
    source
        (B, C, H, W), scene-linear, finite.
    scale
        Whole factor between them.

    Returns
    -------
    Tensor
        (B, C, scale H, scale W).

    Examples
    --------
    >>> source = torch.full((1, 3, 8, 8), 0.18)
    >>> held = held_to_source(torch.zeros(1, 3, 16, 16), source, 2)
    >>> bool(torch.allclose(held, torch.tensor(0.18)))
    True
    """
    held = torch.empty_like(enlarged)
    height = source.shape[-2]
    for first in range(0, height, _BAND):
        last = min(first + _BAND, height)
        top, bottom = max(0, first - _REACH), min(height, last + _REACH)
        band = _held(enlarged[..., top * scale : bottom * scale, :], source[..., top:bottom, :], scale)
        held[..., first * scale : last * scale, :] = band[..., (first - top) * scale : (last - top) * scale, :]
    return held


def _held(enlarged: Tensor, source: Tensor, scale: int) -> Tensor:
    around = pad(source, (1, 1, 1, 1), "replicate")
    least = interpolate(-max_pool2d(-around, 3, 1), scale_factor=scale, mode="nearest")
    most = interpolate(max_pool2d(around, 3, 1), scale_factor=scale, mode="nearest")
    held = torch.minimum(torch.maximum(enlarged, least), most)
    for _ in range(ROUNDS):
        lacking = interpolate(source - avg_pool2d(held, scale), scale_factor=scale, mode="bilinear")
        held = torch.minimum(torch.maximum(held + lacking, least), most)
    return held
