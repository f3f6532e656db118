"""Read: files on disk as a sequence, in the working space."""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from dataclasses import replace
from functools import cached_property
from typing import Literal

import numpy as np

from vfxgen import color
from vfxgen.errors import MediaError, MissingFrameError, RequestError
from vfxgen.file_space import straight_code
from vfxgen.frame import RGB, Attribute, Frame, Origin
from vfxgen.log import say_once
from vfxgen.media import image, movie, timecode
from vfxgen.media.layers import with_layer_as_main
from vfxgen.media.pattern import Pattern, format_frames
from vfxgen.media.publish import content_hash
from vfxgen.operator import Operator, digest, parameter


class Read(Operator):
    """Read an image sequence, a still or a movie, and bring its colour to the working space.

    The R, G and B of the file, or of one layer of it, are converted and premultiplied; every other channel, and the
    header, passes as it is.

    Examples
    --------
    >>> import vfxgen
    >>> plate = vfxgen.read("plates/sh010.####.exr", colorspace="ACEScg")
    >>> plate.path
    'plates/sh010.####.exr'
    """

    path: str = parameter(help="A pattern (plate.####.exr, plate.%04d.exr), one file for every frame, or a movie.")
    colorspace: str = parameter(
        "", "Colour space of the file; empty: what the file says, else the configuration's file rules."
    )
    working_space: str = parameter("", "Colour space to work in; empty: the configuration's scene_linear role.")
    part: str = parameter("", "Part of a multi-part EXR, by name or index; empty: the first.")
    view: str = parameter("", "View of a multi-view EXR; empty: the default one.")
    layer: str = parameter("", "Layer of an EXR that has the R, G, B and A to work on; empty: the main one.")
    missing: Literal["error", "hold", "nearest", "black"] = parameter(
        "error", "A frame that does not exist: stop, hold the last one before it, take the nearest, or black."
    )
    first: int = parameter(1, "Frame number of a movie's first picture.")

    def __init__(self, *args: object, **parameters: object) -> None:
        super().__init__(*args, **parameters)
        self.pattern = Pattern(self.path)
        self._working = color.resolve(self.working_space) if self.working_space else color.working_space()
        if self.colorspace:
            color.resolve(self.colorspace)

    def __str__(self) -> str:
        return self.path

    @cached_property
    def _movie(self) -> movie.Movie | None:
        return movie.Movie(self.path) if movie.is_movie(self.path) else None

    @cached_property
    def _on_disk(self) -> list[int]:
        if self._movie is not None:
            return list(range(self.first, self.first + self._movie.length))
        return self.pattern.frames_on_disk()

    def forget(self) -> None:
        super().forget()
        self.__dict__.pop("_on_disk", None)
        self.__dict__.pop("_movie", None)
        self.__dict__.pop("_first_parts", None)

    @property
    def range(self) -> list[int] | None:
        if self._movie is None and not self.pattern.is_sequence:
            return None
        # With its gaps: what becomes of them is for `missing` to say.
        return list(range(self._on_disk[0], self._on_disk[-1] + 1)) if self._on_disk else []

    @property
    def present(self) -> list[int] | None:
        return None if self.range is None else self._on_disk

    def frame(self, number: int) -> Frame:
        found = self._found(number)
        if found == number:
            return self._to_working(self._decoded(number))
        taken = self._on_disk[0] if found is None else found
        like = _in_place_of(self._to_working(self._decoded(taken)), number, taken)
        if found is None:
            black = {name: np.zeros_like(plane) for name, plane in like.planes.items()}
            return replace(like, planes=black, origin=None, source=f"{self.path} (missing: black)")
        return like

    def make_key(self, number: int) -> str:
        found = self._found(number)
        shape = self._on_disk[0] if found is None else found
        file = self.path if self._movie is not None else self.pattern.file(shape)
        parameters = {k: v for k, v in self.parameters.items() if k not in ("path", "missing", "working_space")}
        return digest(
            content=content_hash(file),
            picture=shape - self.first if self._movie is not None else None,
            black=found is None,
            working_space=self._working,
            # A file without a colour space gets one by its path, through the configuration in force.
            colorspace_guess="" if self.colorspace else color.file_rule_space(file),
            configuration=str(color.config().getCacheID()),
            **{f"read.{name}": value for name, value in parameters.items()},
        )

    def _found(self, number: int) -> int | None:
        """The frame that stands for `number`; None for a black one."""
        if self.range is None:
            return number
        frames = self._on_disk
        at = bisect_left(frames, number)
        if at < len(frames) and frames[at] == number:
            return number
        if not frames:
            raise MissingFrameError(f"{self.path}: no file matches")
        if self.missing == "black":
            return None
        if self.missing == "nearest":
            return min(frames[max(0, at - 1) : at + 1], key=lambda frame: abs(frame - number))
        if self.missing == "hold" and number > frames[0]:
            return frames[bisect_right(frames, number) - 1]
        name = self.path if self._movie is not None else self.pattern.file(number)
        raise MissingFrameError(
            f"{name}: frame {number} does not exist; there are {format_frames(frames)} "
            "(go on with missing = hold, nearest or black)"
        )

    def _decoded(self, number: int) -> Frame:
        if self._movie is not None:
            frame = self._movie.read(number - self.first, number)
        else:
            self._check_like_the_first(number)
            frame = image.read_image(self.pattern.file(number), number, part=self.part, view=self.view)
        return with_layer_as_main(frame, self.layer) if self.layer else frame

    @cached_property
    def _first_parts(self) -> list[image.Part]:
        return image.read_header(self.pattern.file(self._on_disk[0]))

    def _check_like_the_first(self, number: int) -> None:
        """One sequence has one resolution and one set of channels; data windows may differ from frame to frame."""
        if self.range is None or number == self._on_disk[0]:
            return
        path, first = self.pattern.file(number), self._on_disk[0]
        parts = image.read_header(path)
        try:
            first_parts = self._first_parts
        except MediaError:
            # It fails when it is asked for itself; the others are whole.
            return
        if len(parts) != len(first_parts):
            raise MediaError(f"{path}: has {len(parts)} parts, frame {first} has {len(first_parts)}")
        for part, before in zip(parts, first_parts, strict=True):
            if part.display_window != before.display_window:
                raise MediaError(
                    f"{path}: the display window is {part.display_window}, that of frame {first} "
                    f"{before.display_window}; one sequence has one resolution"
                )
            if set(part.channels) != set(before.channels):
                raise MediaError(
                    f"{path}: has the channels {' '.join(part.channels)}, frame {first} has {' '.join(before.channels)}"
                )

    def _space(self, frame: Frame) -> str:
        if self.colorspace:
            return color.resolve(self.colorspace)
        declared = color.declared_space(frame.attributes)
        if declared is not None:
            return declared
        guess = color.file_rule_space(frame.source)
        say_once(f"{self.path}: the files do not say their colour space; '{guess}' by the configuration's file rules")
        return guess

    def _to_working(self, frame: Frame) -> Frame:
        format = image.extension(frame.source)
        if not all(name in frame.planes for name in RGB):
            return replace(frame, colorspace=self._working, file_format=format)
        space = self._space(frame)
        frame = replace(frame, file_space=space, file_format=format)
        straight = "A" in frame.planes and "oiio:UnassociatedAlpha" in frame.attributes
        if not straight and (color.is_data(space) or space == self._working):
            return replace(frame, colorspace=self._working)
        rgb = frame.rgb
        encoded = "A" in frame.planes and not straight and not color.is_scene_linear(space)
        if encoded:
            # Premultiplied code values: only straight colour can be taken to light.
            rgb = straight_code(frame, space)
        converted = color.convert(rgb, space, self._working)
        if straight or encoded:
            converted = converted * frame.alpha
        working = frame.with_pixels(RGB, converted)
        native = {name: frame.planes[name] for name in (*RGB, *(["A"] if straight or encoded else []))}
        now = {name: working.planes[name] for name in RGB}
        return replace(working, colorspace=self._working, origin=Origin(space, straight, native, now))


def _in_place_of(frame: Frame, number: int, taken: int) -> Frame:
    """Frame `taken` as frame `number`: with the time code of that, or none where the frame rate is not known."""
    attributes = {name: value for name, value in frame.attributes.items() if name not in timecode.ATTRIBUTES}
    said = frame.attributes.get("smpte:TimeCode")
    if said and said.type == "timecode" and frame.fps:
        code = timecode.packed(timecode.text(said.value[0], frame.fps), frame.fps, number - taken)
        if code is not None:
            attributes["smpte:TimeCode"] = Attribute(code, "timecode")
    return replace(frame, number=number, attributes=attributes)


def read(path: str | os.PathLike[str], **parameters: object) -> Read:
    """Files on disk as a sequence: `Read`, with a path as its one positional argument.

    Raises
    ------
    RequestError
        The pattern, a colour space or another parameter is wrong. A missing frame shows when it is asked for.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise RequestError(f"read: path must be a file name or a pattern, not {type(path).__name__}")
    return Read(os.fspath(path), **parameters)
