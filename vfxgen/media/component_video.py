"""Component video (Y'CbCr of any depth, range and subsampling) to float RGB and back, without clipping.

The library that decodes only unpacks; levels, chroma and matrix are computed here in float32, so that the
super-whites and sub-blacks of limited range come through, and the same file gives the same bits everywhere.
"""

from __future__ import annotations

import re
from functools import cache

import av
import numpy as np
from av.video.format import VideoFormat
from numpy.typing import NDArray

from vfxgen.errors import MediaError
from vfxgen.frame import Pixels

# AVColorSpace -> (Kr, Kb): ITU-R BT.709, FCC, BT.601 (625 and 525 lines), SMPTE 240M, BT.2020 non-constant luminance.
LUMA_WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
BT709, BT601, UNSPECIFIED = 1, 6, 2
_FULL_RANGE = 2
_PLANAR = re.compile(r"(?:yuva?(?P<sampling>4\d\d)p|yuvj(?P<full>4\d\d)p|gbra?p|gray)(?:\d+le|f32le)?")
# Chroma width and height of a 16x8 picture -> name of the subsampling.
_SAMPLING = {(16, 8): "444", (8, 8): "422", (8, 4): "420", (16, 4): "440", (4, 8): "411", (4, 2): "410"}
_FACTORS = {"444": (1, 1), "422": (2, 1), "420": (2, 2), "440": (1, 2), "411": (4, 1), "410": (4, 4)}
_Codes = NDArray[np.uint8 | np.uint16]


def depth(pixel_format: str) -> int:
    """Bits of a component; 32 for float."""
    return max(int(c.bits) for c in VideoFormat(pixel_format, 16, 8).components)


def decode(picture: av.VideoFrame, *, centred: bool = False) -> tuple[Pixels, tuple[str, ...]]:
    """A decoded picture as float32 (H, W, C) and its channel names: R G B, or Y of a greyscale picture, then A.

    Black is 0 and reference white 1; limited range reaches from -0.073 to 1.09. The matrix is the one the stream
    names. Where it names none: BT.709 for pictures at least 1280 wide or more than 576 high, else BT.601, which is
    the convention of players. Chroma is taken to lie left (MPEG-2 and later, ProRes), or `centred` (JPEG, MPEG-1),
    and is interpolated linearly.

    Raises
    ------
    MediaError
        A pixel format or matrix that is not plain component video: its name is said.
    """
    name = picture.format.name
    planar = _planar_sibling(name)
    if planar is None:
        raise MediaError(f"pixel format {name} is not supported; transcode it to ProRes or to EXR frames")
    # Same depth, same subsampling: swscale only moves bits. In one thread, since the slices of several overwrite the
    # first pixels of each other where the width is no multiple of 16.
    unpacked = picture if planar == name else picture.reformat(format=planar, threads=1)
    planes = [_plane(unpacked, i) for i in range(len(unpacked.format.components))]
    largest = np.float32(1 if planes[0].dtype == np.float32 else (1 << depth(planar)) - 1)
    alpha = [planes.pop().astype(np.float32) / largest] if len(planes) in (2, 4) else []
    if planar.startswith("gray"):
        colour = [_luma(planes[0], depth(planar), picture.color_range != 1)]
    elif planar.startswith("gbr"):
        colour = [plane.astype(np.float32) / largest for plane in planes]
    else:
        full = picture.color_range == _FULL_RANGE or planar.startswith("yuvj")
        colour = _rgb(picture, planes, depth(planar), full, factors(planar), centred)
    names = ("Y",) if len(colour) == 1 else ("R", "G", "B")
    return np.stack([*colour, *alpha], axis=-1), names + ("A",) * len(alpha)


@cache
def _planar_sibling(name: str) -> str | None:
    """The planar little-endian format that holds exactly what `name` holds."""
    if _PLANAR.fullmatch(name):
        return name
    shape = VideoFormat(name, 16, 8)
    parts = shape.components
    alpha = "a" if any(c.is_alpha for c in parts) else ""
    bits = depth(name)
    suffix = "" if bits <= 8 else f"{bits}le"
    if shape.is_bayer or name.startswith("xyz") or "f16" in name or "f32" in name:
        return None
    if shape.has_palette:
        return "gbrap"
    if shape.is_rgb or (len(parts) < 3 and alpha):
        sibling = f"gbr{alpha}p{suffix}"
    elif len(parts) < 3:
        sibling = f"gray{suffix}"
    else:
        sibling = f"yuv{alpha}{_SAMPLING.get((parts[1].width, parts[1].height))}p{suffix}"
    return sibling if _PLANAR.fullmatch(sibling) and sibling in av.video.format.names else None


