"""Apply: any net that turns a picture into a picture or a matte, such as one trained for the shot."""

from __future__ import annotations

from typing import Any

import numpy as np

from vfxgen.errors import RequestError
from vfxgen.frame import RGB, RGBA, Frame, Pixels
from vfxgen.image.mask import matte_on, within
from vfxgen.image.tensor import to_pixels, to_tensor
from vfxgen.operator import Operator, image_input, matte_input, parameter
from vfxgen.sequence import Sequence
from vfxgen.with_net import BACKEND, DEVICE, PRECISION, TILE, USE, Backend, Precision, Use, WithNet
from vfxgen.zoo.card import Card

_MASK = "M"


class Apply(WithNet, Operator):
    """Apply a net that turns a picture into another of its size, or into a matte.

    What the net gives is what is written: R G B for a retouch, A for a matte, both for a key, whose colour is then
    premultiplied. Light goes through the encoding that the net's card names, so nothing clips. Outside the mask, and
    in every other channel, the plate stays as it is, bit for bit; one without A counts as opaque there. Pixels with NaN
    or infinity keep them and touch no other.

    Notes
    -----
    The net is cut into tiles that do not show (`vfxgen.backends.tiles`). A net whose picture has a fourth channel
    ``M`` is given the mask too. What a net gives by another name than R, G, B and A is left. `vfxgen.train` makes
    such nets from a few painted frames.

    Examples
    --------
    >>> import vfxgen
    >>> from vfxgen.testing import constant
    >>> vfxgen.Apply(constant([0.2, 0.4, 0.1]), net="upscale-x2")
    Traceback (most recent call last):
    vfxgen.errors.RequestError: apply: net 'upscale-x2' makes frames 2 times as large: use upscale
    """

    plate: Sequence = image_input("Frames to change.", channels="R G B")
    mask: Sequence | None = matte_input("Where to change: 1 fully, 0 leaves the plate untouched.")
    net: str = parameter(help="Name of a net, or its folder.", net_task="image-to-image key matte")
    mix: float = parameter(1.0, "How much of the net's result there is; 0 is the plate.", minimum=0.0, maximum=1.0)
    use: Use = USE
    device: str = DEVICE
    precision: Precision = PRECISION
    backend: Backend = BACKEND
    tile: int = TILE

    writes = RGBA

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self._entry = self._usable(self.net)
        if _MASK in self._entry.card.inputs[0].channel_names and self.mask is None:
            raise RequestError(f"apply: net '{self.net}' needs to know where to work: give a mask")

    @classmethod
    def check_card(cls, card: Card) -> None:
        if card.scale != 1:
            raise RequestError(f"apply: net '{card.name}' makes frames {card.scale} times as large: use upscale")
        ports = card.inputs, card.outputs
        takes, gives = (" and ".join(port.channels or port.name for port in those) for those in ports)
        given, made = set(card.inputs[0].channel_names), _written(card)
        fits = len(card.inputs) == 1 and set(RGB) <= given <= {*RGB, _MASK} and all(p.channels for p in card.outputs)
        if not fits or sorted(made) not in map(sorted, ("A", RGB, RGBA)):
            raise RequestError(
                f"apply: net '{card.name}' takes {takes} and gives {gives}; apply runs nets that take R G B or "
                f"R G B {_MASK} and give A, R G B or R G B A, in any order, beside what goes by other names"
            )

    def frame(self, number: int) -> Frame:
        plate = self.input_frame("plate", number)
        if self.mix == 0:
            return plate
        channels, result = self._through_net(plate, number)
        before = plate.with_pixels(("A",), plate.alpha) if "A" in channels else plate
        if self.mix < 1:
            old = before.pixels(*channels)
            with np.errstate(invalid="ignore", over="ignore"):
                mixed = old * np.float32(1 - self.mix) + result * np.float32(self.mix)
            # Equal values, infinities above all, must not go through the sum.
            result = np.where(result == old, old, mixed)
        if self.mask is not None:
            result = within(self.mask[number], result, before, channels)
        return plate.with_pixels(channels, result)

    def _through_net(self, plate: Frame, number: int) -> tuple[tuple[str, ...], Pixels]:
        """What the net writes: channels in the order R G B A, and their pixels."""
        from vfxgen.backends import light

        card = self._net.card
        layers = {name: plate.pixels(name) for name in RGB}
        if self.mask is not None and _MASK in card.inputs[0].channel_names:
            layers[_MASK] = np.clip(np.nan_to_num(matte_on(self.mask[number], plate), nan=0.0), 0, 1)
        given = np.concatenate([layers[name] for name in card.inputs[0].channel_names], axis=-1)
        made = light.through(self._net, to_tensor(given), tile=self.tile)
        pictures = [to_pixels(picture) for picture in (made if isinstance(made, tuple) else (made,))]
        planes = {
            name: pixels[..., i : i + 1]
            for port, pixels in zip(card.outputs, pictures, strict=True)
            for i, name in enumerate(port.channel_names)
            if name in RGBA
        }
        if "A" in planes:
            planes["A"] = np.clip(planes["A"], 0, 1)
        for name in set(RGB) & planes.keys():
            covered = planes[name] * planes["A"] if "A" in planes else planes[name]
            planes[name] = np.where(np.isfinite(layers[name]), covered, layers[name])
        channels = tuple(name for name in RGBA if name in planes)
        return channels, np.concatenate([planes[name] for name in channels], axis=-1)


def _written(card: Card) -> list[str]:
    """What a net gives that is written: a background, a second matte and whatever else it gives is not."""
    return [name for port in card.outputs for name in port.channel_names if name in RGBA]
