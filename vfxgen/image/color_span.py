"""Colours held to what those around them span: mixtures of light that is there, in whatever RGB space it is seen."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

# A colour stands beside brighter light with up to this many times its own; beyond, that light's colour is mixed in.
_GAIN = 4.0
# What is so far out, as a part of the light, is rounding.
_ROUNDING = 1e-6
# A colour that is less light than this part of its largest value is partly negative, and has no chromaticity.
_PALE = 1e-3
_TINY = 1e-30
# Values worked on at a time, so that what is in between stays in the processor's cache.
_TOGETHER = 1 << 15


def within_span(light: Tensor, source: Tensor) -> Tensor:
    """`light` with the chromaticity, about the nearest to its own, that the 3x3 `source` pixels around can be mixed to.

    How much light there is stays. Mixtures of colours are the same in every RGB space, so that where the source has no
    negative light in a space, the result has none there; and as a dim colour counts for up to 4 times its light, a grey
    lamp on blue is grey up to its rim. Around a pixel that is partly negative, as noise about black is, all may be.

    Parameters
    ----------
    light
        (B, 3, N, H, W), scene-linear, finite: N values for each pixel of the source.
    source
        (B, 3, H, W), scene-linear, finite.

    Returns
    -------
    Tensor
        (B, 3, N, H, W); what was within the span has its own bits.

    Examples
    --------
    >>> grey = torch.tensor([0.1, 0.2, 0.4, 0.8]).expand(1, 3, 1, 4)
    >>> orange = torch.tensor([0.36, 0.3, 0.24]).view(1, 3, 1, 1, 1).expand(1, 3, 1, 1, 4)
    >>> within_span(orange, grey)[0, :, 0, 0, 2].tolist()
    [0.30000001192092896, 0.30000001192092896, 0.30000001192092896]
    """
    frames, _, values, height, width = light.shape
    rows = max(1, _TOGETHER // (frames * values * width))
    padded = pad(source, (1, 1, 1, 1), "replicate")
    held = torch.empty_like(light)
    for first in range(0, height, rows):
        band = slice(first, min(first + rows, height))
        held[..., band, :] = _within(light[..., band, :], padded[..., first : band.stop + 2, :])
    return held


class _Around(NamedTuple):
    """What 3x3 pixels are: the chromaticity of the brightest, the steps from it to each, how much each counts."""

    lamp: Tensor
    steps: Tensor
    amounts: Tensor
    free: Tensor


def _within(light: Tensor, padded: Tensor) -> Tensor:
    # Chromaticities are R and B as parts of the amount of light, (2, B, N, H, W).
    amount, size = _amount(light)
    amount = torch.maximum(amount, size * _PALE)
    share = 1 / amount.clamp_min(_TINY)
    place = torch.stack([light[:, 0] * share, light[:, 2] * share])
    around = _around(padded)
    parts = (around.amounts * share).clamp_(max=1)
    step, outside = _step_into((parts[:, None] * around.steps).add_(around.lamp - place))
    moves = outside & (step.abs().amax(0) > _ROUNDING) & (size > 0) & ~around.free
    red, blue = (place + step).mul_(amount)
    mixed = torch.stack([red, (amount - red).sub_(blue).mul_(0.5), blue], 1)
    return light.lerp(mixed, moves[:, None].to(light))


def _amount(light: Tensor) -> tuple[Tensor, Tensor]:
    """How much light (B, 3, ...) is, green counted twice, about as the eye does; and its largest value, as a size."""
    red, green, blue = light.unbind(1)
    return (red + blue).add_(green, alpha=2), torch.maximum(red.abs(), green.abs()).maximum(blue.abs())


def _around(padded: Tensor) -> _Around:
    amount, size = _amount(padded)
    pale = amount < size * _PALE
    place = torch.stack([padded[:, 0], padded[:, 2]]) / amount.masked_fill(pale | (size == 0), 1)
    places, amounts = _nine(place), _nine(amount)
    brightest, lamp = amounts[0], places[0]
    for one, there in zip(places, amounts, strict=True):
        lamp, brightest = lamp.lerp(one, _less(brightest, there)), torch.maximum(brightest, there)
    return _Around(lamp, places - lamp, amounts * _GAIN, _nine(pale).any(0))


def _nine(padded: Tensor) -> Tensor:
    """The 3x3 neighbours in (..., H, W): (9, ..., 1, H - 2, W - 2)."""
    height, width = padded.shape[-2] - 2, padded.shape[-1] - 2
    nine = [padded[..., None, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return torch.stack(nine)


def _step_into(seen: Tensor) -> tuple[Tensor, Tensor]:
    """The shortest way into the hull of what is `seen` from a place (9, 2, ...), and whether that is outside.

    What is seen spans a wedge, which grows with each; what lies to both its sides is behind the place, which then is
    inside. Else the nearest is on the line between the wedge's ends, or on the two by way of what is nearest that way.
    """
    left = right = seen[0]
    inside = torch.zeros_like(left[0])
    for one in seen[1:]:
        to_left = _less(left[1] * one[0], left[0] * one[1])
        to_right = _less(right[0] * one[1], right[1] * one[0])
        inside.addcmul_(to_left, to_right)
        # As torch.where does it, exactly, and in a fifth of its time.
        left, right = left.lerp(one, to_left), right.lerp(one, to_right)
    way = _nearest_between(left, right)
    first, least = left, _dot(left, way)
    for one in seen:
        along = _dot(one, way)
        first, least = first.lerp(one, _less(along, least)), torch.minimum(along, least)
    by_left, by_right = _nearest_between(left, first), _nearest_between(first, right)
    return by_right.lerp(by_left, _less(_dot(by_left, by_left), _dot(by_right, by_right))), inside == 0


def _nearest_between(first: Tensor, second: Tensor) -> Tensor:
    """The nearest to 0 on the line from `first` to `second`."""
    line = second - first
    return first + line.mul((_dot(first, line) / _dot(line, line).clamp_min_(_TINY)).neg_().clamp_(0, 1))


def _dot(one: Tensor, other: Tensor) -> Tensor:
    return (one[0] * other[0]).add_(one[1] * other[1])


def _less(one: Tensor, other: Tensor) -> Tensor:
    """1 where `one` is less, 0 elsewhere."""
    return torch.lt(one, other, out=torch.empty_like(other))
