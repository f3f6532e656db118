"""Where a key is undecided: that alone is what a net may mend. Torch alone, for bare machines."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

CHANNELS = "R G B A plate.R plate.G plate.B screen.R screen.G screen.B"
"""What the net of a key is given: foreground and alpha of the key, the plate, the screen without the subject."""
REACH = 8
"""Pixels about undecided coverage that belong to it."""
_SURE = 1e-3
BESIDE = 16
"""Pixels from what is solid or empty, as good as, from which on coverage counts as the inside of a veil."""
_EMPTY, _SOLID, _ENOUGH = 0.02, 0.98, 0.2
"""Alpha that is as good as 0 and 1; share of such pixels around at which a net is believed in full."""


def undecided(alpha: Tensor) -> Tensor:
    """(B, 1, H, W): True within `REACH` pixels of coverage that is neither 0 nor 1.

    Examples
    --------
    >>> import torch
    >>> alpha = torch.zeros(1, 1, 1, 32)
    >>> alpha[..., 16] = 0.5
    >>> undecided(alpha).flatten().nonzero().flatten()[[0, -1]].tolist()
    [8, 24]
    """
    between = ((alpha > _SURE) & (alpha < 1 - _SURE)).to(alpha.dtype)
    return max_pool2d(between, 2 * REACH + 1, 1, REACH) > 0


def beside_sure(alpha: Tensor) -> Tensor:
    """(B, 1, H, W), 0 .. 1: 0 where nothing solid and nothing empty is near, as inside a wide veil.

    There a veil lit through by the screen looks exactly like a thinner one that is not: what a net makes of it is a
    guess, and one that changes from place to place.

    Examples
    --------
    >>> import torch
    >>> alpha = torch.full((1, 1, 1, 64), 0.4)
    >>> alpha[..., :16] = 1.0
    >>> beside_sure(alpha).flatten()[[0, 20, 40]].tolist()
    [1.0, 1.0, 0.0]
    """
    sure = ((alpha < _EMPTY) | (alpha > _SOLID)).to(alpha.dtype)
    window = 2 * BESIDE + 1
    rows = avg_pool2d(sure, (1, window), 1, (0, BESIDE), count_include_pad=False)
    share = avg_pool2d(rows, (window, 1), 1, (BESIDE, 0), count_include_pad=False)
    return (share / _ENOUGH).clamp(0, 1)
