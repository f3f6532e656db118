"""Registration: how the whole picture moves between each frame of a sequence and the next, as frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vfxgen.errors import FrameError
from vfxgen.frame import RGB, Attribute, Box, Frame
from vfxgen.sequence import Sequence
from vfxgen.temporal.pairs import Pairs

Matrix = NDArray[np.float64]

HIDDEN = "hidden"
"""Channel of frames to be registered: 1 where a pixel does not show the scene."""
AGREEMENT, CUT = "agreement", "cut"


class Registration(Pairs):
    """Frame n is the homography from frame n of `plate` to frame n + 1, and whether there is a cut between them.

    Its one channel, ``matrix``, is the 3x3 map of pixel centres (x, y, 1), in the coordinates of the display. The
    attribute ``agreement`` is the share of features that follow it; where none is found (a flat picture, fast blur) it
    is 0, and the matrix says that nothing moves. ``cut`` is 1 at a scene cut. Pixels where the channel ``hidden`` is
    not 0 do not count. A function of the two frames alone.
    """

    relation = "registration"

    def frame(self, number: int) -> Frame:
        first, second = (self.plate[needed] for needed in (number, number + 1))
        matrix, agreement, cut = registered(first, second)
        attributes = {AGREEMENT: Attribute(agreement, "float"), CUT: Attribute(int(cut), "int")}
        return Frame.from_pixels(
            np.asarray(matrix[..., None], np.float32),
            ("matrix",),
            number=number,
            colorspace=first.colorspace,
            attributes=attributes,
            source=f"registration of {first.source}",
        )


def registered(first: Frame, second: Frame) -> tuple[Matrix, float, bool]:
    """The homography between two frames in display coordinates, the share of features that follow it, and a cut."""
    from vfxgen.image.cuts import is_cut
    from vfxgen.image.global_motion import global_motion

    # Black beside a smaller picture would flatten what both show.
    window = first.data_window.intersection(second.data_window)
    if not (window.width and window.height):
        return np.eye(3), 0.0, False
    frames = [replace(frame, planes={**frame.planes, **_known(frame)}).on(window) for frame in (first, second)]
    this, other = (frame.pixels(*RGB) for frame in frames)
    known = [frame.pixels("known")[..., 0] > 0 for frame in frames]
    try:
        found = global_motion(this, other, known=(known[0], known[1]))
    except FrameError:
        return np.eye(3), 0.0, is_cut(this, other)
    return placed(found.matrix, window, window), found.agreement, False


def placed(matrix: Matrix, window: Box, other: Box) -> Matrix:
    """A map between two arrays, whose first pixels are at `window` and `other`, in display coordinates."""
    there, back = np.eye(3), np.eye(3)
    there[:2, 2], back[:2, 2] = (other.x, other.y), (-window.x, -window.y)
    moved = there @ matrix @ back
    return np.asarray(moved / moved[2, 2], np.float64)


def between(registration: Sequence, first: int, last: int) -> Matrix | None:
    """The homography from frame `first` to frame `last`; None where a cut is between them."""
    matrix: Matrix = np.eye(3)
    for number in range(min(first, last), max(first, last)):
        step = registration[number]
        if step.attributes[CUT].value:
            return None
        matrix = np.asarray(step.pixels("matrix")[..., 0].astype(np.float64) @ matrix)
    whole = matrix if last >= first else np.linalg.inv(matrix)
    return np.asarray(whole / whole[2, 2], np.float64)


def _known(frame: Frame) -> dict[str, NDArray[np.float32]]:
    hidden = frame.planes.get(HIDDEN)
    shape = frame.size
    return {"known": np.ones(shape, np.float32) if hidden is None else np.asarray(hidden == 0, np.float32)}
