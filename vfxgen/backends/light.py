"""Scene-linear light through a net: encoded as its card says, in tiles, decoded; what is not finite stays out of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vfxgen.backends import tiles
from vfxgen.encoding import Encoding
from vfxgen.frame import RGB
from vfxgen.image.tensor import is_finite
from vfxgen.zoo.parts import Port

if TYPE_CHECKING:
    from vfxgen.backends.net import Net

# Rows encoded at a time, whatever the tiles: a curve has many temporaries, and a frame of 8K is large.
_BAND = 64


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
        encoded(tiles.without_nonfinite(light)[0], port) for light, port in zip(inputs, net.card.inputs, strict=True)
    ]
    made = tiles.run(net, *codes, tile=tile)
    pictures = (made,) if isinstance(made, Tensor) else made
    for picture, port in zip(pictures, net.card.outputs, strict=True):
        _by_channel(picture, Encoding(port.encoding).decode, port, into=picture)
    return made


def encoded(light: Tensor, port: Port) -> Tensor:
    """(B, C, H, W) light as code values of the port: R, G, B of any layer by its encoding, coverage (A, M) as it is.

    Examples
    --------
    >>> port = Port(name="picture", channels="R G B A", encoding="srgb")
    >>> [round(value, 3) for value in encoded(torch.full((1, 4, 1, 1), 0.18), port).flatten().tolist()]
    [0.461, 0.461, 0.461, 0.18]
    """
    return _by_channel(light, Encoding(port.encoding).encode, port, into=torch.empty_like(light))


def decoded(code: Tensor, port: Port) -> Tensor:
    """What `encoded` takes, from what it gives."""
    return _by_channel(code, Encoding(port.encoding).decode, port, into=torch.empty_like(code))


def _by_channel(values: Tensor, change: Callable[[Tensor], Tensor], port: Port, *, into: Tensor) -> Tensor:
    """`into`, which may be `values` itself, with what `change` makes of R, G, B of any layer."""
    colours = [channel for channel, name in enumerate(port.channel_names) if name.rpartition(".")[2] in RGB]
    if into is not values:
        into.copy_(values)
    for first in range(0, values.shape[-2], _BAND):
        band = (slice(None), colours, slice(first, first + _BAND))
        into[band] = change(values[band])
    return into


def with_nonfinite_of(made: Tensor, source: Tensor, scale: int) -> Tensor:
    """`made` (B, C, scale H, scale W) with NaN and infinities of `source` (B, C, H, W) where they belong."""
    if is_finite(source):
        return made
    bad = ~source.isfinite()
    blocks, there = (t.repeat_interleave(scale, -1).repeat_interleave(scale, -2) for t in (source, bad))
    return torch.where(there, blocks, made)
