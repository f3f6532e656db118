"""Image files to frames and back, through OpenImageIO; luminance-chroma EXR through the OpenEXR library."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import OpenImageIO as oiio

from vfxgen.errors import MediaError
from vfxgen.frame import Attribute, Box, Frame, Plane
from vfxgen.log import say_once
from vfxgen.media import dpx, storage
from vfxgen.media.readable import require_readable

WRITABLE = ("exr", "dpx", "tif", "tiff", "png", "jpg", "jpeg")
_LOSSLESS = ("none", "rle", "zips", "zip", "piz")
COMPRESSIONS = (*_LOSSLESS, "pxr24", "b44", "b44a", "dwaa", "dwab")

_OIIO_TYPE = {
    "half": oiio.HALF,
    "float": oiio.FLOAT,
    "uint32": oiio.UINT,
    "uint8": oiio.UINT8,
    "uint10": oiio.UINT16,
    "uint12": oiio.UINT16,
    "uint16": oiio.UINT16,
}
_TYPE_NAME = {"half": "half", "float": "float", "uint": "uint32", "uint8": "uint8", "uint16": "uint16"}

_NO_REASON = "damaged, or not an image"

# Facts about how a file was stored, not about the picture: the writer sets its own.
_STORAGE_ATTRIBUTES = ("oiio:", "openexr:", "thumbnail", "jpeg:", "png:", "tiff:", "compression")

oiio.attribute("limits:imagesize_MB", 8192)


@dataclass(frozen=True)
class Part:
    """One part of a file, as its header describes it."""

    index: int
    name: str
    view: str
    channels: tuple[str, ...]
    types: tuple[str, ...]
    data_window: Box
    display_window: Box
    deep: bool
    attributes: Mapping[str, Attribute]


def extension(path: str) -> str:
    """The lower-case extension without its dot, `tiff` and `jpeg` in their short form."""
    name = os.path.splitext(path)[1].lower().lstrip(".")
    return {"tiff": "tif", "jpeg": "jpg"}.get(name, name)


def read_header(path: str) -> list[Part]:
    """Every part of an image file, without its pixels.

    Raises
    ------
    MediaError
        The file is missing, empty, a folder, or no image that OpenImageIO reads.
    """
    if _is_luminance_chroma(path):
        from vfxgen.media import luminance_chroma

        return [luminance_chroma.read_header(path)]
    file = _open(path)
    try:
        return _parts(file)
    finally:
        file.close()


def require_whole(path: str) -> None:
    """Raise `MediaError` when an image file is damaged or cut off: its last row is read, and what that rests on."""
    if _is_luminance_chroma(path):
        read_image(path, 0)
        return
    file = _open(path)
    try:
        spec = file.spec()
        bottom = spec.y + spec.height
        row = file.read_scanlines(0, 0, bottom - 1, bottom, 0, 0, spec.nchannels, oiio.UNKNOWN)
        error = _error(file)
    finally:
        file.close()
    if row is None or error:
        raise MediaError(f"{path}: the pixels are damaged or cut off ({error or _NO_REASON})")


def read_image(path: str, number: int, *, part: str = "", view: str = "") -> Frame:
    """One frame from a file, in the file's own colour space (`Frame.colorspace` is left empty).

    Integer files become 0..1; half, float and uint32 stay as they are. Straight alpha stays straight.

    Parameters
    ----------
    path, number
        The file, and the frame number the result gets.
    part, view
        Name (or index) of a part, name of a view; the first part and the default view when empty.

    Raises
    ------
    MediaError
        As `read_header`; or the pixels are damaged, the image is deep, or there is no such part or view.
    """
    if _is_luminance_chroma(path):
        from vfxgen.media import luminance_chroma

        return luminance_chroma.read_image(path, number)
    # Its parts are counted in an opening of their own: OpenImageIO's WebP reader decodes nothing more after that.
    chosen = _chosen(read_header(path), path, part, view)
    if chosen.deep:
        raise MediaError(f"{path}: a deep image; flatten it first (oiiotool --flatten)")
    file = _open(path)
    try:
        file.seek_subimage(chosen.index, 0)
        planes = _read_planes(file, path, chosen)
    finally:
        file.close()
    frame = Frame(
        number=number,
        planes=planes,
        types=dict(zip(chosen.channels, chosen.types, strict=True)),
        data_window=chosen.data_window,
        display_window=chosen.display_window,
        colorspace="",
        attributes=chosen.attributes,
        source=path,
    )
    return _with_view(frame, view) if view and not chosen.view else frame


def _open(path: str) -> oiio.ImageInput:
    require_readable(path, "an image")
    hints = oiio.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)
    hints.attribute("oiio:reorient", 0)
    _error(oiio)
    file = oiio.ImageInput.open(path, hints)
    if file is None:
        raise MediaError(f"{path}: no image that can be read ({_error(oiio) or _NO_REASON})")
    return file


def _error(source: Any) -> str:
    """What OpenImageIO (the library or an open file) has to complain about, in one line, and forget it."""
    try:
        text = source.geterror()
    except UnicodeDecodeError as error:
        # A damaged header is quoted byte by byte.
        text = error.object.decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"^EXR Error \(.*?\): ", "", lines[0]) if lines else ""


def _part(index: int, spec: oiio.ImageSpec) -> Part:
    bits = spec.get_int_attribute("oiio:BitsPerSample")
    formats = [str(f) for f in spec.channelformats] or [str(spec.format)] * spec.nchannels
    types = tuple(f"uint{bits}" if f == "uint16" and bits in (10, 12) else _TYPE_NAME.get(f, f) for f in formats)
    return Part(
        index=index,
        name=spec.get_string_attribute("oiio:subimagename"),
        view=spec.get_string_attribute("view"),
        channels=tuple(spec.channelnames),
        types=types,
        data_window=Box(spec.x, spec.y, spec.width, spec.height),
        display_window=Box(spec.full_x, spec.full_y, spec.full_width, spec.full_height),
        deep=spec.deep,
        attributes={a.name: Attribute(_legible(a.value), str(a.type)) for a in spec.extra_attribs},
    )


def _legible(value: Any) -> Any:
    """Text that is not UTF-8, as old scanners leave it, is taken for Latin-1: OpenImageIO would refuse to write it."""
    if not isinstance(value, str) or value.isascii():
        return value
    given = value.encode(errors="surrogateescape")
    return value if given.decode(errors="ignore").encode() == given else given.decode("latin-1")


def _parts(file: oiio.ImageInput) -> list[Part]:
    parts: list[Part] = []
    while file.seek_subimage(len(parts), 0):
        parts.append(_part(len(parts), file.spec()))
        if parts[0].attributes.get("oiio:subimages", Attribute(0)).value == 1:
            break
    # To look for one part more leaves an error behind, in the file (TIFF) or in the library.
    _error(file)
    _error(oiio)
    return parts


def _chosen(parts: list[Part], path: str, part: str, view: str) -> Part:
    found = [p for p in parts if part in ("", p.name, str(p.index))]
    if view and any(p.view for p in parts):
        found = [p for p in found if p.view == view]
    if not found:
        names = ", ".join(f"{p.index} '{p.name}'" + (f" (view {p.view})" if p.view else "") for p in parts)
        raise MediaError(
            f"{path}: has no part '{part}'" + (f" with view '{view}'" if view else "") + f"; it has {names}"
        )
    animation = len(parts) > 1 and "oiio:Movie" in parts[0].attributes
    if animation and found[0].index > 0:
        # OpenImageIO gives what changed since the picture before (GIF), or the first one again (WebP).
        raise MediaError(f"{path}: of an animation the first picture alone can be read; make it a movie")
    if animation:
        say_once(f"{path}: is an animation; the first of its {len(parts)} pictures is every frame: make it a movie")
    elif not (part or view) and len(parts) > 1:
        # By its folder, since a sequence would say it for every frame.
        folder = os.path.dirname(path) or "."
        say_once(f"{folder}: an image has {len(parts)} parts; part 0 '{parts[0].name}' is read, choose with part=")
    return found[0]


def _read_planes(file: oiio.ImageInput, path: str, part: Part) -> dict[str, Plane]:
    planes: dict[str, Plane] = {}
    kinds = {t if t in ("uint32", "half") else "float" for t in part.types}
    if len(kinds) == 1 and not part.types[0].startswith("uint"):
        runs = [(0, len(part.channels), kinds.pop())]
    else:
        runs = _runs(["uint32" if t == "uint32" else "integer" if t[:4] == "uint" else "float" for t in part.types])
    for begin, end, kind in runs:
        wanted = {"half": oiio.HALF, "uint32": oiio.UINT, "float": oiio.FLOAT}.get(kind, oiio.UNKNOWN)
        pixels = file.read_image(part.index, 0, begin, end, wanted)
        error = _error(file)
        if pixels is None or error:
            raise MediaError(f"{path}: the pixels are damaged or cut off ({error or _NO_REASON})")
        if file.format_name() == "dpx" and part.types[begin] == "uint10":
            dpx.mend_row_ends(pixels, path, part.index, file.spec())
        if kind == "integer":
            pixels = storage.as_light(pixels, part.types[begin])
        for i in range(begin, end):
            planes[part.channels[i]] = pixels[..., i - begin]
    return planes


def _runs(kinds: list[str]) -> list[tuple[int, int, str]]:
    runs: list[tuple[int, int, str]] = []
    for i, kind in enumerate(kinds):
        if runs and runs[-1][2] == kind:
            runs[-1] = (runs[-1][0], i + 1, kind)
        else:
            runs.append((i, i + 1, kind))
    return runs


def _with_view(frame: Frame, view: str) -> Frame:
    """Make `view` of a single-part multi-view file the unprefixed one; the default view's channels get its name."""
    names = frame.attributes.get("multiView")
    views = [str(v) for v in names.value] if names else []
    if view not in views:
        raise MediaError(f"{frame.source}: has no view '{view}'; it has {', '.join(views) or 'no views'}")
    default = views[0]
    if view == default:
        return frame

    def renamed(channel: str) -> str:
        *layers, last = channel.split(".")
        if layers and layers[-1] == view:
            return ".".join([*layers[:-1], last])
        if not layers or layers[-1] not in views:
            return ".".join([*layers, default, last])
        return channel

    order = [view, default, *(v for v in views[1:] if v != view)]
    return replace(
        frame,
        planes={renamed(c): p for c, p in frame.planes.items()},
        types={renamed(c): t for c, t in frame.types.items()},
        attributes={**frame.attributes, "multiView": Attribute(tuple(order), f"string[{len(order)}]")},
    )


