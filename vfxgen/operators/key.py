"""Key: pull a subject from a green or blue screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vfxgen import color
from vfxgen.errors import FrameError, RequestError
from vfxgen.frame import RGBA, Frame
from vfxgen.image.formats import require_one_format
from vfxgen.image.mask import matte_on
from vfxgen.image.tensor import to_pixels, to_tensor
from vfxgen.log import NEWS, say_once
from vfxgen.operator import Color, Operator, image_input, matte_input, parameter
from vfxgen.sequence import Sequence
from vfxgen.with_net import BACKEND, DEVICE, PRECISION, TILE, USE, Backend, Precision, Use, WithNet, mends
from vfxgen.zoo import registry
from vfxgen.zoo.card import Card

if TYPE_CHECKING:
    from torch import Tensor

    from vfxgen.image.keying import Key as Keyed

NET = "key-unmix"
"""The net that mends keys where no other is named."""
KEYING_SPACES = ("lin_rec709_scene", "lin_rec709", "Linear Rec.709 (sRGB)", "lin_srgb", "Utility - Linear - sRGB")
FOREGROUND = ("fg.R", "fg.G", "fg.B")


class Key(WithNet, Operator):
    """Key a subject from a green or blue screen: alpha, and its colour without the screen's.

    R, G, B come premultiplied by A, ready for a merge. The screen is sampled from each plate and may be uneven,
    wrinkled, grainy; a clean plate of it helps where the subject hides much of it, or casts shadows. Near edges alpha
    is found from the subject's own colour as well as the screen's, so hair, motion blur and veils keep their coverage,
    and a reddish subject does not grow. Grain in the matte is measured and taken out where the matte is flat.

    Nothing clips: where A is 1 and nothing was despilled, R, G, B are the plate's bit for bit. Pixels with NaN or
    infinity keep them and touch no other. One stop more light gives the same alpha.

    Notes
    -----
    The key is pulled in linear Rec.709, so that it does not depend on the working space; `screen_color` is given in the
    working space. See `vfxgen.image.keying.key` for ``mixture`` and its sources. ``net`` keys by that first, then lets
    a net mend coverage and colour; `smooth`, `edge`, `despill` and `limit` are for ``mixture`` alone, and where one of
    them is given ``auto`` is ``mixture``.

    Examples
    --------
    >>> import numpy, vfxgen
    >>> from vfxgen.testing import Pictures
    >>> plate = numpy.full((32, 32, 3), [0.1, 0.6, 0.2], numpy.float32)
    >>> plate[8:24, 8:24] = 3.0
    >>> keyed = vfxgen.Key(Pictures(plate))[1].pixels("R", "G", "B", "A")
    >>> keyed[16, 16].tolist(), keyed[0, 0].tolist()
    ([3.0, 3.0, 3.0, 1.0], [0.0, 0.0, 0.0, 0.0])
    """

    plate: Sequence = image_input("Frames of a subject in front of a screen.", channels="R G B")
    clean: Sequence | None = image_input(
        "The screen without the subject, from the same view, in the plate's format.", optional=True
    )
    holdout: Sequence | None = matte_input("What stays as it is: 1 solid, and not despilled.")
    garbage: Sequence | None = matte_input("What goes: 1 is transparent.")
    screen: Literal["green", "blue"] = parameter("green", "The screen's colour.")
    screen_color: Color | None = parameter(None, "The screen's exact colour; sampled from each plate if not given.")
    method: Literal["auto", "mixture", "net"] = parameter(
        "auto", "Weighing colours, or that and a net after it; auto: the net, unless settings of mixture are given."
    )
    clip_black: float = parameter(0.0, "Alpha that becomes 0, softly.", minimum=0.0, maximum=0.49)
    clip_white: float = parameter(1.0, "Alpha that becomes 1, softly.", minimum=0.5, maximum=1.0)
    smooth: float = parameter(1.0, "How much of the grain in the matte goes; 1 as measured.", minimum=0.0, maximum=4.0)
    edge: float = parameter(
        1.0, "How far the subject's own colours shape its edges; 0 is plain difference.", minimum=0.0, maximum=1.0
    )
    despill: float = parameter(1.0, "How much of the screen's light on it turns neutral.", minimum=0.0, maximum=1.0)
    limit: Literal["maximum", "average"] = parameter(
        "maximum", "What the screen's channel may not exceed: the maximum or the average of the others."
    )
    foreground: bool = parameter(False, "Also write fg.R fg.G fg.B: the subject's colour, unpremultiplied.")
    net: str = parameter("", "Name of a net for keys; empty: key-unmix.", net_task="key")
    use: Use = USE
    device: str = DEVICE
    precision: Precision = PRECISION
    backend: Backend = BACKEND
    tile: int = TILE

    writes = RGBA

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self._entry = self._chosen()

    def frame(self, number: int) -> Frame:
        plate = self.input_frame("plate", number)
        if 0 in plate.size:
            raise FrameError(f"{self.name}: frame {number} of the plate has no pixels")
        if not np.isfinite(plate.rgb).all(axis=-1).any():
            raise FrameError(f"{self.name}: frame {number} of the plate is NaN or infinite in every pixel")
        space = _keying_space(plate.colorspace)
        light = color.convert(plate.rgb, plate.colorspace, space)
        try:
            garbage = _matte(self.garbage, number, plate)
            keyed = self._keyed(number, plate, to_tensor(light), garbage, space).without(garbage)
        except ValueError as error:
            raise RequestError(f"{self.name}: frame {number}: {error}") from None
        alpha, foreground, premultiplied = map(to_pixels, (keyed.alpha, keyed.foreground, keyed.premultiplied))
        # What the key left alone does not go through the conversion back.
        untouched = (premultiplied == light).all(axis=-1, keepdims=True)
        colour = np.where(untouched, plate.rgb, color.convert(premultiplied, space, plate.colorspace))
        frame = plate.with_pixels(RGBA, np.concatenate([colour, alpha], axis=-1))
        if not self.foreground:
            return frame
        return frame.with_pixels(FOREGROUND, color.convert(foreground, space, plate.colorspace))

    def _keyed(self, number: int, plate: Frame, light: Tensor, garbage: Tensor | None, space: str) -> Keyed:
        from vfxgen.image.keying import key

        told: dict[str, Any] = {
            "screen_color": self._screen_color(plate.colorspace, space),
            "clean": self._clean(number, plate),
            "holdout": _matte(self.holdout, number, plate),
            "garbage": garbage,
        }
        if self._entry:
            return self._through_net(light, told)
        return key(
            light,
            self.screen,
            **told,
            clip_black=self.clip_black,
            clip_white=self.clip_white,
            smooth=self.smooth,
            edge=self.edge,
            despill_strength=self.despill,
            limit=self.limit,
        )

    def _through_net(self, light: Tensor, told: dict[str, Any]) -> Keyed:
        from vfxgen.backends.light import through
        from vfxgen.backends.tiles import seen_for
        from vfxgen.image.keying import key, repaired
        from vfxgen.image.refined_key import believed, given, refined

        finite = repaired(light)
        keyed = key(finite, self.screen, **told)
        belief = believed(finite, keyed, self.screen)
        seen = given(finite, keyed, self.screen)
        # The key itself, where the net is not asked.
        made = seen[:, :4].clone()
        wanted = (belief > 0)[0, 0].numpy()
        if wanted.any():
            part = (..., *seen_for(wanted, self._net.card))
            mended: Any = through(self._net, seen[part], tile=self.tile)
            made[part] = mended
        return refined(
            made,
            belief,
            finite,
            keyed,
            self.screen,
            holdout=told["holdout"],
            clip_black=self.clip_black,
            clip_white=self.clip_white,
        ).with_nonfinite_of(light)

    def _chosen(self) -> registry.Entry | None:
        if self.net and self.method == "mixture":
            raise RequestError(f"key: net = {self.net} is given, but method = mixture; say method = net")
        default = {"smooth": 1.0, "edge": 1.0, "despill": 1.0, "limit": "maximum"}
        changed = [name for name, value in default.items() if getattr(self, name) != value]
        if changed and (self.net or self.method == "net"):
            raise RequestError(f"key: {', '.join(changed)}: for method = mixture alone; leave out, or say that method")
        if self.method == "auto" and not self.net:
            if changed:
                say_once(f"key: keyed by mixture alone, since {', '.join(changed)} are for that", NEWS)
                return None
            if not mends("key: keyed", NET):
                return None
        elif self.method == "mixture":
            return None
        return self._usable(self.net or NET)

    @classmethod
    def check_card(cls, card: Card) -> None:
        from vfxgen.image.undecided import CHANNELS

        registry.check_task(cls.name, card, "key")
        takes, gives = ([port.channels for port in ports] for ports in (card.inputs, card.outputs))
        if takes != [CHANNELS] or gives != ["R G B A"]:
            raise RequestError(
                f"key: net '{card.name}' takes {' and '.join(takes)} and gives {' and '.join(gives)}; "
                f"key runs nets that take {CHANNELS} and give R G B A. One trained for a shot runs as apply"
            )

    def _screen_color(self, working: str, space: str) -> Tensor | None:
        if self.screen_color is None:
            return None
        given = np.array(self.screen_color, np.float32).reshape(1, 1, 3)
        return to_tensor(color.convert(given, working, space))[..., 0, 0]

    def _clean(self, number: int, plate: Frame) -> Tensor | None:
        if self.clean is None:
            return None
        clean = self.input_frame("clean", number)
        require_one_format(clean, plate, "clean plate")
        if clean.data_window.intersection(plate.data_window) != plate.data_window:
            raise FrameError(
                f"{self.name}: frame {number}: the clean plate covers {clean.data_window}, less than the plate's "
                f"{plate.data_window}; give one of the same view"
            )
        placed = clean.on(plate.data_window).rgb
        return to_tensor(color.convert(placed, clean.colorspace, _keying_space(plate.colorspace)))


def _matte(source: Sequence | None, number: int, plate: Frame) -> Tensor | None:
    if source is None:
        return None
    matte = matte_on(source[number], plate)
    return to_tensor(np.clip(np.nan_to_num(matte, nan=0.0), 0, 1))


def _keying_space(working: str) -> str:
    """Linear Rec.709: its narrow primaries set a screen apart, and the key is the same whatever the working space."""
    for name in KEYING_SPACES:
        if color.is_known(name):
            return color.resolve(name)
    say_once(f"key: the colour configuration has no linear Rec.709; keying in {working} instead, with less separation")
    return working
