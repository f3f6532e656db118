"""The screen behind the subject: its colour, and what it would look like with nobody in front of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vfxgen.image.fill import TINY, blur, dot, enlarge, erode, push_pull, reduce, weighted_blur

ScreenName = Literal["green", "blue"]
CHANNEL = {"green": 1, "blue": 2}

WORKING_SIZE = 480
"""Pixels along the longer side at which screen and subject colours are estimated."""

CHROMA_FLOOR, CHROMA_SPREAD = 0.03, 5.0
SHADE_FLOOR, SHADE_SPREAD = 0.35, 5.0
"""How far screen may stray from its smooth trend, as a fraction of its colour: at least FLOOR, else SPREAD medians.
In chroma little; in brightness much, because light falls off while paint keeps its colour."""


@dataclass(frozen=True)
class Screen:
    """A screen estimate at working resolution, h x w = H x W over `factor`.

    Attributes
    ----------
    color
        (B, 3, h, w), scene-linear.
    variance
        (B, 1, h, w): mean square of what one full-resolution channel strays from `color`: grain, fine texture.
    factor
        Full-resolution pixels along one side of a working pixel.
    """

    color: Tensor
    variance: Tensor
    factor: int


def working_factor(plate: Tensor) -> int:
    """The power of two that brings the longer side of (B, C, H, W) near `WORKING_SIZE`."""
    return int(2 ** max(0, round(math.log2(max(plate.shape[-2:]) / WORKING_SIZE))))


def sample_screen_color(plate: Tensor, screen: ScreenName = "green", weight: Tensor | None = None) -> Tensor:
    """The screen's colour: the median around the most frequent saturated green (or blue) chromaticity.

    Parameters
    ----------
    plate
        (B, 3, H, W), scene-linear, finite.
    screen
        Which colour to look for.
    weight
        (B, 1, H, W), optional: 0 where not to look.

    Returns
    -------
    Tensor
        (B, 3).

    Raises
    ------
    ValueError
        No pixel is as green (blue) as a screen.

    Examples
    --------
    >>> plate = torch.tensor([0.1, 0.6, 0.2]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    >>> sample_screen_color(plate).tolist()[0]
    [0.10000000149011612, 0.6000000238418579, 0.20000000298023224]
    """
    return torch.stack(
        [
            _screen_color(color.flatten(1), CHANNEL[screen], None if weight is None else weight[i].flatten())
            for i, color in enumerate(plate)
        ]
    )


def _screen_color(color: Tensor, channel: int, weight: Tensor | None) -> Tensor:
    key, first, second = (color[c] for c in (channel, (channel + 1) % 3, (channel + 2) % 3))
    saturated = (key > first) & (key > second) & (key - (first + second) / 2 > 0.15 * key)
    if weight is not None:
        saturated &= weight > 0.5
    if not saturated.any():
        name = next(name for name, index in CHANNEL.items() if index == channel)
        raise ValueError(f"no {name} screen found in the plate: give its colour as screen_color")
    color = color[:, saturated]
    key, first, second = (color[c] for c in (channel, (channel + 1) % 3, (channel + 2) % 3))
    total = color.sum(0).clamp_min(TINY)
    bins = 64
    # A screen outside the working space has a negative channel: it belongs to the outermost cell.
    chromaticity = torch.stack([first / total, second / total]).clamp(0, 1)
    cell = (chromaticity * bins).long().clamp(0, bins - 1)
    # Whole numbers add up to the same sum in any order, also on a GPU.
    vote = 1000 * (1 - (first + second) / (2 * key)) * (key / key.median()).clamp(max=1)
    votes = torch.bincount(cell[0] * bins + cell[1], vote.round().double(), bins * bins)
    peak = blur(votes.view(1, 1, bins, bins), 1.0).flatten().argmax()
    centre = (torch.stack([peak // bins, peak % bins]).to(color.dtype) + 0.5) / bins
    near = (chromaticity - centre[:, None]).norm(dim=0) < 0.05
    return color[:, near if bool(near.any()) else ~near].median(1).values


def estimate_screen(
    plate: Tensor,
    color: Tensor,
    clean: Tensor | None = None,
    weight: Tensor | None = None,
    factor: int | None = None,
) -> Screen:
    """The screen as it would be without the subject: what surely is screen, smoothed, and filled in elsewhere.

    What is screen is found in rounds: near the colour asked for, then near the smooth trend of what was found, then
    near its detail. Under the subject the nearest screen is carried on (`push_pull`). A clean plate gives the detail;
    only its slow ratio to the plate (exposure, the subject's shadow) is then estimated.

    Parameters
    ----------
    plate
        (B, 3, H, W), scene-linear, finite.
    color
        (B, 3): the screen's colour, such as `sample_screen_color` gives.
    clean
        (B, 3, H, W), optional: the same screen without the subject; may be noisy and of another exposure.
    weight
        (B, 1, H, W), optional: 0 where the plate surely shows no screen (garbage, holdout).
    factor
        Pixels along one side of a working pixel; None: as the plate's size asks (`working_factor`).

    Returns
    -------
    Screen
        At working resolution; `vfxgen.image.fill.enlarge` brings it to the plate's.
    """
    factor = factor or working_factor(plate)
    small = reduce(plate, factor)
    base = color[..., None, None]
    limit = 64 * base.amax(1, keepdim=True)
    small = small.clamp(-limit, limit)
    allowed = torch.ones_like(small[:, :1]) if weight is None else reduce(weight, factor)
    # All is told by a reference: a flat one without a clean plate.
    reference = base.expand_as(small) if clean is None else reduce(clean, factor)
    told = _relative(small, reference)

    # Grain must not count as a stray from the screen.
    calm = _absolute(blur(told, 1.0), reference)
    chroma, shade = _deviation(calm, base.expand_as(small))
    bright = (shade.clamp(0.2, 3).log() / math.log(2.2)) ** 8
    sure = _certain((chroma / 0.15) ** 2 + bright) * allowed
    stray = _tolerance(chroma, sure, 0.05, 4.0).clamp(max=0.15)
    sure = erode(_certain((chroma / stray) ** 2 + bright) * allowed, 2)
    for _ in range(3):
        trend = _trend(told, sure)
        chroma, shade = _deviation(calm, _absolute(trend, reference))
        shade = (shade - 1).abs()
        typical = _certain((chroma / _tolerance(chroma, sure, CHROMA_FLOOR, CHROMA_SPREAD)) ** 4) * _certain(
            (shade / _tolerance(shade, sure, SHADE_FLOOR, SHADE_SPREAD)) ** 4
        )
        sure = erode(typical * allowed, 2)
    detail = torch.zeros_like(trend)
    for chroma_limit, shade_limit in ((0.1, 0.3), (0.06, 0.25)):
        chroma, shade = _deviation(calm, _absolute(trend + detail, reference))
        sure = typical * allowed * _certain((chroma / chroma_limit) ** 4 + ((shade - 1) / shade_limit) ** 4)
        # Screen close to the subject may hold a hair or a blurred edge: believe it last.
        sure = erode(sure, 2)
        sure = sure * blur(sure, 3.0) ** 6
        detail, spread = weighted_blur(told - trend, sure, 1.2 if clean is None else 4.0)
        detail = blur(push_pull(detail, sure)[0], 1.0 if clean is None else 4.0)
    estimate = _absolute(trend + detail, reference)
    # One pixel of every block: its stray is that of full resolution.
    grain = (plate[..., ::factor, ::factor].clamp(-limit, limit) - estimate) ** 2
    grain, spread = weighted_blur(grain.mean(1, keepdim=True), sure, 4.0)
    return Screen(estimate, push_pull(grain, (spread - 0.05).clamp(0, 1) * sure)[0], factor)


def _trend(told: Tensor, sure: Tensor) -> Tensor:
    """The sure part of `told` (B, 4, h, w) without detail, carried on everywhere; at a quarter, it is smooth."""
    quarter = 4
    weight = reduce(sure, quarter)
    # Where nothing is sure, the screen is as the reference has it.
    trust = 1e-4
    reference = trust * told.new_tensor([1.0, 0.0, 0.0, 0.0]).view(1, 4, 1, 1)
    mean = (reduce(told * sure, quarter) + reference) / (weight + trust)
    mean, weight = weighted_blur(mean, weight + trust, max(mean.shape[-2:]) / 32)
    return enlarge(push_pull(mean, weight)[0], quarter, (told.shape[-2], told.shape[-1]))


def _relative(color: Tensor, reference: Tensor) -> Tensor:
    """`color` (B, 3, h, w) as a multiple of `reference` and what is left over: (B, 4, h, w), without units.

    A ratio for each channel would break where a channel of the reference is 0 or below, as in a gamut that the screen
    is outside of.
    """
    power = dot(reference, reference).clamp_min(TINY)
    shade = dot(color, reference) / power
    return torch.cat([shade, (color - shade * reference) / power.sqrt()], 1)


def _absolute(told: Tensor, reference: Tensor) -> Tensor:
    """The way back from `_relative`."""
    size = dot(reference, reference).clamp_min(TINY).sqrt()
    return told[:, :1] * reference + told[:, 1:] * size


def _deviation(color: Tensor, screen: Tensor) -> tuple[Tensor, Tensor]:
    """How far `color` is from `screen` whatever its brightness, as a fraction of it, and how bright it is beside it."""
    told = _relative(color, screen)
    shade, rest = told[:, :1], told[:, 1:]
    return dot(rest, rest).sqrt() / shade.clamp_min(0.05), shade


def _certain(squared: Tensor) -> Tensor:
    """A smooth 1 .. 0 that truly ends at 0, so that no crowd of faint votes adds up."""
    return (torch.exp(-squared) - 0.1).clamp_min(0) / 0.9


def _tolerance(deviation: Tensor, sure: Tensor, floor: float, spread: float) -> Tensor:
    """(B, 1, 1, 1): `spread` medians of the deviation over what is sure so far."""
    medians = [
        d[s > 0.5].median() if bool((s > 0.5).any()) else d.new_zeros(()) for d, s in zip(deviation, sure, strict=True)
    ]
    return (spread * torch.stack(medians)).clamp_min(floor).view(-1, 1, 1, 1)
