"""Carried: painted mattes follow the motion from frame to frame, with the same bits however they are asked for."""

from __future__ import annotations

import collections
import random
from functools import cache

import numpy as np
import pytest
from moving_scenes import texture

from vfxgen.errors import RequestError
from vfxgen.frame import Frame, Pixels
from vfxgen.temporal.carried import Carried, painted_frames
from vfxgen.temporal.motion import Motion
from vfxgen.testing import Pictures, constant

SIZE = (96, 128)
FRAMES = tuple(range(1, 10))


def square(number: int, step: int = 3) -> Pixels:
    """The matte of something that moves to the right."""
    matte = np.zeros((*SIZE, 1), np.float32)
    matte[30:66, 20 + step * number : 56 + step * number] = 1
    return matte


@cache
def shot(count: int = 9) -> dict[int, Pixels]:
    """A textured square before a texture that stands still."""
    behind, before = texture(SIZE, 1), texture(SIZE, 2) * np.float32(1.5)
    made = {}
    for number in range(1, count + 1):
        matte = square(number)
        moved = np.roll(before, 3 * number, axis=1)
        made[number] = np.where(matte > 0, moved, behind)
    return made


def carried(side: str, keys: tuple[int, ...] = (1, 9), frames: dict[int, Pixels] | None = None) -> Carried:
    plate = Pictures(frames or shot())
    return Carried(plate, Pictures({n: square(n) for n in keys}, "A"), Motion(plate), side)  # type: ignore[arg-type]


@pytest.mark.parametrize(("side", "distance"), [("before", 4), ("after", 4)])
def test_the_matte_follows_what_moves(side: str, distance: int) -> None:
    state = carried(side)[5]
    matte, trust = state.pixels("A"), state.pixels("trust")
    wrong = np.abs(matte - square(5))
    assert wrong.mean() < 0.02
    assert trust[35:60, 45:60].mean() > 0.5, "inside it can be trusted"
    assert (trust * wrong).mean() < 0.4 * wrong.mean(), "where it is wrong, it knows"
    assert abs(5 - (carried(side).keyframe(5) or 0)) == distance


def test_any_order_gives_the_same_bits_and_in_order_each_step_is_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    original = Carried._moved

    def counted(self: Carried, state: Frame, plate: Frame) -> Pixels:
        steps.append(plate.number)
        return original(self, state, plate)

    monkeypatch.setattr(Carried, "_moved", counted)
    for side in ("before", "after"):
        alone = {n: carried(side)[n].planes["A"].tobytes() for n in FRAMES}
        steps.clear()
        kept = carried(side)
        assert {n: kept[n].planes["A"].tobytes() for n in FRAMES} == alone
        assert len(steps) == len(FRAMES) - 2 if side == "after" else len(FRAMES) - 1
        shuffled = carried(side)
        assert {n: shuffled[n].planes["A"].tobytes() for n in random.Random(1).sample(FRAMES, 9)} == alone


def test_a_frame_far_from_its_keyframe_needs_no_deep_stack() -> None:
    still = dict.fromkeys(range(1, 1301), np.zeros((2, 3, 3), np.float32))
    plate = Pictures(still)
    far = Carried(plate, Pictures({1: np.ones((2, 3, 1), np.float32)}, "A"), Motion(plate), "before")
    far._moved = lambda state, plate: state.pixels("A", "trust")  # type: ignore[method-assign]
    assert far[1300].pixels("A").min() == 1


@pytest.mark.parametrize("side", ["before", "after"])
def test_memory_grows_by_milestones_alone_and_no_step_is_taken_thrice(side: str) -> None:
    frames = {n: texture((8, 10), n) for n in range(1, 101)}
    plate, steps = Pictures(frames), collections.Counter[int]()

    def following() -> Carried:
        made = Carried(plate, Pictures({1: square(1)[:8, :10], 100: square(1)[:8, :10]}, "A"), Motion(plate), side)  # type: ignore[arg-type]
        made._moved = moved  # type: ignore[method-assign]
        return made

    def moved(state: Frame, plate: Frame) -> Pixels:
        steps[plate.number] += 1
        return state.pixels("A", "trust") * np.float32(0.9) + plate.pixels("R") * np.float32(0.1)

    kept = following()
    states = {n: kept[n].planes["trust"].tobytes() for n in frames}
    assert max(steps.values()) == 2 if side == "after" else max(steps.values()) == 1
    assert len(kept._frames) <= 17 and len(kept._milestones) <= 6
    for number in random.Random(2).sample(sorted(frames), 10):
        assert following()[number].planes["trust"].tobytes() == states[number]


def test_needs_are_the_keyframe_and_the_frames_between() -> None:
    assert carried("before").needs(4) == {"plate": (1, 2, 3, 4), "keyframes": (1,)}
    assert carried("after").needs(4) == {"plate": (4, 5, 6, 7, 8, 9), "keyframes": (9,)}
    assert carried("after", (1, 5)).needs(7) == {"plate": (7,), "keyframes": ()}
    assert not carried("after", (1, 5))[7].pixels("trust").any()
    assert carried("before").key(4) != carried("after").key(4)


def test_nothing_is_carried_over_a_cut() -> None:
    other = {n: texture(SIZE, 7)[:, ::-1] * np.float32(4) for n in (5, 6)}
    cut = carried("before", frames={**shot(), **other})
    assert cut[4].pixels("trust").max() > 0.5
    assert not cut[5].pixels("trust").any() and not cut[6].pixels("trust").any()
    assert cut.cut(6) == (4, 5) and cut.cut(4) is None


def test_keyframes_that_cannot_be_are_refused() -> None:
    plate, matte = Pictures(shot()), square(1)
    with pytest.raises(
        RequestError, match=r"keyframes: 0, 12 are not among the plate's frames 1 \.\. 9; renumber them"
    ):
        painted_frames(Pictures({0: matte, 3: matte, 12: matte}, "A"), plate)
    with pytest.raises(RequestError, match="a still stands for every frame"):
        painted_frames(constant([1.0]), plate)
    with pytest.raises(RequestError, match="there are none"):
        painted_frames(Pictures({}, "A"), plate)
