"""Output: how a sequence's frames become files: names, type, colour space, and the header that says what made them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from vfxgen import color
from vfxgen.errors import MediaError, RequestError
from vfxgen.frame import RGB, Attribute, Frame, Pixels
from vfxgen.media import image, movie
from vfxgen.media.pattern import Pattern
from vfxgen.media.publish import published
from vfxgen.operator import digest
from vfxgen.version import __version__

_KEY_IN_SOFTWARE = re.compile(r"^vfxgen \S+ ([0-9a-f]{64})")
_HOLDS_ANY_ATTRIBUTE = ("exr", "png")
# IPTC's vocabulary of digital source types, without and with nets.
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeCapture"
_SOURCE_TYPE_NETS = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


class Output(BaseModel):
    """Where frames go and what they become on the way.

    Parameters
    ----------
    path
        A pattern (``comp.####.exr``), or a movie (``.mov``, ``.mp4``).
    channels
        Which channels, in which order; empty: all. ``RGBA`` or ``R,G,B,depth.Z``.
    type
        Stored as ``half float uint8 uint10 uint12 uint16``; empty: as the plate was, where the format can.
    compression
        Of EXR: ``zip zips piz dwaa:45 ...``; empty: as the plate was, else zip.
    colorspace
        Empty: the plate's for EXR when it is scene-linear (else the working space), the file rules for other formats.
    view
        A view of the configuration's default display, instead of a colour space: for files people look at.
    fps
        Frames a second of a movie.
    codec
        Of a movie: ``h264`` (.mp4, .mov), ``prores`` or ``prores4444`` with alpha (.mov); empty: the first its
        container takes. A movie without a view or colour space shows the configuration's default view.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    channels: tuple[str, ...] = ()
    type: Literal["", "half", "float", "uint32", "uint8", "uint10", "uint12", "uint16"] = ""
    compression: str = ""
    colorspace: str = ""
    view: str = ""
    fps: Fraction = Fraction(24)
    codec: str = ""

    @field_validator("channels", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",")) if "," in value or "." in value else tuple(value)

    @cached_property
    def pattern(self) -> Pattern:
        """The path as a pattern."""
        return Pattern(self.path)

    @property
    def is_movie(self) -> bool:
        """Whether all frames go into one file."""
        return movie.is_movie(self.path)

    @property
    def movie_codec(self) -> str:
        """The codec of a movie: as given, else h264 for .mp4 and ProRes for .mov."""
        return self.codec or {"mov": "prores"}.get(image.extension(self.path), "h264")

    def displayed(self, frame: Frame) -> Pixels:
        """`frame` as a movie shows it: display-referred (H, W, 3), or (H, W, 4) with straight alpha for prores4444."""
        whole = frame.on(frame.display_window)
        if self.colorspace:
            shown = to_file_space(whole, self.colorspace, straight=False).rgb
        else:
            shown = color.to_display(whole.rgb, whole.colorspace, view=self.view)
        return np.concatenate([shown, whole.alpha], axis=-1) if self.movie_codec == "prores4444" else shown

    def check(self, frames: list[int]) -> None:
        """Refuse what could not be written whatever the frames hold.

        Raises
        ------
        RequestError
            Unknown format, compression, colour space or view; one file for many frames.
        """
        if self.is_movie:
            from vfxgen.media.movie_writer import CODECS

            container = image.extension(self.path)
            if self.movie_codec not in CODECS.get(container, ()):
                known = "; ".join(f".{name}: {', '.join(codecs)}" for name, codecs in CODECS.items())
                raise RequestError(f"{self.path}: cannot write {self.movie_codec} into .{container}; there are {known}")
        else:
            format = image.extension(self.path)
            if format not in image.WRITABLE:
                raise RequestError(
                    f"{self.path}: cannot write '.{format}'; write {', '.join(image.WRITABLE)} or a movie"
                )
            if not self.pattern.is_sequence and len(frames) > 1:
                raise RequestError(
                    f"{self.path}: one file for {len(frames)} frames; give a pattern such as comp.####.exr"
                )
            if self.compression and self.compression.split(":")[0] not in image.COMPRESSIONS:
                known = ", ".join(image.COMPRESSIONS)
                raise RequestError(f"{self.path}: compression '{self.compression}'; known: {known}, dwaa:45")
            if self.type:
                try:
                    image.storable(self.path, self.type)
                except MediaError as error:
                    raise RequestError(str(error)) from None
        if self.colorspace and self.view:
            raise RequestError(f"{self.path}: give a colour space or a view, not both")
        if self.colorspace:
            color.resolve(self.colorspace)
        if self.view:
            color.to_display(np.zeros((1, 1, 3), np.float32), color.working_space(), view=self.view)

    def key(self, sequence_key: str) -> str:
        """What the header of a published frame must say for the frame to be current."""
        return digest(
            sequence=sequence_key,
            format=image.extension(self.path),
            **self.model_dump(mode="json", exclude={"path", "fps"}),
        )

    def is_current(self, number: int, key: str) -> bool:
        """Whether the published frame `number` carries `key`; a damaged or foreign file is not current."""
        try:
            return published_key(self.pattern.file(number)) == key
        except MediaError:
            return False

    def publish(self, frame: Frame, number: int, key: str, made_by: Provenance) -> str:
        """Write one frame, whole or not at all; returns its path.

        Raises
        ------
        MediaError
            The file cannot be written, or the format cannot hold the frame.
        """
        path = self.pattern.file(number)
        format = image.extension(path)
        prepared = with_provenance(self.prepared(frame), format, key, made_by)
        with published(path) as temporary:
            image.write_image(prepared, temporary, format=format, type=self.type, compression=self.compression)
        return path

    def prepared(self, frame: Frame) -> Frame:
        """`frame` reduced to the channels asked for, in the colour space of the file."""
        straight = "A" in frame.planes and image.extension(self.path) in ("png", "tif")
        if self.view:
            out = _displayed(frame, self.view)
        else:
            out = to_file_space(frame, self.colorspace or self._default_space(frame), straight)
        if self.channels:
            try:
                out.require(*self.channels)
            except Exception as error:
                raise MediaError(f"{self.path}: channels {','.join(self.channels)}: {error}") from None
            out = out.only(*self.channels)
        return out

    def _default_space(self, frame: Frame) -> str:
        own = frame.origin.colorspace if frame.origin else frame.colorspace
        source, target = image.extension(frame.source), image.extension(self.path)
        if target == "exr":
            return own if color.is_scene_linear(own) else frame.colorspace
        if source == target or (source and not color.is_scene_linear(own)):
            return own
        return color.file_rule_space(self.path)


