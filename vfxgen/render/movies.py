"""Frames into one movie, which appears when the last of them is in it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from collections.abc import Sequence as Values
from fractions import Fraction

from vfxgen.errors import RequestError, VfxgenError
from vfxgen.frame import FPS, Frame
from vfxgen.log import say_once
from vfxgen.media import image, timecode
from vfxgen.media.pattern import format_frames, parse_frames
from vfxgen.media.publish import published
from vfxgen.operator import digest
from vfxgen.operators.read import Read
from vfxgen.output import Output
from vfxgen.render.job import Event, Job
from vfxgen.sequence import Sequence, every_sequence

_COMMENT = re.compile(r"([0-9a-f]{64})(?: ([0-9x,-]+))?")
"""What a movie says of itself: its key, and which frames it holds."""


def source_of(job: Job, stills: Values[Job]) -> Sequence:
    """Where the frames of a movie come from: those that were just published, where they hold all of it."""
    if any(isinstance(node, Read) and node.layer for node in every_sequence(job.sequence)):
        # Its picture may lie in that layer of the published file, or not.
        return job.sequence
    for still in stills:
        output = still.output
        if still.sequence is job.sequence and output.path.endswith(".exr") and not (output.view or output.channels):
            return Read(path=output.path)
    return job.sequence


def encode(job: Job, source: Sequence, frames: Values[int], force: bool) -> Iterator[Event]:
    """All frames of one job, as `source` gives them, into one movie, which appears when the last of them is in it."""
    from vfxgen.media.movie_writer import MovieWriter

    output = job.output
    try:
        for number in frames:
            # Kept; asked one by one, so that what fails is said of its own frame.
            job.sequence.key(number)
        key = _movie_key(job, frames)
        if not force and _holds(output.path, key):
            for number in frames:
                yield Event(number, "current", (output.path,))
            return
        number = frames[0]
        frame = source[number]
        fps = output.fps or frame.fps or FPS
        with (
            published(output.path) as temporary,
            MovieWriter(
                temporary,
                format=image.extension(output.path),
                codec=output.movie_codec,
                fps=fps,
                pixel_aspect=frame.pixel_aspect,
                timecode=_time_code(frame, fps),
                comment=f"{key} {format_frames(frames)}",
                space=output.movie_space,
            ) as writer,
        ):
            for number in frames:
                start = time.perf_counter()
                frame = source[number]
                writer.write(output.displayed(frame))
                seconds = time.perf_counter() - start
                if number != frames[-1]:
                    yield Event(number, "rendered", (), {"write": seconds})
            if not force:
                # Another chunk may have put its own there meanwhile.
                check_frames(output, frames)
        yield Event(frames[-1], "rendered", (output.path,), {"write": seconds})
    except VfxgenError as error:
        said = str(error)
        yield Event(number, "failed", error=said if output.path in said else f"{output.path}: {said}")


def check_frames(output: Output, frames: Values[int]) -> None:
    """Refuse to put a movie of `frames` in the place of one that holds others too.

    Raises
    ------
    RequestError
        The message names those that would be lost, and says what to do.
    """
    _, held = _said_by(output.path)
    if lost := sorted(set(held) - set(frames)):
        raise RequestError(
            f"{output.path}: the movie that is there holds {format_frames(held)}; one of {format_frames(frames)} would "
            f"lose {format_frames(lost)}: render chunks without it (--output NAME), and it at the end, with all its "
            "frames; or give --force"
        )


def movie_is_current(job: Job, frames: Values[int]) -> bool:
    """Whether `render` of these frames would leave the movie of `job` as it is."""
    return _holds(job.output.path, _movie_key(job, frames))


def _movie_key(job: Job, frames: Values[int]) -> str:
    # Of what is asked for, not of the files it is made from: a movie is the same whatever is rendered with it.
    keys = [job.output.key(job.sequence.key(number)) for number in frames]
    return digest(frames=keys, fps=str(job.output.fps or ""))


def _time_code(first: Frame, fps: Fraction) -> str:
    """The time code of a movie's first frame, empty where there is none."""
    said = first.attributes.get("smpte:TimeCode")
    if said is None or said.type != "timecode":
        return ""
    code = timecode.text(int(said.value[0]), fps)
    if timecode.packed(code, fps, 0) is None:
        say_once(f"{first.source}: time code {code} does not exist at {fps} frames a second: left out of the movie")
        return ""
    return code


def _holds(path: str, key: str) -> bool:
    return _said_by(path)[0] == key


def _said_by(path: str) -> tuple[str, list[int]]:
    """The key and the frames of the movie at `path`: empty where there is none, or none of ours."""
    from vfxgen.media.movie_writer import comment_of

    said = _COMMENT.fullmatch(comment_of(path)) if os.path.exists(path) else None
    return (said[1], parse_frames(said[2]) if said[2] else []) if said else ("", [])
