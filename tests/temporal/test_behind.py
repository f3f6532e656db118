"""Behind: the motion of what a hole hides is that of what is around it, both ways, wherever the data windows are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from moving_scenes import TRANSLATION, TURN, moved

from vfxgen.frame import Box, Frame
from vfxgen.image.harmonic import harmonic
from vfxgen.sequence import Sequence
from vfxgen.temporal.behind import Behind, places_of
from vfxgen.temporal.registration import HIDDEN, Registration
from vfxgen.testing import Pictures

SIZE = (180, 240)


class Holed(Pictures):
    """Pictures with a square in the same place of each that is hidden, and data windows that are not at 0, 0."""

    corner = (0, 0)

    def frame(self, number: int) -> Frame:
        frame = super().frame(number)
        hole = np.zeros(SIZE, bool)
        hole[70:110, 90:130] = True
        light = harmonic(np.where(hole[..., None], np.float32(0), frame.rgb), ~hole)
        holed = frame.with_pixels(("R", "G", "B"), light).with_pixels((HIDDEN,), hole[..., None].astype(np.float32))
        return replace(holed, data_window=Box(*self.corner, SIZE[1], SIZE[0]), origin=None)


def off(matrix: np.ndarray, number: int, other: int, pictures: Sequence, corner: tuple[int, int] = (0, 0)) -> float:
    """Mean error, in pixels, of where a hole and what is around it is in the neighbour."""
    crop = (slice(50, 130), slice(70, 150))
    place = places_of(Box(*corner, SIZE[1], SIZE[0]), crop)
    found = Behind(Registration(pictures)).followed(number, other, place)
    x, y = np.moveaxis(place.astype(np.float64) - corner, -1, 0)
    over, down, depth = (m[0] * x + m[1] * y + m[2] for m in matrix)
    return float(np.linalg.norm(found - corner - np.stack([over / depth, down / depth], axis=-1), axis=-1).mean())


def test_what_a_hole_hides_moves_like_what_is_around_it() -> None:
    this, other, _ = moved(TURN)
    pictures = Holed({1: this, 2: other})
    assert off(TURN, 1, 2, pictures) < 0.2
    assert off(np.linalg.inv(TURN), 2, 1, pictures) < 0.2


def test_places_are_those_of_the_display() -> None:
    this, other, _ = moved(TRANSLATION)
    pictures = Holed({1: this, 2: other})
    pictures.corner = (31, -7)
    assert off(TRANSLATION, 1, 2, pictures, (31, -7)) < 0.2


def test_it_is_a_function_of_the_two_frames_alone() -> None:
    this, other, _ = moved(TRANSLATION)
    behind, more = (
        Behind(Registration(Holed(frames))) for frames in ({1: this, 2: other}, {1: this, 2: other, 3: this})
    )
    assert behind.needs(1) == {"plate": (1, 2)} and behind.key(1) == more.key(1) != more.key(2)
    assert behind[1].pixels("forward.x").tobytes() == more[1].pixels("forward.x").tobytes()
