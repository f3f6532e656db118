"""Upscale: more pixels and more detail, by a net or by a filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vfxgen.errors import FrameError, RequestError
from vfxgen.frame import RGB, Box, Frame, Pixels
from vfxgen.image.resample import Axis, FilterName, resampled
from vfxgen.image.tensor import to_pixels, to_tensor
from vfxgen.log import say_once
from vfxgen.operator import Operator, image_input, parameter
from vfxgen.sequence import Sequence
from vfxgen.temporal.motion import BACKWARD, FORWARD, Motion
from vfxgen.with_net import BACKEND, DEVICE, PRECISION, TILE, USE, Backend, Precision, Use, WithNet
from vfxgen.zoo import registry
from vfxgen.zoo.card import Card

if TYPE_CHECKING:
    from torch import Tensor

STRENGTH = "strength"
"""Channel of the second input of a net whose denoising or deblocking can be set: the same value everywhere."""


class Upscale(WithNet, Operator):
    """Upscale frames by a net, with highlights, alpha and every other channel kept.

    R, G, B, as they are premultiplied, and A go through the net, in the encoding its card names. The result is held to
    the plate: each pixel's light stays where it was, and nothing leaves the range of its neighbourhood, so that a lamp
    keeps its brightness and gets no halo. A colour is one that those around it can be mixed to, whatever the RGB space:
    a lamp gets no coloured rim, and no light is negative, in the file's space too, that was not. Every other channel is
    resized as `Resize` does it. Data and display window grow by the scale. A scale between those of the nets is made by
    the next larger net, then reduced by a filter, which holds each channel by itself. NaN and infinities stay on the
    pixels that were theirs, and touch no other.

    `temporal` takes out flicker, noise and crawling edges: the upscaled frames before and after are moved along the
    motion and mixed in, where they can be trusted. At 1 they count as much as the frame itself; at 0 it stands alone.
    What was hidden, or looks different, is left as it is. At the ends of the range there is one neighbour.

    Notes
    -----
    The net is cut into tiles that do not show (`vfxgen.backends.tiles`). Without `net`, the shipped net of the next
    larger scale is taken; ``vfxgen nets list`` names them. Motion is found on the plate (`vfxgen.temporal.motion`). In
    a sequence each frame goes through the net once, and three upscaled frames are held in memory.

    Examples
    --------
    >>> import vfxgen
    >>> from vfxgen.testing import constant
    >>> large = vfxgen.Upscale(constant([0.2, 20000.0, -0.01]), scale=1.5, method="lanczos")[1]
    >>> str(large.display_window), large.rgb[0, 0].tolist()
    ('9x6+0+0', [0.20000000298023224, 20000.0, -0.009999999776482582])
    """

    plate: Sequence = image_input("Frames to upscale.", channels="R G B")
    scale: float = parameter(2.0, "Factor of width and height.", minimum=1.0, maximum=16.0)
    method: Literal["net", "lanczos"] = parameter("net", "A net, or a Lanczos filter.")
    net: str = parameter("", "Name of an upscaling net; empty: the shipped one for the scale.", net_task="upscale")
    strength: float = parameter(
        0.0, "Denoising or deblocking, for a net that has it set from outside.", minimum=0.0, maximum=1.0
    )
    temporal: float = parameter(
        0.0, "Less flicker: how much of the frames before and after is mixed in.", minimum=0.0, maximum=1.0
    )
    use: Use = USE
    device: str = DEVICE
    precision: Precision = PRECISION
    backend: Backend = BACKEND
    tile: int = TILE

    writes = (*RGB, "A")

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self._entry = self._chosen() if self.method == "net" else None
        if self.net and self._entry and self._entry.card.scale != self.scale:
            times = self._entry.card.scale
            say_once(
                f"upscale: net '{self.net}' enlarges {times} times, and scale = {self.scale:g} was asked for: its "
                f"picture is resized; scale = {times} keeps all of it"
            )
        if self.strength and not (self._entry and _has_strength(self._entry)):
            what = f"net '{self._entry.name}'" if self._entry else "method = lanczos"
            raise RequestError(f"upscale: strength = {self.strength:g}, but {what} has none to set; leave it out")
        if self.temporal:
            self._single = Upscale(self.plate, **{**self.parameters, "temporal": 0.0})
            # The frame before, the frame and the one after: rendered in sequence, each goes through the net once.
            self._single.keep = 3
            self._motion = Motion(self.plate)

    def needs(self, number: int) -> Mapping[str, tuple[int, ...]]:
        if not self.temporal:
            return super().needs(number)
        there = self.plate.range
        around = (number - 1, number, number + 1)
        return {"plate": tuple(n for n in around if n == number or there is None or n in there)}

    @property
    def intermediates(self) -> tuple[Sequence, ...]:
        return (self._single, self._motion) if self.temporal else ()

    def frame(self, number: int) -> Frame:
        if self.temporal:
            return self._steadied(number)
        plate = self.input_frame("plate", number)
        if 0 in plate.size:
            raise FrameError(f"{self.name}: frame {number} of the plate has no pixels")
        if self.scale == 1:
            return plate
        if self._entry is None:
            return _resized(plate, self.scale)
        factor = self._entry.card.scale
        written = [*RGB, "A"] if "A" in plate.planes else list(RGB)
        large = _resized(replace(plate, planes={}), factor)
        large = large.on(Box(*(side * factor for side in plate.data_window)))
        large = large.with_pixels(RGB, self._through_net(plate.rgb))
        if "A" in plate.planes:
            coverage = self._through_net(np.repeat(plate.alpha, 3, axis=-1), colors=False)
            large = large.with_pixels(("A",), coverage.mean(axis=-1, keepdims=True))
        if self.scale != factor:
            large = _resized(large, self.scale / factor, plate.display_window, self.scale)
        others = {name: plane for name, plane in plate.planes.items() if name not in written}
        resized = _resized(replace(plate, planes=others), self.scale).on(large.data_window)
        made = {**resized.planes, **large.planes}
        return replace(large, planes={name: made[name] for name in plate.planes})

    def _steadied(self, number: int) -> Frame:
        """The frame mixed with its neighbours along the motion, within the plate's range around each pixel."""
        from vfxgen.image.steady import local_range, steadied

        around = self.needs(number)["plate"]
        large = {n: self._single[n] for n in around}
        plate, made = self.input_frame("plate", number), large[number]
        written = [name for name in self.writes if name in made.planes]
        neighbours = []
        for other in around:
            if other != number:
                lies = self._motion[min(number, other)].only(*(FORWARD if other > number else BACKWARD))
                lies = lies.on(plate.data_window)
                grown = _like(made, lies, self.scale, "triangle").pixels(*lies.channels)
                flow = grown[..., :2] * _growth(plate, made)
                there = large[other].on(made.data_window).pixels(*written)
                neighbours.append((there, flow, grown[..., 2:] * np.float32(self.temporal)))
        least, most = (
            _like(made, plate.only(*written).with_pixels(written, edge), self.scale, "nearest").pixels(*written)
            for edge in local_range(plate.pixels(*written))
        )
        return made.with_pixels(written, steadied(made.pixels(*written), neighbours, least, most))

    def _chosen(self) -> registry.Entry:
        name = self.net
        if not name:
            able = [e for e in registry.nets().values() if e.card.task == "upscale" and e.card.use == "commercial"]
            shipped = sorted((e for e in able if e.name == f"upscale-x{e.card.scale}"), key=lambda e: e.card.scale)
            if not shipped:
                raise RequestError("upscale: no upscaling net is installed; give net = NAME, or method = lanczos")
            name = next((e for e in shipped if e.card.scale >= self.scale), shipped[-1]).name
        return self._usable(name)

    @classmethod
    def check_card(cls, card: Card) -> None:
        registry.check_task(cls.name, card, "upscale")
        takes, gives = ([port.channel_names for port in ports] for ports in (card.inputs, card.outputs))
        orders = [sorted(names) for names in (*takes[:1], *gives)]
        if orders != [sorted(RGB)] * 2 or takes[1:] not in ([], [(STRENGTH,)]):
            takes_all, gives_all = (", ".join(map(" ".join, names)) for names in (takes, gives))
            raise RequestError(
                f"{cls.name}: net '{card.name}' takes {takes_all} and gives {gives_all}; upscale needs a net of R G B, "
                "in any order"
            )

    def _through_net(self, pixels: Pixels, *, colors: bool = True) -> Pixels:
        import torch

        from vfxgen.backends import light, tiles
        from vfxgen.image.faithful import held_to_source

        net, source = self._net, to_tensor(pixels)
        takes, gives = ([port.channel_names for port in ports] for ports in (net.card.inputs, net.card.outputs))
        finite, _ = tiles.without_nonfinite(source)
        given = [_ordered(finite, RGB, takes[0]), *(torch.full_like(finite[:, :1], self.strength) for _ in takes[1:])]
        made = light.through(net, *given, tile=self.tile)
        assert isinstance(made, torch.Tensor)
        held = held_to_source(_ordered(made, gives[0], RGB), finite, net.card.scale, colors=colors)
        del made
        return to_pixels(light.with_nonfinite_of(held, source, net.card.scale))


