"""Holes filled by a net: coarse to fine by one of ours, and by any other in one go, the seam taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from vfxgen.backends import light as through_light
from vfxgen.backends import tiles
from vfxgen.encoding import Encoding
from vfxgen.frame import Mask, Pixels
from vfxgen.image import coarse_to_fine
from vfxgen.image.blend import seamless
from vfxgen.image.harmonic import harmonic
from vfxgen.image.holes import around
from vfxgen.image.tensor import to_pixels, to_tensor

if TYPE_CHECKING:
    from vfxgen.backends.net import Net

# Pixels around the hole that the net sees, at least, and relative to the hole's size.
_MARGIN, _SHARE = 64, 1.0
# The light that our nets are given a picture at: that of photographs.
_LEVEL = 0.18


def through_net(net: Net, light: Pixels, hole: Mask, tile: int = 0) -> Pixels:
    """`light` (H, W, 3) with its `hole` (H, W) filled by a net of task inpaint; no other pixel changes.

    The encoding is the one that its card names. A net of the architecture ``inpainter`` is given the picture at one
    exposure, whatever that of the plate is, so that the fill follows the plate's; and a large hole at smaller sizes
    first (`vfxgen.image.coarse_to_fine`). Any other is given what `harmonic` gives under the hole, once.
    """
    crop = around(hole, _MARGIN, _SHARE)
    fill = _coarse_to_fine if net.card.architecture == "inpainter" else _at_once
    filled = light.copy()
    filled[crop] = np.where(hole[crop][..., None], fill(net, light[crop], hole[crop], tile), light[crop])
    return filled


def _coarse_to_fine(net: Net, light: Pixels, hole: Mask, tile: int) -> Pixels:
    def fill(first: Pixels, there: Mask) -> Pixels:
        made = tiles.run(net, *_given(net, first, there), tile=tile)
        assert isinstance(made, torch.Tensor)
        return to_pixels(made)

    gain = _gain(light, hole)
    encoding = Encoding(net.card.inputs[0].encoding)
    code = to_pixels(encoding.encode(to_tensor(np.where(hole[..., None], np.float32(0), light * gain))))
    return to_pixels(encoding.decode(to_tensor(coarse_to_fine.filled(code, hole, fill)))) / gain


def _gain(light: Pixels, hole: Mask) -> np.float32:
    """To `_LEVEL`, by the mean of square roots: neither lamps nor black outweigh the picture."""
    level = np.sqrt(np.maximum(light[~hole], 0), dtype=np.float64).mean() ** 2 if not hole.all() else 0
    return np.float32(_LEVEL / level if level > 0 else 1)


def _at_once(net: Net, light: Pixels, hole: Mask, tile: int) -> Pixels:
    first = np.where(hole[..., None], harmonic(light, ~hole), light)
    made = through_light.through(net, *_given(net, first, hole), tile=tile)
    assert isinstance(made, torch.Tensor)
    beside = cv2.dilate(hole.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return seamless(to_pixels(made), light, hole, beside & ~hole)


def _given(net: Net, first: Pixels, hole: Mask) -> list[torch.Tensor]:
    """Picture and mask, as one input or as two."""
    picture, mask = to_tensor(first), torch.from_numpy(hole.astype(np.float32))[None, None]
    return [torch.cat([picture, mask], 1)] if len(net.card.inputs) == 1 else [picture, mask]
