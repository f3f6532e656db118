"""Reformat: where a picture lands in another format, and what the header says of it then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from footage import Placed
from hypothesis import given, settings
from hypothesis import strategies as st

import vfxgen
from vfxgen.errors import RequestError
from vfxgen.frame import Attribute, Box, Frame
from vfxgen.operators.reformat import FORMATS
from vfxgen.testing import Pictures, constant

SCREEN = {
    "PixelAspectRatio": Attribute(1.0, "float"),
    "screenWindowWidth": Attribute(1.0, "float"),
    "screenWindowCenter": Attribute((0.0, 0.0), "float2"),
}


def with_header(size: tuple[int, int], **attributes: Attribute) -> Placed:
    return Placed(replace(constant([0.18, 4.0, -0.01], size)[1], attributes=SCREEN | attributes))


@pytest.mark.parametrize(
    ("resize", "data"),
    [
        ("none", Box(8, 12, 16, 8)),
        ("width", Box(0, 8, 32, 16)),
        ("height", Box(-16, 0, 64, 32)),
        ("fit", Box(0, 8, 32, 16)),
        ("fill", Box(-16, 0, 64, 32)),
        ("distort", Box(0, 0, 32, 32)),
    ],
)
def test_each_way_to_fit_puts_the_picture_where_it_should(resize: str, data: Box) -> None:
    frame = vfxgen.Reformat(constant([0.18, 4.0, -0.01], (8, 16)), format="32x32", resize=resize)[1]
    assert frame.display_window == Box(0, 0, 32, 32)
    assert frame.data_window == data
    assert (frame.rgb == np.array([0.18, 4.0, -0.01], np.float32)).all()


def test_without_centre_it_starts_at_the_upper_left() -> None:
    plate = constant([1, 1, 1], (8, 16))
    assert vfxgen.Reformat(plate, format="32x32", resize="none", centre=False)[1].data_window == Box(0, 0, 16, 8)
    assert vfxgen.Reformat(plate, format="32x32", resize="fill", centre=False)[1].data_window == Box(0, 0, 64, 32)


@given(st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_a_picture_that_is_not_scaled_keeps_its_bits(width: int, height: int) -> None:
    plate = Pictures(np.random.default_rng(width).random((7, 10, 3), np.float32))
    frame = vfxgen.Reformat(plate, format=f"{width}x{height}", resize="none")[1]
    assert frame.rgb.tobytes() == plate[1].rgb.tobytes()
    assert abs((frame.data_window.x + frame.data_window.right) - width) <= 1


def test_the_same_format_is_the_same_frame() -> None:
    plate = with_header((8, 16))
    assert vfxgen.Reformat(plate, format="16x8")[1] is plate[1]


def test_what_lies_beyond_stays_unless_it_is_cropped() -> None:
    plate = constant([0.18, 4.0, -0.01], (8, 16))
    cropped = vfxgen.Reformat(plate, format="32x32", resize="fill", crop=True)[1]
    assert cropped.data_window == cropped.display_window == Box(0, 0, 32, 32)
    away = Placed(replace(plate[1], data_window=Box(-99, 0, 16, 8)))
    assert not vfxgen.Reformat(away, format="32x32", resize="none", crop=True)[1].rgb.any()


def test_a_ramp_that_lands_between_pixels_lands_exactly_there() -> None:
    pixels = np.tile(np.arange(9, dtype=np.float32)[:, None, None], (1, 12, 3))
    frame = vfxgen.Reformat(Pictures(pixels), format="24x24", resize="fit", filter="bicubic", ringing=True)[1]
    rows = np.arange(frame.data_window.y, frame.data_window.bottom) + 0.5
    np.testing.assert_allclose(frame.rgb[6:-6, 3, 0], ((rows - 3) / 2 - 0.5)[6:-6], atol=1e-5)


def test_an_anamorphic_plate_is_unsqueezed_to_square_pixels() -> None:
    plate = with_header((8, 16), PixelAspectRatio=Attribute(2.0, "float"))
    frame = vfxgen.Reformat(plate, format="64x32", resize="fit")[1]
    assert frame.data_window == Box(0, 8, 64, 16)
    assert frame.attributes["PixelAspectRatio"].value == 1.0
    kept = vfxgen.Reformat(plate, format="32x32", resize="width", pixel_aspect=0)[1]
    assert kept.data_window == Box(0, 8, 32, 16)
    assert kept.attributes["PixelAspectRatio"].value == 2.0


@pytest.mark.parametrize("aspect", [0.0, -1.0, np.nan, np.inf])
def test_a_pixel_aspect_that_cannot_be_one_counts_as_square(aspect: float) -> None:
    plate = with_header((8, 16), PixelAspectRatio=Attribute(aspect, "float"))
    made = vfxgen.Reformat(plate, format="32x32", resize="fit")[1]
    assert made.data_window == Box(0, 8, 32, 16) and made.attributes["PixelAspectRatio"].value == 1.0
    stretched = vfxgen.Resize(plate, width=32, height=8)[1]
    assert stretched.attributes["PixelAspectRatio"].value == 0.5


def test_the_screen_window_grows_with_the_display_window() -> None:
    wider = vfxgen.Reformat(with_header((8, 16)), format="32x8", resize="none")[1]
    assert wider.attributes["screenWindowWidth"].value == 2.0
    assert wider.attributes["screenWindowCenter"].value == (0.0, 0.0)
    right = vfxgen.Reformat(with_header((8, 16)), format="32x16", resize="none", centre=False)[1]
    assert right.attributes["screenWindowCenter"].value == (0.5, -0.25)
    scaled = vfxgen.Reformat(with_header((8, 16)), format="32x16")[1]
    assert {name: scaled.attributes[name] for name in SCREEN} == SCREEN


@pytest.mark.parametrize(("format", "size"), [*FORMATS.items(), ("1998x1080", (1998, 1080)), (" 17 x 9 ", (17, 9))])
def test_formats_go_by_name_or_size(format: str, size: tuple[int, int]) -> None:
    frame = vfxgen.Reformat(constant([1, 1, 1]), format=format, resize="none")[1]
    assert (frame.display_window.width, frame.display_window.height) == size


@pytest.mark.parametrize("format", ["HD", "0x5", "12", "axb", ""])
def test_an_unknown_format_is_refused_with_those_there_are(format: str) -> None:
    with pytest.raises(RequestError, match=r"1998x1080, or one of .*HD_1080"):
        vfxgen.Reformat(constant([1, 1, 1]), format=format)


@pytest.mark.parametrize("number", ["05", "08", "15"])
def test_real_frames_with_odd_windows(shared_data: Path, number: str) -> None:
    plate = vfxgen.read(shared_data / f"exr/openexr-images/DisplayWindow/t{number}.exr")
    frame = vfxgen.Reformat(plate, format="640x480", resize="fit")[1]
    assert frame.display_window == Box(0, 0, 640, 480)
    assert frame.attributes["PixelAspectRatio"].value == 1.0
    old = plate[1].rgb
    assert frame.rgb.mean() == pytest.approx(
        old.mean() * old[..., 0].size / frame.rgb[..., 0].size * _area(plate[1], frame), rel=0.05
    )


def _area(plate: Frame, frame: Frame) -> float:
    """By how much the picture grew, in pixels a pixel."""
    aspect = float(plate.attributes["PixelAspectRatio"].value)
    old = plate.display_window
    scale = min(640 / (old.width * aspect), 480 / old.height)
    return scale * scale * aspect
