"""What the header of an EXR file says, as far as it decides whether Blender and vfxgen read the same pixels."""

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

_MAGIC = 0x01312F76
_PLAIN_VERSIONS = (2, 2 | 0x400)
"""One part of scan lines; with long names, or without."""
_LOSSLESS = (0, 1, 2, 3, 4)
"""None, RLE, ZIPS, ZIP, PIZ: every library decodes them to the same bits."""
_PIXEL_TYPES = (1, 2)
"""Half, float."""
_CHANNEL = struct.Struct("<iB3xii")


class Header(NamedTuple):
    """Of a file of one part: its channels, the window of its pixels, and the one it is shown in."""

    channels: tuple[str, ...]
    window: tuple[int, int, int, int]
    display: tuple[int, int, int, int]


def read(file: Path) -> Header | None:
    """The header of a plain EXR file: one part, whole pixels of half or float, no loss; None of any other."""
    try:
        with file.open("rb") as stream:
            if struct.unpack("<II", stream.read(8)) not in [(_MAGIC, version) for version in _PLAIN_VERSIONS]:
                return None
            found = _attributes(stream)
        channels = _channels(found["channels"])
        window, display = (struct.unpack("<4i", found[name]) for name in ("dataWindow", "displayWindow"))
        return Header(channels, window, display) if channels and found["compression"][0] in _LOSSLESS else None
    except (OSError, KeyError, IndexError, ValueError, struct.error):
        return None


def _attributes(stream: BinaryIO) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    while name := _word(stream):
        _word(stream)
        (size,) = struct.unpack("<I", stream.read(4))
        found[name] = stream.read(size)
    return found


def _word(stream: BinaryIO) -> str:
    letters = bytearray()
    while (letter := stream.read(1)) != b"\0":
        if not letter or len(letters) > 255:
            raise ValueError("a name without an end")
        letters += letter
    return letters.decode()


def _channels(data: bytes) -> tuple[str, ...]:
    """Names; none where one is of another type, or has not a value a pixel."""
    names = []
    while data[0]:
        name, _, data = data.partition(b"\0")
        kind, _, across, down = _CHANNEL.unpack_from(data)
        if kind not in _PIXEL_TYPES or (across, down) != (1, 1):
            return ()
        names.append(name.decode())
        data = data[_CHANNEL.size :]
    return tuple(names)
