"""Two pictures that meet: of one format, or it is said, and refused where pixels are compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vfxgen.errors import FrameError
from vfxgen.frame import Box, Frame
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
    assert first.startswith("roto/sh_v002.0001.exr: a matte of 12x8+0+0 on a plate of 6x4+0+0: it lies where")
    assert other.startswith("roto/other.0001.exr")


@pytest.mark.parametrize("display", [Box(0, 0, 12, 8), Box(1, 0, 6, 4)])
def test_what_is_compared_pixel_by_pixel_must_be_of_the_plates_format(display: Box) -> None:
    with pytest.raises(FrameError, match=r"sh_v002.0001.exr: a clean plate of .* on a plate of 6x4\+0\+0.*reformat"):
        require_one_format(picture(display), picture(), "clean plate")
