"""Colour: OpenColorIO transforms between named spaces."""

from __future__ import annotations

import os
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import PyOpenColorIO as ocio

from vfxgen.errors import ColorError
from vfxgen.frame import Attribute, Pixels
from vfxgen.media.movie import is_movie

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILTIN_CONFIG = "studio-config-v5.0.0_aces-v2.1_ocio-v2.6"

# A missing file is no `ocio.Exception`.
_OCIO_ERRORS = (ocio.Exception, ocio.ExceptionMissingFile)

# CIE xy of red, green, blue, white -> the interoperable name of the scene-linear space with these primaries.
_PRIMARIES = {
    (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290): "lin_rec709_scene",
    (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767): "lin_ap1_scene",
    (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767): "lin_ap0_scene",
    (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290): "lin_rec2020_scene",
    (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290): "lin_p3d65_scene",
}

# In configurations that know no Cineon: the same code values for the same density, in 10 and in 16 bits.
_FILM_SCANS = ("ADX10", "ADX16")

# Header entries that name a space, the surest first.
_SPACE_NAMES = ("colorInteropID", "vfxgen:colorspace", "oiio:ColorSpace")


def config() -> ocio.Config:
    """The OpenColorIO configuration in force: `$OCIO`, else the built-in ACES studio configuration.

    Raises
    ------
    ColorError
        `$OCIO` names a file that is missing or damaged.
    """
    return _config(os.environ.get("OCIO", ""))


@cache
def _config(path: str) -> ocio.Config:
    try:
        return ocio.Config.CreateFromFile(path) if path else ocio.Config.CreateFromBuiltinConfig(BUILTIN_CONFIG)
    except _OCIO_ERRORS as error:
        raise ColorError(
            f"$OCIO={path}: not a usable OpenColorIO configuration ({error}). Unset it or mend it."
        ) from None


def resolve(name: str) -> str:
    """The configuration's own name for a colour space, role, alias or interoperable name.

    Raises
    ------
    ColorError
        The configuration has no such space; near names are listed.

    Examples
    --------
    >>> resolve("scene_linear"), resolve("lin_rec709_scene")
    ('ACEScg', 'Linear Rec.709 (sRGB)')
    """
    space = config().getColorSpace(name) if name else None
    if space is None:
        from difflib import get_close_matches

        names = {str(n).lower(): str(n) for n in config().getColorSpaceNames()}
        near = [names[n] for n in get_close_matches(name.lower(), names, 4, 0.4)] or list(names.values())[:6]
        if "cineon" in name.lower():
            near = [film for film in _FILM_SCANS if is_known(film)] + near
        raise ColorError(
            f"colour space '{name}' is not in the OpenColorIO configuration {config().getName() or '$OCIO'}; "
            f"near: {', '.join(near)}. All of them: vfxgen doctor"
        )
    return str(space.getName())


def is_known(name: str) -> bool:
    """Whether the configuration has a colour space, role or alias of this name."""
    return config().getColorSpace(name) is not None


def working_space() -> str:
    """The configuration's `scene_linear` role."""
    return resolve(ocio.ROLE_SCENE_LINEAR)


def is_scene_linear(name: str) -> bool:
    """Whether values of this space are proportional to light in the scene."""
    return bool(config().getColorSpace(resolve(name)).getEncoding() == "scene-linear")


def is_data(name: str) -> bool:
    """Whether values of this space are no colour (`Raw`)."""
    return bool(config().getColorSpace(resolve(name)).isData())


def interop_id(name: str) -> str:
    """The interoperable name of a space (`lin_rec709_scene`), empty when the configuration gives none."""
    return str(config().getColorSpace(resolve(name)).getInteropID())


