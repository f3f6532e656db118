"""Frame: one picture of a sequence, with its channels, windows, colour space and header."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfxgen.errors import FrameError
from vfxgen.log import say_once

Plane = NDArray[Any]
"""One channel, (H, W): float16, float32 or uint32, as it lies in the file."""
Pixels = NDArray[np.float32]
"""Channels last, (H, W, C), float32."""
Mask = NDArray[np.bool_]
"""Which pixels, (H, W)."""

RGB = ("R", "G", "B")
RGBA = ("R", "G", "B", "A")

FPS = Fraction(24)
"""Frames a second where nobody says them."""
_FINEST_FPS = 2**16


class Box(NamedTuple):
    """A rectangle of pixels; x to the right, y down, both may be negative."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column beyond the box."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row beyond the box."""
        return self.y + self.height

    def union(self, other: Box) -> Box:
        """The smallest box that holds both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Box(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)

    def intersection(self, other: Box) -> Box:
        """What both cover; width or height 0 where they do not meet."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        return Box(x, y, max(0, min(self.right, other.right) - x), max(0, min(self.bottom, other.bottom) - y))

    def __str__(self) -> str:
        return f"{self.width}x{self.height}{self.x:+d}{self.y:+d}"


class Attribute(NamedTuple):
    """One header entry; `type` is OpenImageIO's name of it (`string`, `float[8]`, `timecode`)."""

    value: Any
    type: str = "string"


@dataclass(frozen=True)
class Origin:
    """The colour channels as they lay in the file, beside what they became in the working space.

    A pixel that still has its working value when it is written gets its file value back, bit for bit:
    this is how promise 2 (untouched is identical) survives a colour conversion.
    """

    colorspace: str
    straight: bool
    native: Mapping[str, Plane]
    working: Mapping[str, Plane]


