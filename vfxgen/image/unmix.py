"""Take the screen out of the subject's colour: what shines through it, and what it spills on it."""

from __future__ import annotations

import torch
from torch import Tensor

from vfxgen.image.fill import TINY, dot

REC709_LUMINANCE = (0.2126, 0.7152, 0.0722)

SCREEN_ERROR = 0.002
"""How far the screen estimate may be off beside grain, as a fraction of it."""
PRIOR_SPREAD = 0.1
"""How far a foreground colour strays from its neighbours' on average, as a fraction of the screen's level."""


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
    light = dot(screen, screen)
    power = alpha * alpha * light * PRIOR_SPREAD**2
    foreground = torch.lerp(nearby, exact, power / (power + variance + light * SCREEN_ERROR**2 + TINY))
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
