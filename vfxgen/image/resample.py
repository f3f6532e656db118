"""Resampling frames along x and y: filters, data channels, windows, and pixels that are not finite."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfxgen.frame import Attribute, Box, Frame, Plane

FilterName = Literal["nearest", "box", "triangle", "bicubic", "mitchell", "lanczos3"]
Floats = NDArray[np.float64]


class Axis(NamedTuple):
    """Where a pixel edge goes: `x` to `x * scale + offset`, in pixels."""

    scale: float
    offset: float

    @property
    def whole(self) -> bool:
        """Whether pixels fall on pixels."""
        return self.scale == 1 and self.offset == round(self.offset)


def resampled(
    frame: Frame,
    axes: tuple[Axis, Axis],
    display_window: Box,
    filter: FilterName,
    ringing: bool,
    attributes: dict[str, Attribute],
) -> Frame:
    """`frame` scaled and moved along x and y (`axes`), with every channel and its data window, as `Resize` describes.

    Pixels that only move by whole pixels keep their bits.
    """
    window, display = frame.data_window, frame.display_window
    if axes[0].whole and axes[1].whole:
        moved = window._replace(x=window.x + round(axes[0].offset), y=window.y + round(axes[1].offset))
        if moved == window and display_window == display and attributes == frame.attributes:
            return frame
        return replace(frame, data_window=moved, display_window=display_window, attributes=attributes)
    columns = _taps(axes[0], (window.x, window.right), (display.x, display.right), filter)
    rows = _taps(axes[1], (window.y, window.bottom), (display.y, display.bottom), filter)
    data = data_channels(frame)
    planes = {}
    for name, plane in frame.planes.items():
        if filter == "nearest" or name in data or plane.dtype == np.uint32:
            planes[name] = _picked(plane, rows, columns)
        else:
            planes[name] = _filtered(np.asarray(plane, np.float32), rows, columns, ringing)
    return replace(
        frame,
        planes=planes,
        data_window=Box(columns.first, rows.first, len(columns.nearest), len(rows.nearest)),
        display_window=display_window,
        attributes=attributes,
        origin=None,
    )


def data_channels(frame: Frame) -> set[str]:
    """Channels whose values name or place things, so that no mean of two is true: ids, depth, Cryptomatte ranks."""
    named = {
        str(attribute.value)
        for name, attribute in frame.attributes.items()
        if name.startswith("cryptomatte/") and name.endswith("/name")
    }

    def is_data(channel: str) -> bool:
        layer, _, last = channel.rpartition(".")
        ranked = layer.rstrip("0123456789")
        return ranked in named or ranked.lower().startswith("crypto") or last.lower() in _DATA_NAMES

    return {channel for channel in frame.planes if is_data(channel)}


_DATA_NAMES = {"z", "zback", "depth", "id", "ids", "objectid", "materialid", "instanceid"}


class _Taps(NamedTuple):
    """For every new pixel along an axis: which old ones it is made of. 0 is black, i + 1 the old pixel i.

    `goes_to` is the other way round: the new pixel that holds the centre of each old one.
    """

    first: int
    nearest: NDArray[np.intp]
    goes_to: NDArray[np.intp]
    old: NDArray[np.intp]
    weight: NDArray[np.float32]
    lobe: NDArray[np.bool_]


def _taps(axis: Axis, data: tuple[int, int], display: tuple[int, int], filter: FilterName) -> _Taps:
    scale, offset = axis
    kernel, radius, lobe = _FILTERS["nearest" if axis.whole else filter]
    stretch = max(1.0, 1 / scale)
    radius, lobe = radius * stretch, lobe * stretch
    area = filter == "box" and not axis.whole
    if area:
        radius = lobe = (1 + 1 / scale) / 2
    # The picture spreads into the black around it only where there is display left to be black.
    spread = 0 if filter == "nearest" else radius - 0.5
    begin = max(data[0] - spread, display[0]) if data[0] > display[0] else data[0]
    end = min(data[1] + spread, display[1]) if data[1] < display[1] else data[1]
    first, last = math.floor(begin * scale + offset + 1e-6), math.ceil(end * scale + offset - 1e-6)
    centre = (np.arange(first, max(last, first + 1)) + 0.5 - offset) / scale
    begins = np.ceil(centre - radius - 0.5).astype(np.intp)
    old = begins[:, None] + np.arange(math.ceil(2 * radius - 1e-9))
    distance = np.abs(old + 0.5 - centre[:, None])
    if area:
        weight = np.clip(radius - distance, 0, min(1, 1 / scale))
    else:
        weight = np.where(distance <= radius, kernel(distance / stretch), 0)
    weight /= weight.sum(axis=1, keepdims=True)
    nearest = np.floor(centre + 1e-6).astype(np.intp)
    goes_to = np.floor((np.arange(*data) + 0.5) * scale + offset).astype(np.intp) - first
    return _Taps(
        first,
        _place(nearest, data, display),
        np.clip(goes_to, 0, len(centre) - 1),
        _place(old, data, display),
        weight.astype(np.float32),
        (distance < lobe) & (weight != 0),
    )


def _place(old: NDArray[np.intp], data: tuple[int, int], display: tuple[int, int]) -> NDArray[np.intp]:
    low = data[0] - (data[0] > display[0])
    high = data[1] - 1 + (data[1] < display[1])
    placed = np.clip(old, low, high)
    return np.where((placed < data[0]) | (placed >= data[1]), 0, placed - data[0] + 1)


def _picked(plane: Plane, rows: _Taps, columns: _Taps) -> Plane:
    return np.pad(plane, ((1, 0), (1, 0)))[rows.nearest[:, None], columns.nearest]


def _filtered(plane: Plane, rows: _Taps, columns: _Taps, ringing: bool) -> Plane:
    bad = ~np.isfinite(plane)
    whole = filled(plane, bad) if bad.any() else plane
    value = _along(_along(whole, rows, "weight").T, columns, "weight").T
    if not ringing:
        low = _along(_along(whole, rows, "low").T, columns, "low").T
        high = _along(_along(whole, rows, "high").T, columns, "high").T
        value = np.clip(value, low, high)
    value = np.ascontiguousarray(value)
    if bad.any():
        stays = _picked(bad, rows, columns)
        value[stays] = _picked(plane, rows, columns)[stays]
        # A reduction picks only some pixels: none that is not a number may be lost.
        y, x = np.nonzero(bad)
        value[rows.goes_to[y], columns.goes_to[x]] = plane[y, x]
    return value


def _along(plane: Plane, taps: _Taps, how: Literal["weight", "low", "high"]) -> Plane:
    """(N, M) to (new N, M): the weighted sum, the least or the greatest of each new pixel's taps."""
    source = np.zeros((plane.shape[0] + 1, plane.shape[1]), np.float32)
    source[1:] = plane
    if how == "weight":
        out = np.zeros((len(taps.nearest), plane.shape[1]), np.float32)
        for tap in range(taps.old.shape[1]):
            out += source[taps.old[:, tap]] * taps.weight[:, tap, None]
        return out
    out = source[taps.nearest]
    for tap in np.flatnonzero(taps.lobe.any(axis=0)).tolist():
        # A tap outside the lobe stands back for the nearest pixel, which never widens the range.
        part = source[np.where(taps.lobe[:, tap], taps.old[:, tap], taps.nearest)]
        (np.minimum if how == "low" else np.maximum)(out, part, out=out)
    return out


