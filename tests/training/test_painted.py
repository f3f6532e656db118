"""Painted frames beside their plate: what is not painted is not learned."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch

from vfxgen.errors import RequestError
from vfxgen.frame import Box, Frame, Pixels
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures
from vfxgen.training.painted import read_painted

FORMAT, OVERSCAN = Box(0, 0, 64, 48), Box(-8, -8, 80, 64)


class Windowed(Sequence):
    """Pictures on windows of their own."""

    def __init__(
        self, pictures: Mapping[int, Pixels], channels: str, data_window: Box, display_window: Box = FORMAT
    ) -> None:
        super().__init__()
        self.pictures, self.channels = pictures, channels
        self.data_window, self.display_window = data_window, display_window

    @property
    def range(self) -> list[int]:
        return sorted(self.pictures)

    def frame(self, number: int) -> Frame:
        return Frame.from_pixels(
            self.pictures[number], self.channels, number=number, colorspace="ACEScg",
            data_window=self.data_window, display_window=self.display_window, source="memory",
        )  # fmt: skip

    def make_key(self, number: int) -> str:
        return "windowed"


def pictures(window: Box) -> dict[int, Pixels]:
    return {n: np.random.default_rng(n).random((window.height, window.width, 3), np.float32) for n in (1, 2)}


def test_overscan_that_is_not_painted_is_not_learned_as_black() -> None:
    plate = pictures(OVERSCAN)
    painted = {n: picture[8:-8, 8:-8].copy() for n, picture in plate.items()}
    for picture in painted.values():
        picture[10:20, 10:20] *= 0.5
    read = read_painted("retouch", Windowed(plate, "RGB", OVERSCAN), Windowed(painted, "RGB", FORMAT))
    for before, after in zip(read.plates, read.targets, strict=True):
        assert before.shape == after.shape == (3, 48, 64)
        changed = (before != after).any(0)
        assert int(changed.sum()) == 100 and bool(changed[10:20, 10:20].all())


def test_overscan_that_is_painted_is_learned() -> None:
    plate = pictures(OVERSCAN)
    painted = {n: picture * 0.5 for n, picture in plate.items()}
    read = read_painted("retouch", Windowed(plate, "RGB", OVERSCAN), Windowed(painted, "RGB", OVERSCAN))
    assert [tuple(target.shape) for target in read.targets] == [(3, 64, 80)] * 2
    assert torch.equal(read.targets[0], read.plates[0] * 0.5)


def test_a_matte_cropped_to_its_subject_is_0_in_the_rest_of_the_format() -> None:
    subject = Box(20, 10, 16, 16)
    alpha = {n: np.ones((16, 16, 1), np.float32) for n in (1, 2)}
    read = read_painted("matte", Windowed(pictures(OVERSCAN), "RGB", OVERSCAN), Windowed(alpha, "A", subject))
    assert [tuple(target.shape) for target in read.targets] == [(1, 48, 64)] * 2
    assert float(read.targets[0].sum()) == 256


def test_a_target_of_the_plates_size_in_another_place_is_refused() -> None:
    # As a painting program without windows writes it: from 0, 0.
    plate, moved = pictures(FORMAT), Box(8, 4, 64, 48)
    painted = {n: picture * 0.5 for n, picture in plate.items()}
    with pytest.raises(RequestError, match=r"target's display window is 64x48\+0\+0, the plate's 64x48\+8\+4"):
        read_painted("retouch", Windowed(plate, "RGB", moved, moved), Windowed(painted, "RGB", FORMAT))


@pytest.mark.parametrize("task", ["key", "matte"])
def test_an_alpha_of_1_everywhere_teaches_no_key_whatever_its_colour(task: str) -> None:
    plate = pictures(FORMAT)
    opaque = {n: np.concatenate([picture, np.ones((48, 64, 1), np.float32)], axis=-1) for n, picture in plate.items()}
    with pytest.raises(RequestError, match="A of the target is 1 in every pixel of every frame"):
        read_painted(task, Pictures(plate), Pictures(opaque, "RGBA"))
