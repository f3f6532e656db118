"""Output: how a sequence's frames become files: names, channels, type, compression, colour space."""

from __future__ import annotations

import os
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator

from vfxgen import color
from vfxgen.errors import MediaError, RequestError
from vfxgen.explain import explained
from vfxgen.file_space import Alpha, default_space, to_file_space, to_view
from vfxgen.frame import Frame, Pixels, is_frame_rate
from vfxgen.media import image, movie
from vfxgen.media.layers import with_layer_as_file_has_it
from vfxgen.media.pattern import Pattern
from vfxgen.media.publish import published, require_writable
from vfxgen.media.storage import storable
from vfxgen.operator import digest
from vfxgen.provenance import Provenance, published_key, with_provenance
from vfxgen.version import __version__

_STRAIGHT_FORMATS = ("png", "tif")


def _frame_rate(value: object) -> Fraction:
    try:
        # 23.976 is 2997/125, not the fraction that is nearest to it in binary.
        rate = Fraction(value if isinstance(value, Fraction) else str(value))
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not is_frame_rate(rate):
        raise ValueError("must be frames a second, above 0 and at most 1000, such as 24 or 24000/1001")
    return rate


FrameRate = Annotated[Fraction, BeforeValidator(_frame_rate)]
"""Frames a second: ``24``, ``24000/1001``, ``23.976``."""


