"""Frames as numpy has them and as torch has them; torch is imported when the first of them is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vfxgen.frame import Pixels

if TYPE_CHECKING:
    from torch import Tensor


def to_tensor(pixels: Pixels) -> Tensor:
    """(H, W, C) to (1, C, H, W), float32 on the processor."""
    import torch

    return torch.from_numpy(pixels).movedim(-1, 0)[None].contiguous()


def is_finite(numbers: Tensor) -> bool:
    """Whether no NaN and no infinity is among them. A finite sum tells, in a tenth of the time.

    Examples
    --------
    >>> import torch
    >>> is_finite(torch.ones(3)), is_finite(torch.full((3,), 3e38)), is_finite(torch.tensor([1.0, torch.nan]))
    (True, True, False)
    """
    return bool(numbers.sum().isfinite()) or bool(numbers.isfinite().all())


def to_pixels(frame: Tensor) -> Pixels:
    """(1, C, H, W) on any device to (H, W, C), float32, in memory of its own."""
    return np.array(frame[0].movedim(0, -1).cpu().numpy(), np.float32)
