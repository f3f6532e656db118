"""Movies to frames and back, through PyAV: any picture by its index, the same bits in whatever order."""

from __future__ import annotations

import os
import threading
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING

from vfxgen.errors import MediaError
from vfxgen.frame import Attribute, Frame
from vfxgen.log import say_once
from vfxgen.media import timecode
from vfxgen.media.readable import require_readable

if TYPE_CHECKING:
    import av

# PyAV, and with it `component_video`, is imported where a movie is opened: `is_movie` is asked of every path.

EXTENSIONS = ("mov", "mp4", "m4v", "mkv", "mxf", "avi", "webm")

_CENTRED_CHROMA = ("mjpeg", "mpeg1video")
# EXIF orientation of a picture that is to be shown turned by so many degrees counter-clockwise.
_ORIENTATION = {90: 8, -90: 6, 180: 3, -180: 3}
_PRIMARIES = {1: "bt709", 5: "bt601-625", 6: "bt601-525", 9: "bt2020", 11: "dci-p3", 12: "display-p3"}
_TRANSFER = {1: "bt709", 6: "bt601", 8: "linear", 13: "srgb", 14: "bt2020", 15: "bt2020", 16: "pq", 18: "hlg"}

# Primaries and transfer -> colour interop id of the display that such a stream is seen on, or of its light.
_SPACES = {
    ("bt709", "bt709"): "g24_rec709_display",
    ("bt709", "bt601"): "g24_rec709_display",
    ("bt709", "bt2020"): "g24_rec709_display",
    ("bt709", "srgb"): "srgb_rec709_display",
    ("bt709", "linear"): "lin_rec709_scene",
    ("display-p3", "srgb"): "srgb_p3d65_display",
    ("display-p3", "pq"): "pq_p3d65_display",
    ("bt2020", "pq"): "pq_rec2020_display",
    ("bt2020", "hlg"): "hlg_rec2020_display",
    ("bt2020", "linear"): "lin_rec2020_scene",
}


def stream_tags(space: str) -> tuple[int, int]:
    """Primaries and transfer (numbers of ITU-T H.273) that a stream in a colour interop id says; 2 where it has none.

    sRGB is written as BT.709, as players expect of a movie for a monitor.

    Examples
    --------
    >>> stream_tags("pq_rec2020_display"), stream_tags("srgb_rec709_display"), stream_tags("acescct_ap1_scene")
    ((9, 16), (1, 1), (2, 2))
    """
    if space == "srgb_rec709_display":
        return 1, 1
    for (primaries, transfer), named in _SPACES.items():
        if named == space:
            return _code(_PRIMARIES, primaries), _code(_TRANSFER, transfer)
    return 2, 2


def _code(table: Mapping[int, str], name: str) -> int:
    return next(code for code, known in table.items() if known == name)


@contextmanager
def media_errors(path: str, fault: str) -> Iterator[None]:
    """Say what FFmpeg could not do as a `MediaError` of one line."""
    import av

    try:
        yield
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{path}: {fault} ({error.strerror or error})") from None


def is_movie(path: str) -> bool:
    """Whether a path names a movie, by its extension."""
    return os.path.splitext(path)[1].lower().lstrip(".") in EXTENSIONS


