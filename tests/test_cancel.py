"""Cancelling reaches between frames, between operators, between tiles and into threads that read ahead."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from footage import leftovers

import vfxgen
from vfxgen.cancel import Cancelled, cancellable, stop_if_cancelled
from vfxgen.color import working_space
from vfxgen.frame import Frame
from vfxgen.output import Output
from vfxgen.render import Job, render
from vfxgen.sequence import Sequence
from vfxgen.testing import constant


class Cancelling(Sequence):
    """Frames of one colour; making, or keying, the frame `at` asks for the work to be cancelled."""

    def __init__(self, asked: threading.Event, at: int, *, while_keying: bool = False) -> None:
        super().__init__()
        self.asked, self.at, self.while_keying = asked, at, while_keying
        self.made: list[int] = []

    def frame(self, number: int) -> Frame:
        self.made.append(number)
        if number == self.at and not self.while_keying:
            self.asked.set()
        grey = np.full((4, 6, 3), 0.18, np.float32)
        return Frame.from_pixels(grey, "RGB", number=number, colorspace=working_space(), source="cancelling")

    def make_key(self, number: int) -> str:
        if number == self.at and self.while_keying:
            self.asked.set()
        return f"cancelling {number}"


def test_without_a_request_to_cancel_nothing_stops() -> None:
    stop_if_cancelled()
    with cancellable(threading.Event()):
        stop_if_cancelled()


@pytest.mark.parametrize("while_keying", [False, True])
def test_a_render_stops_and_leaves_whole_frames_alone(tmp_path: Path, while_keying: bool) -> None:
    asked = threading.Event()
    graded = vfxgen.Grade(Cancelling(asked, 6, while_keying=while_keying), slope=2.0)
    done = list[int]()
    with cancellable(asked), pytest.raises(Cancelled):
        events = render([Job(graded, Output(path=str(tmp_path / "f.####.exr")))], range(1, 30))
        done.extend(event.frame for event in events)
    assert done == list(range(1, len(done) + 1)) and len(done) < 7
    assert leftovers(tmp_path) == []
    frames = sorted(tmp_path.glob("*.exr"))
    assert len(frames) < 8
    for path in frames:
        assert vfxgen.read(str(path))[1].rgb[0, 0, 0] == np.float32(0.36)


def test_it_stops_between_operators() -> None:
    asked = threading.Event()
    plate = Cancelling(asked, 1)
    merged = vfxgen.Merge(plate, constant([1.0, 1.0, 1.0, 0.5]))
    with cancellable(asked), pytest.raises(Cancelled):
        merged[1]
    assert plate.made == [1]
    merged[1]


def test_it_stops_between_tiles() -> None:
    import torch

    from vfxgen.backends.tile_plan import Plan
    from vfxgen.backends.tiles import walk

    asked, tiles = threading.Event(), list[int]()

    def net(tile: torch.Tensor) -> torch.Tensor:
        tiles.append(1)
        asked.set()
        return tile

    with cancellable(asked), pytest.raises(Cancelled):
        walk(net, [torch.zeros(1, 3, 64, 64)], Plan(tile=16, overlap=2))
    assert len(tiles) == 1


def test_a_movie_that_is_cancelled_is_not_there(tmp_path: Path) -> None:
    asked = threading.Event()
    with cancellable(asked), pytest.raises(Cancelled):
        list(render([Job(Cancelling(asked, 3), Output(path=str(tmp_path / "f.mov")))], range(1, 9)))
    assert list(tmp_path.iterdir()) == []
