"""Flow: known motion comes back, at any exposure and range; what is hidden is not trusted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from moving_scenes import TRANSLATION, TURN, moved, texture

from vfxgen.errors import FrameError
from vfxgen.frame import Pixels
from vfxgen.image.flow import consistency, flow, trust
from vfxgen.image.warp import warped


@pytest.mark.parametrize("matrix", [TRANSLATION, TURN], ids=["translation", "homography"])
def test_known_motion_comes_back(matrix: np.ndarray) -> None:
    this, other, truth = moved(matrix)
    _, inside = warped(truth, truth)
    error = np.linalg.norm(flow(this, other) - truth, axis=-1)[inside]
    assert np.median(error) < 0.1
    assert np.quantile(error, 0.95) < 0.3


@pytest.mark.parametrize("gain", [8.0, 1 / 64, 5000.0])
def test_exposure_moves_nothing(gain: float) -> None:
    this, other, _ = moved(TRANSLATION)
    assert np.abs(flow(this, other * np.float32(gain)) - flow(this, other)).max() < 0.05


def test_a_lamp_of_50000_does_not_hide_the_rest() -> None:
    this, other, truth = moved(TRANSLATION)
    this[40:60, 50:80] = other[36:56, 55:85] = 50000.0
    error = np.linalg.norm(flow(this, other) - truth, axis=-1)[100:170, 20:220]
    assert np.quantile(error, 0.95) < 0.3


def test_negative_light_nan_and_infinity_are_survived() -> None:
    this, other, truth = moved(TRANSLATION)
    this[30, 40], this[100, 100, 0], other[120:124, 60:70] = np.nan, np.inf, np.nan
    this[5:20, 5:20] *= -1
    found = flow(this, other)
    assert np.isfinite(found).all()
    assert np.linalg.norm(found - truth, axis=-1)[60:90, 60:200].max() < 0.5


def test_the_same_frames_give_the_same_flow_whatever_ran_before_and_on_however_many_threads() -> None:
    this, other, _ = moved(TRANSLATION)
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        alone = flow(this, other)
        flow(other[::-1].copy(), this)
        cv2.setNumThreads(5)
        assert flow(this, other).tobytes() == alone.tobytes()
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize("size", [(1, 1), (3, 90), (70, 5), (65, 301)])
def test_frames_of_any_size(size: tuple[int, int]) -> None:
    light = texture(size)
    still = flow(light, light)
    assert still.shape == (*size, 2) and not still.any()


def test_black_frames_do_not_move() -> None:
    assert not flow(np.zeros((80, 90, 3), np.float32), np.zeros((80, 90, 3), np.float32)).any()


def test_frames_of_different_size_are_refused() -> None:
    with pytest.raises(FrameError, match=r"\(8, 9\) and \(9, 8\)"):
        flow(np.zeros((8, 9, 3), np.float32), np.zeros((9, 8, 3), np.float32))


def moving_square(found: bool) -> tuple[Pixels, Pixels, Pixels, Pixels, np.ndarray]:
    """A square that goes 12 pixels to the right over a still ground: frames, flows both ways, what it hides."""
    ground, square = texture((160, 200), 3), texture((60, 60), 4) * np.float32(3)
    this, other = ground.copy(), ground.copy()
    this[50:110, 60:120], other[50:110, 72:132] = square, square
    forward, backward = np.zeros((2, 160, 200, 2), np.float32)
    forward[50:110, 60:120, 0], backward[50:110, 72:132, 0] = 12, -12
    hidden = np.zeros((160, 200), bool)
    hidden[50:110, 120:132] = True
    return this, other, *((flow(this, other), flow(other, this)) if found else (forward, backward)), hidden


def test_with_true_flow_exactly_the_ground_that_the_square_covers_is_inconsistent() -> None:
    _, _, forward, backward, hidden = moving_square(found=False)
    assert np.array_equal(consistency(forward, backward)[..., 0] == 0, hidden)
    assert (consistency(forward, backward)[..., 0][~hidden] == 1).all()


def test_with_found_flow_what_is_hidden_is_not_trusted() -> None:
    this, other, forward, backward, hidden = moving_square(found=True)
    trusted = trust(this, other, forward, backward)[..., 0] > 0.5
    assert trusted[hidden].mean() < 0.05
    away = cv2.dilate(hidden.astype(np.uint8), np.ones((25, 25), np.uint8)) == 0
    assert trusted[away].mean() > 0.93


def test_what_changed_without_moving_is_consistent_but_not_trusted() -> None:
    light = texture((90, 120))
    still = np.zeros((90, 120, 2), np.float32)
    changed = light.copy()
    changed[30:50, 40:70] *= 2
    sure = trust(light, changed, still, still)[..., 0]
    assert (consistency(still, still) == 1).all()
    assert (sure[33:47, 43:67] == 0).all() and (sure[:25] == 1).all()
