"""Filling: a frame whose holes are filled from other frames, each through a homography."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import RGB, Box, Frame, Mask, Pixels
from vfxgen.log import NEWS, say_once
from vfxgen.temporal.behind import places_of
from vfxgen.temporal.registration import HIDDEN, Matrix, placed

if TYPE_CHECKING:
    from vfxgen.image.alignment import Source
    from vfxgen.image.grain_model import GrainModel

HOLE, ZONE = "hole", "zone"
"""Channels: what is to be filled; that, and what around it is mixed with the plate."""
UNSEEN, LEFT = "unseen", "left"
"""Channels: what of the hole no frame shows; the share of the plate's grain variance that is left (1 outside it)."""

# Pixels around the hole that are aligned, at least, and as a share of the frame's width.
_MARGIN, _SHARE = 48, 1 / 12
# Pixels that a corner moves, or nearby things against far ones, before it is called motion or parallax.
_STILL, _PARALLAX = 1.0, 2.0


class Other(NamedTuple):
    """Another frame, the homography to it in display coordinates, and as `vfxgen.image.alignment.Source` has it.

    `places` are where the pixels of `Filling.crop` are in it, in display coordinates, as the motion from frame to frame
    leads there, where that is known; `home` is where its own pixels are in the frame that is filled, NaN
    where that is beyond it, or hidden on the way.
    """

    frame: Frame
    matrix: Matrix
    weight: float
    grain: float = 1.0
    last: bool = False
    places: Pixels | None = None
    home: Pixels | None = None


class Filling:
    """A frame whose holes are filled, source after source.

    Parameters
    ----------
    frame
        With its R G B, finite, and what of it is not known: `UNSEEN` and `LEFT` where it has been filled before, else
        `HIDDEN` and `ZONE`.
    grain
        Of the plate.
    """

    def __init__(self, frame: Frame, grain: GrainModel | None) -> None:
        self.frame, self.light, self.grain = frame, frame.rgb, grain
        before = UNSEEN in frame.planes
        self.unseen = frame.planes[UNSEEN if before else HIDDEN] > 0
        self.zone = self.unseen if before else self.unseen | (frame.planes[ZONE] > 0)
        self.left = frame.pixels(LEFT)[..., 0] if before else np.ones(frame.size, np.float32)

    @property
    def crop(self) -> tuple[slice, slice]:
        """The rows and columns that are aligned: what is still to be filled, and what is around it."""
        from vfxgen.image.holes import around

        return around(self.zone, max(_MARGIN, round(self.light.shape[1] * _SHARE)))

    def fill(self, others: Sequence[Other]) -> float:
        """Fill what is unseen; how many pixels nearby things moved against far ones."""
        from vfxgen.image.gather import gathered

        if not others or not self.unseen.any():
            return 0.0
        crop = self.crop
        sources = [self._source(other, crop) for other in others]
        found = gathered(self.light[crop], self.unseen[crop], sources, self.zone[crop], self.grain)
        self.light[crop] = found.light
        self.left[crop] = np.where(found.seen, found.left, self.left[crop])
        self.unseen[crop] &= ~found.seen
        self.zone[crop] &= ~found.seen
        return found.moved

    def _source(self, other: Other, crop: tuple[slice, slice]) -> Source:
        from vfxgen.image.alignment import Source

        corner = np.array([[1, 0, crop[1].start], [0, 1, crop[0].start], [0, 0, 1.0]])
        matrix = between_arrays(other.matrix, self.frame, other.frame) @ corner
        whole = np.s_[: crop[0].stop - crop[0].start], np.s_[: crop[1].stop - crop[1].start]
        flow = None if other.places is None else other.places - places_of(other.frame.data_window, whole)
        light, hidden = _light_of(other.frame, HIDDEN)
        home = None if other.home is None else self._home(other.home, hidden, crop)
        return Source(light, hidden, matrix, other.weight, other.grain, other.last, flow, home)

    def _home(self, places: Pixels, hidden: Mask, crop: tuple[slice, slice]) -> Pixels:
        from vfxgen.image.passing import home

        window = self.frame.data_window
        found = home(hidden, self.unseen, places - np.array([window.x, window.y], np.float32))
        return found - np.array([crop[1].start, crop[0].start, 0], np.float32)

    def filled(self) -> Frame:
        """The frame with what has been filled; its R G B are finite."""
        made = self.frame.only(*RGB).with_pixels(RGB, self.light, type="float")
        return made.with_pixels((UNSEEN, LEFT), np.stack([self.unseen, self.left], axis=-1).astype(np.float32))


def between_arrays(matrix: Matrix, frame: Frame, other: Frame) -> Matrix:
    """A homography in display coordinates as a map between the arrays of two frames."""
    corner, there = frame.data_window, other.data_window
    return placed(matrix, Box(-corner.x, -corner.y, 0, 0), Box(-there.x, -there.y, 0, 0))


def sees(matrix: Matrix, places: NDArray[np.intp], hidden: Mask) -> Mask:
    """Which `places` (N, 2), row and column, of one array are seen in another, through the map between them."""
    over, down, depth = matrix @ np.stack([places[:, 1], places[:, 0], np.ones(len(places))])
    before = depth > 0
    depth = np.where(before, depth, 1)
    height, width = hidden.shape
    column, row = (np.round(np.clip(side / depth, -1e6, 1e6)).astype(int) for side in (over, down))
    inside = before & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    shown: Mask = ~hidden[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    return np.asarray(inside & shown, np.bool_)


def covering(clean: Frame) -> Frame:
    """A clean plate, which may cover a part of the view: spanned and `HIDDEN` where its alpha is not 1."""
    from vfxgen.image.harmonic import harmonic

    light = clean.rgb
    known = (clean.alpha[..., 0] >= 1) & np.isfinite(light).all(axis=-1)
    spanned = harmonic(np.where(known[..., None], light, np.float32(0)), known)
    whole = replace(clean.only(*RGB), origin=None).with_pixels(RGB, spanned, type="float")
    return whole.with_pixels((HIDDEN,), (~known[..., None]).astype(np.float32))


def say_how_it_moves(frame: Frame, matrices: Sequence[Matrix], parallax: float) -> None:
    """Say once whether the camera stands or moves, and whether near things move against far ones (pixels)."""
    window = frame.display_window
    corners = np.array([[x, y, 1.0] for x in (window.x, window.right) for y in (window.y, window.bottom)]).T
    there = [matrix @ corners for matrix in matrices]
    moved = max((float(np.abs(t[:2] / t[2] - corners[:2]).max()) for t in there), default=0.0)
    if moved < _STILL:
        say_once("cleanplate: the camera stands still", NEWS)
    else:
        say_once(f"cleanplate: the camera moves{', with parallax' if parallax > _PARALLAX else ''}", NEWS)


def _light_of(frame: Frame, hidden: str) -> tuple[Pixels, Mask]:
    """Finite light of a frame, and where it does not count."""
    light = frame.rgb
    bad = np.asarray(~np.isfinite(light).all(axis=-1), np.bool_)
    light = np.where(bad[..., None], np.float32(0), light)
    return light, np.asarray(bad | (frame.planes[hidden] > 0), np.bool_) if hidden in frame.planes else bad