def _is_luminance_chroma(path: str) -> bool:
    if extension(path) != "exr":
        return False
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
    except (OSError, ValueError):
        return False
    return b"\0RY\0" in head and b"BY\0" in head


def write_image(frame: Frame, path: str, *, format: str, type: str = "", compression: str = "") -> None:
    """Write `frame` to `path` as it is: no colour conversion, no renaming; see `vfxgen.media.publish` for that.

    Parameters
    ----------
    format
        ``exr dpx tif png jpg``: the path may carry a temporary name.
    type
        See `storage.stored_types`. Finite values beyond half float become its largest value, which is said once.
    compression
        Of EXR: one of `COMPRESSIONS`, ``dwaa:45`` with a level; else the frame's own where it loses nothing of what is
        stored, else ``zip``.

    Raises
    ------
    MediaError
        The frame does not fit the format, or the file cannot be written.
    """
    storage.storable(format, type)
    frame = storage.arranged(frame, format)
    types = storage.stored_types(frame, format, type)
    spec = oiio.ImageSpec(frame.data_window.width, frame.data_window.height, len(frame.planes), oiio.FLOAT)
    spec.x, spec.y = frame.data_window.x, frame.data_window.y
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = frame.display_window
    spec.channelnames = frame.channels
    if "A" in frame.channels:
        spec.alpha_channel = frame.channels.index("A")
    spec.format = oiio.TypeDesc(_OIIO_TYPE[next(iter(types.values()))])
    if len(set(types.values())) > 1:
        spec.channelformats = tuple({"uint32": "uint"}.get(t, t) for t in types.values())
    if (stored := next(iter(types.values()))) in ("uint10", "uint12"):
        spec.attribute("oiio:BitsPerSample", int(stored[4:]))
    for name, attribute in frame.attributes.items():
        if not name.startswith(_STORAGE_ATTRIBUTES):
            spec.attribute(name, oiio.TypeDesc(attribute.type), attribute.value)
    if "DateTime" not in frame.attributes:
        # OpenImageIO would put the time of writing there: the same frame would not give the same file.
        spec.attribute("DateTime", "")
    if format == "exr":
        spec.attribute("compression", compression or _inherited_compression(frame, types))
    if format in ("png", "tif"):
        spec.attribute("oiio:UnassociatedAlpha", 1)
    if format == "jpg":
        spec.attribute("CompressionQuality", 95)
    if format in _WRITTEN_IN_MEMORY:
        with storage.written_in_memory(path) as memory:
            _write_spec(frame, memory, format, spec, types)
    else:
        _write_spec(frame, path, format, spec, types)


