"""Upscale: more pixels and more detail, by a net or by a filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from vfxgen.errors import NetError, RequestError
from vfxgen.frame import RGB, Box, Frame, Pixels
from vfxgen.image.resample import Axis, resampled
from vfxgen.image.tensor import to_pixels, to_tensor
from vfxgen.operator import Operator, image_input, parameter
from vfxgen.sequence import Sequence
from vfxgen.zoo import registry


class Upscale(Operator):
    """Upscale frames by a net, with highlights, alpha and every other channel kept.

    R, G, B, as they are premultiplied, and A go through the net, in the encoding its card names. The result is held to
    the plate: each pixel's light stays where it was, and nothing leaves the range of its neighbourhood, so that a lamp
    keeps its brightness and gets no halo. Every other channel is resized as `Resize` does it. Data and display window
    grow by the scale. A scale between those of the nets is made by the next larger net, then reduced.
    NaN and infinities stay on the pixels that were theirs, and touch no other.

    Notes
    -----
    The net is cut into tiles that do not show (`vfxgen.backends.tiles`). Without `net`, the shipped net of the next
    larger scale is taken; ``vfxgen nets list`` names them.

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
    net: str = parameter("", "Name of an upscaling net; empty: the shipped one for the scale.")
    use: Literal["commercial", "research"] = parameter(
        "commercial", "What the frames are for: nets it forbids are refused."
    )
    device: str = parameter("auto", "cpu, cuda:0 ..., or auto: the first GPU there is, else the processor.")
    precision: Literal["auto", "fp32", "fp16", "bf16"] = parameter(
        "auto", "What the net computes in; auto: by its card."
    )
    tile: int = parameter(0, "Side of a tile; 0: planned from memory.", minimum=0, maximum=8192, unit="pixels")

    writes = (*RGB, "A")

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self._entry = self._chosen() if self.method == "net" else None

    @property
    def nets(self) -> Mapping[str, registry.Entry]:
        return {self._entry.name: self._entry} if self._entry else {}

    def frame(self, number: int) -> Frame:
        plate = self.input_frame("plate", number)
        if self.scale == 1:
            return plate
        if self._entry is None:
            return _resized(plate, self.scale)
        factor = self._entry.card.scale
        written = [*RGB, "A"] if "A" in plate.planes else list(RGB)
        made = [self._through_net(plate.rgb)]
        if "A" in plate.planes:
            coverage = self._through_net(np.repeat(plate.alpha, 3, axis=-1))
            made.append(np.clip(coverage.mean(axis=-1, keepdims=True), 0, 1))
        others = {name: plane for name, plane in plate.planes.items() if name not in written}
        large = _resized(replace(plate, planes=others), factor)
        large = large.on(Box(*(side * factor for side in plate.data_window)))
        large = large.with_pixels(written, np.concatenate(made, axis=-1))
        large = replace(large, planes={name: large.planes[name] for name in plate.planes})
        return large if self.scale == factor else _resized(large, self.scale / factor, plate.display_window, self.scale)

    @cached_property
    def _net(self) -> Any:
        from vfxgen.backends.net import load

        assert self._entry is not None
        return load(self._entry, device=self.device, precision=self.precision)

    def _chosen(self) -> registry.Entry:
        if self.net:
            entry = registry.find(self.net)
        else:
            able = [e for e in registry.nets().values() if e.card.task == "upscale" and e.card.use == "commercial"]
            shipped = sorted((e for e in able if e.name == f"upscale-x{e.card.scale}"), key=lambda e: e.card.scale)
            if not shipped:
                raise RequestError("upscale: no upscaling net is installed; give net = NAME, or method = lanczos")
            entry = next((e for e in shipped if e.card.scale >= self.scale), shipped[-1])
        registry.check_use(entry.card, self.use)
        if entry.card.task != "upscale":
            raise RequestError(f"upscale: net '{entry.name}' is for {entry.card.task}; vfxgen nets list names others")
        return entry

    def _through_net(self, pixels: Pixels) -> Pixels:
        import torch

        from vfxgen.backends import light, tiles
        from vfxgen.image.faithful import held_to_source

        net, source = self._net, to_tensor(pixels)
        if net.card.inputs[0].channel_names != RGB:
            raise NetError(f"{net}: takes the channels {net.card.inputs[0].channels}; upscale needs a net of R G B")
        finite, _ = tiles.without_nonfinite(source)
        made = light.through(net, finite, tile=self.tile)
        assert isinstance(made, torch.Tensor)
        held = held_to_source(made, finite, net.card.scale)
        return to_pixels(light.with_nonfinite_of(held, source, net.card.scale))


def _resized(frame: Frame, scale: float, original: Box | None = None, total: float = 0.0) -> Frame:
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
    return replace(resampled(frame, axes, display, "lanczos3", False, dict(frame.attributes)), origin=None)