class Movie:
    """The pictures of a movie's first video stream, by index from 0; `size` is its (width, height) in pixels.

    Parameters
    ----------
    path
        A movie file. Its packets are read through once, so that an index means one picture for certain.

    Raises
    ------
    MediaError
        The file is missing, empty, cut off, no movie, or has no pictures.
    """

    def __init__(self, path: str) -> None:
        import av

        require_readable(path, "a movie")
        self.path = path
        self._lock = threading.Lock()
        with media_errors(path, "no movie that can be read"):
            self._container = av.open(path)
        streams = self._container.streams.video
        if not streams:
            self._container.close()
            raise MediaError(f"{path}: has no video stream")
        self._stream = streams[0]
        self._stream.thread_type = "AUTO"
        self.codec = str(self._stream.codec_context.name)
        rate = self._stream.guessed_rate or self._stream.average_rate
        if not rate:
            raise MediaError(f"{path}: does not say its frame rate; rewrap it with one")
        self.fps = Fraction(rate)
        self.size = (int(self._stream.codec_context.width), int(self._stream.codec_context.height))
        self._times, self._keyframes = self._index()
        self._pictures: Iterator[av.VideoFrame] = iter(())
        self._position: int | None = None

    @property
    def length(self) -> int:
        """How many pictures there are."""
        return len(self._times)

    def read(self, index: int, number: int) -> Frame:
        """Picture `index` as frame `number`, in the movie's own colour space (`Frame.colorspace` is left empty).

        Channels are R G B or Y, and A where the codec has alpha (straight). Black is 0 and reference white 1; values
        beyond are kept. Pictures marked as turned are given as stored, with `Orientation` in the header.

        Raises
        ------
        MediaError
            There is no such picture, or it is damaged.
        """
        from vfxgen.media import component_video

        if not 0 <= index < self.length:
            raise MediaError(
                f"{self.path}: frame {number}: no picture {index}; there are {self.length}, counted from 0"
            )
        with self._lock, media_errors(self.path, f"frame {number} (picture {index}) cannot be decoded"):
            picture = self._picture(index)
        try:
            pixels, channels = component_video.decode(picture, centred=self.codec in _CENTRED_CHROMA)
        except MediaError as error:
            raise MediaError(f"{self.path}: frame {number}: {error}") from None
        self._say_what_is_assumed(picture)
        return Frame.from_pixels(
            pixels,
            channels,
            number=number,
            colorspace="",
            type={8: "uint8", 10: "uint10", 12: "uint12", 32: "float"}.get(
                component_video.depth(picture.format.name), "uint16"
            ),
            attributes=self._attributes(picture, index, "A" in channels),
            source=self.path,
        )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._container.close()

    def _index(self) -> tuple[list[int], list[int]]:
        """The time stamps of all pictures, ascending, and those of them a decoder can begin at."""
        times: dict[int, bool] = {}
        packets, end, whole = 0, 0, True
        with media_errors(self.path, "is damaged or cut off"):
            for packet in self._container.demux(self._stream):
                if not packet.size:
                    continue
                packets += 1
                time = packet.pts if packet.pts is not None else packet.dts
                if time is None:
                    raise MediaError(f"{self.path}: has packets without time stamps; rewrap it as mov or mp4")
                if time in times:
                    raise MediaError(f"{self.path}: two pictures at time stamp {time}; rewrap it as mov or mp4")
                whole = whole and not packet.is_corrupt
                end = max(end, time + (packet.duration or 0))
                if not packet.is_discard:
                    times[time] = bool(packet.is_keyframe)
        if not times:
            raise MediaError(f"{self.path}: has no pictures; it is cut off or damaged")
        if not (whole and self._holds_all(packets, end)):
            raise MediaError(f"{self.path}: is cut off: its header promises more than the {packets} pictures it holds")
        order = sorted(times)
        return order, [time for time in order if times[time]] or order[:1]

    def _holds_all(self, packets: int, end: int) -> bool:
        stream, size = self._stream, os.stat(self.path).st_size
        if "mp4" in self._container.format.name:
            # An edit list may leave samples out on purpose: ask where the samples lie, not how many there are.
            return all(bool(entry.pos + entry.size <= size) for entry in stream.index_entries or ())
        hours, _, rest = str(stream.metadata.get("DURATION", "")).partition(":")
        minutes, _, seconds = rest.partition(":")
        if seconds:
            promised = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
            return bool(end * stream.time_base > promised - 2 / self.fps)
        return packets >= int(stream.frames)

    def _picture(self, index: int) -> av.VideoFrame:
        wanted = self._times[index]
        nearest = max(0, bisect_right(self._keyframes, wanted) - 1)
        begin = bisect_right(self._times, self._keyframes[nearest]) - 1
        if self._position is not None and begin - 1 <= self._position < index:
            picture = self._decode_to(index)
            if picture is not None:
                return picture
        # A stream may need pictures before its keyframe (open groups of pictures): begin earlier when it does.
        for keyframe in dict.fromkeys((nearest, max(0, nearest - 1), 0)):
            start = self._keyframes[keyframe] if keyframe else min(self._times[0], self._stream.start_time or 0)
            self._container.seek(start, stream=self._stream, backward=True)
            self._pictures, self._position = self._container.decode(self._stream), None
            picture = self._decode_to(index)
            if picture is not None:
                return picture
        raise MediaError(f"{self.path}: picture {index} is not where the index has it; rewrap it as mov or mp4")

    def _decode_to(self, index: int) -> av.VideoFrame | None:
        """Decode forward to picture `index`; None when the decoder does not come by it, picture after picture."""
        for picture in self._pictures:
            at = bisect_right(self._times, picture.pts) - 1 if picture.pts is not None else -1
            if at < 0 or self._times[at] != picture.pts or (self._position is not None and at != self._position + 1):
                break
            self._position = at
            if at == index:
                if picture.is_corrupt:
                    raise MediaError(f"{self.path}: picture {index} is damaged")
                return picture
            if at > index:
                break
        self._position = None
        return None

    def _say_what_is_assumed(self, picture: av.VideoFrame) -> None:
        from vfxgen.media import component_video

        assumed = component_video.assumed_matrix(picture)
        if assumed:
            say_once(f"{self.path}: does not name its Y'CbCr matrix; {assumed} by its size")
        if picture.interlaced_frame:
            say_once(f"{self.path}: is interlaced; its two fields are given woven, as stored")

    def _attributes(self, picture: av.VideoFrame, index: int, alpha: bool) -> dict[str, Attribute]:
        primaries = _PRIMARIES.get(int(picture.color_primaries), "")
        transfer = _TRANSFER.get(int(picture.color_trc), "")
        found = {
            "FramesPerSecond": Attribute((self.fps.numerator, self.fps.denominator), "rational"),
            "movie:codec": Attribute(self.codec),
            "movie:primaries": Attribute(primaries),
            "movie:transfer": Attribute(transfer),
            "colorInteropID": Attribute(_SPACES.get((primaries, transfer), "")),
        }
        found = {name: attribute for name, attribute in found.items() if attribute.value}
        labels = _labels(self._container.metadata) | _labels(self._stream.metadata)
        code = timecode.packed(labels.get("timecode", ""), self.fps, index)
        if code is not None:
            found["smpte:TimeCode"] = Attribute(code, "timecode")
        if reel := self._reel():
            found["reelName"] = Attribute(reel)
        aspect = self._stream.sample_aspect_ratio
        if aspect:
            found["PixelAspectRatio"] = Attribute(float(aspect), "float")
        if picture.rotation in _ORIENTATION:
            found["Orientation"] = Attribute(_ORIENTATION[picture.rotation], "int")
        if alpha:
            found["oiio:UnassociatedAlpha"] = Attribute(1, "int")
        return found

    def _reel(self) -> str:
        labels = [self._container.metadata, *(stream.metadata for stream in self._container.streams)]
        return next((reel for reel in (_labels(m).get("reel_name") for m in labels) if reel), "")


def _labels(metadata: Mapping[str, str]) -> dict[str, str]:
    """Names in small letters: Matroska's are in capitals."""
    return {name.lower(): value for name, value in metadata.items()}
