"""Reformat: a picture in another format, scaled and placed as one chooses."""

from __future__ import annotations

import re
from typing import Any, Literal

from vfxgen.errors import RequestError
from vfxgen.frame import Attribute, Box, Frame
from vfxgen.image.resample import Axis, FilterName, resampled
from vfxgen.operator import Operator, image_input, parameter
from vfxgen.sequence import Sequence

FORMATS = {
    "PAL": (720, 576),
    "NTSC": (720, 486),
    "HD_720": (1280, 720),
    "HD_1080": (1920, 1080),
    "UHD_4K": (3840, 2160),
    "UHD_8K": (7680, 4320),
    "2K_DCP": (2048, 1080),
    "4K_DCP": (4096, 2160),
    "1K_Super_35": (1024, 778),
    "2K_Super_35": (2048, 1556),
    "4K_Super_35": (4096, 3112),
    "2K_Cinemascope": (1828, 1556),
    "4K_Cinemascope": (3656, 3112),
    "2K_LatLong": (2048, 1024),
    "4K_LatLong": (4096, 2048),
}


_STILL = (Axis(1.0, 0.0), Axis(1.0, 0.0))


class Reformat(Operator):
    """Reformat to a width and height, scaling the picture to its width, height, inside, or to fill it.

    The display window becomes the format, from 0, 0. The picture keeps its shape, whatever the pixel aspect of both,
    but with ``distort`` and ``none``. What lies beyond the format stays in the data window, unless `crop` is on.
    Channels, edges, NaN and `ringing` are treated as `Resize` treats them; a picture that is not scaled lands on whole
    pixels and keeps its bits. The header's pixel aspect and screen window become those of the new format.

    Examples
    --------
    >>> import vfxgen
    >>> from vfxgen.testing import constant
    >>> frame = vfxgen.Reformat(constant([0.18, 4.0, -0.01], size=(8, 12)), format="24x24", resize="fit")[1]
    >>> str(frame.display_window), str(frame.data_window)
    ('24x24+0+0', '24x16+0+4')
    """

    plate: Sequence = image_input("Frames to reformat.")
    format: str = parameter("HD_1080", "A name such as HD_1080, UHD_4K, 2K_DCP, or a size such as 1998x1080.")
    resize: Literal["none", "width", "height", "fit", "fill", "distort"] = parameter(
        "width", "What of the picture is scaled to the format: nothing, one side, all of it, or all of the format."
    )
    centre: bool = parameter(True, "Centre the picture; else it starts at the upper left.")
    pixel_aspect: float = parameter(
        1.0, "Width of the format's pixels by their height; 0: as the plate's.", minimum=0.0, maximum=8.0
    )
    crop: bool = parameter(False, "Cut away what lies beyond the format.")
    filter: FilterName = parameter("lanczos3", "As of Resize.")
    ringing: bool = parameter(False, "Leave the overshoot of the sharp filters beside edges.")

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self._size = _size(self.format)

    def frame(self, number: int) -> Frame:
        plate = self.input_frame("plate", number)
        width, height = self._size
        old, new = plate.display_window, Box(0, 0, width, height)
        own = plate.pixel_aspect
        aspect = self.pixel_aspect or own
        across, down = self._scale(old, own / aspect)
        axes = (
            Axis(across, self._start(width - old.width * across, across) - old.x * across),
            Axis(down, self._start(height - old.height * down, down) - old.y * down),
        )
        attributes = dict(plate.attributes)
        if aspect != attributes.get("PixelAspectRatio", Attribute(1.0)).value:
            attributes["PixelAspectRatio"] = Attribute(aspect, "float")
        self._reframe(attributes, axes, old, own)
        result = resampled(plate, axes, new, self.filter, self.ringing, attributes)
        if not self.crop:
            return result
        shown = result.data_window.intersection(new)
        # No file holds a picture without pixels: black where nothing of it is in the format.
        return result.on(shown if shown.width and shown.height else new)

    def _scale(self, old: Box, stretch: float) -> tuple[float, float]:
        """Factors across and down; `stretch` pixels of the format are as wide as one of the plate."""
        width, height = self._size
        by_width, by_height = width / (old.width * stretch), height / old.height
        if self.resize == "none":
            return 1.0, 1.0
        if self.resize == "distort":
            return width / old.width, by_height
        down = {"width": by_width, "height": by_height, "fit": min(by_width, by_height)}.get(
            self.resize, max(by_width, by_height)
        )
        return (width / old.width if down == by_width else down * stretch), down

    def _start(self, room: float, scale: float) -> float:
        if not self.centre:
            return 0.0
        return float(room // 2) if scale == 1 else room / 2

    def _reframe(self, attributes: dict[str, Attribute], axes: tuple[Axis, Axis], old: Box, aspect: float) -> None:
        """The screen window is the display window on the plane at distance 1: it grows and moves with it."""
        if "screenWindowWidth" not in attributes or (axes == _STILL and old == Box(0, 0, *self._size)):
            return
        span = float(attributes["screenWindowWidth"].value)
        pixel = span / old.width
        width, height = self._size
        attributes["screenWindowWidth"] = attributes["screenWindowWidth"]._replace(value=pixel * width / axes[0].scale)
        if "screenWindowCenter" in attributes:
            x, y = (float(v) for v in attributes["screenWindowCenter"].value)
            right = (width / 2 - axes[0].offset) / axes[0].scale - (old.x + old.width / 2)
            below = (height / 2 - axes[1].offset) / axes[1].scale - (old.y + old.height / 2)
            moved = (x + right * pixel, y - below * pixel / aspect)
            attributes["screenWindowCenter"] = attributes["screenWindowCenter"]._replace(value=moved)


def _size(format: str) -> tuple[int, int]:
    found = re.fullmatch(r"\s*(\d{1,5})\s*[x×]\s*(\d{1,5})\s*", format)
    size = (int(found[1]), int(found[2])) if found else FORMATS.get(format)
    if size is None or 0 in size:
        raise RequestError(
            f"reformat.format = '{format}': must be a size such as 1998x1080, or one of {', '.join(FORMATS)}"
        )
    return size
