"""What a matte is solved from, frame by frame: where the subject is said to be, and the alpha that follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vfxgen.errors import FrameError
from vfxgen.frame import RGB, Frame, Pixels
from vfxgen.image.mask import matte_on
from vfxgen.image.tensor import to_pixels, to_tensor
from vfxgen.log import say_once
from vfxgen.operator import digest
from vfxgen.sequence import Sequence
from vfxgen.temporal.carried import Carried, painted_frames
from vfxgen.temporal.motion import Motion
from vfxgen.version import __version__

if TYPE_CHECKING:
    from vfxgen.backends.net import Net
    from vfxgen.image.color_pairs import Estimate


class Told(NamedTuple):
    """What is said of a frame: a rough matte, a trimap (H, W) each, and with keyframes how sure the matte is."""

    matte: Pixels
    trimap: Pixels
    believed: Estimate | None = None


class Guide:
    """Where the subject is, on every frame of a plate: by one of a trimap, a rough mask, keyframes; or nothing."""

    def __init__(
        self,
        plate: Sequence,
        trimap: Sequence | None,
        rough: Sequence | None,
        keyframes: Sequence | None,
        width: float,
    ) -> None:
        self.plate, self.trimap, self.rough, self.width = plate, trimap, rough, width
        self.motion = Motion(plate)
        self._painted = keyframes
        self._sides = (
            (Carried(plate, keyframes, self.motion, "before"), Carried(plate, keyframes, self.motion, "after"))
            if keyframes is not None
            else ()
        )

    @property
    def range(self) -> list[int] | None:
        """Frames of the plate of which a trimap or a rough mask, where there is one, says something."""
        known = [source.range for source in (self.plate, self.trimap, self.rough) if source is not None]
        bounded = [set(numbers) for numbers in known if numbers is not None]
        return sorted(set.intersection(*bounded)) if bounded else None

    @property
    def keyframes(self) -> list[int]:
        """Numbers of the frames that are painted; none where there is another guide."""
        return painted_frames(self._painted, self.plate) if self._painted is not None else []

    @property
    def intermediates(self) -> tuple[Sequence, ...]:
        """The motion, and what is carried."""
        return (self.motion, *self._sides)

    def needs(self, number: int) -> dict[str, tuple[int, ...]]:
        """Which frames of which input say where the subject is on frame `number`, and which plates."""
        if not self._sides:
            return {"plate": (number,), "trimap": (number,), "rough": (number,)}
        # A keyframe counts to those after it: how many frames wait in a render follows from what its first one weighs.
        start = number + 1 if number in self.keyframes and number != self.keyframes[-1] else number
        before, after = (side.needs(at) for side, at in zip(self._sides, (number, start), strict=True))
        return {name: tuple(sorted({*before[name], *after[name]})) for name in before}

    def told(self, plate: Frame) -> Told | None:
        """What is said of the plate's frame; None where nothing says anything."""
        if self.trimap is not None:
            from vfxgen.image.trimap import trimap_levels

            painted = np.nan_to_num(matte_on(self.trimap[plate.number], plate)[..., 0], nan=0.5)
            return Told(painted, trimap_levels(painted))
        if self.rough is not None:
            from vfxgen.image.trimap import trimap_of

            rough = np.nan_to_num(matte_on(self.rough[plate.number], plate)[..., 0], nan=0.0).clip(0, 1)
            return Told(rough, trimap_of(rough, self.width))
        return self._carried(plate) if self._sides else None

    def _carried(self, plate: Frame) -> Told:
        from vfxgen.image.carry import Carry, together, trimap_between
        from vfxgen.image.trimap import trimap_levels

        number = plate.number
        if number in self.keyframes:
            assert self._painted is not None
            painted = np.nan_to_num(matte_on(self._painted[number], plate)[..., 0], nan=0.0).clip(0, 1)
            return Told(painted, trimap_levels(painted))
        carries = []
        for side in self._sides:
            key = side.keyframe(number)
            if key is not None:
                state = side[number].pixels("A", "trust")
                if state[..., 1].any():
                    carries.append(Carry(state[..., 0], state[..., 1], abs(number - key)))
        if not carries:
            cuts = [cut for side in self._sides if (cut := side.cut(number))]
            why = " and ".join(f"there is a cut between frames {one} and {other}" for one, other in cuts)
            raise FrameError(
                f"matte: frame {number}: no keyframe ({', '.join(map(str, self.keyframes))}) can be followed to it: "
                f"{why or 'everything moves too fast'}; paint a keyframe on this side"
            )
        believed = together(carries)
        distance = min(carry.distance for carry in carries)
        return Told(believed.coverage, trimap_between(believed, self.width, distance), believed)


