"""What mixes with the screen at each pixel: the subject's own colours near it, and how alpha follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vfxgen.image.fill import TINY, blur, dot, erode, nearest_along_axes, push_pull, reduce
from vfxgen.image.screen import CHANNEL, Screen, ScreenName

LimitName = Literal["maximum", "average"]

BRIGHTNESS_SPREAD = 0.4
"""How much brighter or darker than its surroundings a foreground colour may be, as a fraction (one sigma)."""
HUE_SPREAD = 0.08
"""How much it may differ otherwise."""
MISFIT = 6.0
"""Squared sigmas of misfit at which the subject's own colour is no longer believed."""
RIVALRY = 2.0
"""Squared sigmas by which one candidate colour must fit better than another to count e times as much."""
REACH = 0.3
"""Distance at which a candidate colour counts e times less, in picture widths."""
BRIGHTEST = 4.0
"""Highlights count as foreground colour up to this multiple of the screen."""


@dataclass(frozen=True)
class Mixture:
    """How alpha follows from colour around each pixel: ``alpha = slope . (plate - screen)``, at working resolution.

    Attributes
    ----------
    slope
        (B, 3, h, w), 1 / scene-linear light.
    solid
        (B, 1, h, w): 1 well inside the subject, where contrast is texture and not transparency.
    foreground
        (B, 3, h, w): the subject's colour, carried on beyond it.
    """

    slope: Tensor
    solid: Tensor
    foreground: Tensor


def difference_weights(screen_color: Tensor, screen: ScreenName, limit: LimitName = "maximum") -> Tensor:
    """Two colour differences of which the lesser says how much screen is in a colour.

    Each is the leading channel less a mean of the others; with `maximum` those are the others themselves: green less
    the greater of red and blue. A screen whose second channel is nearly as strong as its first (yellow-green) gets a
    limit just as far towards `average` as keeps it apart from grey.

    Parameters
    ----------
    screen_color
        (B, 3), scene-linear.
    screen
        Which channel leads.
    limit
        ``maximum`` or ``average`` of the other two.

    Returns
    -------
    Tensor
        (B, 2, 3): two rows that multiply a colour.

    Raises
    ------
    ValueError
        The screen's leading channel is not above the average of the others.
    """
    lead = CHANNEL[screen]
    others = [c for c in range(3) if c != lead]
    level = screen_color[:, lead]
    high, low = screen_color[:, others].amax(1), screen_color[:, others].amin(1)
    if not bool((level > 1.02 * (high + low) / 2).all()):
        raise ValueError(
            f"the screen colour {[round(v, 4) for v in screen_color[0].tolist()]} is not {screen}: "
            f"its {screen} must be above its other channels"
        )
    toward_average = (2 * (high - 0.7 * level) / (high - low).clamp_min(TINY)).clamp(0, 1)
    if limit == "average":
        toward_average = torch.ones_like(toward_average)
    rows = screen_color.new_zeros(len(screen_color), 2, 3)
    rows[:, :, lead] = 1
    rows[:, 0, others[0]] = rows[:, 1, others[1]] = toward_average / 2 - 1
    rows[:, 0, others[1]] = rows[:, 1, others[0]] = -toward_average / 2
    return rows


