"""Cleanplate: what a mask marks is taken out of a shot, without flicker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vfxgen.errors import FrameError
from vfxgen.frame import RGB, Box, Frame, Mask, Pixels
from vfxgen.log import NEWS, say_once
from vfxgen.operator import Operator, image_input, matte_input, parameter
from vfxgen.operators.denoise import Denoise
from vfxgen.operators.grain import white_noise
from vfxgen.operators.inpaint import AUTO, METHOD, NET, Inpaint, Method, check_inpainting, chosen
from vfxgen.sequence import Sequence
from vfxgen.temporal.cleaning import Holes, Seen, Unseen
from vfxgen.temporal.filling import HOLE, LEFT, UNSEEN, ZONE, Filling, Other
from vfxgen.with_net import BACKEND, DEVICE, PRECISION, TILE, USE, Backend, Precision, Use, WithNet
from vfxgen.zoo.card import Card

# Grain is coarser than what the noise filter takes it for: more of it has to go.
_DENOISE = 2.0
# The first of three channels of noise: `Grain` has those before.
_NOISE = 3
# How much what was made up counts; what spans the hole counts for half as much at its rim, for less inside.
_MADE_UP = 0.1
# A rest of the hole that nowhere reaches so far inwards, in pixels, is not worth another frame that is made up: the
# smooth surface that spans it stays there.
_THIN = 2.0


class Cleanplate(WithNet, Operator):
    """Clean a shot of what its mask marks: rigs, wires, markers, people.

    What is behind the mask is looked up in the frames where it is seen, up to `reach` frames before and after: aligned
    by the camera's motion and the optical flow around the hole, matched in exposure, blended by how far each frame can
    be trusted, and fitted at the seam. What none of them shows is made up (`method`) on one frame in `reach`, and
    carried from there. The patch is given the grain of the plate.

    Everything under the mask, however thin its value, is replaced, grown by `grow`; over `feather` pixels beyond, fill
    and plate are mixed. Outside that, and in every other channel, the plate stays bit for bit. A cut is a wall. A frame
    that has no mask is not looked at.

    Notes
    -----
    See `vfxgen.temporal.cleaning` and `vfxgen.image.gather`. A frame depends on at most three times `reach` frames, by
    number alone: frames can be rendered in any order and in chunks. As many plates are held in memory.

    Examples
    --------
    >>> import numpy, vfxgen
    >>> from vfxgen.testing import Pictures, constant
    >>> spot = {n: numpy.zeros((64, 80, 1), numpy.float32) for n in (1, 2, 3)}
    >>> for n in spot:
    ...     spot[n][20:30, 10 * n : 10 * n + 10] = 1
    >>> clean = vfxgen.Cleanplate(constant([0.2, 40.0, 0.1], (64, 80)), Pictures(spot, "A"), method="smooth")[2]
    >>> bool(numpy.allclose(clean.rgb, (0.2, 40.0, 0.1), rtol=1e-3))
    True
    """

    plate: Sequence = image_input("Frames to clean.", channels="R G B")
    mask: Sequence = matte_input("What to take out: wherever it is above 0.", optional=False)
    clean: Sequence | None = image_input(
        "The same view without it, as far as its A is 1: taken before other frames.", channels="R G B", optional=True
    )
    reach: int = parameter(12, "How far before and after is looked.", minimum=1, maximum=240, unit="frames")
    grow: float = parameter(2.0, "How far the mask is grown.", minimum=0.0, maximum=256.0, unit="pixels")
    feather: float = parameter(
        3.0, "Over how far fill and plate mix, beyond it.", minimum=0.0, maximum=256.0, unit="pixels"
    )
    grain: float = parameter(1.0, "Grain in the patch, relative to the plate's.", minimum=0.0, maximum=4.0)
    method: Method = METHOD
    seed: int = parameter(0, "Another number is another grain, and another fill.", minimum=0, maximum=2**31 - 1)
    net: str = NET
    use: Use = USE
    device: str = DEVICE
    precision: Precision = PRECISION
    backend: Backend = BACKEND
    tile: int = TILE

    writes = RGB
    draws_noise = True

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        name = chosen(self.name, self.method, self.net)
        self._entry = self._usable(name) if name else None
        self._holes = Holes(self.plate, self.mask, self.grow, self.feather)
        self._seen = Seen(self._holes, self.reach, self.clean)
        passed = ("method", "seed", "net", "use", "device", "precision", "backend", "tile")
        given = {name: self.parameters[name] for name in passed}
        if self._entry is None and self.method == "auto":
            say_once("cleanplate: what is not known is made up by patches of the frame", NEWS)
            given["method"] = AUTO
        unseen = Unseen(self._seen)
        filled = Inpaint(self._seen, unseen, grow=0.0, feather=0.0, **given)
        # Grain that was made up would stick to the scene.
        self._complete = Denoise(filled, unseen, amount=_DENOISE, size=3)
        self._seen.keep, self._complete.keep = 3, 3

    @classmethod
    def check_card(cls, card: Card) -> None:
        check_inpainting(cls.name, card)

    def needs(self, number: int) -> Mapping[str, tuple[int, ...]]:
        first, last = self._anchors(number)
        around = {n for anchor in (number, first, last) for n in self._seen.window(anchor)}
        needed = dict.fromkeys(("plate", "mask"), tuple(sorted(around)))
        if self.clean is None:
            return needed
        # What is made up is made up on the frames between, at a cut: each with a clean plate of its own.
        there = self.clean.range
        return {
            **needed,
            "clean": tuple(n for n in range(first, last + 1) if n == number or there is None or n in there),
        }

    @property
    def intermediates(self) -> tuple[Sequence, ...]:
        return (self._complete,)

    def frame(self, number: int) -> Frame:
        from vfxgen.image.holes import feathered, mixed

        plate = self.input_frame("plate", number)
        holes = self._holes[number]
        hole: Mask = holes.planes[HOLE] > 0
        zone: Mask = holes.planes[ZONE] > 0
        if not hole.any():
            say_once("cleanplate: the mask is empty on some frames; the plate passes as it is there")
            return plate
        if hole.all():
            raise FrameError(
                f"cleanplate: frame {number}: the mask covers the whole frame: nothing is left to align others with"
            )
        made = self._seen[number]
        if (made.planes[UNSEEN] > 0).any():
            made = self._carried(number, made)
        fill = made.rgb
        if self.grain:
            crop, grain = self._grain(plate, made, holes)
            fill[crop] += grain
        return plate.with_pixels(RGB, mixed(fill, plate.rgb, feathered(hole, self.feather) * zone))

    def _carried(self, number: int, seen: Frame) -> Frame:
        """What no frame shows, from the frames where it was made up: of the two around, the nearer counts more."""
        from vfxgen.image.holes import grown

        matrices = dict(self._seen.linked(number, anchor) for anchor in self._anchors(number))
        near = {reached: max(1 - abs(reached - number) / self.reach, 1e-3) ** 2 for reached in matrices}
        share = {reached: _MADE_UP * one / sum(near.values()) for reached, one in near.items()}
        state = Filling(seen, self._seen.grain(number))
        places = self._seen.followed(number, matrices, state.crop)
        others = [Other(self._complete[n], matrix, share[n], 0.0, True, places[n]) for n, matrix in matrices.items()]
        say_once("cleanplate: a part of the hole is seen in no frame within reach; it is made up")
        state.fill(others)
        if (~grown((~state.unseen).astype(np.float32), _THIN)).any():
            # Beyond what those frames cover: the camera has moved on.
            state.fill([Other(self._complete[number], np.eye(3), 1.0, 0.0, True)])
        return state.filled()

    def _anchors(self, number: int) -> tuple[int, int]:
        """The frames on which what is never seen is made up: those around whose number is a multiple of `reach`."""
        run = self._seen.run(number, self.reach)
        return max(run[0], number // self.reach * self.reach), min(run[-1], -(-number // self.reach) * self.reach)

    def _grain(self, plate: Frame, made: Frame, holes: Frame) -> tuple[tuple[slice, slice], Pixels]:
        """Grain for what blending and making up left of it, and the rows and columns that it is for."""
        from vfxgen.image.grain_model import grain_like
        from vfxgen.image.holes import around

        model = self._seen.grain(plate.number)
        rows, columns = crop = around(holes.planes[ZONE] > 0, 0)
        fill, left = made.rgb[crop], made.pixels(LEFT)[crop]
        if model is None:
            return crop, np.zeros_like(fill)
        window = Box(
            plate.data_window.x + columns.start - model.reach,
            plate.data_window.y + rows.start - model.reach,
            fill.shape[1] + 2 * model.reach,
            fill.shape[0] + 2 * model.reach,
        )
        white = np.stack([white_noise(window, (self.seed, plate.number, _NOISE + i)) for i in range(3)], axis=-1)
        return crop, grain_like(model, white, fill) * np.float32(self.grain) * np.sqrt(np.clip(1 - left, 0, 1))