class Alpha(Sequence):
    """Frame n is the alpha of frame n as it stands alone, without holdout, garbage and neighbours.

    Parameters
    ----------
    guide
        Where the subject is.
    method
        As `vfxgen.operators.matte.Matte` has them.
    net
        Gives the net, for the method ``net``.
    tile
        Side of a tile for it.
    """

    def __init__(self, guide: Guide, method: str, net: Callable[[], Net] | None, tile: int) -> None:
        super().__init__()
        self.guide, self.method, self.net, self.tile = guide, method, net, tile
        # The frame before, the frame and the one after: rendered in sequence, each is solved once.
        self.keep = 3

    @property
    def inputs(self) -> Mapping[str, Sequence]:
        return {"plate": self.guide.plate}

    @property
    def intermediates(self) -> tuple[Sequence, ...]:
        return self.guide.intermediates

    def make_key(self, number: int) -> str:
        return digest(sequence="alpha", method=self.method, plate=self.guide.plate.key(number), version=__version__)

    def frame(self, number: int) -> Frame:
        from vfxgen.image.keying import repaired

        plate = self.guide.plate[number]
        told = self.guide.told(plate)
        if number in self.guide.keyframes:
            assert told is not None
            alpha = told.matte
        else:
            light = to_pixels(repaired(to_tensor(plate.rgb)))
            alpha = self._through_net(number, light, told) if self.net else self._solved(number, light, told)
        # In the type it was made in: as many bits, however often it is asked for.
        return plate.only(*RGB).with_pixels(("A",), alpha[..., None], type="float").only("A")

    def _solved(self, number: int, light: Pixels, told: Told | None) -> Pixels:
        from vfxgen.image.natural_matte import matte_by, mixture_matte
        from vfxgen.image.sparse_matte import Name, sparse_matte

        assert told is not None
        if not self._is_open(number, told.trimap):
            return told.trimap
        if self.method == "mixture":
            return mixture_matte(light, told.trimap, told.believed)
        name: Name = "knn" if self.method == "knn" else "closed-form"
        return matte_by(partial(sparse_matte, name), light, told.trimap)

    def _is_open(self, number: int, trimap: Pixels) -> bool:
        """Whether there is anything to solve; says what is odd about it."""
        unknown = trimap == 0.5
        if unknown.all():
            raise FrameError(
                f"matte: frame {number}: all of it is unknown; say which pixels are surely subject (1) and which "
                "surely background (0), or make width smaller"
            )
        if not unknown.any():
            say_once("matte: on some frames nothing is unknown; alpha is there what was given")
        elif not (trimap == 1).any():
            say_once(
                "matte: on some frames no pixel is surely subject; its colour is unknown there: make width smaller"
            )
        return bool(unknown.any())

    def _through_net(self, number: int, light: Pixels, told: Told | None) -> Pixels:
        from vfxgen.temporal.net_matte import matte_by_net, takes_clues

        assert self.net is not None
        net = self.net()
        if told is not None and takes_clues(net.card) and not self._is_open(number, told.trimap):
            return told.trimap
        return matte_by_net(net, light, told, self.tile)