def _inherited_compression(frame: Frame, types: Mapping[str, str]) -> str:
    """The frame's own where every pixel comes back bit for bit, else ``zip``: what loses is for who asks for it."""
    own = str(frame.attributes.get("compression", Attribute("")).value)
    # It cuts float to 24 bits, and keeps the rest.
    exact = own == "pxr24" and "float" not in types.values()
    return own if exact or own.partition(":")[0] in _LOSSLESS else "zip"


# On a full disk OpenImageIO's PNG writer reports success, and its JPEG writer ends the process.
_WRITTEN_IN_MEMORY = ("png", "jpg")


def _write_spec(frame: Frame, path: str, format: str, spec: oiio.ImageSpec, types: Mapping[str, str]) -> None:
    pixels = storage.interleaved(frame, types)
    _error(oiio)
    file = oiio.ImageOutput.create(format)
    if file is None:
        raise MediaError(f"this OpenImageIO cannot write {format} ({_error(oiio) or _NO_REASON})")
    written = file.open(path, spec) and file.write_image(pixels)
    error = _error(file) or _error(oiio)
    written = file.close() and written
    if not written:
        error = error or _error(file) or _error(oiio)
        where = f"{path}: frame {frame.number}" + (f" of {frame.source}" if frame.source else "")
        raise MediaError(f"{where} cannot be written as {format} ({error or _NO_REASON})")
    if format == "exr":
        storage.complete_exr(frame, path, types)
