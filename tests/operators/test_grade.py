"""Grade: the ASC CDL on light without bounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import vfxgen
from vfxgen.errors import FrameError
from vfxgen.frame import Pixels
from vfxgen.testing import Pictures, constant

light = npst.arrays(np.float32, (4, 5, 3), elements=st.floats(-8, 1000, width=16))


def test_slope_offset_power_and_saturation_in_the_order_of_the_cdl() -> None:
    frame = vfxgen.Grade(constant([0.5, 1.0, 2.0]), slope=(2, 1, 0.5), offset=(0, 0.5, -0.25), power=(1, 2, 1))[1]
    np.testing.assert_allclose(frame.rgb[0, 0], [1.0, 2.25, 0.75], rtol=1e-6)
    grey = vfxgen.Grade(constant([0.5, 1.0, 2.0]), saturation=0)[1].rgb[0, 0]
    np.testing.assert_allclose(grey, 0.2126 * 0.5 + 0.7152 + 0.0722 * 2, rtol=1e-6)


@given(light)
@settings(max_examples=20, deadline=None)
def test_neutral_parameters_give_the_plate_bit_for_bit(pixels: Pixels) -> None:
    plate = Pictures(pixels)
    assert vfxgen.Grade(plate)[1] is plate[1]


@given(light, st.integers(-10, 10))
@settings(max_examples=20, deadline=None)
def test_a_slope_of_two_is_a_stop(pixels: Pixels, stops: int) -> None:
    graded = vfxgen.Grade(Pictures(pixels), slope=2.0**stops)[1].rgb if stops else pixels
    np.testing.assert_array_equal(graded, pixels * np.float32(2.0**stops))


@given(light)
@settings(max_examples=20, deadline=None)
def test_a_value_below_0_keeps_its_sign_through_the_power(pixels: Pixels) -> None:
    graded = vfxgen.Grade(Pictures(pixels), power=0.45)[1].rgb
    np.testing.assert_array_equal(np.sign(graded), np.sign(pixels))
    opposite = vfxgen.Grade(Pictures(-pixels), power=0.45)[1].rgb
    np.testing.assert_array_equal(opposite, -graded)


@given(light)
@settings(max_examples=20, deadline=None)
def test_pixels_outside_the_mask_are_untouched(pixels: Pixels) -> None:
    mask = np.zeros((4, 5, 1), np.float32)
    mask[0, :2, 0] = [1, 0.5]
    graded = vfxgen.Grade(Pictures(pixels), Pictures(mask, "A"), slope=3)[1].rgb
    outside = mask[..., 0] == 0
    assert graded[outside].tobytes() == pixels[outside].tobytes()
    np.testing.assert_array_equal(graded[0, 0], pixels[0, 0] * 3)
    np.testing.assert_allclose(graded[0, 1], pixels[0, 1] * 2, rtol=1e-6)


def test_on_premultiplied_pixels_the_offset_counts_by_coverage() -> None:
    frame = vfxgen.Grade(constant([0.1, 0.1, 0.1, 0.5]), offset=0.2)[1]
    np.testing.assert_allclose(frame.rgb[0, 0], 0.2, rtol=1e-6)
    empty = vfxgen.Grade(constant([0, 0, 0, 0]), offset=0.2, power=2)[1]
    assert not empty.rgb.any()
    half = vfxgen.Grade(constant([0.25, 0.25, 0.25, 0.5]), power=2)[1]
    np.testing.assert_allclose(half.rgb[0, 0], 0.125, rtol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    "parameters", [{"slope": 2.0}, {"slope": 0.0}, {"offset": 0.1}, {"power": 2.0}, {"saturation": 0.5}]
)
def test_what_is_no_number_stays_in_its_pixel_and_channel(parameters: dict[str, object], value: float) -> None:
    pixels = np.full((3, 3, 3), 0.5, np.float32)
    pixels[1, 1, 0] = value
    graded = vfxgen.Grade(Pictures(pixels), **parameters)[1].rgb
    np.testing.assert_array_equal(graded[1, 1, 0], value)
    assert np.count_nonzero(~np.isfinite(graded)) == 1


@pytest.mark.parametrize("alpha", [np.nan, np.inf, 1e-42])
@pytest.mark.parametrize("parameters", [{"offset": 0.1}, {"power": 2.0}])
def test_alpha_that_is_no_coverage_makes_no_light_infinite(parameters: dict[str, object], alpha: float) -> None:
    assert np.isfinite(vfxgen.Grade(constant([0.2, 0.3, 0.1, alpha]), **parameters)[1].rgb).all()


def test_other_channels_pass() -> None:
    pixels = np.random.default_rng(1).random((4, 5, 5), np.float32)
    frame = vfxgen.Grade(Pictures(pixels, ["R", "G", "B", "A", "depth.Z"]), slope=2)[1]
    assert frame.pixels("A", "depth.Z").tobytes() == pixels[..., 3:].tobytes()


def test_a_plate_without_colour_is_refused_by_name() -> None:
    with pytest.raises(FrameError, match=r"grade: input 'plate'.*no channel R G B; it has Y"):
        vfxgen.Grade(Pictures(np.ones((2, 2, 1), np.float32), "Y"))[1]


def test_a_real_plate_keeps_its_header_and_its_broken_pixels(shared_data: Path) -> None:
    plate = vfxgen.read(shared_data / "exr/openexr-images/TestImages/BrightRingsNanInf.exr")
    graded = vfxgen.Grade(plate, slope=2, saturation=1.5)[1]
    assert graded.attributes == plate[1].attributes
    np.testing.assert_array_equal(np.isnan(graded.rgb), np.isnan(plate[1].rgb))
    np.testing.assert_array_equal(np.isinf(graded.rgb), np.isinf(plate[1].rgb))
