"""DPX rows that end within a word of three 10-bit codes: OpenImageIO leaves that word unread."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from vfxgen.errors import MediaError

# SMPTE ST 268: where the headers of image elements begin, how long one is, where in it the place of its data stands.
_ELEMENTS, _ELEMENT_BYTES, _DATA_OFFSET = 780, 72, 28


def mend_row_ends(codes: NDArray[Any], path: str, element: int, spec: oiio.ImageSpec) -> None:
    """Put into `codes` (H, W, C), 10 bits spread over 16, what the last word of each row holds.

    OpenImageIO 3.2 reads a word too few where that word holds one code, and gives what lay in memory: A of the last
    column of a picture of R G B A that is 64, 1024 or 4096 wide. Of one channel it misplaces two codes as well.

    Raises
    ------
    MediaError
        The file is cut off.
    """
    height, width, channels = codes.shape
    words, rest = divmod(width * channels, 3)
    packing = spec.get_string_attribute("dpx:Packing")
    if not rest or not packing.startswith("Filled"):
        return
    contents = np.memmap(path, mode="r")
    order = ">" if contents[:4].tobytes() == b"SDPX" else "<"
    place = _ELEMENTS + element * _ELEMENT_BYTES + _DATA_OFFSET
    begin, padding = struct.unpack(f"{order}II", contents[place : place + 8].tobytes())
    row_bytes = 4 * words + 4 + (padding if padding != 0xFFFFFFFF else 0)
    try:
        last = np.ndarray(height, f"{order}u4", contents, begin + 4 * words, row_bytes)
    except (TypeError, ValueError):
        raise MediaError(f"{path}: the pixels are damaged or cut off (the last row is not whole)") from None
    lowest = 2 if packing.endswith("A") else 0
    for i in range(rest):
        # One channel fills a word from its low end, several from its high end.
        code = last >> np.uint32(lowest + 10 * (i if channels == 1 else 2 - i)) & np.uint32(1023)
        column, channel = divmod(width * channels - rest + i, channels)
        if spec.get_string_attribute("dpx:ImageDescriptor") == "ABGR":
            channel = channels - 1 - channel
        codes[:, column, channel] = code << np.uint32(6)
