"""Grain of a plate, from a frame and its neighbour: what a neighbour does not show is no grain."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vfxgen.frame import Box, Frame
from vfxgen.temporal.plate_grain import plate_grain
from vfxgen.temporal.registration import HIDDEN

SIZE, DEVIATION = 128, 0.02


def noisy(number: int, width: int) -> Frame:
    """A detailed picture with grain of its own, of which `width` columns and rows are there."""
    detail = np.random.default_rng(0).random((SIZE // 4, SIZE // 4, 3), np.float32)
    light = 0.3 + 0.2 * cv2.GaussianBlur(cv2.resize(detail, (SIZE, SIZE)), (0, 0), 3)
    light = light + np.random.default_rng(number).normal(0, DEVIATION, light.shape)
    pixels = np.concatenate([light, np.zeros((SIZE, SIZE, 1))], -1).astype(np.float32)
    whole = Frame.from_pixels(pixels, ("R", "G", "B", HIDDEN), colorspace="ACEScg", number=number)
    return whole.on(Box(0, 0, width, width))


@pytest.mark.parametrize("width", [128, 110, 64])
def test_beyond_a_neighbours_data_window_nothing_is_measured(width: int) -> None:
    frame = noisy(1, SIZE)
    model = plate_grain(frame, noisy(2, width))
    assert model is not None
    assert model.deviation(frame.rgb).mean() == pytest.approx(DEVIATION, rel=0.1)
