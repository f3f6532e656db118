"""Two pictures that meet: of one format, or it is said, and refused where pixels are compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vfxgen.errors import FrameError
from vfxgen.frame import Attribute, Box, Frame
from vfxgen.image.formats import require_one_format, say_of_another_format
from vfxgen.testing import constant

SIX_BY_FOUR = Box(0, 0, 6, 4)


def picture(display: Box = SIX_BY_FOUR, number: int = 1, source: str = "roto/sh_v002.0001.exr") -> Frame:
    return replace(constant([0.5])[1], number=number, display_window=display, source=source)


def test_pictures_of_one_format_meet_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    overscan = replace(picture(), data_window=Box(-1, 0, 6, 4))
    say_of_another_format(overscan, picture(), "matte")
    require_one_format(overscan, picture(), "clean plate")
    assert not caplog.messages


def test_another_format_is_said_once_of_all_frames_of_a_sequence(caplog: pytest.LogCaptureFixture) -> None:
    for number in (1, 2, 12):
        say_of_another_format(picture(Box(0, 0, 12, 8), number, f"roto/sh_v002.{number:04}.exr"), picture(), "matte")
    say_of_another_format(picture(Box(0, 0, 12, 8), 1, "roto/other.0001.exr"), picture(), "matte")
    first, other = caplog.messages
    assert first.startswith("roto/sh_v002.0001.exr: a matte of 12x8+0+0 on a plate of 6x4+0+0: they meet by")
    assert other.startswith("roto/other.0001.exr")


@pytest.mark.parametrize("display", [Box(0, 0, 12, 8), Box(1, 0, 6, 4)])
def test_what_is_compared_pixel_by_pixel_must_be_of_the_plates_format(display: Box) -> None:
    with pytest.raises(FrameError, match=r"sh_v002.0001.exr: a clean plate of .* on a plate of 6x4\+0\+0.*reformat"):
        require_one_format(picture(display), picture(), "clean plate")


def aspect(ratio: float) -> Frame:
    return replace(picture(), attributes={"PixelAspectRatio": Attribute(ratio, "float")})


def test_pixel_aspects_that_differ_are_said_where_both_headers_say_them(caplog: pytest.LogCaptureFixture) -> None:
    for second, plate in ((picture(), aspect(2)), (aspect(2), picture()), (aspect(1.9), aspect(1.90001))):
        say_of_another_format(second, plate, "foreground")
        require_one_format(second, plate, "clean plate")
    assert not caplog.messages
    say_of_another_format(aspect(1), aspect(2), "foreground")
    require_one_format(aspect(1), aspect(2), "clean plate")
    assert "a foreground of 6x4+0+0, pixel aspect 1, on a plate of 6x4+0+0, pixel aspect 2: they" in caplog.messages[0]
    assert len(caplog.messages) == 2
