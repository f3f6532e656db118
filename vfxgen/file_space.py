"""From the working space to the space of a file: colour conversion, alpha, and file values restored bit for bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from vfxgen import color
from vfxgen.frame import RGB, Attribute, Frame, Pixels, Plane
from vfxgen.log import say_once
from vfxgen.media import image

SPACE_ATTRIBUTE = "vfxgen:colorspace"
"""Names the space in a header where the configuration gives it no interoperable id."""

_SPACE_ATTRIBUTES = (
    "chromaticities",
    "colorInteropID",
    "oiio:ColorSpace",
    "acesImageContainerFlag",
    "whiteLuminance",
    SPACE_ATTRIBUTE,
)
# Describe the space of a file that may name none.
_PROFILES = ("ICCProfile", "CICP", "dpx:Transfer", "dpx:Colorimetric")
_DISPLAY_FORMATS = ("png", "jpg", "tif")
# Of straight light: what float32 holds, with room for a matrix.
_LARGEST = 1e30

Alpha = Literal["straight", "premultiplied", "dropped"]
"""How a file holds A beside its colour; where it is dropped, the colour is what it is over black."""


def default_space(frame: Frame, path: str) -> str:
    """The space `frame` is written in to `path` unless told otherwise.

    Its file's own space: in EXR when that is scene-linear or data, in the file's own format always, between PNG, JPEG
    and TIFF too. Else the working space in EXR, and what the configuration's file rules say in other formats.
    """
    own, target = frame.file_space or frame.colorspace, image.extension(path)
    if color.is_data(own):
        return own
    if target == "exr":
        return own if color.is_scene_linear(own) else frame.colorspace
    both_display = frame.file_format in _DISPLAY_FORMATS and target in _DISPLAY_FORMATS
    if frame.file_format == target or (both_display and not color.is_scene_linear(own)):
        return own
    return color.file_rule_space(path)


def to_file_space(frame: Frame, space: str, alpha: Alpha) -> Frame:
    """`frame` with its colour in `space` as a file with such alpha holds it, `colorspace` saying so.

    A pixel that still has the value it was read with gets back the value it had in the file, bit for bit. A frame
    without colour says what it said.
    """
    space = color.resolve(space)
    layers = [tuple(f"{layer}.{c}" if layer else c for c in RGB) for layer in frame.color_layers]
    layers = [names for names in layers if frame.planes.keys() >= set(names)]
    if not layers:
        return frame
    straight = alpha == "straight" and "A" in frame.planes
    out = frame
    # Only in scene-linear light is a premultiplied colour converted as it stands.
    linear = color.is_scene_linear(space) or color.is_data(space)
    for names in layers:
        rgb = frame.pixels(*names)
        premultiplied = names == RGB and "A" in frame.planes and alpha != "dropped"
        if premultiplied and (straight or not linear):
            converted = color.convert(_straight(frame), frame.colorspace, space)
            out = out.with_pixels(names, converted if straight else converted * frame.alpha)
        elif (converted := color.convert(rgb, frame.colorspace, space)) is not rgb:
            out = out.with_pixels(names, converted)
    origin = frame.origin
    if origin and origin.colorspace == space and origin.straight == straight:
        out = replace(out, planes={**out.planes, **_restored(frame, out)})
    declared = color.declared_space(frame.attributes)
    false: tuple[str, ...] = _SPACE_ATTRIBUTES if declared != space else ()
    false += _PROFILES if (declared or frame.file_space) != space else ()
    attributes = {name: value for name, value in frame.attributes.items() if not name.startswith(false)}
    if interop := color.interop_id(space):
        attributes["colorInteropID"] = Attribute(interop)
    else:
        attributes[SPACE_ATTRIBUTE] = Attribute(space)
    return replace(out, colorspace=space, attributes=attributes, origin=None)


def to_view(frame: Frame, view: str, alpha: Alpha) -> Frame:
    """`frame` as the default display shows it, its colour as a file with such alpha holds it."""
    rgb = frame.rgb if alpha == "dropped" else _straight(frame)
    shown = color.to_display(rgb, frame.colorspace, view=view)
    if alpha == "premultiplied" and "A" in frame.planes:
        shown = shown * frame.alpha
    false = _SPACE_ATTRIBUTES + _PROFILES
    attributes = {name: value for name, value in frame.attributes.items() if not name.startswith(false)}
    return replace(frame.with_pixels(RGB, shown), attributes=attributes, origin=None)


def straight_code(frame: Frame, space: str) -> Pixels:
    """Straight colour (H, W, 3) of a frame as it was read, whose R G B are premultiplied code values of `space`.

    Code that is not small where A is small was never premultiplied, and divided by A stands for no light there is: it
    is held to the largest code of an integer file, in float to that of the brightest light.
    """
    largest = 1.0
    if not frame.types["R"].startswith("uint"):
        brightest = np.full((1, 1, 3), _LARGEST, np.float32)
        largest = float(color.convert(brightest, color.working_space(), space).max())
    return unpremultiplied(frame.rgb, frame.alpha, largest)


def unpremultiplied(rgb: Pixels, alpha: Pixels, largest: float = _LARGEST) -> Pixels:
    """Straight colour (H, W, 3) of premultiplied `rgb`; as it is where alpha is not above 0.

    It is no larger than `largest` where `rgb` is not.
    """
    covered = alpha > 0
    with np.errstate(over="ignore"):
        straight = np.where(covered, rgb / np.where(covered, alpha, 1), rgb).astype(np.float32, copy=False)
    bound = np.maximum(np.abs(rgb), np.float32(largest))
    return straight.clip(-bound, bound)


def _straight(frame: Frame) -> Pixels:
    rgb, alpha = frame.rgb, frame.alpha
    # Either file holds straight colour, as it is or times A: where A is 0 there is none.
    if (rgb[alpha[..., 0] == 0] != 0).any():
        say_once(
            "light where A is 0 (a glow) is not seen in a file of straight alpha or of encoded colour with A: "
            "scene-linear EXR keeps it; without A a file holds what is seen over black"
        )
    return unpremultiplied(rgb, alpha)


def _restored(frame: Frame, converted: Frame) -> dict[str, Plane]:
    origin = frame.origin
    if origin is None or not all(name in frame.planes for name in RGB):
        return {}
    # Where colour was divided by A on its way in, another A is another colour in the file.
    read = {**origin.working, **({"A": origin.native["A"]} if "A" in origin.native else {})}
    if any(name not in frame.planes or frame.planes[name].shape != plane.shape for name, plane in read.items()):
        return {}
    if all(frame.planes[name] is plane for name, plane in read.items()):
        return {name: origin.native[name] for name in RGB}
    same = np.ones(frame.size, bool)
    for name, then in read.items():
        now = frame.planes[name]
        same &= (now == then) | (np.isnan(now) & np.isnan(then))
    return {name: np.where(same, origin.native[name], converted.planes[name]) for name in RGB}
