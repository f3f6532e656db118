"""Matte: cut a subject out of a plate without a screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from vfxgen.errors import FrameError, RequestError
from vfxgen.frame import RGB, RGBA, Frame, Pixels
from vfxgen.image.mask import matte_on
from vfxgen.image.tensor import to_pixels, to_tensor
from vfxgen.operator import Operator, image_input, matte_input, parameter
from vfxgen.sequence import Sequence
from vfxgen.temporal.matting import Alpha, Guide
from vfxgen.temporal.motion import BACKWARD, FORWARD
from vfxgen.temporal.net_matte import check_net
from vfxgen.with_net import BACKEND, DEVICE, PRECISION, TILE, USE, Backend, Precision, Use, WithNet, mends
from vfxgen.zoo import registry
from vfxgen.zoo.card import Card

FOREGROUND = ("fg.R", "fg.G", "fg.B")
SHIPPED = {"trimap": "matte-trimap", "rough": "matte-coarse"}
"""The net by what says where the subject is: there it was measured to be nearer to the truth than ``mixture``."""


class Matte(WithNet, Operator):
    """Cut a subject out of a plate without a screen: alpha, and its colour without what is behind it.

    Where it is, one of three says: a `trimap` for every frame; a `rough` mask for every frame, whose edge is solved
    `width` pixels to both sides; or `keyframes`, mattes painted on a few frames. Those are carried along the motion to
    the frames between, from both sides, and solved again where they may have strayed; on a keyframe A is the painted
    matte. A frame depends on the keyframes before and after it and on the frames between, never on how the job is cut.
    A cut is a wall: a keyframe is needed on both of its sides.

    R, G, B come premultiplied by A, ready for a merge. Nothing clips: where A is 1, R, G, B are the plate's bit for
    bit. Pixels with NaN or infinity keep them and touch no other. One stop more light gives the same alpha.

    `temporal` takes out flicker: alphas of the frames before and after are moved along the motion and mixed in, where
    the plates look alike and within the range that alpha has around the pixel, so that real motion does not smear.

    Notes
    -----
    ``mixture`` weighs what colours around say against smoothness along colour (`vfxgen.image.natural_matte`), in
    scene-linear light, in which coverage mixes. ``closed-form`` and ``knn`` are pymatting's (``pip install
    vfxgen[matte]``). ``net`` is a net for mattes that takes R G B, and a trimap as channel T or a mask as M where it
    wants one; those that ship take what ``mixture`` found, and mend it where the trimap leaves it open.

    Examples
    --------
    >>> import numpy, vfxgen
    >>> from vfxgen.testing import Pictures
    >>> plate = numpy.full((32, 32, 3), [0.1, 0.2, 0.3], numpy.float32)
    >>> plate[8:24, 8:24] = [0.9, 0.4, 0.1]
    >>> mask = numpy.zeros((32, 32, 1), numpy.float32)
    >>> mask[7:24, 9:25] = 1
    >>> cut = vfxgen.Matte(Pictures(plate), rough=Pictures(mask, "A"), width=3)[1]
    >>> bool(cut.alpha[8:24, 8:24].min() > 0.95), bool(cut.alpha[:6].max() < 0.05)
    (True, True)
    """

    plate: Sequence = image_input("Frames with a subject.", channels="R G B")
    trimap: Sequence | None = matte_input("0 background, 1 subject, between: to be solved.")
    rough: Sequence | None = matte_input("A rough mask of the subject: roto, or an alpha to refine.")
    keyframes: Sequence | None = matte_input("Mattes painted on a few frames alone.", sparse=True)
    holdout: Sequence | None = matte_input("What stays as it is: 1 solid.")
    garbage: Sequence | None = matte_input("What goes: 1 is transparent.")
    method: Literal["auto", "mixture", "closed-form", "knn", "net"] = parameter(
        "auto", "How the unknown is solved; auto: net for a trimap or a rough mask, mixture for keyframes."
    )
    width: float = parameter(
        10.0, "How far the edge of rough or carried mattes is solved anew.", minimum=0.0, maximum=512.0, unit="pixels"
    )
    temporal: float = parameter(
        0.0, "Less flicker: how much of the frames before and after is mixed in.", minimum=0.0, maximum=1.0
    )
    foreground: bool = parameter(False, "Also write fg.R fg.G fg.B: the subject's colour, unpremultiplied.")
    net: str = parameter(
        "",
        "Name of a net for mattes, for method = net or auto; empty: matte-trimap, or matte-coarse for rough.",
        net_task="matte",
    )
    use: Use = USE
    device: str = DEVICE
    precision: Precision = PRECISION
    backend: Backend = BACKEND
    tile: int = TILE

    writes = RGBA

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self._entry = self._chosen()
        guides = [name for name in ("trimap", "rough", "keyframes") if name in self.inputs]
        if len(guides) > 1:
            raise RequestError(f"matte: {' and '.join(guides)} are given; give one of them")
        takes = " ".join(port.channels for port in self._entry.card.inputs) if self._entry else ""
        if not guides and sorted(takes.split()) != sorted(RGB):
            raise RequestError("matte: nothing says where the subject is: give a trimap, a rough mask or keyframes")
        self._guide = Guide(self.plate, self.trimap, self.rough, self.keyframes, self.width)
        solve_by_net = (lambda: self._net) if self._entry else None
        method = "mixture" if self.method == "auto" else self.method
        self._alpha = Alpha(self._guide, method, solve_by_net, self.tile)

    def needs(self, number: int) -> Mapping[str, tuple[int, ...]]:
        wanted: dict[str, tuple[int, ...]] = dict.fromkeys(self.inputs, (number,))
        for name in ("plate", "trimap", "rough", "keyframes"):
            if name in self.inputs:
                frames = {n for around in self._around(number) for n in self._guide.needs(around).get(name, ())}
                wanted[name] = tuple(sorted(frames))
        return wanted

    @property
    def intermediates(self) -> tuple[Sequence, ...]:
        return (self._alpha,)

    def frame(self, number: int) -> Frame:
        plate = self.input_frame("plate", number)
        if 0 in plate.size:
            raise FrameError(f"{self.name}: frame {number} of the plate has no pixels")
        alpha = self._steadied(number, plate) if self.temporal else self._alpha[number].alpha
        if self.holdout is not None:
            alpha = np.maximum(alpha, _matte(self.holdout, number, plate))
        foreground = _straight(plate.rgb, alpha)
        if self.garbage is not None:
            alpha = alpha * (1 - _matte(self.garbage, number, plate))
        # Nothing times infinity is no number.
        premultiplied = np.where(np.isfinite(foreground), foreground * alpha, foreground)
        frame = plate.with_pixels(RGBA, np.concatenate([premultiplied, alpha], axis=-1))
        return frame.with_pixels(FOREGROUND, foreground) if self.foreground else frame

    def _steadied(self, number: int, plate: Frame) -> Pixels:
        """Alpha mixed with that of the neighbours along the motion, within its own range around each pixel."""
        from vfxgen.image.steady import local_range, steadied

        alpha = self._alpha[number].alpha
        if self.keyframes is not None and number in self._guide.keyframes:
            return alpha
        neighbours, motion = [], self._guide.motion
        for other in self._around(number):
            if other != number and not motion.is_cut(number, other):
                between = motion[min(number, other)]
                way = between.only(*(FORWARD if other > number else BACKWARD)).on(plate.data_window)
                flow = way.pixels(*way.channels)
                there = self._alpha[other].on(plate.data_window).alpha
                neighbours.append((there, flow[..., :2], flow[..., 2:] * np.float32(self.temporal)))
        return np.clip(steadied(alpha, neighbours, *local_range(alpha)), 0, 1)

    def _around(self, number: int) -> tuple[int, ...]:
        """The frames whose alpha is mixed into that of frame `number`, itself included."""
        if not self.temporal:
            return (number,)
        there = self._guide.range
        return tuple(n for n in (number - 1, number, number + 1) if n == number or there is None or n in there)

    def _chosen(self) -> registry.Entry | None:
        if self.net and self.method not in ("auto", "net"):
            raise RequestError(f"matte: net = {self.net} is given, but method = {self.method}; say method = net")
        guide = next((name for name in SHIPPED if name in self.inputs), "")
        if self.method == "auto" and not self.net:
            if not guide or not mends("matte: the unknown is solved", SHIPPED[guide]):
                return None
        elif self.method not in ("auto", "net"):
            return None
        if not self.net and not guide:
            raise RequestError(
                "matte: method = net without a net = NAME needs a trimap or a rough mask; with keyframes leave method "
                "out: what the motion carries is nearer to the truth than what a net makes of it"
            )
        return self._usable(self.net or SHIPPED[guide])

    @classmethod
    def check_card(cls, card: Card) -> None:
        registry.check_task(cls.name, card, "matte")
        check_net(card)


def _straight(light: Pixels, alpha: Pixels) -> Pixels:
    """The subject's own colour; what is not finite stays so."""
    from vfxgen.image.keying import repaired
    from vfxgen.image.straight import straight_foreground

    finite = np.isfinite(light)
    whole = light if finite.all() else to_pixels(repaired(to_tensor(light)))
    return np.where(finite, straight_foreground(whole, alpha[..., 0]), light)


def _matte(source: Sequence, number: int, plate: Frame) -> Pixels:
    return np.clip(np.nan_to_num(matte_on(source[number], plate), nan=0.0), 0, 1)
