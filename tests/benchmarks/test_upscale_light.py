"""Errors in light and their signs: each figure is known from how the frames are made."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import upscale_light
from vfxgen.frame import Pixels


def flat(value: float, side: int) -> Pixels:
    return np.full((side, side, 3), value, np.float32)


def test_a_right_frame_has_no_error() -> None:
    errors = upscale_light.light_errors(flat(4, 16), flat(4, 16), flat(4, 8), 2)
    assert errors.pop("above") == 1
    assert set(errors.values()) == {0}


def test_twice_the_light_is_one_stop_and_above_its_source() -> None:
    errors = upscale_light.light_errors(flat(8, 16), flat(4, 16), flat(4, 8), 2)
    assert errors["highlights, relative"] == errors["highlights, stops"] == errors["whole, stops"] == 1
    assert errors["above"] == 2


def test_highlights_are_what_is_above_white_in_the_truth() -> None:
    truth = flat(0.5, 16)
    truth[:2] = 2
    made = truth.copy()
    made[2:] = 0.25
    errors = upscale_light.light_errors(made, truth, upscale_light.area(truth, 2), 2)
    assert errors["highlights, relative"] == errors["highlights, stops"] == 0
    assert errors["whole, stops"] == pytest.approx(np.sqrt(14 / 16))


def test_a_maximum_is_sought_in_the_neighbourhood_alone() -> None:
    small = flat(0.5, 8)
    small[0, 0] = 100
    made = np.repeat(np.repeat(small, 2, 0), 2, 1)
    made[8, 8] = 5
    assert upscale_light.light_errors(made, made, small, 2)["above"] == 10


def test_negative_light_is_counted() -> None:
    made = flat(1, 10)
    made[0] = -0.01
    assert upscale_light.light_errors(made, flat(2, 10), flat(1, 5), 2)["below zero, %"] == pytest.approx(10)


def test_black_and_nearly_black_are_no_stops_apart() -> None:
    assert np.all(upscale_light.difference_in_stops(flat(-1, 2), flat(1e-4, 2)) == 0)


def test_area_is_the_mean_of_each_block_and_keeps_all_light() -> None:
    light = np.random.default_rng(0).random((13, 9, 3)).astype(np.float32) * 100
    small = upscale_light.area(light, 4)
    assert small.shape == (3, 2, 3)
    assert small[1, 1] == pytest.approx(light[4:8, 4:8].mean((0, 1)), rel=1e-5)


@pytest.mark.parametrize("way", ["area", "bicubic"])
def test_small_frames_are_never_below_zero(way: str) -> None:
    light = flat(0, 16)
    light[:, 8:] = 200
    small, stands_for = upscale_light.reduced(light[:15], 4, way)
    assert small.min() == 0 and small.shape == (3, 4, 3) and stands_for.shape == (12, 16, 3)