def _plane(picture: av.VideoFrame, component: int) -> NDArray[np.uint8 | np.uint16 | np.float32]:
    part = picture.format.components[component]
    plane = picture.planes[part.plane]
    dtype = np.dtype({8: "u1", 32: "<f4"}.get(part.bits, "<u2"))
    rows = np.frombuffer(plane, dtype).reshape(plane.height, plane.line_size // dtype.itemsize)
    return rows[:, : plane.width]


def _luma(codes: NDArray[np.generic], bits: int, full: bool) -> Pixels:
    if codes.dtype == np.float32:
        return codes.astype(np.float32)
    black, white = (0, (1 << bits) - 1) if full else (16 << bits - 8, 235 << bits - 8)
    return (codes.astype(np.float32) - np.float32(black)) / np.float32(white - black)


def _rgb(
    picture: av.VideoFrame,
    planes: list[NDArray[np.uint8 | np.uint16 | np.float32]],
    bits: int,
    full: bool,
    shared: tuple[int, int],
    centred: bool,
) -> list[Pixels]:
    luma = _luma(planes[0], bits, full)
    height, width = luma.shape
    span = (1 << bits) - 1 if full else 224 << bits - 8
    blue, red = (
        _spread(_spread(codes.astype(np.float32), height, shared[1], 0, True), width, shared[0], 1, centred)
        for codes in planes[1:3]
    )
    weight_red, weight_blue = LUMA_WEIGHTS[_matrix(picture)]
    weight_green = 1 - weight_red - weight_blue
    centre = np.float32(1 << bits - 1)
    red = (red - centre) * np.float32(2 * (1 - weight_red) / span)
    blue = (blue - centre) * np.float32(2 * (1 - weight_blue) / span)
    green = luma - red * np.float32(weight_red / weight_green) - blue * np.float32(weight_blue / weight_green)
    return [luma + red, green, luma + blue]


def assumed_matrix(picture: av.VideoFrame) -> str:
    """The matrix that `decode` takes by the picture's size; empty where the stream names one or needs none."""
    coded_as_rgb_or_grey = not (_planar_sibling(picture.format.name) or "").startswith("yuv")
    if coded_as_rgb_or_grey or int(picture.colorspace) != UNSPECIFIED:
        return ""
    return "BT.709" if _matrix(picture) == BT709 else "BT.601"


def _matrix(picture: av.VideoFrame) -> int:
    named = int(picture.colorspace)
    if named == UNSPECIFIED:
        return BT709 if picture.width >= 1280 or picture.height > 576 else BT601
    if named not in LUMA_WEIGHTS:
        raise MediaError(f"colour matrix {named} (H.273) is not supported; transcode to BT.709 or BT.2020")
    return named


def factors(pixel_format: str) -> tuple[int, int]:
    """How many columns and rows of pixels share one chroma sample in a planar format."""
    match = _PLANAR.fullmatch(pixel_format)
    return _FACTORS[(match and (match["sampling"] or match["full"])) or "444"]


def _spread(plane: Pixels, size: int, factor: int, axis: int, centred: bool) -> Pixels:
    """Linear interpolation of `plane` to `size` along `axis`; samples lie on every `factor`th pixel or between."""
    if factor == 1:
        return plane
    columns = np.arange(size, dtype=np.float64)
    places = (columns + 0.5) / factor - 0.5 if centred else columns / factor
    at = places.clip(0, plane.shape[axis] - 1)
    low = np.floor(at).astype(np.intp)
    high = np.minimum(low + 1, plane.shape[axis] - 1)
    share = (at - low).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
    mixed: Pixels = plane.take(low, axis) * (1 - share) + plane.take(high, axis) * share
    return mixed


def encode(pixels: Pixels, pixel_format: str) -> av.VideoFrame:
    """Display-referred `pixels` (H, W, 3 or 4) as BT.709 limited-range video in a planar `pixel_format`.

    Values beyond 0 .. 1 are kept as far as the code range reaches (8 bits: 1 .. 254, 10 bits: 4 .. 1019).
    """
    bits = depth(pixel_format)
    weight_red, weight_blue = LUMA_WEIGHTS[BT709]
    red, green, blue = (pixels[..., i] for i in range(3))
    luma = (
        red * np.float32(weight_red) + green * np.float32(1 - weight_red - weight_blue) + blue * np.float32(weight_blue)
    )
    signals = [luma * np.float32(219 << bits - 8) + np.float32(16 << bits - 8)]
    for color, weight in ((blue, weight_blue), (red, weight_red)):
        chroma = _gather((color - luma) * np.float32((224 << bits - 8) / (2 * (1 - weight))), factors(pixel_format))
        signals.append(chroma + np.float32(1 << bits - 1))
    least, most = 1 << bits - 8, (255 << bits - 8) - 1
    codes = [np.clip(np.rint(signal), least, most) for signal in signals]
    if pixels.shape[-1] == 4:
        codes.append(np.rint(pixels[..., 3].clip(0, 1) * np.float32((1 << bits) - 1)))
    picture = av.VideoFrame(pixels.shape[1], pixels.shape[0], pixel_format)
    for plane, code in zip(picture.planes, codes, strict=True):
        dtype = np.dtype("u1" if bits == 8 else "<u2")
        rows = np.zeros((plane.height, plane.line_size // dtype.itemsize), dtype)
        rows[:, : plane.width] = code
        plane.update(rows)
    picture.color_range, picture.colorspace = 1, BT709
    return picture


def _gather(plane: Pixels, shared: tuple[int, int]) -> Pixels:
    """Chroma at its own places: 1-2-1 around every second column, the mean of two rows; the edge repeated."""
    across, down = shared
    if across == 2:
        wide = np.pad(plane, ((0, 0), (1, 2)), mode="edge")
        half = slice(0, plane.shape[1], 2)
        plane = (wide[:, :-3][:, half] + 2 * wide[:, 1:-2][:, half] + wide[:, 2:-1][:, half]) * np.float32(0.25)
    if down == 2:
        tall = np.pad(plane, ((0, plane.shape[0] % 2), (0, 0)), mode="edge")
        plane = (tall[0::2] + tall[1::2]) * np.float32(0.5)
    return plane
