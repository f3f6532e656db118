"""What the net of a key is given and what its answer means: light in units of the screen, the screen's channel as G."""

from __future__ import annotations

import torch
from torch import Tensor

from vfxgen.image.fill import erode
from vfxgen.image.keying import Key
from vfxgen.image.matte import clip
from vfxgen.image.screen import ScreenName
from vfxgen.image.undecided import determined, undecided

SCREEN_CODE = 0.5
"""What the screen's leading channel becomes on average in the net's light."""
_ORDER = {"green": [0, 1, 2], "blue": [0, 2, 1]}
_LEARNED, _BEYOND = 8.0, 32.0
"""In the net's light: up to the first it learned; from the second on the key alone is believed."""
_ALMOST = 0.04
"""Coverage that is nearer than that to 0 or 1, with no other about it, is as good as decided."""
_BESIDE = 16
"""Pixels about light it never learned from in which a net is not believed either."""


def level(keyed: Key, screen: ScreenName) -> Tensor:
    """(B, 1, 1, 1): what light is divided by, so that exposure makes no difference."""
    lead = keyed.screen[:, 1 if screen == "green" else 2]
    return lead.mean((1, 2)).clamp_min(1e-6)[:, None, None, None] / SCREEN_CODE


def given(plate: Tensor, keyed: Key, screen: ScreenName) -> Tensor:
    """(B, 10, H, W), `vfxgen.image.undecided.CHANNELS`, from the plate and what was keyed from it.

    Light is held to what a net can have learned from: not below 0, as colours outside the working space are, nor far
    above the screen.

    Parameters
    ----------
    plate
        (B, 3, H, W), scene-linear, finite.
    """
    order, unit = _ORDER[screen], level(keyed, screen)
    lights = [(light[:, order] / unit).clamp(0, _BEYOND) for light in (keyed.foreground, plate, keyed.screen)]
    return torch.cat([lights[0], keyed.alpha, *lights[1:]], 1)


def believed(plate: Tensor, keyed: Key, screen: ScreenName) -> Tensor:
    """(B, 1, H, W), 0 .. 1: how far a net is believed: 0 where it is not asked.

    It is where the key is undecided, but for the inside of a wide smooth veil (`determined`) and for light far brighter
    than any it learned from, and the pixels beside that.

    Parameters
    ----------
    plate
        (B, 3, H, W), scene-linear, finite.
    """
    brightest = (plate / level(keyed, screen)).amax(1, keepdim=True)
    known = ((_BEYOND - brightest) / (_BEYOND - _LEARNED)).clamp(0, 1)
    if (known < 1).any():
        known = erode(known, _BESIDE)
    return known * undecided(keyed.alpha) * determined(keyed.alpha)


def refined(
    made: Tensor,
    belief: Tensor,
    plate: Tensor,
    keyed: Key,
    screen: ScreenName,
    *,
    holdout: Tensor | None = None,
    clip_black: float = 0.0,
    clip_white: float = 1.0,
) -> Key:
    """The key as the net has it, as far as it is believed.

    Where the key is all but empty, or solid, the net may clean it and no more: nothing appears on a bare screen.

    Where both mattes are solid and nothing was despilled, the foreground is the plate bit for bit.

    Parameters
    ----------
    made
        (B, 4, H, W): R G B A, in the light of `given`.
    belief
        See `believed`.
    plate
        (B, 3, H, W), scene-linear, finite.
    holdout, clip_black, clip_white
        As `vfxgen.image.keying.key` has them.
    """
    order, unit = _ORDER[screen], level(keyed, screen)
    coverage = made[:, 3:]
    cleaned = torch.where(keyed.alpha < 0.5, keyed.alpha.minimum(coverage), keyed.alpha.maximum(coverage))
    coverage = torch.where(undecided(keyed.alpha, _ALMOST), coverage, cleaned)
    alpha = clip(torch.lerp(keyed.alpha, coverage, belief), clip_black, clip_white)
    # What the net was not shown of a colour outside the working space is put back, as far as the subject covers.
    mended = made[:, order] * unit + alpha * keyed.foreground.clamp(max=0)
    foreground = torch.lerp(keyed.foreground, mended, belief)
    if holdout is not None:
        alpha, foreground = torch.maximum(alpha, holdout), torch.lerp(foreground, plate, holdout)
    untouched = (alpha >= 1) & (keyed.foreground == plate).all(1, keepdim=True)
    return Key(alpha, torch.where(untouched, plate, foreground), keyed.screen)