class Output(BaseModel):
    """Where frames go and what they become on the way.

    Parameters
    ----------
    path
        A pattern (``comp.####.exr``), or a movie (``.mov``, ``.mp4``).
    channels
        Which channels of the file, in which order; empty: all. ``RGBA`` or ``R,G,B,depth.Z``.
    type
        Stored as ``half float uint8 uint10 uint12 uint16``; empty: as the plate was, where the format can.
    compression
        Of EXR: ``zip zips piz dwaa:45 ...``; empty: as the plate was where that loses nothing, else zip.
    colorspace
        Empty: the plate's for EXR when it is scene-linear (else the working space), the file rules for other formats.
    view
        A view of the configuration's default display, instead of a colour space: for files people look at.
    fps
        Frames a second of a movie; empty: as its first frame says, else 24.
    codec
        Of a movie: ``h264`` (.mp4, .mov), ``prores`` or ``prores4444`` with alpha (.mov); empty: the first its
        container takes. A movie without a view or colour space shows the configuration's default view.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    channels: tuple[str, ...] = ()
    type: Literal["", "half", "float", "uint8", "uint10", "uint12", "uint16"] = ""
    compression: str = ""
    colorspace: str = ""
    view: str = ""
    fps: FrameRate | None = None
    codec: str = ""

    @field_validator("channels", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        letters = set(value) <= set("RGBAYZ")
        return tuple(value) if letters else tuple(part.strip() for part in value.split(","))

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

    @property
    def alpha(self) -> Alpha:
        """How the file holds A."""
        format = image.extension(self.path)
        if self.is_movie:
            return "straight" if self.movie_codec == "prores4444" else "dropped"
        if format == "jpg" or (self.channels and "A" not in self.channels):
            return "dropped"
        return "straight" if format in _STRAIGHT_FORMATS else "premultiplied"

    def displayed(self, frame: Frame) -> Pixels:
        """`frame` as a movie shows it: display-referred (H, W, 3), or (H, W, 4) with straight alpha for prores4444."""
        whole = frame.on(frame.display_window)
        if self.colorspace:
            shown = to_file_space(whole, self.colorspace, self.alpha)
        else:
            shown = to_view(whole, self.view, self.alpha)
        return shown.rgb if self.alpha == "dropped" else np.concatenate([shown.rgb, whole.alpha], axis=-1)

    @property
    def movie_space(self) -> str:
        """Colour interop id of what a movie holds; empty where its space has none."""
        return color.interop_id(self.colorspace or color.display_space(view=self.view))

    def check(self, frames: list[int]) -> None:
        """Refuse what could not be written whatever the frames hold.

        Raises
        ------
        RequestError
            Unknown format, compression, colour space or view; one file for many frames; a folder that cannot be
            written.
        """
        if self.is_movie:
            self._check_movie()
        else:
            self._check_images(frames)
        if self.colorspace and self.view:
            raise RequestError(f"{self.path}: give a colour space or a view, not both")
        if self.colorspace:
            color.resolve(self.colorspace)
        if self.view:
            color.to_display(np.zeros((1, 1, 3), np.float32), color.working_space(), view=self.view)
        self._check_folder(frames)

    def _check_folder(self, frames: list[int]) -> None:
        files = map(self.pattern.file, frames)
        # Where every file is there, all may be current, and their folder locked by now.
        if missing := next((file for file in files if not os.path.exists(file)), ""):
            try:
                require_writable(missing)
            except MediaError as error:
                raise RequestError(str(error)) from None

    def _check_movie(self) -> None:
        from vfxgen.media.movie_writer import CODECS

        container = image.extension(self.path)
        if self.pattern.is_sequence:
            raise RequestError(
                f"{self.path}: a movie is one file for all frames; leave the frame number out of its name"
            )
        if self.movie_codec not in CODECS.get(container, ()):
            known = "; ".join(f".{name}: {', '.join(codecs)}" for name, codecs in CODECS.items())
            raise RequestError(f"{self.path}: cannot write {self.movie_codec} into .{container}; there are {known}")
        for field in ("type", "compression", "channels"):
            if getattr(self, field):
                raise RequestError(f"{self.path}: {field} is for image files; a movie has a codec")

    def _check_images(self, frames: list[int]) -> None:
        format = image.extension(self.path)
        if format not in image.WRITABLE:
            raise RequestError(f"{self.path}: cannot write '.{format}'; write {', '.join(image.WRITABLE)} or a movie")
        if not self.pattern.is_sequence and len(frames) > 1:
            raise RequestError(f"{self.path}: one file for {len(frames)} frames; give a pattern such as comp.####.exr")
        if self.codec:
            raise RequestError(f"{self.path}: codec is for movies (.mov, .mp4)")
        name, colon, level = self.compression.partition(":")
        if self.compression and format != "exr":
            raise RequestError(f"{self.path}: compression is for EXR")
        if self.compression and (name not in image.COMPRESSIONS or (colon and not _is_number(level))):
            known = ", ".join(image.COMPRESSIONS)
            raise RequestError(f"{self.path}: compression '{self.compression}'; known: {known}, dwaa:45")
        if self.type:
            try:
                storable(format, self.type)
            except MediaError as error:
                raise RequestError(f"{self.path}: {error}") from None

    def key(self, sequence_key: str) -> str:
        """What the header of a published frame must say for the frame to be current."""
        is_view = self.view or (self.is_movie and not self.colorspace)
        return digest(
            sequence=sequence_key,
            version=__version__,
            format=image.extension(self.path),
            **self.model_dump(mode="json", exclude={"path", "fps"}),
            **({"shown": color.shown(view=self.view)} if is_view else {}),
        )

    def is_current(self, number: int, key: str) -> bool:
        """Whether the published frame `number` carries `key`; a damaged or foreign file is not current."""
        path = self.pattern.file(number)
        try:
            if published_key(path) != key:
                return False
            image.require_whole(path)
        except MediaError:
            return False
        return True

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
        """`frame` reduced to the channels asked for, in the colour space and with the names of the file."""
        if self.view:
            out = to_view(frame, self.view, self.alpha)
        else:
            out = to_file_space(frame, self.colorspace or default_space(frame, self.path), self.alpha)
        if image.extension(self.path) == "exr":
            out = with_layer_as_file_has_it(out)
        if self.channels:
            try:
                out.require(*self.channels)
            except Exception as error:
                raise MediaError(f"{self.path}: channels {','.join(self.channels)}: {error}") from None
            out = out.only(*self.channels)
        return out


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
        raise RequestError("; ".join(explained(Output, error, f"output {os.fspath(path)}"))) from None


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
