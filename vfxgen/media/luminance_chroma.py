"""EXR files in luminance and half-size chroma (Y RY BY, A), which OpenImageIO refuses: read by the OpenEXR library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import OpenEXR

from vfxgen.errors import MediaError
from vfxgen.frame import RGB, RGBA, Attribute, Box, Frame, Pixels

if TYPE_CHECKING:
    from vfxgen.media.image import Part

# CIE xy of red, green, blue and white.
_REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)


def read_header(path: str) -> Part:
    """The one part of a luminance-chroma file; it is presented as R G B, or R G B A."""
    from vfxgen.media.image import Part

    with _reading(path, header_only=True) as file:
        header = file.header()
        data = _box(header["dataWindow"])
        names = RGBA if any(channel.name == "A" for channel in header["channels"]) else RGB
        types = ("half",) * len(names)
        return Part(0, "", "", names, types, data, _box(header["displayWindow"]), False, _attributes(header))


def read_image(path: str, number: int) -> Frame:
    """R = (RY + 1) Y, B = (BY + 1) Y, G from the luminance weights (OpenEXR technical introduction, luminance/chroma).

    A is as it is in the file. The weights are those of the file's chromaticities, else of Rec.709.

    Raises
    ------
    MediaError
        The file is damaged, or its chromaticities are none.
    """
    with _reading(path) as file:
        header = dict(file.header())
        channels = {name: np.array(channel.pixels, np.float32) for name, channel in file.channels().items()}
    data = _box(header["dataWindow"])
    if channels["Y"].shape != (data.height, data.width):
        raise MediaError(f"{path}: luminance of size {channels['Y'].shape} in a data window of {data}")
    luminance = channels["Y"]
    red = (_full_size(channels["RY"], data) + 1) * luminance
    blue = (_full_size(channels["BY"], data) + 1) * luminance
    weight_red, weight_green, weight_blue = _weights(_chromaticities(header) or _REC709, path)
    green = (luminance - weight_red * red - weight_blue * blue) / weight_green
    planes = [red, green, blue, *([channels["A"]] if "A" in channels else [])]
    return Frame.from_pixels(
        np.stack(planes, axis=-1).astype(np.float16),
        RGBA[: len(planes)],
        number=number,
        colorspace="",
        type="half",
        data_window=data,
        display_window=_box(header["displayWindow"]),
        attributes=_attributes(header),
        source=path,
    )


def _chromaticities(header: dict[str, Any]) -> tuple[float, ...]:
    """Those the header says; empty where it says none, or says them as another type."""
    said = header.get("chromaticities")
    return tuple(float(v) for v in said) if isinstance(said, tuple) and len(said) == 8 else ()


def _weights(chromaticities: Sequence[float], path: str) -> Pixels:
    """Luminance of red, green and blue of these CIE xy: the Y row of the matrix from RGB to XYZ."""
    xy = np.reshape(chromaticities, (4, 2)).astype(np.float64)
    xyz = np.column_stack([xy, 1 - xy.sum(axis=1)])
    with np.errstate(divide="ignore", invalid="ignore"), suppress(np.linalg.LinAlgError):
        weights = np.linalg.solve(xyz[:3].T, xyz[3] / xyz[3, 1]) * xyz[:3, 1]
        if np.isfinite(weights).all() and weights[1] > 0:
            return np.asarray(weights, np.float32)
    raise MediaError(f"{path}: its chromaticities {tuple(xy.ravel().tolist())} are those of no colour space")


def _full_size(chroma: Pixels, data: Box) -> Pixels:
    """Chroma lies on every second pixel, beginning with the first: cubic interpolation between them."""
    columns, rows = np.meshgrid(
        np.arange(data.width, dtype=np.float32) / 2, np.arange(data.height, dtype=np.float32) / 2
    )
    return np.asarray(cv2.remap(chroma, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)


@contextmanager
def _reading(path: str, **options: Any) -> Iterator[OpenEXR.File]:
    try:
        with OpenEXR.File(path, separate_channels=True, **options) as file:
            yield file
    except Exception as error:  # the binding raises bare RuntimeError, TypeError, ValueError and KeyError
        if isinstance(error, MediaError):
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise MediaError(f"{path}: no luminance-chroma EXR that can be read ({reason})") from None


def _box(window: tuple[Any, Any]) -> Box:
    (left, top), (right, bottom) = window
    return Box(int(left), int(top), int(right) - int(left) + 1, int(bottom) - int(top) + 1)


# Names in the file -> names OpenImageIO gives them.
_NAMES = {
    "pixelAspectRatio": "PixelAspectRatio",
    "owner": "Copyright",
    "capDate": "DateTime",
    "comments": "ImageDescription",
}


def _attributes(header: dict[str, Any]) -> dict[str, Attribute]:
    attributes = {"compression": Attribute("zip")}
    for name, value in header.items():
        known = _NAMES.get(name, name)
        if isinstance(value, str):
            attributes[known] = Attribute(value)
        elif isinstance(value, float) and name != "screenWindowWidth":
            attributes[known] = Attribute(value, "float")
    if said := _chromaticities(header):
        attributes["chromaticities"] = Attribute(said, "float[8]")
    return attributes
