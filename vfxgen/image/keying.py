"""Pull a key: coverage, foreground colour and despill of a subject in front of a green or blue screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import pad

from vfxgen.image.fill import TINY, blur, enlarge, erode, nearest_along_axes, push_pull, reduce
from vfxgen.image.screen import CHANNEL, Screen, ScreenName, estimate_screen, sample_screen_color, working_factor

LimitName = Literal["maximum", "average"]

REC709_LUMINANCE = (0.2126, 0.7152, 0.0722)

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
CLEAN = 1.5
PRIOR_SPREAD = 0.1
"""How far a foreground colour strays from its neighbours' on average, as a fraction of the screen's level."""


@dataclass(frozen=True)
class Key:
    """What `key` found, at the plate's resolution.

    Attributes
    ----------
    alpha
        (B, 1, H, W), coverage 0..1.
    foreground
        (B, 3, H, W): straight (unpremultiplied) colour of the subject, despilled, scene-linear. Where alpha is 0: the
        subject's colour carried on.
    screen
        (B, 3, H, W): the estimated screen without the subject.
    """

    alpha: Tensor
    foreground: Tensor
    screen: Tensor

    @property
    def premultiplied(self) -> Tensor:
        """Foreground times alpha, (B, 3, H, W): over black as it stands; pixels that are not finite stay so."""
        return self.foreground * self.alpha


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


def key(
    plate: Tensor,
    screen: ScreenName = "green",
    *,
    screen_color: Tensor | None = None,
    clean: Tensor | None = None,
    holdout: Tensor | None = None,
    garbage: Tensor | None = None,
    clip_black: float = 0.0,
    clip_white: float = 1.0,
    smooth: float = 1.0,
    edge: float = 1.0,
    despill_strength: float = 1.0,
    limit: LimitName = "maximum",
) -> Key:
    """Key a subject from its screen.

    1. The screen is estimated under the subject (`estimate_screen`).
    2. Colour difference against that local screen says what surely is subject (Vlahos 1964, US 3,158,477; 1978,
       US 4,100,569; Smith & Blinn 1996, "Blue screen matting", section 3).
    3. Near its edges the subject's own colour replaces Vlahos' assumption that it has no green beyond its red and blue:
       alpha becomes the place of the plate between screen and subject, weighed by what each is uncertain of
       (`mixture`; Chuang et al. 2001, "A Bayesian approach to digital matting").
    4. Grain is taken out of the matte where it is flat, never where it has detail (`smooth_grain`).
    5. The foreground is un-mixed (`unmix`) and despilled (`despill`).

    All of it is linear in light: one stop up gives the same alpha, and a foreground one stop up.

    Parameters
    ----------
    plate
        (B, 3, H, W), scene-linear. Pixels that are not finite stay so in the foreground and touch no other.
    screen
        Which of the screen's channels leads.
    screen_color
        (B, 3), optional: its colour; else it is sampled from the plate.
    clean
        (B, 3, H, W), optional: the same view without the subject.
    holdout
        (B, 1, H, W), optional, 0..1: what stays as the plate has it, solid, not despilled.
    garbage
        (B, 1, H, W), optional, 0..1: what goes.
    clip_black, clip_white
        Alpha that becomes 0 and 1, with soft shoulders (`clip`).
    smooth
        How much of the measured grain is taken out of the matte; 0 leaves it.
    edge
        How far step 3 is believed: 0 leaves the colour-difference matte.
    despill_strength, limit
        See `despill`.

    Returns
    -------
    Key

    Raises
    ------
    ValueError
        No screen in the plate; or `screen_color` is not of the screen's colour.

    Examples
    --------
    >>> plate = torch.tensor([0.1, 0.6, 0.2]).view(1, 3, 1, 1).repeat(1, 1, 32, 32)
    >>> plate[..., 8:24, 8:24] = 0.5
    >>> keyed = key(plate)
    >>> keyed.alpha[0, 0, 0, 0].item(), keyed.alpha[0, 0, 16, 16].item(), keyed.foreground[0, :, 16, 16].tolist()
    (0.0, 1.0, [0.5, 0.5, 0.5])
    """
    original, plate = plate, repaired(plate)
    outside = None
    for matte in (holdout, garbage):
        if matte is not None:
            outside = 1 - matte if outside is None else outside * (1 - matte)
    factor = working_factor(plate)
    if screen_color is None:
        screen_color = sample_screen_color(reduce(plate, factor), screen, None if outside is None else reduce(outside, factor))
    differences = difference_weights(screen_color, screen, limit)
    estimate = estimate_screen(plate, screen_color, None if clean is None else repaired(clean), outside)
    mixed = mixture(plate, estimate, differences, garbage, edge)

    size = (plate.shape[-2], plate.shape[-1])
    backing = enlarge(estimate.color, factor, size)
    above = plate - backing
    slope = enlarge(mixed.slope, factor, size)
    alpha = dot(slope, above).clamp_(-0.5, 1.5)
    alpha += enlarge(mixed.solid, factor, size) * (1 - alpha).clamp_min_(0)
    if smooth > 0:
        variance = (mixed.slope**2).sum(1, keepdim=True) * estimate.variance * smooth**2
        alpha = smooth_grain(alpha, enlarge(variance, factor, size))
    alpha = clip(alpha, clip_black, clip_white)
    if holdout is not None:
        alpha = torch.maximum(alpha, holdout)
    if garbage is not None:
        alpha = alpha * (1 - garbage)

    foreground = unmix(
        plate, backing, alpha, enlarge(mixed.foreground, factor, size), enlarge(estimate.variance, factor, size)
    )
    if despill_strength > 0:
        strength = despill_strength if holdout is None else despill_strength * (1 - holdout)
        foreground = despill(foreground, backing, differences, strength)
    if original is not plate:
        foreground = torch.where(original.isfinite(), foreground, original)
    return Key(alpha, foreground, backing)


def repaired(plate: Tensor) -> Tensor:
    """`plate` (B, C, H, W) with every pixel that is not finite filled in from its neighbours; itself if all are."""
    finite = plate.isfinite().all(1, keepdim=True)
    if bool(finite.all()):
        return plate
    return push_pull(torch.where(finite, plate, 0), finite.to(plate.dtype))[0]


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

    Candidates are the surrounding sure subject (`push_pull`) and the first sure subject in four directions. The colour
    of each may vary in brightness and a little in hue; the grain of the plate is measured. That makes alpha the weighted
    least squares ``(C - B) S^-1 (F - B) / ((F - B) S^-1 (F - B))``, S the sum of both covariances. Candidates count by how
    well the plate fits on the line to the screen, and by distance; where none fits, colour difference remains.

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
    # The inside of the subject counts most: its rim may already be mixed.
    weight = sure * (erode(sure, 3) + 0.03 * erode(sure, 1) + 0.0005)
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


def smooth_grain(alpha: Tensor, variance: Tensor) -> Tensor:
    """Take grain of known variance out of a matte, and only as much as is there.

    Towards the mean of 3 x 3... pixels by the share of the local variance that grain explains (Lee 1980, the local linear
    minimum mean square error filter; a guided filter, He et al. 2013, that is its own guide and whose eps is measured).
    What is then within two sigmas of 0 or 1 goes there, softly.

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
    return (alpha - CLEAN * left) / (1 - 2 * CLEAN * left)


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
    alpha = (alpha - black) / (white - black)
    alpha = _shoulder(alpha, black / (white - black) / 2)
    return 1 - _shoulder(1 - alpha, (1 - white) / (white - black) / 2)


