"""Layers of a file: one of them worked on as the main one, and put back under its own name."""

from __future__ import annotations

from dataclasses import replace

from vfxgen.errors import MediaError
from vfxgen.frame import Frame


def with_layer_as_main(frame: Frame, layer: str) -> Frame:
    """`frame` with the channels of `layer` as R G B A; those that had no layer take its name meanwhile.

    Raises
    ------
    MediaError
        There is no such layer; the message lists those that are.

    Examples
    --------
    >>> import numpy as np
    >>> frame = Frame.from_pixels(np.zeros((1, 1, 5)), ["A", "b.R", "b.G", "b.B", "id.A"], colorspace="")
    >>> main = with_layer_as_main(frame, "b")
    >>> main.channels, with_layer_as_file_has_it(main).channels
    (('b.A', 'R', 'G', 'B', 'id.A'), ('A', 'b.R', 'b.G', 'b.B', 'id.A'))
    """
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in frame.channels if "." in name))
    if layer not in layers:
        raise MediaError(f"{frame.source}: has no layer '{layer}'; it has {', '.join(layers) or 'no layers'}")
    return replace(_exchanged(frame, layer), layer=layer)


def with_layer_as_file_has_it(frame: Frame) -> Frame:
    """`frame` with R G B A under the name of the layer they were read from, and what had no layer without one."""
    return replace(_exchanged(frame, frame.layer), layer="") if frame.layer else frame


def _exchanged(frame: Frame, layer: str) -> Frame:
    def renamed(channel: str) -> str:
        own, _, name = channel.rpartition(".")
        return name if own == layer else f"{layer}.{name}" if not own else channel

    return replace(
        frame,
        planes={renamed(name): plane for name, plane in frame.planes.items()},
        types={renamed(name): type for name, type in frame.types.items()},
    )