def mixture(
    plate: Tensor,
    screen: Screen,
    differences: Tensor,
    garbage: Tensor | None = None,
    edge: float = 1.0,
) -> Mixture:
    """Find around each pixel the colour that mixes with the screen there, and from it the slope of alpha.

    Candidates are the surrounding sure subject (`push_pull`) and the first sure subject in four directions. The
    colour F of each may vary in brightness and a little in hue; the grain of the plate C is measured. So alpha is
    the weighted least squares ``(C - B)' S (F - B) / (F - B)' S (F - B)``, B the screen and S the inverse of the sum of
    both covariances. Candidates count by how well the plate lies on their line to the screen, and by distance; where
    none fits, colour difference remains.

    Parameters
    ----------
    plate
        (B, 3, H, W), scene-linear, finite.
    screen
        See `estimate_screen`.
    differences
        (B, 2, 3), see `difference_weights`.
    garbage
        (B, 1, H, W), optional: 1 where there is no subject to take a colour from.
    edge
        0..1: how far the candidates are believed.
    """
    backing = screen.color
    small = reduce(plate, screen.factor)
    limit = BRIGHTEST * backing.amax(1, keepdim=True)
    small = small.clamp(-64 * limit, 64 * limit)
    grain = screen.variance / screen.factor**2
    plain, coverage = _colour_difference(small, backing, differences, grain)
    subject = small * (limit / small.amax(1, keepdim=True).clamp_min(TINY)).clamp(max=1)
    wanted = 1 if garbage is None else 1 - reduce(garbage, screen.factor)
    believable = (coverage > 0.8) * wanted
    sure = ((coverage - 0.85) / 0.1).clamp(0, 1) * wanted
    alpha = coverage.clamp(0, 1)
    slope = plain
    for _ in range(2):
        candidates = _candidates(subject, sure)
        slopes, misfits = zip(*(_line(small, backing, c, grain, alpha) for c, _ in candidates), strict=True)
        votes = torch.stack([-m / RIVALRY + 2 * near.log() for m, (_, near) in zip(misfits, candidates, strict=True)])
        votes = torch.softmax(votes.clamp_min(-1e6), 0)
        color = sum((v * c for v, (c, _) in zip(votes, candidates, strict=True)), torch.zeros_like(small))
        slope = sum((v * s for v, s in zip(votes, slopes, strict=True)), torch.zeros_like(small))
        belief = sum(
            (v * torch.exp(-m / MISFIT) * n**0.2 for v, m, (_, n) in zip(votes, misfits, candidates, strict=True)),
            torch.zeros_like(alpha),
        )
        belief = edge * belief
        slope = belief * slope + (1 - belief) * plain
        alpha = dot(slope, small - backing).clamp(0, 1)
        sure = ((alpha - 0.9) / 0.08).clamp(0, 1) * believable
    solid = ((erode(torch.minimum(alpha, coverage), 1) - 0.93) / 0.05).clamp(0, 1) * wanted
    color = push_pull(color, (alpha**2).clamp(0, 1))[0]
    return Mixture(slope, solid, color)


def _colour_difference(color: Tensor, backing: Tensor, differences: Tensor, grain: Tensor) -> tuple[Tensor, Tensor]:
    """Slope of the colour-difference matte, (B, 3, h, w), and that matte unclipped, (B, 1, h, w)."""
    of_screen = torch.einsum("bic,bchw->bihw", differences, backing)
    of_screen = of_screen.clamp_min(0.02 * backing.amax(1, keepdim=True) + TINY)
    share = torch.einsum("bic,bchw->bihw", differences, color) / of_screen
    # Choosing the lesser of two noisy values takes the noise for signal; within the noise both count.
    width = (2 * grain).sqrt() / of_screen.amin(1, keepdim=True) + 1e-3
    first = torch.sigmoid((share[:, 1:] - share[:, :1]) / width)
    choice = torch.cat([first, 1 - first], 1)
    slope = -torch.einsum("bihw,bic->bchw", choice / of_screen, differences)
    return slope, 1 - share.amin(1, keepdim=True)


def _candidates(subject: Tensor, sure: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Colours (B, 3, h, w) that may mix with the screen at each pixel, and how near 0..1 (B, 1, h, w) each is."""
    # The deeper inside the subject, the more a pixel counts: its rim may already be mixed.
    rim = erode(sure, 1)
    near = erode(rim, 2)
    deep = erode(near, 3)
    weight = sure * (erode(deep, 6) + 0.3 * deep + 0.1 * near + 0.03 * rim + 0.0005)
    around, nearness = push_pull(subject, weight.clamp(max=1), decay=0.97)
    inner = erode(sure, 2) > 0.5
    smooth = blur(subject * sure, 1.5) / blur(sure, 1.5).clamp_min(1e-4)
    rays = nearest_along_axes(smooth, inner)
    width = max(subject.shape[-2:])
    return [(around, nearness)] + [(color, torch.exp(-distance / (REACH * width))) for color, distance in rays]


def _line(color: Tensor, backing: Tensor, subject: Tensor, grain: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Slope of alpha from the screen to one candidate, and how many squared sigmas the plate is off that line."""
    across = subject - backing
    power = dot(subject, subject)
    plain = grain + (alpha * HUE_SPREAD) ** 2 * power + 1e-4 * dot(backing, backing) + TINY
    along = (alpha * BRIGHTNESS_SPREAD) ** 2
    # Inverse of plain * I + along * subject subject^T (Sherman & Morrison 1950).
    shrink = along / (plain + along * power)
    weighted = across - shrink * dot(subject, across) * subject
    slope = weighted / dot(weighted, across).clamp_min(1e-3 * dot(backing, backing) + TINY)
    above = color - backing
    off = above - dot(slope, above) * across
    misfit = (dot(off, off) - shrink * dot(subject, off) ** 2) / plain
    return slope, misfit
