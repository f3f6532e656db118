"""Formats of two pictures that meet pixel by pixel: a matte, a clean plate or a foreground, and the plate."""

from __future__ import annotations

import math

from vfxgen.errors import FrameError
from vfxgen.frame import Frame
from vfxgen.log import say_once


def say_of_another_format(second: Frame, plate: Frame, what: str) -> None:
    """Say once that `second` is of another format than the plate; it lies where its windows say all the same.

    A format is a display window and, where both headers say it, a pixel aspect.
    """
    if not _one_window(second, plate) or not _one_aspect(second, plate):
        say_once(
            f"{_both(second, plate, what)}: they meet by the coordinates of their pixels, and beyond its own it is 0; "
            "reformat it if that is not meant",
            about=f"{second.files} {what}",
        )


def require_one_format(second: Frame, plate: Frame, what: str) -> None:
    """Refuse what is compared with the plate as it lies, and has another display window.

    A pixel aspect that differs moves no pixel, and is said once.

    Raises
    ------
    FrameError
        The message names both, and what to do.
    """
    if not _one_window(second, plate):
        said = _both(second, plate, what)
        raise FrameError(f"{said}: pixel is compared with pixel; reformat it to the plate's format")
    say_of_another_format(second, plate, what)


def _one_window(second: Frame, plate: Frame) -> bool:
    return second.display_window == plate.display_window


def _one_aspect(second: Frame, plate: Frame) -> bool:
    said = all("PixelAspectRatio" in frame.attributes for frame in (second, plate))
    return not said or math.isclose(second.pixel_aspect, plate.pixel_aspect, rel_tol=1e-3)


def _both(second: Frame, plate: Frame, what: str) -> str:
    """The two formats in words, with their pixel aspects where those differ."""
    formats = [
        f"{frame.display_window}" + ("" if _one_aspect(second, plate) else f", pixel aspect {frame.pixel_aspect:g},")
        for frame in (second, plate)
    ]
    return f"{second.source}: a {what} of {formats[0]} on a plate of {formats[1].rstrip(',')}"
