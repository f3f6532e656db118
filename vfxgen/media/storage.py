"""Frames as the numbers that files hold: channel order, types, integer codes, half floats."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfxgen.errors import MediaError
from vfxgen.frame import RGB, RGBA, Box, Frame, Pixels, Plane
from vfxgen.log import say_once

_HALF_MAX = 65504.0
# What each format can hold, best first; the first is used when the frame's own type is not among them.
_STORABLE = {
    "exr": ("half", "float", "uint32"),
    "dpx": ("uint10", "uint16", "uint12", "uint8"),
    "tif": ("uint16", "uint8", "float", "half"),
    "png": ("uint16", "uint8"),
    "jpg": ("uint8",),
}
# Types of values beyond 0..1.
_UNBOUNDED = ("half", "float", "double", "uint32")
# The sets of channels that a format without channel names can hold, by position; the largest that fits is taken.
_POSITIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "png": (RGBA, RGB, ("Y", "A"), ("Y",)),
    "dpx": (RGBA, RGB, ("Y",)),
    "jpg": (RGB, ("Y",)),
}


def arranged(frame: Frame, format: str) -> Frame:
    """`frame` as `format` holds it: channels in its order, on its window; what is left out is said once.

    Only EXR stores channels by name and has windows. Elsewhere R G B A and Y A stand first, and the picture is the
    display window.

    Raises
    ------
    MediaError
        Several channels, and no set among them that the format knows.
    """
    if format == "exr":
        return frame
    if frame.data_window.union(frame.display_window) != frame.display_window:
        say_once(f".{format} holds the display window alone: the overscan is cut off; keep it in EXR")
    ordered = tuple(sorted(frame.channels, key=(*RGB, "Y", "A", *frame.channels).index))
    if format != "tif" and len(ordered) > 1:
        ordered = _chosen(frame, ordered, format)
    elif not {*RGBA, "Y"}.issuperset(ordered):
        say_once(f".{format} forgets channel names: {' '.join(ordered)} by order; keep them in EXR")
    width, height = frame.display_window.width, frame.display_window.height
    window = Box(0, 0, width, height)
    return replace(frame.only(*ordered).on(frame.display_window), data_window=window, display_window=window)


def _chosen(frame: Frame, ordered: tuple[str, ...], format: str) -> tuple[str, ...]:
    kept = next((names for names in _POSITIONS[format] if set(names) <= set(ordered)), None)
    if kept is None:
        raise MediaError(
            f"{frame.source}: frame {frame.number} has the channels {' '.join(frame.channels)}; .{format} holds "
            f"{', '.join(' '.join(names) for names in _POSITIONS[format])}: choose some with channels="
        )
    if left := [name for name in ordered if name not in kept]:
        say_once(f".{format} has no room for {' '.join(left)}: left out; keep them in EXR")
    return kept


def stored_types(frame: Frame, format: str, type: str = "") -> dict[str, str]:
    """The type each channel of `frame` is stored as in `format`: `type` where given, else its own where possible.

    Formats but EXR have one type for all channels: where their own differ, one that clips none where there is.

    Raises
    ------
    MediaError
        As `storable`.
    """
    able = storable(format, type)
    types = {}
    for name, own in frame.types.items():
        wanted = own if not type or (own == "uint32" and own in able) else type
        wide = "float" if wanted in _UNBOUNDED and "float" in able else able[0]
        types[name] = wanted if wanted in able else wide
    if format != "exr" and len(kinds := set(types.values())) > 1:
        types = dict.fromkeys(types, able[0] if kinds.isdisjoint(_UNBOUNDED) else "float")
    return types


def storable(format: str, type: str = "") -> tuple[str, ...]:
    """The types that `format` can hold, best first.

    Raises
    ------
    MediaError
        The format is not one that can be written, or cannot hold `type`.
    """
    able = _STORABLE.get(format)
    if able is None:
        raise MediaError(f"cannot write .{format}; write one of {', '.join(_STORABLE)}, or a movie")
    if type and type not in able:
        raise MediaError(f".{format} cannot hold {type}; it holds {', '.join(able)}")
    return able


def as_light(codes: NDArray[np.unsignedinteger[Any]], type: str) -> Pixels:
    """Integer `codes` of any shape as float32 0..1; 10 and 12 bits come spread over 16, as OpenImageIO gives them."""
    bits = int(type[4:])
    shift = codes.dtype.itemsize * 8 - bits
    return (codes >> shift).astype(np.float32) / np.float32((1 << bits) - 1)


def interleaved(frame: Frame, types: Mapping[str, str]) -> NDArray[Any]:
    """All channels (H, W, C) as OpenImageIO takes them: one type for all."""
    kinds = set(types.values())
    dtype: type[np.generic] = np.float32
    if kinds == {"uint32"}:
        dtype = np.uint32
    elif kinds == {"half"} and all(plane.dtype == np.float16 for plane in frame.planes.values()):
        dtype = np.float16
    pixels = np.empty((*frame.size, len(frame.planes)), dtype)
    for i, (name, plane) in enumerate(frame.planes.items()):
        pixels[..., i] = plane
        if types[name] == "half" and plane.dtype != np.float16:
            _hold_in_half(pixels[..., i], name)
    stored = next(iter(kinds))
    if stored.startswith("uint") and stored != "uint32":
        _say_what_is_clipped(frame, pixels, stored)
    return _spread_codes(pixels, int(stored[4:])) if stored in ("uint10", "uint12") else pixels


def _say_what_is_clipped(frame: Frame, pixels: Pixels, stored: str) -> None:
    rounding = 0.5 / ((1 << int(stored[4:])) - 1)
    if (pixels > 1 + rounding).any() or (pixels < -rounding).any():
        say_once(f"{frame.source}: has values outside 0..1, which {stored} cannot hold: clipped; EXR keeps them")


def _spread_codes(pixels: Pixels, bits: int) -> NDArray[np.uint16]:
    """The nearest codes, spread over 16 bits: OpenImageIO would cut the lower bits off instead of rounding."""
    largest = np.float32((1 << bits) - 1)
    codes = np.rint(np.nan_to_num(pixels, nan=0.0).clip(0, 1) * largest).astype(np.uint16)
    spread: NDArray[np.uint16] = codes << np.uint16(16 - bits) | codes >> np.uint16(2 * bits - 16)
    return spread


def _hold_in_half(plane: Plane, name: str) -> None:
    beyond = np.isfinite(plane) & (np.abs(plane) > _HALF_MAX)
    if beyond.any():
        say_once(f"channel {name} has values beyond half float (65504): stored as 65504; keep them with type float")
        plane[beyond] = np.copysign(np.float32(_HALF_MAX), plane[beyond])


@contextmanager
def written_in_memory(path: str) -> Iterator[str]:
    """Give a name for a file in memory, and copy it to `path` when the block ends without an error.

    Raises
    ------
    MediaError
        The disk is full, or `path` cannot be written.
    """
    with open(os.memfd_create("picture"), "rb") as memory:
        yield f"/proc/self/fd/{memory.fileno()}"
        try:
            with open(path, "wb") as file:
                shutil.copyfileobj(memory, file)
        except OSError as error:
            raise MediaError(f"{path}: cannot be written ({error.strerror})") from None


# Header entries that OpenImageIO reads and does not write: numbers and shape for the OpenEXR library.
_HEADER_ONLY_READ: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    "double": (np.float64, (1,)),
    "vector2d": (np.float64, (2,)),
    "vectord": (np.float64, (3,)),
    "matrix33d": (np.float64, (3, 3)),
    "matrixd": (np.float64, (4, 4)),
    "vector2i": (np.int32, (2,)),
    "vectori": (np.int32, (3,)),
    "vector2i[2]": (np.int32, (2, 2)),
}
_STORED_AS = {"half": np.float16, "float": np.float32, "uint32": np.uint32}


def complete_exr(frame: Frame, path: str, types: Mapping[str, str]) -> None:
    """Put into the file at `path` what OpenImageIO's Python writer leaves out, with the OpenEXR library.

    These are exact uint32 channels beside others, for which it takes one type, and header entries of some types.
    """
    mixed = len(set(types.values())) > 1 and "uint32" in types.values()
    entries = {n: a for n, a in frame.attributes.items() if a.type in _HEADER_ONLY_READ}
    if not (mixed or entries):
        return
    import OpenEXR

    try:
        with OpenEXR.File(path, separate_channels=True) as file:
            for name, (value, type) in entries.items():
                dtype, shape = _HEADER_ONLY_READ[type]
                array = np.array(value, dtype).reshape(shape)
                file.header()[name] = tuple(array) if type == "vector2i[2]" else array
            for name, plane in frame.planes.items():
                # Not the pixels the file gives back: a lossy compression would act twice.
                exact = np.array(plane)
                if types[name] == "half" and exact.dtype == np.float32:
                    _hold_in_half(exact, name)
                file.channels()[name].pixels = np.ascontiguousarray(exact, _STORED_AS[types[name]])
            file.write(path)
    except Exception as error:  # the binding raises bare RuntimeError, TypeError and ValueError
        raise MediaError(f"{path}: cannot be written ({str(error).splitlines()[0]})") from None
