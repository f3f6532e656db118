"""Behind: the motion between each frame and the next of what lies behind their holes."""

from __future__ import annotations

import numpy as np

from vfxgen.frame import Box, Frame, Mask, Pixels
from vfxgen.temporal.pairs import Pairs
from vfxgen.temporal.registration import HIDDEN, Matrix, Registration, between, placed

_FORWARD, _BACKWARD = ("forward.x", "forward.y"), ("backward.x", "backward.y")


class Behind(Pairs):
    """Frame n is the motion between frames n and n + 1 of `plate`, in holes that of what is next to them.

    ``forward`` lies on frame n and leads to n + 1, ``backward`` lies on n + 1 and leads to n: x and y in pixels, to the
    right and down, as far as the homography of `registration` leaves it. Pixels where the channel ``hidden`` is not 0
    do not count. The data window is what both frames cover together. A function of the two frames alone.
    """

    relation = "behind"

    def __init__(self, registration: Registration) -> None:
        super().__init__(registration.plate)
        self.registration = registration

    def frame(self, number: int) -> Frame:
        first, second = (self.plate[needed] for needed in (number, number + 1))
        window = first.data_window.union(second.data_window)
        matrix, back = self._matrix(number, number + 1), self._matrix(number + 1, number)
        lights, hidden = zip(*(_shown(frame, window) for frame in (first, second)), strict=True)
        corner = Box(-window.x, -window.y, 0, 0)
        flows = [
            _left(lights, hidden, placed(matrix, corner, corner)),
            _left(lights[::-1], hidden[::-1], placed(back, corner, corner)),
        ]
        return Frame.from_pixels(
            np.concatenate(flows, axis=-1).astype(np.float16),
            (*_FORWARD, *_BACKWARD),
            number=number,
            colorspace=first.colorspace,
            type="half",
            data_window=window,
            display_window=first.display_window,
            source=f"motion behind the holes of {first.source}",
        )

    def followed(self, number: int, other: int, place: Pixels) -> Pixels:
        """Where what is at places (H, W, 2) of frame `number` is in its neighbour `other`, in display coordinates."""
        from vfxgen.image.warp import transformed, warped

        step = self[min(number, other)]
        window = step.data_window
        field = step.pixels(*(_FORWARD if other > number else _BACKWARD)).astype(np.float32)
        whole = np.s_[: place.shape[0]], np.s_[: place.shape[1]]
        left, _ = warped(field, place - places_of(window, whole), "bilinear")
        x, y = np.moveaxis(place + left, -1, 0)
        return np.stack(transformed(self._matrix(number, other), x, y), axis=-1).astype(np.float32)

    def _matrix(self, number: int, other: int) -> Matrix:
        """The homography between two neighbours in display coordinates; none at a cut."""
        matrix = between(self.registration, number, other)
        return np.eye(3) if matrix is None else matrix


def places_of(window: Box, crop: tuple[slice, slice]) -> Pixels:
    """The places of the pixels of a crop of a data window, (h, w, 2), in display coordinates."""
    rows, columns = np.mgrid[crop[0], crop[1]].astype(np.float32)
    return np.stack([columns + window.x, rows + window.y], axis=-1)


def _left(lights: tuple[Pixels, ...], hidden: tuple[Mask, ...], matrix: Matrix) -> Pixels:
    """The motion from the first picture to the second that the map between their arrays leaves."""
    from vfxgen.image.alignment import Source, Target, refined
    from vfxgen.image.likeness import toe_of

    target = Target(lights[0], hidden[0], toe_of(lights[0], ~hidden[0]))
    return refined(target, Source(lights[1], hidden[1], matrix, 1.0), None)


def _shown(frame: Frame, window: Box) -> tuple[Pixels, Mask]:
    """Light in the window, and where it is hidden or not there."""
    there = frame.with_pixels(("there",), np.ones((*frame.size, 1), np.float32)).on(window)
    return there.rgb, (there.planes[HIDDEN] > 0) | (there.planes["there"] == 0)