def filled(plane: Plane, bad: NDArray[np.bool_]) -> Plane:
    """`plane` (H, W) with its `bad` pixels replaced by the mean of the good ones around, from the rim inwards."""
    import cv2

    value, known = np.where(bad, np.float32(0), plane), (~bad).astype(np.float32)
    if not known.any():
        return value
    while not known.all():
        total = cv2.boxFilter(value, cv2.CV_32F, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        count = cv2.boxFilter(known, cv2.CV_32F, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        rim = (known == 0) & (count > 0.5)
        value[rim] = total[rim] / count[rim]
        known[rim] = 1
    return value


def _triangle(x: Floats) -> Floats:
    return np.clip(1 - x, 0, None)


def _cubic(b: float, c: float) -> Callable[[Floats], Floats]:
    def kernel(x: Floats) -> Floats:
        inner = ((12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + (6 - 2 * b)) / 6
        outer = ((-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + (8 * b + 24 * c)) / 6
        return np.where(x < 1, inner, np.where(x < 2, outer, 0))

    return kernel


def _lanczos3(x: Floats) -> Floats:
    return np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0)


# Kernel, its radius, and how far its main lobe reaches.
_FILTERS: dict[str, tuple[Callable[[Floats], Floats], float, float]] = {
    "nearest": (np.ones_like, 0.5, 0.5),
    "box": (np.ones_like, 0.5, 0.5),
    "triangle": (_triangle, 1.0, 1.0),
    "bicubic": (_cubic(0.0, 0.5), 2.0, 1.0),
    "mitchell": (_cubic(1 / 3, 1 / 3), 2.0, 8 / 7),
    "lanczos3": (_lanczos3, 3.0, 1.0),
}
