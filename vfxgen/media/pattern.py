"""Frame numbers and file patterns: `1001-1100x2,1150` and `plate.####.exr`, in fileseq's notation."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import fileseq

from vfxgen.errors import MediaError, RequestError

_TOKEN = re.compile(r"#+|@+|%0?\d*d|\$F\d*|<UDIM>|%\(UDIM\)d")


def parse_frames(text: str) -> list[int]:
    """Frame numbers of a range such as ``1001-1100x2,1150`` or ``-5--1``, in the order given, each once.

    Raises
    ------
    RequestError
        The text is no frame range.

    Examples
    --------
    >>> parse_frames("1001-1007x3,1010")
    [1001, 1004, 1007, 1010]
    """
    try:
        # A space between two numbers separates nothing in this notation: it must not join them.
        joined = re.search(r"\d\s+\d", text)
        frames = [] if joined else list(fileseq.FrameSet("".join(text.split())))
    except (fileseq.FileSeqException, ValueError):
        frames = []
    if not frames or not all(isinstance(frame, int) for frame in frames):
        raise RequestError(f"'{text}' is no frame range; write 1001-1100, 1001-1100x2 or 1001,1005,1010-1020")
    return [int(frame) for frame in frames]


def format_frames(frames: Iterable[int]) -> str:
    """The shortest range that says these frames.

    Examples
    --------
    >>> format_frames([1001, 1002, 1003, 1007])
    '1001-1003,1007'
    """
    return str(fileseq.framesToFrameRange(sorted(set(frames))))


@dataclass(frozen=True)
class Pattern:
    """A path that stands for one file, or for a file a frame.

    Parameters
    ----------
    path
        With ``####``, ``@@@@``, ``%04d`` or ``$F4`` in the file name: a sequence. Without: one file, the same for
        every frame (a still or a movie).

    Examples
    --------
    >>> Pattern("plates/sh010.####.exr").file(1017)
    'plates/sh010.1017.exr'
    """

    path: str

    def __post_init__(self) -> None:
        if not self.path:
            raise RequestError("an empty path; give a file or a pattern such as plate.####.exr")
        if "\0" in self.path:
            raise RequestError(f"{self.path!r}: a path holds no zero byte")
        if self.is_sequence and len(_TOKEN.findall(os.path.basename(self.path))) > 1:
            raise RequestError(f"{self.path}: more than one frame number in the file name")

    @cached_property
    def _parts(self) -> tuple[str, str, int]:
        """What stands before the frame number, what behind, and its least number of digits."""
        folder, name = os.path.split(self.path)
        match = _TOKEN.search(name) if self.is_sequence else None
        if match is None:
            return self.path, "", 0
        # Only the token goes to fileseq: it refuses names with commas, and takes brackets for ranges.
        digits = fileseq.FileSequence.getPaddingNum(match[0], pad_style=fileseq.PAD_STYLE_HASH1)
        return os.path.join(folder, name[: match.start()]), name[match.end() :], int(digits)

    @property
    def is_sequence(self) -> bool:
        """Whether the file name holds a frame number; a file of just this name (logo@2x.png) is a still."""
        return self._has_number

    @cached_property
    def _has_number(self) -> bool:
        return _TOKEN.search(os.path.basename(self.path)) is not None and not os.path.isfile(self.path)

    def file(self, number: int) -> str:
        """The path of one frame."""
        if not self.is_sequence:
            return self.path
        start, end, digits = self._parts
        return f"{start}{str(number).zfill(digits)}{end}"

    def frames_on_disk(self) -> list[int]:
        """Frame numbers that exist now, ascending; empty for a pattern without a frame number.

        Raises
        ------
        MediaError
            The folder does not exist or cannot be listed.
        """
        if not self.is_sequence:
            return []
        folder = os.path.dirname(self.path) or "."
        try:
            names = os.listdir(folder)
        except OSError as error:
            raise MediaError(f"{self.path}: the folder cannot be listed ({error.strerror})") from None
        start, end, digits = self._parts
        number = re.compile(f"{re.escape(os.path.basename(start))}(-?[0-9]+){re.escape(end)}")
        matches = (match for match in map(number.fullmatch, names) if match)
        # A frame has one name: plate.00017.exr is not frame 17 of plate.####.exr.
        return sorted(int(m[1]) for m in matches if m[1] == str(int(m[1])).zfill(digits))
