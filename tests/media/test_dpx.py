"""DPX of 10 bits: every code of every row, whatever the width, the packing and the byte order."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from vfxgen.errors import MediaError
from vfxgen.frame import Frame
from vfxgen.media import component_video, image

DESCRIPTORS = {"Y": 6, "RGB": 50, "RGBA": 51, "ABGR": 52}
_BEGIN = 2048


def packed(path: Path, codes: np.ndarray, channels: str, method: str, order: str, padding: int = 0) -> str:
    """A file of `codes` (H, W, C), three to a word, as SMPTE ST 268 has it; a single channel from the low end."""
    height, width, _ = codes.shape
    header = bytearray(b"\xff" * _BEGIN)
    header[:4] = b"SDPX" if order == ">" else b"XPDS"
    header[8:16] = b"V2.0\0\0\0\0"
    struct.pack_into(f"{order}I", header, 4, _BEGIN)
    struct.pack_into(f"{order}HHII", header, 768, 0, 1, width, height)
    packing = {"A": 1, "B": 2}[method]
    element = (0, 0, 0.0, 1023, 1.0, DESCRIPTORS[channels], 1, 1, 10, packing, 0, _BEGIN, padding, 0)
    struct.pack_into(f"{order}IIfIfBBBBHHIII", header, 780, *element)
    rows = np.pad(codes.reshape(height, -1).astype(np.uint32), ((0, 0), (0, -codes[0].size % 3)))
    thirds = rows.reshape(height, -1, 3)[..., :: -1 if channels == "Y" else 1]
    words = (thirds << (np.array([20, 10, 0], np.uint32) + (2 if method == "A" else 0))).sum(axis=-1)
    with open(path, "wb") as file:
        file.write(header)
        for row in words:
            file.write(row.astype(f"{order}u4").tobytes() + b"\xa5" * padding)
    return str(path)


def codes_of(frame: Frame, channels: str) -> np.ndarray:
    return np.rint(frame.pixels(*channels) * 1023).astype(np.int64)


@pytest.mark.parametrize("width", [1, 12, 13, 14, 64])
@pytest.mark.parametrize("channels", list(DESCRIPTORS))
@pytest.mark.parametrize("method", ["A", "B"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_code_is_read(tmp_path: Path, width: int, channels: str, method: str, order: str) -> None:
    codes = np.random.default_rng(width).integers(0, 1024, (5, width, len(channels)))
    frame = image.read_image(packed(tmp_path / "a.dpx", codes, channels, method, order), 1)
    assert np.array_equal(codes_of(frame, channels), codes)


def test_rows_may_be_padded(tmp_path: Path) -> None:
    codes = np.random.default_rng(1).integers(0, 1024, (5, 13, 4))
    frame = image.read_image(packed(tmp_path / "a.dpx", codes, "RGBA", "A", ">", padding=8), 1)
    assert np.array_equal(codes_of(frame, "RGBA"), codes)


@pytest.mark.parametrize("width", [13, 64])
def test_what_is_written_comes_back_and_is_what_another_reader_sees(tmp_path: Path, width: int) -> None:
    codes = np.random.default_rng(1).integers(0, 1024, (7, width, 4))
    frame = Frame.from_pixels((codes / 1023).astype(np.float32), "RGBA", colorspace="", type="uint10")
    image.write_image(frame, str(tmp_path / "a.dpx"), format="dpx")
    assert np.array_equal(codes_of(image.read_image(str(tmp_path / "a.dpx"), 1), "RGBA"), codes)
    with av.open(str(tmp_path / "a.dpx"), format="dpx_pipe") as container:
        seen, channels = component_video.decode(next(container.decode(video=0)))
    assert channels == ("R", "G", "B", "A") and np.array_equal(np.rint(seen * 1023), codes)


def test_a_file_that_lacks_the_end_of_its_last_row_is_refused(tmp_path: Path) -> None:
    codes = np.random.default_rng(1).integers(0, 1024, (5, 13, 4))
    path = packed(tmp_path / "a.dpx", codes, "RGBA", "A", ">")
    Path(path).write_bytes(Path(path).read_bytes()[:-4])
    with pytest.raises(MediaError, match=r"a\.dpx: the pixels are damaged or cut off"):
        image.read_image(path, 1)
