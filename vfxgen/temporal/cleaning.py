"""What stands behind a clean plate, as sequences: frames with their holes marked, and the holes filled over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from vfxgen.frame import RGB, Frame, Mask, Pixels
from vfxgen.image.formats import require_one_format
from vfxgen.image.mask import matte_on
from vfxgen.log import NEWS, say_once
from vfxgen.operator import digest
from vfxgen.sequence import Sequence
from vfxgen.temporal.behind import Behind, places_of
from vfxgen.temporal.filling import HOLE, UNSEEN, ZONE, Filling, Other, between_arrays, covering, say_how_it_moves, sees
from vfxgen.temporal.plate_grain import plate_grain
from vfxgen.temporal.registration import HIDDEN, Matrix, Registration, between, registered
from vfxgen.version import __version__

if TYPE_CHECKING:
    from vfxgen.image.grain_model import GrainModel

# How many sources are enough for a pixel, and the least share of what is still wanted that makes one worth its while.
_ENOUGH, _WORTH = 6, 0.02
# Frames away at which a source counts for a quarter; those further away than that many look like their neighbours.
_NEAR, _DENSE = 3.0, 4
# Pixels of the hole that are looked up to choose sources, at most.
_PROBES = 4000
# Frames whose grain is kept: one that is cleaned, and those on which what is never seen is made up.
_GRAINS = 3


class Holes(Sequence):
    """Frames of a plate, R G B, spanned with a smooth surface where they do not show the scene.

    `HOLE` is the mask, grown; `HIDDEN` holds beside it the pixels that are not finite, `ZONE` those over which patch
    and plate mix.
    """

    def __init__(self, plate: Sequence, mask: Sequence, grow: float, feather: float = 0.0) -> None:
        super().__init__()
        self.plate, self.mask, self.grow, self.feather = plate, mask, grow, feather

    @property
    def inputs(self) -> Mapping[str, Sequence]:
        return {"plate": self.plate, "mask": self.mask}

    @property
    def range(self) -> list[int] | None:
        """Frames that both have."""
        both = [source.range for source in (self.plate, self.mask)]
        known = [set(numbers) for numbers in both if numbers is not None]
        return sorted(set.intersection(*known)) if known else None

    def make_key(self, number: int) -> str:
        keys = [source.key(number) for source in self.inputs.values()]
        return digest(sequence="holes", grow=self.grow, feather=self.feather, frames=keys, version=__version__)

    def frame(self, number: int) -> Frame:
        from vfxgen.image.harmonic import harmonic
        from vfxgen.image.holes import grown

        plate = self.plate[number]
        light = plate.rgb
        mask = matte_on(self.mask[number], plate)[..., 0]
        hole, zone = (grown(mask, pixels) for pixels in (self.grow, self.grow + self.feather))
        hidden = hole | ~np.isfinite(light).all(axis=-1)
        marks = {HOLE: hole, HIDDEN: hidden, ZONE: zone}
        planes = {name: plane.astype(np.float16) for name, plane in marks.items()}
        spanned = harmonic(np.where(hidden[..., None], np.float32(0), light), ~hidden)
        only = replace(plate.only(*RGB), origin=None).with_pixels(RGB, spanned, type="float")
        return replace(only, planes={**only.planes, **planes}, types={**only.types, **dict.fromkeys(planes, "half")})


class Seen(Sequence):
    """Frames of a plate with their holes filled from what a still clean plate and the frames around show.

    Frame n depends on the window of ``2 * reach + 1`` frames around it, moved so that it lies within the range, as far
    as no cut and no missing frame is in between. R G B are finite; see `UNSEEN` and `LEFT`.
    """

    def __init__(self, holes: Holes, reach: int, clean: Sequence | None = None) -> None:
        super().__init__()
        self.holes, self.reach, self.clean = holes, reach, clean
        self.registration = Registration(holes)
        self.behind = Behind(self.registration)
        self.grain = lru_cache(maxsize=_GRAINS)(self._grain)
        holes.keep = self.behind.keep = 2 * reach + 2
        self.registration.keep = 4 * reach + 2

    @property
    def inputs(self) -> Mapping[str, Sequence]:
        return {"holes": self.holes, **({"clean": self.clean} if self.clean else {})}

    @property
    def range(self) -> list[int] | None:
        return self.holes.range

    @property
    def intermediates(self) -> tuple[Sequence, ...]:
        return (self.registration, self.behind)

    def forget(self) -> None:
        super().forget()
        self.grain.cache_clear()

    def needs(self, number: int) -> Mapping[str, tuple[int, ...]]:
        needed = {"holes": tuple(self.window(number))}
        return {**needed, "clean": (number,)} if self.clean else needed

    def make_key(self, number: int) -> str:
        keys = {name: [self.inputs[name].key(n) for n in numbers] for name, numbers in self.needs(number).items()}
        return digest(sequence="seen", reach=self.reach, frames=keys, version=__version__)

    def window(self, number: int) -> list[int]:
        """The frames that number `number` may be filled from, itself included, without a gap."""
        run = self.run(number, 2 * self.reach)
        first = max(run[0], min(number - self.reach, run[-1] - 2 * self.reach))
        return [n for n in run if first <= n <= first + 2 * self.reach]

    def run(self, number: int, most: int) -> list[int]:
        """The frames around number `number`, itself included, up to `most` away, as far as none is missing."""
        known, run = set(self.range or []), [number]
        while run[0] - 1 in known and run[0] > number - most:
            run.insert(0, run[0] - 1)
        while run[-1] + 1 in known and run[-1] < number + most:
            run.append(run[-1] + 1)
        return run

    def linked(self, number: int, other: int) -> tuple[int, Matrix]:
        """The homography from frame `number` to `other`, or to the last on the way before a cut, and which that is."""
        return [(number, np.eye(3)), *self._path(number, other)][-1]

    def followed(self, number: int, others: Iterable[int], crop: tuple[slice, slice]) -> dict[int, Pixels]:
        """Where a crop of frame `number` is in others, (h, w, 2), from frame to frame; in display coordinates."""
        wanted, start = set(others), places_of(self.holes[number].data_window, crop)
        found = {number: start}
        for end in (min([number, *wanted]), max([number, *wanted])):
            place, step = start, 1 if end > number else -1
            for reached in range(number + step, end + step, step):
                place = self.behind.followed(reached - step, reached, place)
                if reached in wanted:
                    found[reached] = place
        return found

    def homes(self, number: int, others: Iterable[int]) -> dict[int, Pixels]:
        """Where the pixels of other frames are in frame `number`, (h, w, 2) each, in display coordinates.

        NaN where they are hidden on the way.
        """
        from vfxgen.image.warp import warped

        wanted, found = set(others), dict[int, Pixels]()
        for end in (min([number, *wanted]), max([number, *wanted])):
            step, last = 1 if end > number else -1, self._shown(number, self._grid(number))
            for reached in range(number + step, end + step, step):
                grid = self._grid(reached)
                window = self.holes[reached - step].data_window
                place = self.behind.followed(reached, reached - step, grid)
                own = place - places_of(window, np.s_[: grid.shape[0], : grid.shape[1]])
                last, inside = warped(last, own, "bilinear")
                last = self._shown(reached, np.where(inside[..., None], last, np.float32(np.nan)))
                if reached in wanted:
                    found[reached] = last
        return found

    def _shown(self, number: int, places: Pixels) -> Pixels:
        """`places` of the pixels of a frame, NaN where it is hidden: what moves there is a guess."""
        hidden = self.holes[number].planes[HIDDEN] > 0
        return np.where(hidden[..., None], np.float32(np.nan), places)

    def _grid(self, number: int) -> Pixels:
        window = self.holes[number].data_window
        return places_of(window, np.s_[: window.height, : window.width])

    def _grain(self, number: int) -> GrainModel | None:
        """The grain of a frame, measured with the next one, or the last where a cut or nothing follows."""
        around = [n for n in (number + 1, number - 1) if n in self.run(number, 1)]
        near = next((n for n in around if self._step(number, n) is not None), None)
        return plate_grain(self.holes[number], None if near is None else self.holes[near])

    def _path(self, number: int, other: int) -> Iterator[tuple[int, Matrix]]:
        """The frames from `number`, itself not included, to `other` or to a cut, and the homographies to them."""
        step, matrix = 1 if other > number else -1, np.eye(3)
        for reached in range(number + step, other + step, step):
            if (one := self._step(reached - step, reached)) is None:
                return
            matrix = one @ matrix
            yield reached, matrix / matrix[2, 2]

    def _step(self, number: int, other: int) -> Matrix | None:
        """The homography between two neighbours; None where a cut is between them."""
        first, last = sorted((number, other))
        matrix = between(self.registration, number, other)
        if matrix is None:
            say_once(f"cleanplate: a cut between frames {first} and {last}: neither is filled from the other", NEWS)
        return matrix

    def frame(self, number: int) -> Frame:
        frame = self.holes[number]
        if not (frame.planes[HOLE] > 0).any():
            return Filling(frame, None).filled()
        state = Filling(frame, self.grain(number))
        if self.clean is not None:
            clean = covering(self.clean[number])
            matrix, agreement, _ = registered(frame, clean)
            if not agreement:
                require_one_format(clean, frame, "clean plate")
                say_once("cleanplate: the clean plate could not be aligned with the plate; it is taken as it lies")
            state.fill([Other(clean, matrix, 1.0)])
        matrices = self._matrices(number)
        chosen = self._chosen(number, state.unseen, matrices)
        ways = self.followed(number, chosen, state.crop) if chosen else {}
        homes = self.homes(number, chosen) if chosen else {}
        parallax = state.fill(
            [
                Other(self.holes[n], matrices[n], (1 + abs(n - number) / _NEAR) ** -2, places=ways[n], home=homes[n])
                for n in chosen
            ]
        )
        say_how_it_moves(frame, list(matrices.values()), parallax)
        return state.filled()

    def _matrices(self, number: int) -> dict[int, Matrix]:
        """Homographies to the frames of the window, nearest first, as far as the next cut."""
        ends = [end for end in (self.window(number)[0], self.window(number)[-1]) if end != number]
        found = {reached: matrix for end in ends for reached, matrix in self._path(number, end)}
        return dict(sorted(found.items(), key=lambda item: (abs(item[0] - number), item[0])))

    def _chosen(self, number: int, hole: Mask, matrices: Mapping[int, Matrix]) -> list[int]:
        """The frames that show what too few of those before them show: near ones, every second far one, the rest."""
        places = np.argwhere(hole)
        places = places[:: max(1, -(-len(places) // _PROBES))]
        count = np.zeros(len(places), int)
        chosen = []
        frame = self.holes[number]
        spread = {n for n in matrices if abs(n - number) <= _DENSE or (n - number) % 2 == 0}
        for other in sorted(matrices, key=lambda n: n not in spread):
            hidden = self.holes[other].planes[HIDDEN] > 0
            shown = sees(between_arrays(matrices[other], frame, self.holes[other]), places, hidden)
            wanted = count < (_ENOUGH if other in spread else 1)
            if np.count_nonzero(shown & wanted) > _WORTH * np.count_nonzero(wanted):
                chosen.append(other)
                count += shown
            if not wanted.any():
                break
        return chosen


class Unseen(Sequence):
    """What of the holes no frame shows, as a matte; specks within it too.

    Such a speck is seen through the mask, as a link of a chain before it: in other frames it would be elsewhere.
    """

    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self.seen = seen

    @property
    def inputs(self) -> Mapping[str, Sequence]:
        return {"seen": self.seen}

    @property
    def range(self) -> list[int] | None:
        return self.seen.range

    def make_key(self, number: int) -> str:
        return digest(sequence="unseen", frames=[self.seen.key(number)])

    def frame(self, number: int) -> Frame:
        from vfxgen.image.holes import without_specks

        seen = self.seen[number]
        large: Mask = without_specks(seen.planes[UNSEEN] == 0)
        return replace(seen.only(UNSEEN), planes={"A": (~large).astype(np.float32)}, types={"A": "float"})