def output_of(path: str | os.PathLike[str], **fields: object) -> Output:
    """An `Output`, with errors that name the field.

    Raises
    ------
    RequestError
        A field is unknown or its value is not allowed.
    """
    try:
        return Output.model_validate({"path": os.fspath(path), **fields})
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, f['loc']))} = {f['input']!r}: {f['msg']}" for f in error.errors()]
        raise RequestError(f"output {os.fspath(path)}: {'; '.join(faults)}") from None


def to_file_space(frame: Frame, space: str, straight: bool) -> Frame:
    """`frame` with its colour in `space`, alpha straight or premultiplied, `colorspace` saying so.

    A pixel that still has the value it was read with gets back the value it had in the file, bit for bit.
    """
    space = color.resolve(space)
    out = frame
    for layer in frame.color_layers:
        names = tuple(f"{layer}.{c}" if layer else c for c in RGB)
        if not all(name in frame.planes for name in names):
            continue
        rgb = frame.pixels(*names)
        if straight and not layer:
            alpha = frame.alpha
            rgb = np.where(alpha > 0, rgb / np.where(alpha > 0, alpha, 1), rgb).astype(np.float32, copy=False)
        converted = color.convert(rgb, frame.colorspace, space)
        out = out.with_pixels(names, converted) if converted is not rgb or straight else out
    origin = frame.origin
    if origin and origin.colorspace == space and origin.straight == straight:
        out = _restored(frame, out)
    attributes = {k: v for k, v in out.attributes.items() if k not in _SPACE_ATTRIBUTES}
    if color.declared_space(frame.attributes) == space:
        attributes = dict(out.attributes)
    if interop := color.interop_id(space):
        attributes["colorInteropID"] = Attribute(interop)
    return replace(out, colorspace=space, attributes=attributes, origin=None)


