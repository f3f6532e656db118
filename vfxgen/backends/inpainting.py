"""Holes filled by a net: the picture around each goes through it, and the seam is taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from vfxgen.backends import light as through_light
from vfxgen.frame import Mask, Pixels
from vfxgen.image.blend import seamless
from vfxgen.image.harmonic import harmonic
from vfxgen.image.holes import around
from vfxgen.image.tensor import to_pixels, to_tensor

if TYPE_CHECKING:
    from vfxgen.backends.net import Net

# Pixels around the hole that the net sees, at least, and relative to the hole's size.
_MARGIN, _SHARE = 64, 1.0


def through_net(net: Net, light: Pixels, hole: Mask, tile: int = 0) -> Pixels:
    """`light` (H, W, 3) with its `hole` (H, W) filled by a net of task inpaint; no other pixel changes.

    Under the hole the net is given what `harmonic` gives. The encoding is the one that its card names.
    """
    crop = around(hole, _MARGIN, _SHARE)
    part, there = light[crop], hole[crop]
    picture = to_tensor(np.where(there[..., None], harmonic(part, ~there), part))
    mask = torch.from_numpy(there.astype(np.float32))[None, None]
    given = [torch.cat([picture, mask], 1)] if len(net.card.inputs) == 1 else [picture, mask]
    made = through_light.through(net, *given, tile=tile)
    assert isinstance(made, torch.Tensor)
    beside = cv2.dilate(there.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    filled = light.copy()
    filled[crop] = seamless(to_pixels(made), part, there, beside & ~there)
    return filled
