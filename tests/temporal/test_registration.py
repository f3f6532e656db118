"""Registration: homographies between frames come back, in display coordinates, and cuts are walls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from moving_scenes import TURN, moved, texture

from vfxgen.frame import Box, Frame
from vfxgen.image.warp import displacement
from vfxgen.sequence import Sequence
from vfxgen.temporal.registration import AGREEMENT, HIDDEN, Registration, between, placed, registered
from vfxgen.testing import Pictures

SIZE = (180, 240)


def off(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.linalg.norm(displacement(found, SIZE) - displacement(truth, SIZE), axis=-1).mean())


@pytest.fixture(scope="module")
def pair() -> Sequence:
    this, other, _ = moved(TURN)
    return Pictures({1: this, 2: other, 3: texture(SIZE, 50), 4: np.full((*SIZE, 3), 0.2, np.float32)})


def test_a_known_homography_comes_back_both_ways(pair: Sequence) -> None:
    registration = Registration(pair)
    there, back = between(registration, 1, 2), between(registration, 2, 1)
    assert there is not None and back is not None
    assert off(there, TURN) < 0.15 and off(back, np.linalg.inv(TURN)) < 0.15
    assert registration[1].attributes[AGREEMENT].value > 0.8
    still = between(registration, 1, 1)
    assert still is not None and np.array_equal(still, np.eye(3))


def test_a_cut_is_a_wall(pair: Sequence) -> None:
    registration = Registration(pair)
    assert between(registration, 2, 3) is None and between(registration, 1, 3) is None


def test_it_needs_two_frames_and_its_range_is_one_shorter(pair: Sequence) -> None:
    registration = Registration(pair)
    assert registration.needs(2) == {"plate": (2, 3)} and registration.range == [1, 2, 3]
    assert registration.key(1) != registration.key(2)


def test_data_windows_do_not_matter(pair: Sequence) -> None:
    first = pair[1]
    second = replace(pair[2].on(Box(20, 10, 200, 160)), display_window=pair[2].display_window)
    matrix, agreement, cut = registered(first, second)
    assert off(matrix, TURN) < 0.3 and agreement > 0.7 and not cut


def test_what_is_hidden_does_not_count(pair: Sequence) -> None:
    frames = []
    for number in (1, 2):
        frame = pair[number]
        light, hidden = frame.rgb, np.zeros((*SIZE, 1), np.float32)
        light[:120], hidden[:120] = texture(SIZE, 9)[:120], 1
        frames.append(frame.with_pixels("RGB", light).with_pixels((HIDDEN,), hidden))
    blind: list[Frame] = [frame.only("R", "G", "B") for frame in frames]
    assert off(registered(*frames)[0], TURN) < 1.0 < off(registered(*blind)[0], TURN)


def test_a_map_between_arrays_and_the_display() -> None:
    moved_by = placed(np.eye(3), Box(0, 0, 4, 4), Box(5, -3, 4, 4))
    assert moved_by[:2, 2].tolist() == [5, -3]