def _shoulder(value: Tensor, width: float) -> Tensor:
    """max(value, 0), a parabola from -width to width."""
    if width <= 0:
        return value.clamp_min(0)
    return torch.where(value > width, value, (value + width).clamp_min(0) ** 2 / (4 * width))


def unmix(plate: Tensor, screen: Tensor, alpha: Tensor, nearby: Tensor, variance: Tensor) -> Tensor:
    """Straight foreground ``F = (C - (1 - alpha) B) / alpha``, drawn to colours nearby where grain drowns it.

    The draw is the ratio of what grain becomes when divided by alpha to what colours differ by anyway; a clean plate
    of a known screen is un-mixed exactly. Where alpha is 1 the plate comes back bit for bit.

    Parameters
    ----------
    plate, screen
        (B, 3, H, W), scene-linear.
    alpha
        (B, 1, H, W).
    nearby
        (B, 3, H, W): the subject's colour from where it is certain.
    variance
        (B, 1, H, W): mean square of the grain in a channel.
    """
    covered = alpha.clamp_min(1e-3)
    exact = screen + (plate - screen) / covered
    power = alpha * alpha * dot(screen, screen) * PRIOR_SPREAD**2
    foreground = torch.lerp(nearby, exact, power / (power + variance + TINY))
    return torch.where(alpha >= 1, plate, foreground)


def despill(foreground: Tensor, screen: Tensor, differences: Tensor, strength: float | Tensor = 1.0) -> Tensor:
    """Replace the screen's light on the subject by neutral light of the same luminance.

    As much of the local screen colour is taken off as makes the leading channel no more than the limit of the others
    (`difference_weights`), and the same luminance of grey put on: a subject lit by a grey wall instead. Colours
    without spill stay bit for bit.

    Parameters
    ----------
    foreground, screen
        (B, 3, H, W), scene-linear, straight.
    differences
        (B, 2, 3).
    strength
        0 leaves it, 1 removes all; a number or (B, 1, H, W).
    """
    amounts = []
    for row in range(2):
        weight = differences[:, row, :, None, None]
        level = dot(weight, screen)
        spill = dot(weight, foreground) / level.clamp_min(0.02 * screen.amax(1, keepdim=True) + TINY)
        amounts.append(spill)
    spill = torch.minimum(*amounts).clamp_min_(0) * strength
    luminance = foreground.new_tensor(REC709_LUMINANCE).view(1, 3, 1, 1)
    return foreground + spill * (dot(screen, luminance) - screen)


def dot(first: Tensor, second: Tensor) -> Tensor:
    """Sum over the three channels of (B, 3, H, W), as (B, 1, H, W); much faster than multiplying first."""
    total = first[:, 0:1] * second[:, 0:1]
    total = total + first[:, 1:2] * second[:, 1:2]
    return total + first[:, 2:3] * second[:, 2:3]
