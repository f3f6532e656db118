"""The frames of a sample shot: their numbers, and what a camera notes of them."""

import argparse

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
