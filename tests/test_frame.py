"""Frame: channels by name, windows anywhere, never changed in place."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfxgen.errors import FrameError
from vfxgen.frame import RGB, RGBA, Attribute, Box, Frame, Origin, is_frame_rate

BOXES = st.builds(Box, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 9), st.integers(1, 9))


WHOLE = Box(0, 0, 6, 4)


def plate(window: Box = WHOLE, channels: str = "RGBA", type: str = "half") -> Frame:
    pixels = np.random.default_rng(1).random((window.height, window.width, len(channels)), dtype=np.float32) + 1
    return Frame.from_pixels(
        pixels, channels, number=1001, colorspace="ACEScg", type=type, data_window=window, source="plate.exr"
    )


def covered(box: Box) -> set[tuple[int, int]]:
    return {(x, y) for x in range(box.x, box.right) for y in range(box.y, box.bottom)}


@given(BOXES, BOXES)
def test_boxes_meet_and_join_as_their_pixels_do(first: Box, second: Box) -> None:
    assert covered(first.intersection(second)) == covered(first) & covered(second)
    union = first.union(second)
    assert covered(union) >= covered(first) | covered(second)
    assert (union.x, union.y) == (min(first.x, second.x), min(first.y, second.y))
    assert union.width * union.height <= 18 * 18 * 4
    assert first.union(first) == first.intersection(first) == first


def test_a_box_reads_as_the_field_writes_it() -> None:
    assert str(Box(-5, 12, 1920, 1080)) == "1920x1080-5+12"


def test_a_frame_knows_its_channels_in_file_order_and_its_size_as_arrays_are_indexed() -> None:
    frame = plate(Box(3, -2, 6, 4))
    assert frame.channels == RGBA and frame.size == (4, 6) and frame.bytes == 4 * 6 * 4 * 4
    assert frame.display_window == frame.data_window == Box(3, -2, 6, 4)


def test_pixels_that_do_not_fit_their_names_or_window_are_refused() -> None:
    pixels = np.zeros((4, 6, 3), np.float32)
    with pytest.raises(FrameError, match="3 channels of pixels, but 4 channel names: R G B A"):
        Frame.from_pixels(pixels, "RGBA", colorspace="")
    with pytest.raises(FrameError, match=r"6x4 pixels on a data window of 4x6\+0\+0"):
        Frame.from_pixels(pixels, "RGB", colorspace="", data_window=Box(0, 0, 4, 6))


def test_pixels_are_copies_that_may_be_changed() -> None:
    frame = plate()
    frame.rgb[:] = 0
    frame.alpha[:] = 0
    frame.matte[:] = 0
    assert all(plane.min() >= 1 for plane in frame.planes.values())
    with pytest.raises(FrozenInstanceError):
        frame.number = 2  # type: ignore[misc]


def test_a_frame_is_shown_in_a_line() -> None:
    assert repr(plate()) == f"<Frame 1001 of plate.exr: R G B A, {WHOLE}, ACEScg>"


def test_pixels_come_in_the_order_asked_for() -> None:
    frame = plate()
    assert np.array_equal(frame.pixels("B", "R")[..., 1], frame.planes["R"])
    assert frame.pixels("A").shape == (4, 6, 1) and frame.pixels("A").dtype == np.float32


def test_a_channel_that_is_not_there_is_named_beside_those_that_are() -> None:
    with pytest.raises(FrameError, match=r"frame 1001 of plate.exr has no channel Z depth.Z; it has R G B A"):
        plate().pixels("R", "Z", "depth.Z")


def test_a_frame_without_alpha_is_opaque() -> None:
    assert (plate(channels="RGB").alpha == 1).all()
    frame = plate()
    assert np.array_equal(frame.alpha[..., 0], frame.planes["A"])


def test_a_matte_is_alpha_else_luminance_else_red() -> None:
    frame = plate()
    assert np.array_equal(frame.matte[..., 0], frame.planes["A"])
    assert np.array_equal(frame.only("R", "G", "B").matte[..., 0], frame.planes["R"])
    grey = plate(channels="Y")
    assert np.array_equal(grey.matte[..., 0], grey.planes["Y"])
    with pytest.raises(FrameError, match="used as a matte, but has none of the channels A, Y, R; it has G B"):
        frame.only("G", "B").matte  # noqa: B018


def test_a_matte_painted_into_a_picture_is_its_code_value() -> None:
    """What the file held is the coverage, not the light it stands for in the working space."""
    frame = plate(channels="RGB")
    native = {name: np.full(frame.size, 0.5, np.float32) for name in RGB}
    frame = replace(frame, origin=Origin("srgb", False, native, {name: frame.planes[name] for name in RGB}))
    assert (frame.matte == 0.5).all()
    graded = frame.with_pixels(RGB, frame.rgb * 2)
    assert np.array_equal(graded.matte[..., 0], graded.planes["R"])


@pytest.mark.parametrize(
    ("said", "fps"),
    [
        ((24000, 1001), Fraction(24000, 1001)),
        ((25140683, 2**20), Fraction("23.976024")),
        ((24, 0), None),
        ((1, 10**6), None),
        ((1001, 1), None),
        ((-24, 1), None),
    ],
)
def test_the_headers_frame_rate_is_one_that_a_movie_can_have(said: tuple[int, int], fps: Fraction | None) -> None:
    found = replace(plate(), attributes={"FramesPerSecond": Attribute(said, "rational")}).fps
    assert found == (fps if fps is None else pytest.approx(fps, abs=1e-6))
    assert found is None or is_frame_rate(found)


def test_new_pixels_take_their_place_and_the_rest_is_untouched() -> None:
    frame = plate()
    out = frame.with_pixels(["G", "depth.Z"], np.zeros((4, 6, 2), np.float32))
    assert out.channels == ("R", "G", "B", "A", "depth.Z")
    assert out.planes["R"] is frame.planes["R"] and out.planes["A"] is frame.planes["A"]
    assert not out.planes["G"].any() and frame.planes["G"].any()
    assert out.types["depth.Z"] == "half" and out.attributes is frame.attributes
    with pytest.raises(FrameError, match=r"shape \(4, 6, 1\) for R G: expected \(4, 6, 2\)"):
        frame.with_pixels(["R", "G"], np.zeros((4, 6, 1), np.float32))


@pytest.mark.parametrize("type", ["half", "float", "uint16"])
def test_new_channels_are_stored_like_the_colour_or_as_asked(type: str) -> None:
    frame = plate(type=type)
    one = np.zeros((4, 6, 1), np.float32)
    assert frame.with_pixels(["matte.A"], one).types["matte.A"] == type
    assert frame.with_pixels(["matte.A"], one, type="float").types["matte.A"] == "float"


def test_a_colour_layer_that_is_written_is_known_to_be_in_the_working_space() -> None:
    frame = plate()
    layer = frame.with_pixels([f"clean.{c}" for c in RGB], frame.rgb)
    assert frame.color_layers == ("",) and layer.color_layers == ("", "clean")
    assert frame.with_pixels(["motion.u", "motion.v"], frame.pixels("R", "G")).color_layers == ("",)


@given(BOXES, BOXES)
def test_a_frame_on_another_window_keeps_each_pixel_in_its_place(window: Box, other: Box) -> None:
    frame = plate(window, "R")
    moved = frame.on(other)
    assert moved.data_window == other and moved.display_window == frame.display_window
    for x, y in covered(other):
        value = moved.planes["R"][y - other.y, x - other.x]
        inside = (x, y) in covered(window)
        assert value == (frame.planes["R"][y - window.y, x - window.x] if inside else 0)


def test_every_type_and_the_origin_move_with_the_window() -> None:
    frame = plate(channels="RGB")
    ids = np.arange(24, dtype=np.uint32).reshape(4, 6) + 2**31
    half = frame.planes["R"].astype(np.float16)
    frame = replace(
        frame,
        planes={**frame.planes, "id": ids, "h": half},
        types={**frame.types, "id": "uint32", "h": "half"},
        origin=Origin("srgb", False, {"R": half}, {"R": frame.planes["R"]}),
    )
    moved = frame.on(Box(1, 1, 6, 4))
    assert moved.planes["id"].dtype == np.uint32 and moved.planes["id"][0, 0] == ids[1, 1]
    assert moved.planes["h"].dtype == np.float16
    assert moved.origin is not None and moved.origin.native["R"].dtype == np.float16
    assert np.array_equal(moved.origin.native["R"], moved.planes["h"])
    assert frame.on(frame.data_window) is frame


def test_only_the_channels_asked_for_stay_in_that_order() -> None:
    frame = plate().only("A", "R")
    assert frame.channels == ("A", "R") and list(frame.types) == ["A", "R"]
    with pytest.raises(FrameError):
        frame.only("G")
