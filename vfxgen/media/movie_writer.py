"""Frames to a movie for looking at (H.264) or editing (ProRes), through PyAV; the same frames give the same bytes."""

from __future__ import annotations

from fractions import Fraction
from types import TracebackType
from typing import Literal

import av
import numpy as np

from vfxgen.errors import MediaError
from vfxgen.frame import Pixels
from vfxgen.log import say_once
from vfxgen.media import component_video
from vfxgen.media.movie import Movie, media_errors, stream_tags

Codec = Literal["h264", "prores", "prores4444"]
CODECS: dict[str, tuple[Codec, ...]] = {"mp4": ("h264",), "mov": ("h264", "prores", "prores4444")}
"""What can be written, by the container's name."""

# Encoder, pixel format, with alpha, options. ProRes 422 HQ and 4444 by their names in FFmpeg's encoder.
_ENCODERS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "h264": ("libx264", "yuv420p", "", {"crf": "18", "preset": "medium"}),
    "prores": ("prores_ks", "yuv422p10le", "", {"profile": "hq", "vendor": "apl0"}),
    "prores4444": (
        "prores_ks",
        "yuv444p10le",
        "yuva444p10le",
        {"profile": "4444", "vendor": "apl0", "alpha_bits": "16"},
    ),
}
# x264 cuts its work by the number of threads: a fixed number gives the same bytes on every machine.
_ENCODER_THREADS = 4


class MovieWriter:
    """Display-referred frames to a movie, BT.709's matrix and limited range; the same frames give the same bytes.

    Parameters
    ----------
    path
        Where the movie is written; its name may be a temporary one, since the format is given.
    format
        ``mp4`` or ``mov``.
    codec
        See `CODECS`: ``h264`` (4:2:0, 8 bits, for looking at), ``prores`` (422 HQ, 10 bits) or ``prores4444`` (10 bits,
        with alpha where the frames have it).
    fps
        Frames per second, exact.
    pixel_aspect
        Width of its pixels by their height.
    timecode
        Of its first frame, such as ``01:00:00:00``; empty: none.
    comment
        Goes to the container's metadata as it is.
    space
        Colour interop id of the frames, which the stream says where it can (`stream_tags`).

    Raises
    ------
    MediaError
        A container or codec that cannot be written, frames that do not fit, an empty movie, a full disk.

    Examples
    --------
    >>> import tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "grey.mov")
    >>> with MovieWriter(path, format="mov", codec="prores", fps=Fraction(24)) as movie:
    ...     movie.write(np.full((32, 48, 3), 0.5, np.float32))
    >>> os.path.getsize(path) > 0
    True
    """

    def __init__(
        self,
        path: str,
        *,
        format: str,
        codec: str,
        fps: Fraction,
        pixel_aspect: float = 1.0,
        timecode: str = "",
        comment: str = "",
        space: str = "srgb_rec709_display",
    ) -> None:
        if codec not in CODECS.get(format, ()):
            known = "; ".join(f"{name}: {', '.join(codecs)}" for name, codecs in CODECS.items())
            raise MediaError(f"{path}: cannot write {codec} into {format}; what can be written: {known}")
        self.path = path
        self._encoder, self._opaque, self._with_alpha, self._options = _ENCODERS[codec]
        if self._encoder not in av.codecs_available:
            raise MediaError(
                f"{path}: this PyAV was built without the encoder {self._encoder}; "
                "install the wheel from PyPI (pip install av), or write EXR frames"
            )
        self._tags = stream_tags(space)
        self._fps, self._pixel_aspect = fps, Fraction(pixel_aspect).limit_denominator(1000)
        self._stream: av.VideoStream | None = None
        self._shape: tuple[int, ...] = ()
        self._written = 0
        with media_errors(path, "cannot be written"):
            self._container = av.open(
                path, "w", format=format, options={"movflags": "+faststart", "fflags": "+bitexact"}
            )
        # Without the metadata tag FFmpeg would leave its version, and with it other bytes after an update.
        self._container.metadata["comment"] = comment
        if timecode:
            self._container.metadata["timecode"] = timecode

    def __enter__(self) -> MovieWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._container.close()

    def write(self, pixels: Pixels) -> None:
        """Append one frame: display-referred float32 (H, W, 3) or (H, W, 4) with straight alpha, 0..1.

        Values beyond are kept as far as video's code range reaches; NaN becomes black, which is said once.
        """
        if self._stream is None:
            self._stream = self._open(pixels.shape)
        if pixels.shape != self._shape:
            raise MediaError(
                f"{self.path}: picture {self._written} has shape {pixels.shape}, the ones before {self._shape}"
            )
        if np.isnan(pixels).any():
            say_once("pixels that are NaN are black in the movie")
        held = np.nan_to_num(np.asarray(pixels, np.float32), nan=0.0).clip(-1, 2)
        filled = [(0, -size % step) for size, step in zip(pixels.shape[:2], self._steps, strict=True)]
        picture = component_video.encode(np.pad(held, [*filled, (0, 0)], mode="edge"), self._stream.pix_fmt)
        picture.color_primaries, picture.color_trc = self._tags
        picture.pts, picture.time_base = self._written, 1 / self._fps
        self._encode(self._stream, picture)
        self._written += 1

    def close(self) -> None:
        """Finish the file.

        Raises
        ------
        MediaError
            No frame was written, or the disk is full.
        """
        try:
            if self._stream is None:
                raise MediaError(f"{self.path}: a movie of no frames; write at least one")
            self._encode(self._stream, None)
        finally:
            with media_errors(self.path, "cannot be written"):
                self._container.close()

    def _open(self, shape: tuple[int, ...]) -> av.VideoStream:
        pixel_format = self._with_alpha if shape[-1] == 4 else self._opaque
        if len(shape) != 3 or shape[-1] not in (3, 4):
            raise MediaError(f"{self.path}: pixels of shape {shape}; give (height, width, 3) or (height, width, 4)")
        if not pixel_format:
            raise MediaError(f"{self.path}: this codec holds no alpha; give R G B, or write prores4444")
        across, down = component_video.factors(pixel_format)
        self._shape, self._steps = shape, (down, across)
        height, width = shape[0] + -shape[0] % down, shape[1] + -shape[1] % across
        if (height, width) != shape[:2]:
            say_once(
                f"{shape[1]}x{shape[0]} becomes {width}x{height}: the codec holds even sizes, "
                "the last column or row is repeated"
            )
        with media_errors(self.path, "cannot be written"):
            stream = self._container.add_stream(self._encoder, rate=self._fps, options=self._options)
            stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
            context = stream.codec_context
            context.sample_aspect_ratio = self._pixel_aspect
            context.thread_count = _ENCODER_THREADS
            context.color_range, context.colorspace = 1, component_video.BT709
            context.color_primaries, context.color_trc = self._tags
        return stream

    def _encode(self, stream: av.VideoStream, picture: av.VideoFrame | None) -> None:
        with media_errors(self.path, f"picture {self._written} cannot be written"):
            for packet in stream.encode(picture):
                self._container.mux(packet)


def encoder_of(codec: str) -> str:
    """The name of FFmpeg's encoder of a codec in `CODECS`."""
    return _ENCODERS[codec][0]


def comment_of(path: str) -> str:
    """The comment a movie was written with; empty where it has none or is no whole movie."""
    try:
        with media_errors(path, "no movie that can be read"), av.open(path) as container:
            comment = str(container.metadata.get("comment", ""))
        if comment:
            # A movie that is cut off still has its header.
            Movie(path).close()
    except MediaError:
        return ""
    return comment
