"""Green-screen plates of any size and number for speed measurements: soft edges, grain, uneven light."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from vfxgen.frame import RGB, Attribute, Frame
from vfxgen.media.image import write_image


def write_plates(folder: str, count: int, width: int, height: int, distinct: int = 8) -> str:
    """Write `count` plates, of which `distinct` differ and the rest are links to them; returns the pattern."""
    pattern = Path(folder, "plate.####.exr")
    for number in range(1, count + 1):
        path = str(pattern).replace("####", f"{number:04d}")
        if number > distinct:
            os.link(str(pattern).replace("####", f"{(number - 1) % distinct + 1:04d}"), path)
        else:
            write_image(_plate(number, width, height), path, format="exr", compression="zip")
    return str(pattern)


def _plate(number: int, width: int, height: int) -> Frame:
    random = np.random.default_rng(number)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    light = (1 - 0.3 * np.hypot(columns / width - 0.5, rows / height - 0.4))[..., None]
    screen = np.array([0.07, 0.38, 0.10], np.float32) * light
    subject = np.hypot(columns - width * (0.45 + 0.01 * number), rows - height * 0.6) < height * 0.3
    alpha = cv2.GaussianBlur(subject.astype(np.float32), (0, 0), height / 200)[..., None]
    pixels = alpha * np.array([0.45, 0.3, 0.22], np.float32) + (1 - alpha) * screen
    pixels += random.normal(0, 0.004, pixels.shape).astype(np.float32)
    attributes = {"colorInteropID": Attribute("lin_ap1_scene")}
    return Frame.from_pixels(pixels.astype(np.float16), RGB, colorspace="", type="half", attributes=attributes)
