"""Pictures that go through Blender and the command line, and whether they are the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from sample_shots import pixels

from vfxgen.frame import Frame, Pixels
from vfxgen.media.image import write_image

LINEAR = ("--colorspace", "lin_rec709_scene", "--working-space", "lin_rec709_scene")
MADE = range(1001, 1005)


def plate(number: int, random: np.random.Generator) -> Pixels:
    picture = np.full((36, 48, 3), (0.08, 0.42, 0.11), np.float32)
    picture += random.normal(0, 0.01, picture.shape).astype(np.float32)
    picture[8:28, 10 + number % 7 : 30 + number % 7] = (0.5, 0.35, 0.28)
    picture[2, 3], picture[3, 3] = (20.5, 17.0, 3.0), (-0.02, 0.4, -0.01)
    return picture


def write(path: Path, picture: Pixels, channels: str) -> None:
    path.parent.mkdir(exist_ok=True)
    frame = Frame.from_pixels(np.ascontiguousarray(picture), channels, colorspace="", type="float")
    write_image(frame, str(path), format="exr")


def command_line(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "vfxgen", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def frames(folder: Path) -> list[Pixels]:
    found = sorted(folder.glob("*.exr"))
    assert found, folder
    return [pixels(file) for file in found]


def same(some: list[Pixels], others: list[Pixels]) -> bool:
    """Whether frames have the same bits in the channels that both have."""
    assert len(some) == len(others)
    count = min(some[0].shape[2], others[0].shape[2])
    return all(np.array_equal(a[..., :count], b[..., :count]) for a, b in zip(some, others, strict=True))