_SPACE_ATTRIBUTES = ("chromaticities", "colorInteropID", "oiio:ColorSpace", "acesImageContainerFlag", "whiteLuminance")


def _restored(frame: Frame, converted: Frame) -> Frame:
    origin = frame.origin
    if origin is None or not all(name in frame.planes for name in RGB):
        return converted
    if origin.straight and origin.native.get("A") is not frame.planes.get("A"):
        return converted
    planes = dict(converted.planes)
    if all(frame.planes[name] is origin.working[name] for name in RGB):
        planes.update({name: origin.native[name] for name in RGB})
        return replace(converted, planes=planes)
    if origin.working["R"].shape != frame.planes["R"].shape:
        return converted
    same = np.ones(frame.size, bool)
    for name in RGB:
        now, then = frame.planes[name], origin.working[name]
        same &= (now == then) | (np.isnan(now) & np.isnan(then))
    for name in RGB:
        planes[name] = np.where(same, origin.native[name], planes[name])
    return replace(converted, planes=planes)


def _displayed(frame: Frame, view: str) -> Frame:
    shown = color.to_display(frame.rgb, frame.colorspace, view=view)
    attributes = {k: v for k, v in frame.attributes.items() if k not in _SPACE_ATTRIBUTES}
    return replace(frame.with_pixels(RGB, shown), attributes=attributes, origin=None)


@dataclass(frozen=True)
class Provenance:
    """What made a sequence's frames, as their headers say it.

    Parameters
    ----------
    recipe
        The graph document, one line of JSON.
    nets
        Every net that touches the frames with its hash and its three licences, one line of JSON; empty without nets.
    """

    recipe: str
    nets: str = ""


def with_provenance(frame: Frame, format: str, key: str, made_by: Provenance) -> Frame:
    """`frame` with a header that says what made it: its key everywhere, the whole recipe where the format has room."""
    attributes = dict(frame.attributes)
    if format in _HOLDS_ANY_ATTRIBUTE:
        attributes |= {
            "vfxgen:key": Attribute(key),
            "vfxgen:version": Attribute(__version__),
            "vfxgen:recipe": Attribute(made_by.recipe),
            "Iptc4xmpExt:DigitalSourceType": Attribute(_SOURCE_TYPE_NETS if made_by.nets else _SOURCE_TYPE),
        }
        if made_by.nets:
            attributes["vfxgen:nets"] = Attribute(made_by.nets)
    else:
        attributes["Software"] = Attribute(f"vfxgen {__version__} {key}")
    return replace(frame, attributes=attributes)


def published_key(path: str) -> str | None:
    """The key in a file's header, None when vfxgen did not write it.

    Raises
    ------
    MediaError
        The file is missing or damaged.
    """
    attributes = image.read_header(path)[0].attributes
    if "vfxgen:key" in attributes:
        return str(attributes["vfxgen:key"].value)
    match = _KEY_IN_SOFTWARE.match(str(attributes.get("Software", Attribute("")).value))
    return match[1] if match else None


def provenance(document: dict[str, Any], nets: Mapping[str, Any]) -> Provenance:
    """A graph document and the nets in it (`Operator.nets`) as they stand in headers."""
    used = {
        name: {"sha256": entry.card.weights.sha256, "licences": entry.card.licences.model_dump(mode="json")}
        for name, entry in nets.items()
    }
    return Provenance(_one_line(document), _one_line(used) if used else "")


def _one_line(document: Any) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
