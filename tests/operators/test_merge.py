"""Merge: what lies over what, bit for bit where one covers the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from footage import Placed
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import vfxgen
from vfxgen.errors import FrameError
from vfxgen.frame import RGB, RGBA, Attribute, Box, Frame, Pixels
from vfxgen.operators.merge import Merge
from vfxgen.testing import Pictures, constant

OPERATIONS = get_args(Merge.declared_parameters["operation"].annotation)
SIZE = (3, 4)

light = st.floats(-4, 64, width=16).map(np.float32)
coverage = st.sampled_from([0.0, 0.25, 0.5, 0.875, 1.0])


def placed(color: list[float], window: Box, channels: str = "RGBA", display: Box | None = None) -> Placed:
    frame = constant(color, (window.height, window.width), channels)[1]
    return Placed(replace(frame, data_window=window, display_window=display or window))


@st.composite
def pictures(draw: st.DrawFn) -> Pixels:
    """Premultiplied pixels with values below 0 and above 1, empty and opaque ones among them."""
    rgb = draw(npst.arrays(np.float32, (*SIZE, 3), elements=light))
    alpha = draw(npst.arrays(np.float32, (*SIZE, 1), elements=coverage))
    return np.concatenate([rgb * alpha, alpha], axis=-1)


def over(foreground: Pixels, plate: Pixels, operation: str = "over") -> Pixels:
    merged: Frame = vfxgen.Merge(Pictures(plate, "RGBA"), Pictures(foreground, "RGBA"), operation=operation)[1]
    return merged.pixels(*RGBA)


@given(pictures(), pictures(), pictures())
@settings(max_examples=40, deadline=None)
def test_over_is_associative(a: Pixels, b: Pixels, c: Pixels) -> None:
    np.testing.assert_allclose(over(over(a, b), c), over(a, over(b, c)), rtol=1e-5, atol=1e-4)


@given(pictures())
@settings(max_examples=40, deadline=None)
def test_over_nothing_is_itself_and_nothing_over_it_too(a: Pixels) -> None:
    nothing = np.zeros_like(a)
    np.testing.assert_array_equal(over(a, nothing), a)
    assert over(nothing, a).tobytes() == a.tobytes()


@given(pictures(), pictures(), st.integers(-12, 12))
@settings(max_examples=10, deadline=None)
@pytest.mark.parametrize(
    "operation", ["over", "under", "in", "out", "atop", "xor", "plus", "minus", "max", "difference"]
)
def test_a_stop_up_in_is_a_stop_up_out(operation: str, a: Pixels, b: Pixels, stops: int) -> None:
    gain = np.array([2.0**stops] * 3 + [1], np.float32)
    np.testing.assert_array_equal(over(a * gain, b * gain, operation), over(a, b, operation) * gain)


@given(pictures(), pictures())
@settings(max_examples=8, deadline=None)
@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o not in ("in", "out", "minus")])
def test_where_the_foreground_is_empty_the_plate_comes_back_bit_for_bit(operation: str, a: Pixels, b: Pixels) -> None:
    b[0, 0, 0] = -0.0
    a[:2] = 0
    assert over(a, b, operation)[:2].tobytes() == b[:2].tobytes()


@given(pictures(), pictures())
@settings(max_examples=8, deadline=None)
def test_where_the_foreground_is_opaque_over_gives_it_bit_for_bit(a: Pixels, b: Pixels) -> None:
    a[1:, :, 3] = 1
    b[1, 1] = np.nan
    b[2, 2] = np.inf
    assert over(a, b)[1:].tobytes() == a[1:].tobytes()


@given(pictures(), pictures())
@settings(max_examples=8, deadline=None)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_pixels_outside_the_mask_are_untouched(operation: str, a: Pixels, b: Pixels) -> None:
    mask = np.zeros((*SIZE, 1), np.float32)
    mask[0] = 1
    merged = vfxgen.Merge(Pictures(b, "RGBA"), Pictures(a, "RGBA"), Pictures(mask, "A"), operation)[1].pixels(*RGBA)
    assert merged[1:].tobytes() == b[1:].tobytes()
    np.testing.assert_array_equal(merged[:1], over(a, b, operation)[:1])


A, B, a, b = 3.0, -0.5, 0.5, 0.25
EXPECTED = {
    "over": (A + B * (1 - a), a + b * (1 - a)),
    "under": (A * (1 - b) + B, b + a * (1 - b)),
    "atop": (A * b + B * (1 - a), b),
    "xor": (A * (1 - b) + B * (1 - a), a + b - 2 * a * b),
    "in": (A * b, a * b),
    "out": (A * (1 - b), a * (1 - b)),
    "plus": (A + B, a + b),
    "minus": (A - B, a + b - a * b),
    "from": (B - A, a + b - a * b),
    "multiply": (A * B + A * (1 - b) + B * (1 - a), a + b - a * b),
    "screen": (A + B - A * B, a + b - a * b),
    "max": (max(A * b, B * a) + A * (1 - b) + B * (1 - a), a + b - a * b),
    "min": (min(A * b, B * a) + A * (1 - b) + B * (1 - a), a + b - a * b),
    "difference": (abs(A * b - B * a) + A * (1 - b) + B * (1 - a), a + b - a * b),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_its_formula(operation: str) -> None:
    merged = vfxgen.Merge(constant([B] * 3 + [b]), constant([A] * 3 + [a]), operation=operation)[1]
    color, alpha = EXPECTED[operation]
    np.testing.assert_allclose(merged.pixels(*RGBA)[0, 0], [color] * 3 + [alpha], rtol=1e-6)


@pytest.mark.parametrize(
    ("operation", "color"),
    [("multiply", 6.0), ("screen", 3.0), ("max", 3.0), ("min", 2.0), ("difference", 1.0), ("plus", 5.0)],
)
def test_opaque_pictures_blend_as_in_nuke_and_stay_opaque(operation: str, color: float) -> None:
    merged = vfxgen.Merge(constant([2.0] * 3), constant([3.0] * 3 + [1.0]), operation=operation)[1]
    assert merged.pixels(*RGBA)[0, 0].tolist() == [color] * 3 + [1.0]


def test_two_negative_factors_do_not_become_light() -> None:
    merged = vfxgen.Merge(constant([-0.25] * 3), constant([-0.5] * 3), operation="multiply")[1]
    assert merged.rgb[0, 0].tolist() == [-0.5] * 3


def test_superwhite_and_superblack_pass() -> None:
    merged = vfxgen.Merge(constant([-0.25, 20000.0, 0.0]), constant([0.0, 1.0, -3.0, 0.0]))[1]
    assert merged.rgb[0, 0].tolist() == [-0.25, 20001.0, -3.0]


def test_infinity_screened_is_infinite() -> None:
    for foreground in ([0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 0.0, 1.0]):
        merged = vfxgen.Merge(constant([np.inf, 0.5, 2, 1]), constant(foreground), operation="screen")[1]
        assert np.isposinf(merged.rgb[0, 0, 0]) and np.isfinite(merged.rgb[0, 0, 1:]).all()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_nan_stays_on_its_pixel(operation: str) -> None:
    plate = np.full((5, 5, 4), 0.5, np.float32)
    broken = plate.copy()
    broken[2, 2, 0] = np.nan
    whole, hurt = over(plate, plate, operation), over(broken, plate, operation)
    differs = ~np.isclose(whole, hurt, rtol=0, atol=0)
    assert differs[2, 2, 0]
    assert differs.sum() == 1


@pytest.mark.parametrize(
    ("operation", "window"),
    [
        ("over", Box(-2, 0, 8, 7)),
        ("plus", Box(-2, 0, 8, 7)),
        ("in", Box(0, 3, 4, 1)),
        ("out", Box(-2, 3, 6, 4)),
        ("atop", Box(0, 0, 6, 4)),
    ],
)
def test_the_data_window_is_what_the_operation_can_reach(operation: str, window: Box) -> None:
    plate, foreground = placed([1, 1, 1, 1], Box(0, 0, 6, 4)), placed([2, 2, 2, 1], Box(-2, 3, 6, 4))
    merged = vfxgen.Merge(plate, foreground, operation=operation)[1]
    assert merged.data_window == window
    assert merged.display_window == Box(0, 0, 6, 4)
    assert merged.rgb.shape == (window.height, window.width, 3)


def test_in_keeps_the_plates_depth_whole() -> None:
    depth = np.full((4, 6, 1), 7.0, np.float32)
    plate = Placed(placed([1, 1, 1, 1], Box(0, 0, 6, 4)).only.with_pixels(["depth.Z"], depth))
    merged = vfxgen.Merge(plate, placed([2, 2, 2, 1], Box(2, 2, 2, 1)), operation="in")[1]
    assert merged.planes["depth.Z"].tobytes() == depth.tobytes()
    assert merged.pixels("R")[..., 0].sum() == 4.0


def test_pictures_that_do_not_meet_have_nothing_in_common() -> None:
    merged = vfxgen.Merge(placed([1] * 4, Box(0, 0, 4, 4)), placed([1] * 4, Box(9, 9, 4, 4)), operation="in")[1]
    assert merged.data_window == Box(0, 0, 4, 4)
    assert not merged.pixels(*RGBA).any()


def test_a_foreground_without_alpha_is_opaque_within_its_data_window() -> None:
    plate = placed([0.25, 0.5, 0.75], Box(0, 0, 6, 4), "RGB")
    merged = vfxgen.Merge(plate, placed([9, 9, 9], Box(1, 1, 2, 2), "RGB"))[1]
    assert merged.channels == RGB
    inside = np.zeros((4, 6), bool)
    inside[1:3, 1:3] = True
    assert (merged.rgb[inside] == 9).all()
    assert (merged.rgb[~inside] == [0.25, 0.5, 0.75]).all()


def test_a_plate_without_alpha_is_opaque_and_gets_one_from_the_foreground() -> None:
    merged = vfxgen.Merge(constant([1, 1, 1]), constant([1, 1, 1, 0.5]))[1]
    assert merged.channels == RGBA
    assert merged.pixels(*RGBA)[0, 0].tolist() == [1.5, 1.5, 1.5, 1.0]


def test_channels_of_the_plate_pass_and_those_of_the_foreground_are_left_out() -> None:
    plate = Pictures(np.ones((4, 6, 4), np.float32), ["R", "G", "B", "depth.Z"])
    foreground = Pictures(np.ones((4, 6, 5), np.float32), [*RGBA, "N.x"])
    assert set(vfxgen.Merge(plate, foreground)[1].channels) == {"R", "G", "B", "A", "depth.Z"}


def test_mix_goes_from_the_plate_to_the_result() -> None:
    plate, foreground = constant([1, 2, -4, 1]), constant([3, 2, 4, 1])
    half = vfxgen.Merge(plate, foreground, mix=0.5)[1]
    assert half.rgb[0, 0].tolist() == [2, 2, 0]
    assert vfxgen.Merge(plate, foreground, mix=0)[1] is plate[1]


def test_the_header_is_that_of_whom_metadata_names_but_geometry_is_the_plates() -> None:
    def with_header(color: float, timecode: str, aspect: float) -> Placed:
        header = {"smpte:TimeCode": Attribute(timecode), "PixelAspectRatio": Attribute(aspect, "float")}
        return Placed(replace(constant([color] * 4)[1], attributes=header))

    plate, foreground = with_header(1, "01:00:00:00", 2.0), with_header(0.5, "02:00:00:00", 1.0)
    kept = vfxgen.Merge(plate, foreground)[1].attributes
    taken = vfxgen.Merge(plate, foreground, metadata="foreground")[1].attributes
    assert kept == plate[1].attributes
    assert taken["smpte:TimeCode"].value == "02:00:00:00"
    assert taken["PixelAspectRatio"].value == 2.0


def test_other_display_windows_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    display = Box(0, 0, 6, 4)
    plate, other = placed([1] * 4, display), placed([1] * 4, display, display=Box(0, 0, 99, 9))
    merged = vfxgen.Merge(plate, other)
    assert merged[1].display_window == merged[2].display_window == display
    assert len(caplog.messages) == 1
    assert "99x9+0+0" in caplog.messages[0]


def test_other_pixel_aspects_are_said(caplog: pytest.LogCaptureFixture) -> None:
    square, wide = (
        Placed(replace(constant([1] * 4)[1], attributes={"PixelAspectRatio": Attribute(aspect, "float")}))
        for aspect in (1.0, 2.0)
    )
    assert vfxgen.Merge(wide, square)[1].pixel_aspect == 2
    assert "a foreground of 6x4+0+0, pixel aspect 1, on a plate of 6x4+0+0, pixel aspect 2" in caplog.text


def test_two_working_spaces_are_refused() -> None:
    other = Placed(replace(constant([1] * 4)[1], colorspace="ACES2065-1"))
    with pytest.raises(FrameError, match=r"'ACEScg'.*'ACES2065-1'.*same working_space"):
        vfxgen.Merge(constant([1] * 4), other)[1]


def test_a_real_element_over_a_real_plate(shared_data: Path) -> None:
    plate = vfxgen.read(shared_data / "exr/openexr-images/TestImages/BrightRingsNanInf.exr")
    ball = vfxgen.read(shared_data / "exr/openexr-images/Beachball/singlepart.0001.exr", colorspace="ACEScg")
    merged = vfxgen.Merge(plate, ball)[1]
    beneath, above = plate[1].on(merged.data_window), ball[1].on(merged.data_window)
    empty = ~above.pixels(*RGBA).any(axis=-1)
    solid = above.pixels("A")[..., 0] == 1
    assert empty.any() and solid.any()
    assert merged.rgb[empty].tobytes() == beneath.rgb[empty].tobytes()
    assert merged.rgb[solid].tobytes() == above.rgb[solid].tobytes()
