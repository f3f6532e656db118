"""The frames of a sample shot: their numbers, and what a camera notes of them."""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shots.stage.film import timecode

FIRST, LAST = 1001, 1024
RATE = 24
"""Frames a second."""
SHUTTER = 0.5
"""Of a frame: 180 degrees."""
SIZE = (960, 540)


def frame_list(text: str) -> list[int]:
    """`1001,1012,1002-1005` as numbers, in the order given, each once."""
    frames: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        frames += range(int(first), int(last or first) + 1)
    outside = [f for f in frames if not FIRST <= f <= LAST]
    if outside:
        raise argparse.ArgumentTypeError(f"the shot runs from {FIRST} to {LAST}; {outside[0]} is outside")
    return list(dict.fromkeys(frames))


def attributes(frame: int, lens: float, fstop: float, focus: float) -> dict[str, object]:
    """The header of a frame; lens in millimetres, focus in metres."""
    return {
        "FramesPerSecond": (RATE, 1),
        "smpte:TimeCode": timecode(frame - FIRST, RATE),
        "nominalFocalLength": lens,
        "aperture": fstop,
        "focus": focus,
        "shutterAngle": 360 * SHUTTER,
    }


def command_line(description: str | None, shot: Path) -> argparse.ArgumentParser:
    """The options that every shot is made with; `shot` is its folder."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=frame_list, default=[], help="such as 1001,1012,1002-1005")
    parser.add_argument("--out", type=Path, default=shot, help="default: beside the script")
    parser.add_argument("--passes", type=Path, help="keep rendered passes here, and reuse them")
    parser.add_argument("--threads", type=int, default=2)
    return parser


@contextmanager
def passes_folder(kept: Path | None) -> Iterator[Path]:
    """Where rendered passes go: `kept`, or a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = kept or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