@dataclass(frozen=True, eq=False, repr=False)
class Frame:
    """One picture: planes by channel name, never changed in place.

    Parameters
    ----------
    number
        Frame number in its sequence.
    planes
        Channel name -> (H, W) array covering the data window: float16, float32 or uint32.
    types
        Channel name -> the type it is stored as: ``half float uint32 uint8 uint10 uint12 uint16``.
    data_window, display_window
        In pixels. Outside the data window every channel is 0.
    colorspace
        OpenColorIO name of the space that the colour of `color_layers` is in.
    color_layers
        Layers whose R, G, B are in `colorspace`: the main one (""), and those operators wrote. Other layers are as
        they were in the file.
    attributes
        The header, passed through to the published file.
    origin
        See `Origin`; None where the file already is in the working space.
    source
        Where it comes from, for messages: a path, or an operator's name.
    file_space, file_format
        Colour space and extension of the file it was read from, empty where it comes from none: an output goes back
        there by default.
    layer
        Layer of the file that R, G, B and A lie in; empty: the main one. An EXR has them there again.

    Examples
    --------
    >>> import numpy as np
    >>> frame = Frame.from_pixels(np.zeros((4, 6, 3), np.float32), "RGB", colorspace="ACEScg")
    >>> frame
    <Frame 1: R G B, 6x4+0+0, ACEScg>
    >>> brighter = frame.with_pixels("RGB", frame.rgb + 0.1)
    """

    number: int
    planes: Mapping[str, Plane]
    types: Mapping[str, str]
    data_window: Box
    display_window: Box
    colorspace: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    origin: Origin | None = None
    source: str = ""
    color_layers: tuple[str, ...] = ("",)
    file_space: str = ""
    file_format: str = ""
    layer: str = ""

    @classmethod
    def from_pixels(
        cls,
        pixels: Pixels,
        channels: Sequence[str],
        *,
        number: int = 1,
        colorspace: str,
        type: str = "float",
        data_window: Box | None = None,
        display_window: Box | None = None,
        attributes: Mapping[str, Attribute] | None = None,
        source: str = "",
    ) -> Frame:
        """A frame of `pixels` (H, W, C); without windows it starts at 0, 0 and fills its display window."""
        height, width, count = pixels.shape
        if count != len(channels):
            raise FrameError(f"{count} channels of pixels, but {len(channels)} channel names: {' '.join(channels)}")
        data = data_window or Box(0, 0, width, height)
        if (data.width, data.height) != (width, height):
            raise FrameError(f"{width}x{height} pixels on a data window of {data}")
        return cls(
            number=number,
            planes={name: pixels[..., i] for i, name in enumerate(channels)},
            types=dict.fromkeys(channels, type),
            data_window=data,
            display_window=display_window or data,
            colorspace=colorspace,
            attributes=dict(attributes or {}),
            source=source,
        )

    def __repr__(self) -> str:
        of = f" of {self.source}" if self.source else ""
        inside = f" in {self.display_window}" if self.data_window != self.display_window else ""
        return f"<Frame {self.number}{of}: {' '.join(self.channels)}, {self.data_window}{inside}, {self.colorspace}>"

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in file order."""
        return tuple(self.planes)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the data window, as arrays are indexed."""
        return self.data_window.height, self.data_window.width

    @property
    def files(self) -> str:
        """`source` with #### for the number of the frame: the same for every frame of a sequence.

        Examples
        --------
        >>> Frame.from_pixels(np.zeros((4, 6, 1), np.float32), "A", number=7, colorspace="", source="m.0007.exr").files
        'm.####.exr'
        """
        return re.sub(rf"(?<!\d)0*{abs(self.number)}(?=\D*\.\w+$)", "####", self.source)

    @property
    def bytes(self) -> int:
        """Memory its planes take, those of its file included where it remembers them."""
        remembered = self.origin.native.values() if self.origin else ()
        return sum(plane.nbytes for plane in (*self.planes.values(), *remembered))

    def pixels(self, *channels: str) -> Pixels:
        """The named channels as a new float32 array (H, W, C); `with_pixels` makes a frame of it.

        Raises
        ------
        FrameError
            A channel is not there; the message lists those that are.
        """
        self.require(*channels)
        out = np.empty((*self.size, len(channels)), np.float32)
        for i, name in enumerate(channels):
            out[..., i] = self.planes[name]
        return out

    @property
    def rgb(self) -> Pixels:
        """R, G, B as a new float32 array (H, W, 3), scene-linear in `colorspace`; see `pixels`."""
        return self.pixels(*RGB)

    @property
    def alpha(self) -> Pixels:
        """A as a new float32 array (H, W, 1); 1 everywhere when the frame has none."""
        return self.pixels("A") if "A" in self.planes else np.ones((*self.size, 1), np.float32)

    @property
    def matte(self) -> Pixels:
        """What a mask input means by this frame, (H, W, 1): A, else Y, else R."""
        for name in ("A", "Y", "R"):
            if name in self.planes:
                untouched = self.origin and self.planes[name] is self.origin.working.get(name)
                # Coverage painted into an RGB picture is the code value, not the light it would stand for.
                if untouched:
                    return self._native(name)
                if name == "R" and self.file_space and self.file_space != self.colorspace:
                    say_once(
                        f"{self.source}: its R is used as a matte after a colour conversion from {self.file_space}; "
                        "read it with colorspace = Raw, or give it an alpha",
                        about=f"{self.files} R",
                    )
                return self.pixels(name)
        raise FrameError(
            f"frame {self.number} of {self.source} is used as a matte, but has none of the channels A, Y, R; "
            f"it has {' '.join(self.channels)}{self.way_to('A') or self.way_to('Y') or self.way_to('R')}"
        )

    def _native(self, name: str) -> Pixels:
        assert self.origin is not None
        return np.asarray(self.origin.native[name], np.float32)[..., None]

    def with_pixels(self, channels: Sequence[str], pixels: Pixels, *, type: str | None = None) -> Frame:
        """This frame with `channels` set to `pixels` (H, W, C), added at the end where they are new.

        A new channel is stored as `type`, else like the frame's own colour.
        """
        if pixels.shape != (*self.size, len(channels)):
            expected = (*self.size, len(channels))
            raise FrameError(f"pixels of shape {pixels.shape} for {' '.join(channels)}: expected {expected}")
        planes, types, layers = dict(self.planes), dict(self.types), self.color_layers
        layer = channels[0].rpartition(".")[0]
        if layer not in layers and {f"{layer}.{c}" for c in RGB} <= set(channels):
            layers = (*layers, layer)
        for i, name in enumerate(channels):
            planes[name] = np.asarray(pixels[..., i], np.float32)
            types[name] = type or types.get(name) or self.color_type
        return replace(self, planes=planes, types=types, color_layers=layers)

    @property
    def pixel_aspect(self) -> float:
        """Width of its pixels by their height; 1 where the header says nothing that can be one."""
        said = self.attributes.get("PixelAspectRatio")
        aspect = float(said.value) if said else 1.0
        return aspect if 0 < aspect < math.inf else 1.0

    @property
    def fps(self) -> Fraction | None:
        """Frames a second, as a movie can have them; None where the header says nothing that can be a rate."""
        said = self.attributes.get("FramesPerSecond")
        if said is None or said.type != "rational" or 0 in said.value:
            return None
        rate = Fraction(*said.value).limit_denominator(_FINEST_FPS)
        return rate if is_frame_rate(rate) else None

    @property
    def color_type(self) -> str:
        """The type the frame's colour is stored as: of R, else of its first channel."""
        return self.types.get("R") or next(iter(self.types.values()), "half")

    def only(self, *channels: str) -> Frame:
        """This frame reduced to `channels`, in that order."""
        self.require(*channels)
        return replace(
            self,
            planes={name: self.planes[name] for name in channels},
            types={name: self.types[name] for name in channels},
        )

    def require(self, *channels: str) -> None:
        """Raise `FrameError` when one of `channels` is not there."""
        missing = [name for name in channels if name not in self.planes]
        if missing:
            raise FrameError(
                f"frame {self.number} of {self.source or 'this sequence'} has no channel {' '.join(missing)}; "
                f"it has {' '.join(self.channels)}"
            )

    def way_to(self, *channels: str) -> str:
        """What to do about `channels` that are not there, as the end of a message; empty where nothing is known."""
        names = dict.fromkeys(name.rpartition(".")[0] for name in self.channels if "." in name)
        if layers := [layer for layer in names if all(f"{layer}.{c}" in self.planes for c in channels)]:
            return f". Read a layer of it: layer = {' or '.join(layers)}"
        return ". It is grey: make it R G B first (oiiotool IN --ch R=Y,G=Y,B=Y -o OUT)" if "Y" in self.planes else ""

    def on(self, data_window: Box) -> Frame:
        """This frame on another data window: cropped where smaller, 0 where it had no data."""
        if data_window == self.data_window:
            return self
        # The same array gives the same array again: what is untouched must stay known as untouched.
        placed: dict[int, Plane] = {}

        def on(planes: Mapping[str, Plane]) -> dict[str, Plane]:
            for plane in planes.values():
                if id(plane) not in placed:
                    placed[id(plane)] = _on(plane, self.data_window, data_window)
            return {name: placed[id(plane)] for name, plane in planes.items()}

        origin = self.origin and replace(self.origin, native=on(self.origin.native), working=on(self.origin.working))
        return replace(self, planes=on(self.planes), data_window=data_window, origin=origin)


def is_frame_rate(value: Fraction) -> bool:
    """Whether frames can follow each other at `value` a second, and a movie can have that rate.

    Examples
    --------
    >>> [is_frame_rate(Fraction(rate)) for rate in ("24000/1001", "0", "1001", "1/100000")]
    [True, False, False, False]
    """
    return 0 < value <= 1000 and value.denominator <= _FINEST_FPS


def _on(plane: Plane, old: Box, new: Box) -> Plane:
    out = np.zeros((new.height, new.width), plane.dtype)
    both = old.intersection(new)
    if both.width and both.height:
        target = np.s_[both.y - new.y : both.bottom - new.y, both.x - new.x : both.right - new.x]
        source = np.s_[both.y - old.y : both.bottom - old.y, both.x - old.x : both.right - old.x]
        out[target] = plane[source]
    return out
