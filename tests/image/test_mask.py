"""Within a mask: outside it not one bit changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from vfxgen.frame import RGB, Box, Frame, Origin, Pixels
from vfxgen.image.mask import matte_on, say_of_what_is_no_matte, within
from vfxgen.testing import Pictures

SIZE = (4, 5)
anything = npst.arrays(np.float32, (*SIZE, 3), elements=st.floats(width=32))


def mask_of(values: Pixels, channels: str = "A") -> Frame:
    return Pictures(values, channels)[1]


def filled(value: float, channels: int = 1) -> Pixels:
    return np.full((*SIZE, channels), value, np.float32)


@given(anything, anything, npst.arrays(np.float32, (*SIZE, 1), elements=st.sampled_from([-1.0, 0.0, np.nan])))
@settings(max_examples=50, deadline=None)
def test_outside_the_mask_every_bit_stays(old: Pixels, new: Pixels, matte: Pixels) -> None:
    assert within(mask_of(matte), new, Pictures(old)[1], RGB).tobytes() == old.tobytes()


@given(anything, anything, st.sampled_from([1.0, 1.5, np.inf]))
@settings(max_examples=50, deadline=None)
def test_inside_the_mask_every_bit_is_the_result(old: Pixels, new: Pixels, matte: float) -> None:
    assert within(mask_of(filled(matte)), new, Pictures(old)[1], RGB).tobytes() == new.tobytes()


@given(anything, st.floats(2**-7, 1 - 2**-7, width=32))
@settings(max_examples=50, deadline=None)
def test_what_did_not_change_does_not_change_on_the_rim(old: Pixels, matte: float) -> None:
    mixed = within(mask_of(filled(matte)), old.copy(), Pictures(old)[1], RGB)
    np.testing.assert_array_equal(mixed, old)


def test_between_it_is_a_mix() -> None:
    plate = Pictures(filled(-1, 3))[1]
    mixed = within(mask_of(filled(0.25)), filled(7, 3), plate, RGB)
    assert (mixed == 1).all()


@pytest.mark.parametrize("old", [np.inf, -np.inf])
def test_an_infinity_on_the_rim_stays_one(old: float) -> None:
    mixed = within(mask_of(filled(0.5)), filled(3, 3), Pictures(filled(old, 3))[1], RGB)
    assert (mixed == old).all()


def test_a_mask_lies_where_its_data_window_says_and_is_0_outside() -> None:
    plate = replace(Pictures(filled(0, 3))[1], data_window=Box(-2, -1, 5, 4))
    mask = replace(mask_of(np.ones((2, 2, 1), np.float32)), data_window=Box(1, 1, 2, 2))
    mixed = within(mask, filled(1, 3), plate, RGB)
    expected = np.zeros(SIZE)
    expected[2:4, 3:5] = 1
    np.testing.assert_array_equal(mixed[..., 0], expected)


@pytest.mark.parametrize(("channels", "matte"), [("RGBA", 0.75), ("RGB", 0.25), ("Y", 0.25)])
def test_a_mask_is_its_alpha_else_its_luminance_else_its_red(channels: str, matte: float) -> None:
    values = np.array([0.25, 0.5, 0.5, 0.75], np.float32)[: len(channels)]
    mask = mask_of(np.broadcast_to(values, (*SIZE, len(channels))), channels)
    assert (within(mask, filled(1, 3), Pictures(filled(0, 3))[1], RGB) == np.float32(matte)).all()


@pytest.mark.parametrize("window", [Box(0, 0, 5, 4), Box(-1, 0, 6, 4)])
def test_a_painted_mask_means_its_code_value_on_every_data_window(window: Box) -> None:
    painted = Pictures(filled(0.0, 3))[1]
    working, native = {n: painted.planes[n] for n in RGB}, {n: filled(0.5)[..., 0] for n in RGB}
    mask = replace(painted, origin=Origin("sRGB - Texture", False, native, working))
    plate = Pictures(filled(0, 3))[1].on(window)
    result = np.ones((window.height, window.width, 3), np.float32)
    mixed = within(mask, result, plate, RGB)
    assert mixed[0, -1].tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(("low", "high"), [(0, 255), (0, 2), (-0.5, 0.5), (0, np.inf)])
def test_values_that_are_no_coverage_are_said_once_of_a_sequence(
    low: float, high: float, caplog: pytest.LogCaptureFixture
) -> None:
    values = filled(0.3)
    values[0, 0], values[-1, -1], values[1, 1] = low, high, np.nan
    for number in (1001, 1002):
        matte_on(replace(mask_of(values), number=number, source=f"roto.{number}.exr"), Pictures(filled(0, 3))[1])
    (said,) = caplog.messages
    assert said.startswith(f"roto.1001.exr: a matte with values from {low:g} to {high:g}: ")


def test_the_overshoot_of_a_filter_and_a_broken_pixel_are_no_news(caplog: pytest.LogCaptureFixture) -> None:
    values = filled(1.04)
    values[0], values[1] = -0.06, np.nan
    matte_on(mask_of(values), Pictures(filled(0, 3))[1])
    say_of_what_is_no_matte(mask_of(np.zeros((0, 5, 1), np.float32)))
    assert not caplog.messages


def test_an_alpha_of_1_beside_a_painted_picture_is_said(caplog: pytest.LogCaptureFixture) -> None:
    plate, painted = Pictures(filled(0, 3))[1], filled(1, 4)
    matte_on(mask_of(painted, "RGBA"), plate)
    matte_on(mask_of(filled(1)), plate)
    assert not caplog.messages
    painted[:2, :, :2] = 0
    matte_on(mask_of(painted, "RGBA"), plate)
    assert "its A is taken as the matte, and is 1 everywhere, but R G is not" in caplog.text