def _ordered(planes: Tensor, there: tuple[str, ...], wanted: tuple[str, ...]) -> Tensor:
    """(B, C, H, W) of the channels `there` in the order of `wanted`."""
    return planes if there == wanted else planes[:, [there.index(name) for name in wanted]]


def _has_strength(entry: registry.Entry) -> bool:
    return [port.channels for port in entry.card.inputs[1:]] == [STRENGTH]


def _growth(plate: Frame, made: Frame) -> Pixels:
    old, new = plate.display_window, made.display_window
    return np.array([new.width / old.width, new.height / old.height], np.float32)


def _like(made: Frame, frame: Frame, scale: float, filter: FilterName) -> Frame:
    """`frame`, of the plate's windows, on the windows of `made`, which is `scale` times as large."""
    return _resized(frame, scale, filter=filter).on(made.data_window)


def _resized(
    frame: Frame, scale: float, original: Box | None = None, total: float = 0.0, filter: FilterName = "lanczos3"
) -> Frame:
    """`frame` times `scale`, all channels; its display window that of `original` times `total` where that is given."""
    old = original or frame.display_window
    total = total or scale
    display = Box(*(round(side * total) for side in old))
    across = display.width / frame.display_window.width
    down = display.height / frame.display_window.height
    axes = (
        Axis(across, display.x - frame.display_window.x * across),
        Axis(down, display.y - frame.display_window.y * down),
    )
    return replace(resampled(frame, axes, display, filter, False, dict(frame.attributes)), origin=None)
