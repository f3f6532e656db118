"""What files are: range, gaps, windows, channels, colour, time code."""

from __future__ import annotations

import os
from typing import Any

from vfxgen import color
from vfxgen.errors import MissingFrameError
from vfxgen.frame import Attribute
from vfxgen.media import image, movie, timecode
from vfxgen.media.pattern import Pattern, format_frames
from vfxgen.provenance import published_key


def describe(path: str) -> dict[str, Any]:
    """What a file, a pattern or a movie is, as plain data.

    Raises
    ------
    MediaError
        Nothing is there, or it cannot be read.
    """
    pattern = Pattern(path)
    if movie.is_movie(path):
        return {"path": path, "kind": "movie", **_movie(movie.Movie(path))}
    if not pattern.is_sequence:
        return {"path": path, "kind": "image", "parts": [_part(part, path) for part in image.read_header(path)]}
    frames = pattern.frames_on_disk()
    if not frames:
        raise MissingFrameError(f"{path}: no file matches")
    first = pattern.file(frames[0])
    gaps = sorted(set(range(frames[0], frames[-1] + 1)) - set(frames))
    return {
        "path": path,
        "kind": "sequence",
        "frames": format_frames(frames),
        "count": len(frames),
        "missing": format_frames(gaps) if gaps else "",
        "bytes": sum(os.path.getsize(pattern.file(number)) for number in frames),
        "parts": [_part(part, first) for part in image.read_header(first)],
        "made_by_vfxgen": published_key(first) is not None,
    }


def _movie(found: movie.Movie) -> dict[str, Any]:
    first = found.read(0, 1)
    width, height = found.size
    return {
        "count": found.length,
        "fps": str(found.fps),
        "size": f"{width}x{height}",
        "codec": found.codec,
        "channels": {name: first.types[name] for name in first.channels},
        "colorspace": color.declared_space(first.attributes) or color.file_rule_space(found.path),
        "attributes": {name: _plain(attribute) for name, attribute in first.attributes.items()},
    }


def _part(part: image.Part, path: str) -> dict[str, Any]:
    declared = color.declared_space(part.attributes)
    return {
        "part": part.index,
        "name": part.name,
        "view": part.view,
        "data_window": str(part.data_window),
        "display_window": str(part.display_window),
        "channels": dict(zip(part.channels, part.types, strict=True)),
        "deep": part.deep,
        "colorspace": declared or color.file_rule_space(path),
        "colorspace_from": "file" if declared else "file rules (a guess)",
        "timecode": next((_timecode(part.attributes[n]) for n in timecode.ATTRIBUTES if n in part.attributes), ""),
        "attributes": {name: _plain(attribute) for name, attribute in part.attributes.items()},
    }


def _timecode(attribute: Attribute) -> str:
    if isinstance(attribute.value, str):
        return attribute.value
    return ":".join(f"{field:02d}" for field in timecode.fields(int(attribute.value[0])))


def _plain(attribute: Attribute) -> Any:
    value = attribute.value
    return value if isinstance(value, (str, int, float)) else [v if isinstance(v, str) else float(v) for v in value]


def text(found: dict[str, Any]) -> str:
    """`describe`, for a person."""
    lines = [found["path"]]
    for name, value in found.items():
        if name not in ("path", "parts") and value not in ("", None):
            lines.append(f"  {name.replace('_', ' '):15} {value}")
    for part in found.get("parts", []):
        title = f"part {part['part']}" + "".join(f" {part[k]}" for k in ("name", "view") if part[k])
        types = dict.fromkeys(part["channels"].values())
        grouped = "; ".join(
            f"{' '.join(c for c, t in part['channels'].items() if t == kind)} ({kind})" for kind in types
        )
        lines += [
            f"  {title}" + (" (deep)" if part["deep"] else ""),
            f"    display window {part['display_window']}",
            f"    data window    {part['data_window']}",
            f"    channels       {grouped}",
            f"    colour space   {part['colorspace']}, from the {part['colorspace_from']}",
        ]
        if part["timecode"]:
            lines.append(f"    time code      {part['timecode']}")
        shown = {
            k: v for k, v in part["attributes"].items() if not k.startswith(("oiio:", "openexr:", "vfxgen:recipe"))
        }
        lines += [f"    {name:14} {str(value)[:80]}" for name, value in shown.items()]
    return "\n".join(lines)
