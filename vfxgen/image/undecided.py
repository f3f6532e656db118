"""Where a key is undecided: that alone is what a net may mend. Torch, numpy and OpenCV alone, for bare machines."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from vfxgen.frame import Pixels

CHANNELS = "R G B A plate.R plate.G plate.B screen.R screen.G screen.B"
"""What the net of a key is given: foreground and alpha of the key, the plate, the screen without the subject."""
REACH = 8
"""Pixels about undecided coverage that belong to it."""
SURE = 1e-3
"""How near to 0 or 1 coverage is decided."""
WIDE = 24
"""A square with as many pixels to each side of its middle that has nothing solid and nothing empty is within a veil."""
_EMPTY, _SOLID = 0.02, 0.98
"""Coverage that is as good as 0 and 1."""
_WINDOW = 8
_SMOOTH, _ROUGH = 0.015, 0.03
"""Mean difference of coverage from its 3x3 surroundings, within `_WINDOW` pixels: of cloth or smoke, and of hair."""
_FADE = 4
"""Pixels over which belief fades."""
_LITTLE = np.float32(1e-3)


def undecided(alpha: Tensor, sure: float = SURE) -> Tensor:
    """(B, 1, H, W): True within `REACH` pixels of coverage that is more than `sure` from both 0 and 1.

    Examples
    --------
    >>> import torch
    >>> alpha = torch.zeros(1, 1, 1, 32)
    >>> alpha[..., 16] = 0.5
    >>> undecided(alpha).flatten().nonzero().flatten()[[0, -1]].tolist()
    [8, 24]
    """
    between = ((alpha > sure) & (alpha < 1 - sure)).to(alpha.dtype)
    rows = max_pool2d(between, (1, 2 * REACH + 1), 1, (0, REACH))
    return max_pool2d(rows, (2 * REACH + 1, 1), 1, (REACH, 0)) > 0


def determined(alpha: Tensor) -> Tensor:
    """(B, 1, H, W), 0 .. 1: 0 inside a wide smooth veil, where colour cannot tell what covers from what lights through.

    There a veil lit through by the screen looks exactly like a thinner one that is not: what a net makes of it is a
    guess, and one that changes from place to place. In hair coverage rises and falls from pixel to pixel instead; and
    across a soft or moved edge, which is narrow, it goes from what is solid to what is empty.

    Examples
    --------
    >>> import torch
    >>> veil = torch.full((1, 1, 96, 96), 0.4)
    >>> hair = 0.4 + 0.3 * (torch.arange(96) % 2 - 0.5).expand(1, 1, 96, 96)
    >>> determined(veil)[0, 0, 48, 48].item(), determined(hair)[0, 0, 48, 48].item()
    (0.0, 1.0)
    >>> edge = torch.linspace(-0.5, 1.5, 96).clamp(0, 1).expand(1, 1, 96, 96)
    >>> determined(edge).min().item()
    1.0
    """
    return torch.stack([torch.from_numpy(_determined(coverage.numpy(force=True)))[None] for coverage in alpha[:, 0]])


def _determined(alpha: Pixels) -> Pixels:
    square = np.ones((2 * WIDE + 1,) * 2, np.uint8)
    between = ((alpha > _EMPTY) & (alpha < _SOLID)).astype(np.uint8)
    wide = cv2.morphologyEx(between, cv2.MORPH_OPEN, square)
    texture = _mean(np.abs(alpha - _mean(alpha, 1)), _WINDOW)
    rough = np.clip((texture - _SMOOTH) / (_ROUGH - _SMOOTH), 0, 1)
    belief = _mean(np.where(wide, rough, np.float32(1)), _FADE)
    # Sums that slide along a row leave a little of what they have passed.
    return np.asarray(np.clip((belief - _LITTLE) / (1 - 2 * _LITTLE), 0, 1), np.float32)


def _mean(values: Pixels, radius: int) -> Pixels:
    mean: Pixels = cv2.blur(values, (2 * radius + 1,) * 2, borderType=cv2.BORDER_REFLECT)
    return mean
