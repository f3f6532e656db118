"""Plates for tests: small EXR sequences with everything a camera original carries; and how a render of them went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from vfxgen.errors import FrameError
from vfxgen.frame import Attribute, Box, Frame
from vfxgen.media.image import read_image, write_image
from vfxgen.render import Job, render
from vfxgen.sequence import Sequence
from vfxgen.testing import constant

HEADER = {
    "colorInteropID": Attribute("lin_rec709_scene"),
    "smpte:TimeCode": Attribute((0x01020304, 0), "timecode"),
    "FramesPerSecond": Attribute((24000, 1001), "rational"),
    "reelName": Attribute("A001C003"),
    "camera:iso": Attribute(800, "int"),
    "lens": Attribute("50mm T1.9"),
    "PixelAspectRatio": Attribute(1.0, "float"),
    "compression": Attribute("zip"),
}


def plate_frame(number: int, size: tuple[int, int] = (36, 48), type: str = "half") -> Frame:
    """A frame of a green screen with a subject, values below 0 and above 1, depth, ids and a full header."""
    height, width = size
    random = np.random.default_rng(number % 2**32)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    pixels = np.empty((height, width, 3), np.float32)
    pixels[:] = (0.08, 0.42, 0.11)
    subject = np.hypot(columns - width / 2 - number % 7, rows - height / 2) < height / 3
    pixels[subject] = (0.5, 0.35, 0.28)
    pixels += random.normal(0, 0.01, pixels.shape).astype(np.float32)
    pixels[2, 3] = (20.5, 17.0, 3.0)
    pixels[3, 3] = (-0.02, 0.4, -0.01)
    frame = Frame.from_pixels(
        pixels, "RGB", number=number, colorspace="", type=type, attributes=HEADER, source="footage",
        data_window=Box(5, -2, width, height), display_window=Box(0, 0, width + 8, height),
    )  # fmt: skip
    depth = (rows + columns)[..., None] * np.float32(1.37)
    ids = random.integers(0, 2**32, size, dtype=np.uint32)
    frame = frame.with_pixels(["depth.Z"], depth, type="float")
    return replace(frame, planes={**frame.planes, "id": ids}, types={**frame.types, "id": "uint32"})


def write_plate(folder: Path, numbers: range | list[int], *, name: str = "plate", type: str = "half") -> str:
    """Write `plate_frame` of every number; returns the pattern."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        write_image(plate_frame(number, type=type), str(folder / f"{name}.{number:04d}.exr"), format="exr")
    return str(folder / f"{name}.####.exr")


def write_mask(folder: Path, size: tuple[int, int] = (36, 48)) -> str:
    """A still matte: 0 on the left, 1 on the right, soft between; on the plate's data window."""
    ramp = np.clip((np.arange(size[1], dtype=np.float32) - 20) / 8, 0, 1)
    matte = np.repeat(np.broadcast_to(ramp, size)[..., None], 1, axis=-1)
    frame = Frame.from_pixels(
        np.ascontiguousarray(matte), ["A"], colorspace="", data_window=Box(5, -2, *size[::-1]),
        display_window=Box(0, 0, size[1] + 8, size[0]),
    )  # fmt: skip
    path = str(folder / "mask.exr")
    write_image(frame, path, format="exr")
    return path


class Placed(Sequence):
    """One frame as it is, for every number: for windows and headers that `vfxgen.testing.Pictures` does not have."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.only = frame

    def frame(self, number: int) -> Frame:
        return replace(self.only, number=number)

    def make_key(self, number: int) -> str:
        return "placed"


def bits(path: str | Path) -> dict[str, bytes]:
    """Every channel of a file, as the bytes of its pixels."""
    frame = read_image(str(path), 1)
    return {name: np.ascontiguousarray(plane).tobytes() for name, plane in frame.planes.items()}


def leftovers(folder: Path) -> list[str]:
    """Temporary files that should not be there."""
    return [path.name for path in folder.rglob(".*.tmp")]


def statuses(jobs: list[Job], frames: Iterable[int], **options: object) -> list[str]:
    return [event.status for event in render(jobs, list(frames), **options)]  # type: ignore[arg-type]


class Failing(Sequence):
    """Frame 3 cannot be made."""

    def frame(self, number: int) -> Frame:
        if number == 3:
            raise FrameError("failing: frame 3: broken on purpose")
        return constant([0.1, 0.2, 0.3])[1]

    def make_key(self, number: int) -> str:
        return f"failing {number}"
