"""Where a key is undecided: that alone is what a net may mend. Torch alone, for bare machines."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import max_pool2d

CHANNELS = "R G B A plate.R plate.G plate.B screen.R screen.G screen.B"
"""What the net of a key is given: foreground and alpha of the key, the plate, the screen without the subject."""
REACH = 8
"""Pixels about undecided coverage that belong to it."""
_SURE = 1e-3


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
