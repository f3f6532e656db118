"""Formats of two pictures that meet pixel by pixel: a matte, a clean plate or a foreground, and the plate."""

from __future__ import annotations

from vfxgen.errors import FrameError
from vfxgen.frame import Frame
from vfxgen.log import say_once


def say_of_another_format(second: Frame, plate: Frame, what: str) -> None:
    """Say once that `second` is of another format than the plate; it lies where its windows say all the same."""
    if apart := _apart(second, plate, what):
        say_once(
            f"{apart}: it lies where its windows say, and is 0 elsewhere; reformat it if it should cover the plate",
            about=f"{second.files} {what}",
        )


def require_one_format(second: Frame, plate: Frame, what: str) -> None:
    """Refuse what is compared with the plate as it lies, and is of another format.

    Raises
    ------
    FrameError
        The message names both, and what to do.
    """
    if apart := _apart(second, plate, what):
        raise FrameError(f"{apart}: pixel is compared with pixel; reformat it to the plate's format")


def _apart(second: Frame, plate: Frame, what: str) -> str:
    """How the formats differ, in words; empty where they do not."""
    if second.display_window == plate.display_window:
        return ""
    return f"{second.source}: a {what} of {second.display_window} on a plate of {plate.display_window}"
