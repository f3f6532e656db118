"""Inpaint: a hole in a frame, filled from the picture around it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from vfxgen.errors import FrameError, RequestError
from vfxgen.frame import RGB, Frame, Mask, Pixels
from vfxgen.image.mask import matte_on
from vfxgen.image.tensor import to_pixels, to_tensor
from vfxgen.log import NEWS, say_once
from vfxgen.operator import Operator, image_input, matte_input, parameter
from vfxgen.sequence import Sequence
from vfxgen.with_net import BACKEND, DEVICE, PRECISION, TILE, USE, Backend, Precision, Use, WithNet
from vfxgen.zoo import registry
from vfxgen.zoo.card import Card

Method = Literal["auto", "net", "patch", "telea", "smooth"]

SHIPPED = "inpaint-gan"
"""The net that `net` takes where none is named."""
AUTO: Literal["patch", "telea", "smooth"] = "patch"
"""What `auto` is in wide holes, where no net is named: its texture is nearest to the truth."""
NARROW = 6.0
"""Pixels to what is known up to which that net was measured to be the best, in values and in texture."""
METHOD: Any = parameter("auto", "How what is not known is made up; auto: the net that is named, or patches.")
NET: Any = parameter("", f"Name of an inpainting net, or its folder; without it, net is {SHIPPED}.", net_task="inpaint")


class Inpaint(WithNet, Operator):
    """Inpaint what a mask marks, from the picture around it, each frame for itself.

    ``patch`` puts it together from patches of the frame, ``net`` has a net make it up, ``smooth`` spans it with a
    smooth surface and ``telea`` is the reference of old. ``auto`` has the net fill wires, scratches and other pieces of
    the hole up to 12 pixels wide, feather included, and patches the wider ones. Everything under the mask, however thin
    its value, is replaced, grown by `grow`; over `feather` pixels beyond, fill and plate are mixed. Outside that, and
    in every other channel, the plate stays bit for bit. Highlights beside the hole go into it as bright as they are.
    NaN and infinities under the mask are filled too; elsewhere they stay, and count for nothing.

    Over a shot the fill changes from frame to frame: `Cleanplate` takes what other frames show, and carries the rest.

    Notes
    -----
    See `vfxgen.image.inpainting` and `vfxgen.image.patch_fill`. A net takes R G B and M in one picture, or the mask as
    a second input; the step at its seam is taken out in the gradient domain (`vfxgen.image.blend`).

    Examples
    --------
    >>> import numpy, vfxgen
    >>> from vfxgen.testing import Pictures, constant
    >>> spot = numpy.zeros((32, 32, 1), numpy.float32)
    >>> spot[12:18, 12:18] = 1
    >>> filled = vfxgen.Inpaint(constant([0.2, 40.0, 0.1], (32, 32)), Pictures(spot, "A"), method="patch")[1]
    >>> filled.rgb[14, 14].round(3).tolist()
    [0.20000000298023224, 40.0, 0.10000000149011612]
    """

    plate: Sequence = image_input("Frames to fill.", channels="R G B")
    mask: Sequence = matte_input("What to replace: wherever it is above 0.", optional=False)
    method: Method = parameter(
        "auto",
        "How it is filled; auto: by the net that is named, or narrow holes by the shipped net, others by patches.",
    )
    grow: float = parameter(1.0, "How far the mask is grown.", minimum=0.0, maximum=256.0, unit="pixels")
    feather: float = parameter(
        2.0, "Over how far fill and plate mix, beyond it.", minimum=0.0, maximum=256.0, unit="pixels"
    )
    seed: int = parameter(0, "Another number is another fill by patches.", minimum=0, maximum=2**31 - 1)
    net: str = NET
    use: Use = USE
    device: str = DEVICE
    precision: Precision = PRECISION
    backend: Backend = BACKEND
    tile: int = TILE

    writes = RGB

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        by_itself = self.method == "auto" and not self.net
        self._by_width = by_itself and SHIPPED in registry.nets()
        if self._by_width:
            say_once(
                f"{self.name}: holes up to {2 * NARROW:g} pixels wide are filled by the net {SHIPPED}, wider ones by "
                "patches of the frame",
                NEWS,
            )
        elif by_itself:
            say_once(f"{self.name}: the net {SHIPPED} is not installed: every hole is filled by patches of the frame")
        method: Method = "net" if self._by_width else self.method
        name = chosen(self.name, method, self.net)
        self._entry = self._usable(name) if name else None

    @classmethod
    def check_card(cls, card: Card) -> None:
        check_inpainting(cls.name, card)

    def frame(self, number: int) -> Frame:
        from vfxgen.image.holes import feathered, grown, mixed
        from vfxgen.image.keying import repaired

        plate = self.input_frame("plate", number)
        core = grown(matte_on(self.mask[number], plate)[..., 0], self.grow)
        if not core.any():
            say_once("inpaint: the mask is empty on some frames; the plate passes as it is there")
            return plate
        mix = feathered(core, self.feather)
        light = plate.rgb
        hole, finite = mix > 0, np.isfinite(light).all(axis=-1)
        if not (finite & ~hole).any():
            why = (
                "the mask covers the whole frame"
                if hole.all()
                else "what the mask leaves is NaN or infinite in every pixel"
            )
            raise FrameError(f"inpaint: frame {number}: {why}: nothing is left to fill it from")
        known = np.where(hole[..., None], np.float32(0), light)
        if not (finite | hole).all():
            # What is not finite is no example: a pixel far away that flickers must not make another fill.
            known = to_pixels(repaired(to_tensor(np.where(hole[..., None], np.float32(np.nan), light))))
        return plate.with_pixels(RGB, mixed(self._filled(known, hole), light, mix))

    def _filled(self, light: Pixels, hole: Mask) -> Pixels:
        from vfxgen.image.inpainting import inpainted

        if self._entry is None:
            method = AUTO if self.method == "auto" else self.method
            assert method != "net", "then there is a net"
            return inpainted(light, hole, method, self.seed)
        if not self._by_width:
            return self._through_net(light, hole)
        from vfxgen.image.holes import narrow

        thin = narrow(hole, NARROW)
        if thin.any():
            light = np.where(thin[..., None], self._through_net(light, hole), light)
        return inpainted(light, hole & ~thin, AUTO, self.seed)

    def _through_net(self, light: Pixels, hole: Mask) -> Pixels:
        from vfxgen.backends.inpainting import through_net

        return through_net(self._net, light, hole, self.tile)


def chosen(operator: str, method: Method, net: str) -> str:
    """The name of the net that a method means; empty for one that needs none.

    Raises
    ------
    RequestError
        A net is named for a method that runs none, or the one that is shipped is not installed.
    """
    if net and method not in ("auto", "net"):
        raise RequestError(f"{operator}: net = {net}, but method = {method} runs none; leave one of them out")
    if net or method != "net":
        return net
    known = registry.nets()
    if SHIPPED not in known:
        names = sorted(name for name, entry in known.items() if entry.card.task == "inpaint")
        raise RequestError(
            f"{operator}: method = net, but {SHIPPED} is not installed: give net = NAME; "
            f"there are {', '.join(names) or 'none'}"
        )
    return SHIPPED


def check_inpainting(operator: str, card: Card) -> None:
    """Pass a net that fills holes of a picture of R G B.

    Raises
    ------
    RequestError
        It is for another task, or takes or gives something else.
    """
    registry.check_task(operator, card, "inpaint")
    takes = [tuple(port.channel_names) for port in card.inputs]
    known = ([("R", "G", "B", "M")], [("R", "G", "B"), ("M",)], [("R", "G", "B"), ("A",)])
    if card.scale != 1 or takes not in known or [tuple(p.channel_names) for p in card.outputs] != [RGB]:
        said = " and ".join(port.channels or port.name for port in card.inputs)
        raise RequestError(
            f"{operator}: net '{card.name}' takes {said}; an inpainting net takes R G B M, or R G B and M, and gives "
            "R G B of the same size"
        )
