"""Resize: the same picture with more or fewer pixels."""

from __future__ import annotations

from typing import Any

from vfxgen.errors import RequestError
from vfxgen.frame import Attribute, Box, Frame
from vfxgen.image.resample import Axis, FilterName, resampled
from vfxgen.operator import Operator, image_input, parameter
from vfxgen.sequence import Sequence


class Resize(Operator):
    """Resize to a width and height or by a scale, with the filters of film and without ringing.

    Every channel is resized, beyond the display window too; the display window becomes the new size. Integer channels,
    ids, depth and Cryptomatte ranks take the nearest pixel: a mean of two ids would be a third object. Where the data
    window ends inside the display window the picture ends in black, elsewhere its edge goes on. Values stay what they
    are: motion vectors and disparity are still in pixels of the plate.

    With `ringing` off a result stays between the least and the greatest source pixel under the filter's main lobe:
    no dark halo around a lamp, nothing negative that was not. NaN and infinities stay on their pixels.
    The pixel aspect changes where width and height change by different factors.

    Notes
    -----
    Filters widen when they reduce, so that every source pixel counts. ``bicubic`` is that of Keys 1981 (a = -0.5),
    ``mitchell`` that of Mitchell and Netravali 1988 (B = C = 1/3), ``lanczos3`` a sinc windowed to three lobes, ``box``
    the mean over the area of the pixel. As OpenImageIO's ``resize``, to 1e-5, but for places between pixels as well.

    Examples
    --------
    >>> import vfxgen
    >>> from vfxgen.testing import constant
    >>> small = vfxgen.Resize(constant([0.18, 4.0, -0.01], size=(8, 12)), scale=0.5)[1]
    >>> str(small.display_window), small.rgb[0, 0].tolist()
    ('6x4+0+0', [0.18000000715255737, 4.0, -0.009999999776482582])
    """

    plate: Sequence = image_input("Frames to resize.")
    width: int = parameter(0, "Of the display window; 0: as the height asks.", minimum=0, maximum=65536, unit="pixels")
    height: int = parameter(0, "Of the display window; 0: as the width asks.", minimum=0, maximum=65536, unit="pixels")
    scale: float = parameter(1.0, "Factor, where neither width nor height is given.", minimum=0.001, maximum=64.0)
    filter: FilterName = parameter("lanczos3", "How pixels are weighted: from sharp edges to smooth ones.")
    ringing: bool = parameter(False, "Leave the overshoot of the sharp filters beside edges.")

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        if self.scale != 1 and (self.width or self.height):
            raise RequestError(f"resize: scale = {self.scale:g} beside a width or height; give one or the other")

    def frame(self, number: int) -> Frame:
        plate = self.input_frame("plate", number)
        old = plate.display_window
        width, height = self._size(old)
        across, down = width / old.width, height / old.height
        display = Box(round(old.x * across), round(old.y * down), width, height)
        axes = Axis(across, display.x - old.x * across), Axis(down, display.y - old.y * down)
        attributes = dict(plate.attributes)
        if self.width and self.height and abs(height - old.height * across) >= 1:
            attributes["PixelAspectRatio"] = Attribute(plate.pixel_aspect * down / across, "float")
        return resampled(plate, axes, display, self.filter, self.ringing, attributes)

    def _size(self, display: Box) -> tuple[int, int]:
        across = self.width / display.width or self.height / display.height or self.scale
        down = self.height / display.height or across
        return self.width or max(1, round(display.width * across)), self.height or max(1, round(display.height * down))