def declared_space(attributes: Mapping[str, Attribute]) -> str | None:
    """The colour space a file says it is in: its colour interop id, its ACES flag, its chromaticities, its format."""
    names = [str(attributes[a].value) for a in _SPACE_NAMES if a in attributes]
    if "acesImageContainerFlag" in attributes:
        names.insert(0, "lin_ap0_scene")
    chromaticities = attributes.get("chromaticities")
    if chromaticities is not None and chromaticities.type == "float[8]":
        names += [space for xy, space in _PRIMARIES.items() if np.allclose(chromaticities.value, xy, atol=1e-3)]
    for name in names:
        if name and config().getColorSpace(name) is not None:
            return resolve(name)
    return None


def file_rule_space(path: str) -> str:
    """The colour space that the configuration's file rules give a path; a movie's is that of a .mov in its place."""
    # The same stream means the same light in any container, and configurations know few of them.
    space, _ = config().getColorSpaceFromFilepath(f"{os.path.splitext(path)[0]}.mov" if is_movie(path) else path)
    return resolve(space)


@lru_cache(maxsize=64)
def _processor(source: str, target: str, environment: str) -> ocio.CPUProcessor:
    # Lossless: the default optimisation replaces pow and log by fast versions with errors near 1e-5.
    try:
        return config().getProcessor(source, target).getOptimizedCPUProcessor(ocio.OPTIMIZATION_LOSSLESS)
    except _OCIO_ERRORS as error:
        raise ColorError(f"colour space '{source}' cannot become '{target}' ({error})") from None


@lru_cache(maxsize=16)
def _view_processor(source: str, display: str, view: str, environment: str) -> ocio.CPUProcessor:
    transform = ocio.DisplayViewTransform(src=source, display=display, view=view)
    return config().getProcessor(transform).getDefaultCPUProcessor()


def convert(rgb: Pixels, source: str, target: str) -> Pixels:
    """`rgb` (H, W, 3) from one colour space to another; the same array when they are one.

    NaN and infinities stay in their channel and their pixel.

    Examples
    --------
    >>> import numpy as np
    >>> grey = np.full((1, 1, 3), 0.18, np.float32)
    >>> bool(np.allclose(convert(grey, "lin_rec709_scene", "ACEScg"), 0.18, atol=1e-4))
    True
    """
    source, target = resolve(source), resolve(target)
    if source == target:
        return rgb
    return _apply(_processor(source, target, os.environ.get("OCIO", "")), rgb)


def shown(display: str = "", view: str = "") -> tuple[str, str]:
    """A display and a view of it; without names the defaults of the configuration and of ``$OCIO_ACTIVE_VIEWS``.

    Raises
    ------
    ColorError
        The display has no such view.
    """
    display = display or str(config().getDefaultDisplay())
    view = view or str(config().getDefaultView(display))
    if view not in (views := [str(v) for v in config().getViews(display)]):
        raise ColorError(f"display '{display}' has no view '{view}'; it has {', '.join(views)}")
    return display, view


def display_space(display: str = "", view: str = "") -> str:
    """The colour space that a view of a display ends in; without names as `shown`."""
    display, view = shown(display, view)
    space = str(config().getDisplayViewColorSpaceName(display, view))
    # A shared view may stand for the space that is called as its display.
    return display if space == "<USE_DISPLAY_NAME>" else space


def to_display(rgb: Pixels, source: str, display: str = "", view: str = "") -> Pixels:
    """`rgb` (H, W, 3) as a display shows it, 0..1; without names the configuration's default display and view.

    For pictures people look at, never for a net: a view transform does not come back.
    """
    return _apply(_view_processor(resolve(source), *shown(display, view), os.environ.get("OCIO", "")), rgb)


# Rows converted at a time: OpenColorIO takes an array for one long line, and has buffers of several times its size.
_BAND = 64


def _apply(processor: ocio.CPUProcessor, rgb: Pixels) -> Pixels:
    out = np.array(rgb, np.float32, order="C")
    bad = ~np.isfinite(out)
    any_bad = bool(bad.any())
    if any_bad:
        out[bad] = 0
    for first in range(0, len(out), _BAND):
        processor.applyRGB(out[first : first + _BAND])
    if any_bad:
        out[bad] = rgb[bad]
    return out
