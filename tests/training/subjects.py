"""Subjects and photographs for tests: files as the renderer and a camera leave them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio

CHANNELS = ("R", "G", "B", "A", "bounce.R", "bounce.G", "bounce.B")
SIZE = 48


def write_subject(path: Path, seed: int, size: int = SIZE, channels: tuple[str, ...] = CHANNELS) -> None:
    """A disc with a soft rim, in one colour; white surroundings add a tenth of it at the rim."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - size / 2
    alpha = np.clip((size / 3 - np.hypot(x, y)) / 4 + 0.5, 0, 1)[..., None]
    color = np.broadcast_to(random.uniform(0.1, 0.9, 3), (size, size, 3))
    pixels = np.concatenate([color, alpha, 0.1 * color * (1 - alpha)], -1)[..., : len(channels)]
    spec = oiio.ImageSpec(size, size, len(channels), oiio.HALF)
    spec.channelnames = channels
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = oiio.ImageBuf(spec)
    assert buffer.set_pixels(spec.roi, np.ascontiguousarray(pixels, np.float32)) and buffer.write(str(path))


def write_data(folder: Path) -> Path:
    """Three subjects, one held out, two photographs; returns `folder`."""
    for n, name in enumerate(("subjects/a", "subjects/b", "held_out/c")):
        write_subject(folder / f"{name}.exr", n)
    (folder / "photos").mkdir(exist_ok=True)
    for n in range(2):
        noise = np.random.default_rng(n).integers(0, 255, (8, 10, 3), np.uint8)
        photo = cv2.resize(noise, (80, 64), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"photos/{n}.png"), photo)
    return folder


def files(folder: Path) -> list[Path]:
    """What may be learned from."""
    return sorted([*(folder / "subjects").glob("*.exr"), *(folder / "photos").glob("*.png")])
