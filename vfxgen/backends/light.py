"""Scene-linear light through a net: encoded as its card says, in tiles, decoded; what is not finite stays out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vfxgen.backends import tiles
from vfxgen.encoding import Encoding

if TYPE_CHECKING:
    from vfxgen.backends.net import Net


def through(net: Net, *inputs: Tensor, tile: int = 0) -> Tensor | tuple[Tensor, ...]:
    """What a net makes of frames of any size, light in and light out.

    Parameters
    ----------
    net
        From `vfxgen.backends.net.load`.
    inputs
        One for each input of its card, (B, C, H, W) float32: scene-linear light, or the values themselves where the
        card's encoding is ``none``. NaN and infinities are filled from around them: the net never sees one.
    tile
        Side of a tile in input pixels; 0 plans it from memory.

    Returns
    -------
    Tensor or tuple of Tensor
        (B, C, scale H, scale W), finite; a tuple where the card has several outputs.

    Raises
    ------
    NetError, FrameError
        See `vfxgen.backends.tiles.run`.
    """
    codes = [
        Encoding(port.encoding).encode(tiles.without_nonfinite(light)[0])
        for light, port in zip(inputs, net.card.inputs, strict=True)
    ]
    made = tiles.run(net, *codes, tile=tile)
    pictures = (made,) if isinstance(made, Tensor) else made
    decoded = tuple(
        Encoding(port.encoding).decode(picture) for picture, port in zip(pictures, net.card.outputs, strict=True)
    )
    return decoded[0] if len(decoded) == 1 else decoded


def with_nonfinite_of(made: Tensor, source: Tensor, scale: int) -> Tensor:
    """`made` (B, C, scale H, scale W) with NaN and infinities of `source` (B, C, H, W) where they belong."""
    bad = ~source.isfinite()
    if not bool(bad.any()):
        return made
    blocks, there = (t.repeat_interleave(scale, -1).repeat_interleave(scale, -2) for t in (source, bad))
    return torch.where(there, blocks, made)
