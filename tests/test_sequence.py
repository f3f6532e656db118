"""A sequence: each frame made once, whoever asks, and what it rests on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import vfxgen
from vfxgen.errors import FrameError, MissingFrameError, RequestError
from vfxgen.frame import Frame
from vfxgen.sequence import Sequence, every_sequence, leaves
from vfxgen.testing import Pictures, constant

WAIT = 20.0


class Counted(Sequence):
    """Grey frames that note when they are made, and may be held up or fail."""

    def __init__(self, before: Callable[[int], None] = lambda number: None) -> None:
        super().__init__()
        self.made: list[int] = []
        self.keys_made = self.ranges_asked = self.forgotten = 0
        self.before = before

    @property
    def range(self) -> list[int]:
        self.ranges_asked += 1
        return [1, 2, 4]

    def forget(self) -> None:
        super().forget()
        self.forgotten += 1

    def frame(self, number: int) -> Frame:
        self.made.append(number)
        self.before(number)
        return Frame.from_pixels(np.full((2, 2, 3), number, np.float32), "RGB", number=number, colorspace="ACEScg")

    def make_key(self, number: int) -> str:
        self.keys_made += 1
        return str(number)


def test_a_frame_is_made_once_and_kept_for_whoever_asks_next() -> None:
    sequence = Counted()
    assert sequence[7] is sequence[7]
    assert sequence.made == [7]


@pytest.mark.parametrize("number", ["1001", 1001.0, slice(1, 3), None])
def test_what_is_no_frame_number_is_refused_in_words(number: Any) -> None:
    for sequence in (Counted(), vfxgen.Grade(Counted()), vfxgen.read("none.####.exr")):
        with pytest.raises(RequestError, match=r"is no frame number: ask for frames one by one, by whole numbers"):
            sequence[number]


def test_numbers_of_numpy_are_frame_numbers(tmp_path: Path) -> None:
    grain = vfxgen.Grain(Pictures({1: np.full((8, 8, 3), 0.2, np.float32)}))
    assert type(grain[np.int64(1)].number) is int
    assert len(vfxgen.write(grain, tmp_path / "o.####.exr", np.arange(1, 2))) == 1  # type: ignore[arg-type]
    for frames in (["1"], [1.0], 1):
        with pytest.raises(RequestError, match=r"is no frame number|numbers in a list"):
            vfxgen.write(grain, tmp_path / "o.####.exr", frames)  # type: ignore[arg-type]


def test_it_gives_its_frames_one_after_the_other_and_a_still_says_that_it_has_them_all() -> None:
    assert [frame.number for frame in Counted()] == [1, 2, 4]
    with pytest.raises(RequestError, match="a still has every frame"):
        next(iter(constant([0.1, 0.2, 0.3])))


def test_only_so_many_frames_are_kept_the_oldest_goes_first() -> None:
    sequence = Counted()
    sequence.keep = 2
    for number in (1, 2, 1, 3, 1, 2):
        assert sequence[number].number == number
    assert sequence.made == [1, 2, 3, 2]


def test_a_frame_is_the_same_whatever_was_asked_for_before() -> None:
    forwards, backwards = Counted(), Counted()
    first = [forwards[n].rgb.tobytes() for n in range(5)]
    second = [backwards[n].rgb.tobytes() for n in reversed(range(5))]
    assert first == second[::-1]


def test_threads_that_ask_for_the_same_frame_make_it_once() -> None:
    everyone_asked, asking = threading.Event(), threading.Barrier(8)

    def slowly(number: int) -> None:
        assert everyone_asked.wait(WAIT)

    sequence = Counted(slowly)

    def ask() -> Frame:
        asking.wait(WAIT)
        return sequence[1]

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask) for _ in range(8)]
        everyone_asked.set()
        frames = {id(future.result(WAIT)) for future in asked}
    assert sequence.made == [1]
    assert len(frames) == 1


def test_a_frame_being_made_is_not_made_again_when_others_push_it_out() -> None:
    go_on, begun = threading.Event(), threading.Event()

    def hold_the_first(number: int) -> None:
        if number == 1:
            begun.set()
            assert go_on.wait(WAIT)

    sequence = Counted(hold_the_first)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(sequence.__getitem__, 1)
        assert begun.wait(WAIT)
        for number in range(2, 8):
            assert sequence[number].number == number
        again = pool.submit(sequence.__getitem__, 1)
        go_on.set()
        assert first.result(WAIT) is again.result(WAIT)
    assert sequence.made.count(1) == 1


def test_all_who_wait_get_the_exception_and_the_next_try_may_succeed() -> None:
    everyone_waits, asking = threading.Event(), threading.Barrier(4)
    broken = [True]

    def fail(number: int) -> None:
        assert everyone_waits.wait(WAIT)
        if broken[0]:
            raise FrameError("the disk is full")

    sequence = Counted(fail)

    def ask() -> str:
        asking.wait(WAIT)
        try:
            return str(sequence[1].number)
        except FrameError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask) for _ in range(4)]
        everyone_waits.set()
        assert {future.result(WAIT) for future in asked} == {"the disk is full"}
    broken[0] = False
    assert sequence[1].number == 1


def test_reset_forgets_frames_and_keys_here_and_in_the_inputs() -> None:
    source = Counted()
    graded = vfxgen.Grade(source, slope=2)
    first = graded[1], graded.key(1)
    graded.reset()
    assert graded[1] is not first[0]
    assert graded.key(1) == first[1]
    assert source.made == [1, 1]
    assert source.keys_made == 2


def test_a_key_is_made_once() -> None:
    sequence = Counted()
    assert sequence.key(5) == sequence.key(5) == "5"
    assert sequence.keys_made == 1


def test_a_sequence_needs_the_same_frame_of_each_input() -> None:
    merged = vfxgen.Merge(Counted(), Counted())
    assert merged.needs(7) == {"plate": (7,), "foreground": (7,)}


def test_leaves_are_the_frames_without_inputs_each_once_in_the_order_of_use() -> None:
    plate, element, matte = Counted(), Counted(), Counted()
    graded = vfxgen.Grade(plate, matte, slope=2)
    comp = vfxgen.Merge(graded, vfxgen.Merge(plate, element))
    assert leaves(comp, 7) == [(plate, 7), (matte, 7), (element, 7)]
    assert leaves(plate, 7) == [(plate, 7)]
    assert every_sequence(comp)[-1] is comp
    assert len(every_sequence(comp)) == 6


def test_a_long_chain_that_uses_its_plate_twice_a_link_is_walked_in_no_time() -> None:
    plate = Counted()
    comp: Sequence = plate
    for _ in range(60):
        comp = vfxgen.Merge(comp, comp, mix=0)
    assert leaves(comp, 1) == [(plate, 1)]
    assert comp[1].number == 1
    assert plate.made == [1]
    assert len(comp.key(1)) == 64


def test_a_long_chain_is_asked_for_its_range_and_forgets_once() -> None:
    plate = Counted()
    comp: Sequence = plate
    for _ in range(14):
        comp = vfxgen.Merge(comp, comp, mix=0)
    assert comp.range == comp.present == [1, 2, 4]
    comp.reset()
    assert (plate.ranges_asked, plate.forgotten) == (2, 1)


def test_a_graph_of_stills_says_in_no_time_that_it_is_one_until_it_is_none() -> None:
    still = Pictures(np.zeros((2, 2, 3), np.float32))
    comp, other = vfxgen.Grade(still), vfxgen.Grade(still)
    for _ in range(60):
        comp, other = vfxgen.Merge(comp, other, mix=0), vfxgen.Merge(other, comp, mix=0)
    assert comp.range is comp.present is None
    still.pictures = {7: np.zeros((2, 2, 3), np.float32)}
    comp.reset()
    assert comp.range == comp.present == [7]


@pytest.mark.parametrize(
    ("made_of", "marked"),
    [
        (lambda plate, marks: vfxgen.Cleanplate(plate, marks, reach=2, method="smooth"), (1, 2, 3)),
        (lambda plate, marks: vfxgen.Matte(plate, keyframes=marks), (1, 3)),
        (lambda plate, marks: vfxgen.Upscale(plate, method="lanczos", temporal=1.0), ()),
    ],
    ids=["cleanplate", "matte", "upscale"],
)
def test_reset_forgets_what_was_made_of_the_frames_around(
    made_of: Callable[[Sequence, Sequence], Sequence], marked: tuple[int, ...]
) -> None:
    coarse = np.random.default_rng(0).random((12, 18, 3), np.float32)
    texture = cv2.resize(coarse, (96, 64), interpolation=cv2.INTER_CUBIC)
    pictures = {number: np.roll(texture, number, axis=1) for number in (1, 2, 3)}
    mark = np.zeros((64, 96, 1), np.float32)
    mark[12:44, 20:60] = 1
    marks = Pictures(dict.fromkeys(marked, mark), "A")
    made = made_of(Pictures(pictures), marks)
    before = made[2].pixels(*"RGB")
    for number in (1, 3):
        pictures[number] = pictures[number] * np.float32(0.9)
    marks.pictures = dict.fromkeys(marked, np.roll(mark, 6, axis=0))
    made.reset()
    after = made[2].pixels(*"RGB")
    assert not np.array_equal(after, before)
    np.testing.assert_array_equal(after, made_of(Pictures(pictures), marks)[2].pixels(*"RGB"))


def test_pictures_in_memory_are_a_sequence() -> None:
    still, moving = (
        constant([1, 2, 3]),
        Pictures({3: np.ones((2, 2, 3), np.float32), 1: np.zeros((2, 2, 3), np.float32)}),
    )
    assert still.range is None
    assert still[1].rgb.tobytes() == still[99].rgb.tobytes()
    assert moving.range == [1, 3]
    with pytest.raises(MissingFrameError, match=r"frame 2 does not exist in memory; there are \[1, 3\]"):
        moving[2]
