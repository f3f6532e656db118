"""A matte by a net: what the net is told beside the light, and which part of the frame it must see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vfxgen.errors import RequestError
from vfxgen.frame import RGB, Pixels
from vfxgen.zoo.card import Card

if TYPE_CHECKING:
    from vfxgen.backends.net import Net
    from vfxgen.temporal.matting import Told

TRIMAP, MASK = "T", "M"
"""Channels of a net that is told where the subject is: a trimap, or a rough mask."""


def takes_clues(card: Card) -> bool:
    """Whether the net is given what the classical matte found: `vfxgen.image.trimap.CLUES`."""
    from vfxgen.image.trimap import CLUES

    return set(CLUES.split()) <= _taken(card)


def matte_by_net(net: Net, light: Pixels, told: Told | None, tile: int = 0) -> Pixels:
    """Coverage (H, W), 0 .. 1, by a net that `check_net` lets pass; where a trimap knows it, the trimap.

    A net that mends what ``mixture`` found does so in the pieces that lie `between` subject and background.

    Parameters
    ----------
    light
        (H, W, 3), scene-linear, finite.
    told
        Where the subject is said to be; the net is given what it takes of that.
    tile
        Side of a tile; 0 plans it from memory.
    """
    from vfxgen.backends.tiles import seen_for
    from vfxgen.image.middle_grey import gain_to_grey
    from vfxgen.image.natural_matte import clues
    from vfxgen.image.trimap import CLUES, UNKNOWN, between

    if told is not None and not (told.trimap == UNKNOWN).any():
        return told.trimap
    if _taken(net.card) & {TRIMAP, MASK}:
        # One that is told where the subject is was made for all shots: it sees each at the same exposure.
        light = light * np.float32(gain_to_grey(light))
    layers = {name: light[..., i] for i, name in enumerate(RGB)}
    if told is None:
        return _alpha(net, layers, tile)
    layers |= {TRIMAP: told.trimap, MASK: told.matte}
    alpha, decided = told.trimap.copy(), told.trimap == UNKNOWN
    if takes_clues(net.card):
        found = clues(light, told.trimap, told.believed)
        layers |= {name: found[..., i] for i, name in enumerate(CLUES.split())}
        alpha, decided = found[..., 0].copy(), between(told.trimap)
    if decided.any():
        part = seen_for(decided, net.card)
        made = _alpha(net, {name: layer[part] for name, layer in layers.items()}, tile)
        alpha[part] = np.where(decided[part], made, alpha[part])
    return alpha


def check_net(card: Card) -> None:
    """Refuse a net that makes no matte of R G B and at most one guide.

    Raises
    ------
    RequestError
        The message says what it takes and gives.
    """
    from vfxgen.image.trimap import CLUES

    takes, gives = (" ".join(port.channels for port in ports) for ports in (card.inputs, card.outputs))
    known = sorted(takes.split()) in [sorted([*RGB, *told.split()]) for told in ("", TRIMAP, MASK, CLUES)]
    if card.scale != 1 or not known or "A" not in gives.split():
        raise RequestError(
            f"matte: net '{card.name}' takes {takes} and gives {gives}; matte runs nets of scale 1 that take R G B, "
            f"with {TRIMAP} (a trimap), or {MASK} (a mask), or {CLUES} (what method = mixture finds), or none of "
            "these, and give A"
        )


def _alpha(net: Net, layers: dict[str, Pixels], tile: int) -> Pixels:
    """What the net makes of the layers that it takes, (H, W), 0 .. 1."""
    import torch

    from vfxgen.backends.light import through
    from vfxgen.image.tensor import to_pixels

    ports = [np.stack([layers[name] for name in port.channel_names]) for port in net.card.inputs]
    made = through(net, *(torch.from_numpy(port)[None] for port in ports), tile=tile)
    outputs = made if isinstance(made, tuple) else (made,)
    for port, output in zip(net.card.outputs, outputs, strict=True):
        if "A" in port.channel_names:
            return np.clip(to_pixels(output)[..., port.channel_names.index("A")], 0, 1)
    raise AssertionError("check_net lets no net pass that gives no A")


def _taken(card: Card) -> set[str]:
    return {name for port in card.inputs for name in port.channel_names}
