"""Read the frames of the sample shots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from vfxgen.frame import Pixels

SHOTS = Path(__file__).resolve().parents[1] / "shots"
FRAMES = range(1001, 1025)


def rendered(name: str) -> Path:
    """The folder of a sample shot; tests are skipped where nothing of it has been rendered."""
    if not (SHOTS / name / "plate").is_dir():
        pytest.skip(f"shots/{name} is not rendered: python -m shots.{name}.make does that")
    return SHOTS / name


def pixels(path: Path, *channels: str) -> Pixels:
    """The named channels of a frame, or all of them, (H, W, C)."""
    image = oiio.ImageBuf(str(path))
    stored = list(image.spec().channelnames)
    every = np.asarray(image.get_pixels(oiio.FLOAT), np.float32)
    return every[..., [stored.index(name) for name in channels]] if channels else every


def seed(path: Path) -> int:
    """The seed of a frame's grain, as its header tells it."""
    from shots.stage.film import GRAIN_SEED

    return oiio.ImageBuf(str(path)).spec().get_int_attribute(GRAIN_SEED)


def megabytes(folder: Path) -> float:
    """What the frames below a folder take on disk."""
    return sum(file.stat().st_size for file in folder.rglob("*.exr")) / 1e6
