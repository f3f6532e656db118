"""Holding an enlarged picture to the one it was made from."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle

from vfxgen.image.color_span import within_span

ROUNDS = 2
# Source rows that a row of the result depends on to each side: the range's window, and one for each round.
_REACH = 1 + ROUNDS
# Source rows worked on at a time: what is in between stays in the processor's cache, and small at any frame size.
_BAND = 64
# What is so far out of a range, as a part of the light, is rounding.
_ROUNDING, _TINY = 1e-6, 1e-30


def held_to_source(enlarged: Tensor, source: Tensor, scale: int, *, colors: bool = False) -> Tensor:
    """`enlarged` corrected towards the light of the pixels it stands for, within what is around them.

    Back-projection (Irani and Peleg 1991): what the mean of a block lacks of its source pixel is added to the block.
    And no value leaves the range of the source's 3x3 neighbourhood: what a net imagines beside a lamp, in a logarithmic
    code, would else be many times as bright as the lamp. That is a bound for each channel by itself, in which beside a
    lamp lies any colour, and light that is negative in another RGB space; so `colors` are also held to what the colours
    around them can be mixed to (`vfxgen.image.color_span`).

    Parameters
    ----------
    enlarged
        (B, C, scale H, scale W), scene-linear, finite.
    source
        (B, C, H, W), scene-linear, finite.
    scale
        Whole factor between them.
    colors
        Whether the channels are R, G, B of a colour, and not values of their own.

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
        band = _held(enlarged[..., top * scale : bottom * scale, :], source[..., top:bottom, :], scale, colors)
        held[..., first * scale : last * scale, :] = band[..., (first - top) * scale : (last - top) * scale, :]
    return held


def _held(enlarged: Tensor, source: Tensor, scale: int, colors: bool) -> Tensor:
    least, most = (_extreme(source, of)[:, :, None] for of in (torch.minimum, torch.maximum))
    # One plane for each place in a block: each is worked on whole, with the source's own rows and columns.
    planes = (*source.shape[:2], scale**2, *source.shape[2:])
    held = pixel_unshuffle(enlarged, scale).reshape(planes).clamp_(least, most)
    for _ in range(ROUNDS):
        lacking = _spread(source - held.mean(2), scale)
        held = lacking.add_(held).clamp_(least, most)
    if colors:
        held = _in_range(within_span(held, source), _spread(source, scale), least, most)
    return pixel_shuffle(held.flatten(1, 2), scale)


def _in_range(light: Tensor, mean: Tensor, least: Tensor, most: Tensor) -> Tensor:
    """`light` as far from `mean`, which is within `least` .. `most`, as these let it: all channels by one factor."""
    step, rounding = light - mean, light.abs().amax(1, keepdim=True) * _ROUNDING + _TINY
    up = (most - mean).add_(rounding).div_(step.clamp(min=0).add_(rounding))
    down = (mean - least).add_(rounding).div_(step.clamp(max=0).neg_().add_(rounding))
    part = torch.minimum(up, down).amin(1, keepdim=True).clamp_max_(1)
    return mean.lerp(light, part).clamp_(least, most)


def _extreme(source: Tensor, of: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The least or the most (`of` two) in the 3x3 pixels around each of (B, C, H, W)."""
    around = pad(source, (1, 1, 1, 1), "replicate")
    rows = of(of(around[..., :-2, :], around[..., 1:-1, :]), around[..., 2:, :])
    return of(of(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:])


def _spread(lacking: Tensor, scale: int) -> Tensor:
    """(B, C, H, W) enlarged (bilinear), one plane for each place in a block: (B, C, scale scale, H, W)."""
    around = pad(lacking, (1, 1, 1, 1), "replicate")
    offsets = [(2 * place + 1 - scale) / (2 * scale) for place in range(scale)]
    rows = [_towards(around, -2, down) for down in offsets]
    return torch.stack([_towards(row, -1, across) for row in rows for across in offsets], 2)


def _towards(around: Tensor, axis: int, offset: float) -> Tensor:
    """All but the ends along `axis`, mixed with the neighbour that lies at the sign of `offset`."""
    size = around.shape[axis] - 2
    return around.narrow(axis, 1, size).lerp(around.narrow(axis, 2 if offset > 0 else 0, size), abs(offset))
