"""Merge: one picture over another, and the other ways two pictures become one."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from vfxgen.errors import FrameError
from vfxgen.frame import RGBA, Box, Frame, Pixels
from vfxgen.image.formats import say_of_another_format
from vfxgen.image.mask import within
from vfxgen.operator import Operator, image_input, matte_input, parameter
from vfxgen.sequence import Sequence

_GEOMETRY = ("PixelAspectRatio", "screenWindowCenter", "screenWindowWidth")


class Merge(Operator):
    """Merge a foreground with the plate beneath it: over, plus, multiply and their kin, on premultiplied pixels.

    With A, a the foreground's colour and alpha and B, b the plate's:

    ==============  ===========================  ==========  =================================================
    operation       colour                       alpha       data window
    ==============  ===========================  ==========  =================================================
    over            A + B(1-a)                   a + b(1-a)  both
    under           A(1-b) + B                   b + a(1-b)  both
    atop            Ab + B(1-a)                  b           the plate's
    xor             A(1-b) + B(1-a)              as colour   both
    in              Ab                           ab          what both cover
    out             A(1-b)                       a(1-b)      the foreground's
    plus            A + B                        a + b [1]   both
    minus           A - B                        a + b - ab  both
    from            B - A                        a + b - ab  both
    multiply        AB [2]                       a + b - ab  both
    screen          A + B - AB [3]               a + b - ab  both
    max, min        the larger, the smaller [2]  a + b - ab  both
    difference      the distance \\|A - B\\| [2]   a + b - ab  both
    ==============  ===========================  ==========  =================================================

    1. Up to full coverage: two opaque pictures stay opaque.
    2. Where both are opaque. Under partial coverage each shows alone where the other is not, as in the PDF and SVG
       blends (Nuke: "alpha masking"). Two negative factors do not become a positive product: A stays.
    3. The larger of both where both are above 1, so that highlights do not turn dark (as Nuke does).

    Nothing clips. Where the foreground is empty (colour and alpha 0) every operation but ``in``, ``out`` and ``minus``
    gives the plate bit for bit, and where its alpha is 1 ``over`` gives the foreground bit for bit. A weight of 0 hides
    NaN and infinities.

    Channels are those Nuke's Merge takes: R, G, B and A are merged; the plate's other channels pass, the foreground's
    others are left out. A picture without alpha is opaque within its data window; the result has A where either has it.
    Display window and pixel aspect are the plate's, also where the foreground has others: pixels meet by their
    coordinates, which is said once.
    ``in`` and ``out`` keep the plate's data window too where a mask, a mix or other channels need it.

    Notes
    -----
    Porter and Duff, Compositing Digital Images, SIGGRAPH 1984; W3C Compositing and Blending Level 1 for the blends.

    Examples
    --------
    >>> import vfxgen
    >>> from vfxgen.testing import constant
    >>> half = constant([2.0, 0.5, 0.0, 0.5])
    >>> vfxgen.Merge(constant([0.5, 0.5, 8.0, 1.0]), half)[1].pixels("R", "G", "B", "A")[0, 0].tolist()
    [2.25, 0.75, 4.0, 1.0]
    """

    plate: Sequence = image_input("The background: what lies beneath.", channels="R G B")
    foreground: Sequence = image_input("What is merged with it, premultiplied.", channels="R G B")
    mask: Sequence | None = matte_input("Where to merge: 1 fully, 0 leaves the plate.")
    operation: Literal[
        "over", "under", "plus", "minus", "from", "multiply", "screen", "in", "out", "atop", "xor", "max", "min",
        "difference",
    ] = parameter("over", "How the two become one.")  # fmt: skip
    mix: float = parameter(1.0, "How much of the result; 0 is the plate.", minimum=0.0, maximum=1.0)
    metadata: Literal["plate", "foreground"] = parameter("plate", "Whose header, with its time code, the result keeps.")

    writes = RGBA

    def frame(self, number: int) -> Frame:
        plate = self.input_frame("plate", number)
        if self.mix == 0:
            return plate
        foreground = self.input_frame("foreground", number)
        self._compare(plate, foreground)
        window = self._window(plate, foreground)
        alone = replace(foreground, origin=None).with_pixels(("A",), foreground.alpha).only(*RGBA).on(window)
        beneath = (plate if "A" in plate.planes else plate.with_pixels(("A",), plate.alpha)).on(window)
        old = beneath.pixels(*RGBA)
        with np.errstate(invalid="ignore", over="ignore"):
            merged = merge(alone.pixels(*RGBA), old, self.operation)
            if self.mix < 1:
                merged = np.where(merged == old, old, old * np.float32(1 - self.mix) + merged * np.float32(self.mix))
        if self.mask is not None:
            merged = within(self.mask[number], merged, beneath, RGBA)
        result = beneath.with_pixels(RGBA, merged)
        if "A" not in plate.planes and "A" not in foreground.planes:
            result = result.only(*plate.channels)
        if self.metadata == "foreground":
            geometry = {name: value for name, value in plate.attributes.items() if name in _GEOMETRY}
            others = {name: value for name, value in foreground.attributes.items() if name not in _GEOMETRY}
            result = replace(result, attributes=others | geometry)
        return result

    def _window(self, plate: Frame, foreground: Frame) -> Box:
        both = plate.data_window.union(foreground.data_window)
        if self.operation == "atop":
            return plate.data_window
        if self.operation not in ("in", "out") or self.mask is not None or self.mix < 1 or set(plate.planes) - {*RGBA}:
            return both
        if self.operation == "out":
            return foreground.data_window
        shared = plate.data_window.intersection(foreground.data_window)
        # No file holds a picture without pixels: where the two do not meet, black on the plate's data window.
        return shared if shared.width and shared.height else plate.data_window

    def _compare(self, plate: Frame, foreground: Frame) -> None:
        if plate.colorspace != foreground.colorspace:
            raise FrameError(
                f"merge: frame {plate.number}: the plate is in '{plate.colorspace}', the foreground in "
                f"'{foreground.colorspace}'; read both with the same working_space"
            )
        say_of_another_format(foreground, plate, "foreground")


def merge(foreground: Pixels, plate: Pixels, operation: str) -> Pixels:
    """Two premultiplied pictures, scene-linear R, G, B, A, (H, W, 4), as one; `Merge` has the table of operations."""
    a, b = foreground[..., 3:], plate[..., 3:]
    if operation in ("in", "out"):
        return _weighted(foreground, b if operation == "in" else 1 - b)
    shown, beneath = _weighted(foreground, 1 - b), _weighted(plate, 1 - a)
    if operation == "over":
        merged = np.where(a == 1, foreground, foreground + beneath)
    elif operation == "under":
        merged = np.where(b == 1, plate, shown + plate)
    elif operation == "atop":
        merged = _weighted(foreground, b) + beneath
        merged[..., 3:] = b
    elif operation == "xor":
        merged = shown + beneath
    elif operation == "plus":
        merged = foreground + plate
        merged[..., 3:] = np.minimum(a + b, np.maximum(np.maximum(a, b), 1))
    else:
        merged = _blended(foreground, plate, operation, shown + beneath)
        merged[..., 3:] = a + beneath[..., 3:]
    if operation == "minus":
        return merged
    empty = np.all(foreground == 0, axis=-1, keepdims=True)
    result: Pixels = np.where(empty, plate, merged)
    return result


def _blended(foreground: Pixels, plate: Pixels, operation: str, alone: Pixels) -> Pixels:
    """The blends; `alone` is what each shows where the other is not."""
    if operation == "minus":
        return foreground - plate
    if operation == "from":
        return plate - foreground
    if operation == "screen":
        # Infinity less infinity is no number.
        bright = ((foreground > 1) & (plate > 1)) | np.isinf(foreground) | np.isinf(plate)
        return np.where(bright, np.maximum(foreground, plate), foreground + plate - foreground * plate)
    if operation == "multiply":
        negative = (foreground < 0) & (plate < 0)
        return np.where(negative, foreground, foreground * plate) + alone
    first, second = _weighted(foreground, plate[..., 3:]), _weighted(plate, foreground[..., 3:])
    if operation == "difference":
        distance: Pixels = np.abs(first - second)
        return distance + alone
    extreme: Pixels = np.maximum(first, second) if operation == "max" else np.minimum(first, second)
    return extreme + alone


def _weighted(pixels: Pixels, weight: Pixels) -> Pixels:
    """`pixels` times `weight`, where a weight of 0 gives 0 of NaN and infinities too."""
    weighted: Pixels = np.where(weight == 0, np.float32(0), pixels * weight)
    return weighted
