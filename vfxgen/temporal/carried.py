"""Carried: a matte painted on a few frames, taken along the motion to those between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from vfxgen.errors import RequestError
from vfxgen.frame import Frame, Pixels
from vfxgen.image.mask import matte_on
from vfxgen.operator import digest
from vfxgen.sequence import Sequence
from vfxgen.temporal.motion import BACKWARD, FORWARD, Motion
from vfxgen.version import __version__

CARRIED = ("A", "trust")

# Every so many frames from a keyframe the state stays; those between are carried from there anew when they are gone.
_MILESTONE = 16


class Carried(Sequence):
    """Frame n is the matte of the nearest keyframe before it (or after it), moved from frame to frame until n.

    ``A`` is the matte, ``trust`` says how far it can be trusted: the least trust on the way there
    (`vfxgen.image.flow.trust`), 0 where the scene was hidden on the way. A cut is a wall: beyond it trust is 0.

    A frame is one step from the one before, and a function of the keyframe and the frames between alone: rendered in
    order each step is taken twice at most, and a frame on its own gives the same bits. Kept are 17 frames and every
    16th between two keyframes, 4 bytes a pixel each.

    Parameters
    ----------
    plate
        The frames whose motion is followed.
    keyframes
        A sequence that has the painted frames alone; see `painted_frames`.
    motion
        Of `plate`.
    side
        ``before``: from the last keyframe at or before a frame; ``after``: from the first at or after it.
    """

    def __init__(self, plate: Sequence, keyframes: Sequence, motion: Motion, side: Literal["before", "after"]) -> None:
        super().__init__()
        self.plate, self.keyframes, self.motion, self.side = plate, keyframes, motion, side
        self._step = 1 if side == "before" else -1
        self._milestones: dict[int, Frame] = {}
        self.keep = _MILESTONE + 1

    @property
    def inputs(self) -> Mapping[str, Sequence]:
        return {"plate": self.plate, "keyframes": self.keyframes}

    @property
    def range(self) -> list[int] | None:
        return self.plate.range

    @property
    def intermediates(self) -> tuple[Sequence, ...]:
        return (self.motion,)

    def forget(self) -> None:
        super().forget()
        self._milestones.clear()

    def keyframe(self, number: int) -> int | None:
        """The keyframe that frame `number` is carried from; None where there is none on that side."""
        numbers = painted_frames(self.keyframes, self.plate)
        if self.side == "before":
            return max((key for key in numbers if key <= number), default=None)
        return min((key for key in numbers if key >= number), default=None)

    def needs(self, number: int) -> Mapping[str, tuple[int, ...]]:
        key = self.keyframe(number)
        if key is None:
            return {"plate": (number,), "keyframes": ()}
        return {"plate": tuple(range(min(key, number), max(key, number) + 1)), "keyframes": (key,)}

    def make_key(self, number: int) -> str:
        frames = {name: [self.inputs[name].key(n) for n in needed] for name, needed in self.needs(number).items()}
        return digest(sequence="carried", side=self.side, frames=frames, version=__version__)

    def frame(self, number: int) -> Frame:
        key, plate = self.keyframe(number), self.plate[number]
        if key is None:
            return self._made(plate, np.zeros((*plate.size, 2), np.float32))
        if key == number:
            painted = np.nan_to_num(matte_on(self.keyframes[number], plate), nan=0.0).clip(0, 1)
            return self._made(plate, np.concatenate([painted, np.ones_like(painted)], -1))
        # One by one from the nearest frame that is there: asked for the one before, each would ask for its own.
        there = number - self._step
        while there != key and there not in self._frames and there not in self._milestones:
            there -= self._step
        state = self._milestones.get(there) or self[there]
        while there != number - self._step:
            there += self._step
            state = self[there]
        made = self._made(plate, self._moved(state, plate))
        if (number - key) % _MILESTONE == 0:
            self._milestones[number] = made
        return made

    def cut(self, number: int) -> tuple[int, int] | None:
        """The two frames between which there is a cut on the way to frame `number`, the nearest to it."""
        key = self.keyframe(number)
        if key is not None:
            for there in range(number, key, -self._step):
                if self.motion.is_cut(there - self._step, there):
                    return min(there, there - self._step), max(there, there - self._step)
        return None

    def _moved(self, state: Frame, plate: Frame) -> Pixels:
        """The matte and trust of a neighbour of `plate`, looked up along the motion that leads there."""
        from vfxgen.image.warp import warped

        number = plate.number
        between = self.motion[min(number, number - self._step)]
        way = between.only(*(BACKWARD if self._step > 0 else FORWARD)).on(plate.data_window)
        flow = way.pixels(*way.channels)
        there = state.on(plate.data_window)
        if self.motion.is_cut(number - self._step, number):
            return np.concatenate([there.pixels("A"), np.zeros((*plate.size, 1), np.float32)], -1)
        matte, inside = warped(there.pixels("A"), flow[..., :2])
        trust, _ = warped(there.pixels("trust"), flow[..., :2], "bilinear")
        return np.concatenate([matte, np.minimum(trust, flow[..., 2:]) * inside[..., None]], -1)

    def _made(self, plate: Frame, pixels: Pixels) -> Frame:
        return Frame.from_pixels(
            pixels.astype(np.float16),
            CARRIED,
            number=plate.number,
            colorspace=plate.colorspace,
            type="half",
            data_window=plate.data_window,
            display_window=plate.display_window,
            source=f"{self.keyframes} carried from the keyframe {self.side}",
        )


def painted_frames(keyframes: Sequence, plate: Sequence) -> list[int]:
    """The numbers of the keyframes, ascending.

    Raises
    ------
    RequestError
        There are none, every number is one (a still), or some are not frames of the plate.

    Examples
    --------
    >>> from vfxgen.testing import Pictures, constant
    >>> light = np.zeros((4, 6, 3), np.float32)
    >>> painted_frames(Pictures({2: light, 9: light}), Pictures(dict.fromkeys(range(1, 6), light)))
    Traceback (most recent call last):
    vfxgen.errors.RequestError: keyframes: 9 is not among the plate's frames 1 .. 5; renumber it or leave it out
    """
    numbers = keyframes.present
    if numbers is None:
        raise RequestError(
            "keyframes: a still stands for every frame; give a sequence that has the painted frames alone "
            "(matte.####.exr), or give it as rough"
        )
    if not numbers:
        raise RequestError(f"keyframes: there are none in {keyframes}; give a sequence that has a painted frame")
    there = plate.range
    outside = [] if there is None else sorted(set(numbers) - set(there))
    if outside:
        assert there
        raise RequestError(
            f"keyframes: {', '.join(map(str, outside))} {'is' if len(outside) == 1 else 'are'} not among the plate's "
            f"frames {there[0]} .. {there[-1]}; renumber {'it' if len(outside) == 1 else 'them'} or leave "
            f"{'it' if len(outside) == 1 else 'them'} out"
        )
    return numbers
