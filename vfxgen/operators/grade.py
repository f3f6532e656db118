"""Grade: the ASC colour decision list."""

from __future__ import annotations

import numpy as np

from vfxgen.frame import RGB, Frame, Pixels
from vfxgen.image.mask import within
from vfxgen.operator import Color, Operator, image_input, matte_input, parameter
from vfxgen.sequence import Sequence

REC709_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


class Grade(Operator):
    """Grade with slope, offset, power and saturation (ASC CDL), in scene-linear light.

    Each channel becomes (in * slope + offset) ** power; then saturation moves it away from or towards the Rec.709 luma.
    Nothing is clamped: a value below 0 keeps its sign through the power (ASC CDL 1.2, the no-clamp variant).
    With the neutral parameters the pixels are those of the plate, bit for bit.

    Examples
    --------
    >>> import numpy, vfxgen
    >>> from vfxgen.testing import constant
    >>> graded = vfxgen.Grade(constant([0.2, 0.4, 8.0]), slope=2.0)
    >>> graded[1].rgb[0, 0].tolist()
    [0.4000000059604645, 0.800000011920929, 16.0]
    """

    plate: Sequence = image_input("Frames to grade.", channels="R G B")
    mask: Sequence | None = matte_input("Where to grade: 1 fully, 0 leaves the plate untouched.")
    slope: Color = parameter((1.0, 1.0, 1.0), "Multiplies.", minimum=0.0)
    offset: Color = parameter((0.0, 0.0, 0.0), "Added after the slope.")
    power: Color = parameter((1.0, 1.0, 1.0), "Exponent after the offset.", minimum=0.01)
    saturation: float = parameter(1.0, "0 is grey, 1 leaves it.", minimum=0.0, maximum=16.0)

    writes = RGB

    def frame(self, number: int) -> Frame:
        plate = self.input_frame("plate", number)
        if (self.slope, self.offset, self.power, self.saturation) == ((1, 1, 1), (0, 0, 0), (1, 1, 1), 1):
            return plate
        alpha = plate.alpha
        graded = self._graded(plate.rgb, alpha)
        if self.mask is not None:
            graded = within(self.mask[number], graded, plate, RGB)
        return plate.with_pixels(RGB, graded)

    def _graded(self, rgb: Pixels, alpha: Pixels) -> Pixels:
        # On premultiplied pixels the offset counts as much as there is coverage.
        coverage = np.where(np.isfinite(alpha), alpha, np.float32(0))
        with np.errstate(invalid="ignore"):  # of infinities, which stay as they are
            out: Pixels = rgb * np.array(self.slope, np.float32)
        if any(self.offset):
            out += np.array(self.offset, np.float32) * coverage
        if self.power != (1.0, 1.0, 1.0):
            coverage = np.where(coverage >= np.finfo(np.float32).tiny, coverage, 1)
            sized: Pixels = np.abs(out / coverage) ** np.array(self.power, np.float32)
            out = np.copysign(sized, out) * coverage
        if self.saturation != 1.0:
            finite = np.isfinite(out)
            luma = np.sum(np.where(finite, out, 0) * REC709_LUMA, axis=-1, keepdims=True)
            out = np.where(finite, luma + (out - luma) * np.float32(self.saturation), out)
        return np.where(np.isfinite(rgb), out, rgb)
