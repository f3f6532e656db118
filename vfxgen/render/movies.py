"""Frames into one movie, which appears when the last of them is in it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from collections.abc import Sequence as Values

from vfxgen.errors import VfxgenError
from vfxgen.media import image
from vfxgen.media.publish import published
from vfxgen.operator import digest
from vfxgen.operators.read import Read
from vfxgen.render.job import Event, Job


def from_published(job: Job, stills: Values[Job]) -> Job:
    """The same movie, made from frames that were just published instead of computing them again."""
    for still in stills:
        output = still.output
        if still.sequence is job.sequence and output.path.endswith(".exr") and not (output.view or output.channels):
            return Job(Read(path=output.path), job.output)
    return job


def encode(job: Job, frames: Values[int], force: bool) -> Iterator[Event]:
    """All frames of one job into one movie, which appears when the last of them is in it."""
    from vfxgen.media.movie_writer import MovieWriter

    output, number = job.output, frames[0]
    try:
        key = _movie_key(job, frames)
        if not force and _movie_holds(output.path, key):
            for number in frames:
                yield Event(number, "current", (output.path,))
            return
        with published(output.path) as temporary:
            container, codec = image.extension(output.path), output.movie_codec
            with MovieWriter(temporary, format=container, codec=codec, fps=output.fps, comment=key) as writer:
                for number in frames:
                    start = time.perf_counter()
                    writer.write(output.displayed(job.sequence[number]))
                    seconds = time.perf_counter() - start
                    if number != frames[-1]:
                        yield Event(number, "rendered", (), {"write": seconds})
        yield Event(frames[-1], "rendered", (output.path,), {"write": seconds})
    except VfxgenError as error:
        said = str(error)
        yield Event(number, "failed", error=said if output.path in said else f"{output.path}: {said}")


def movie_is_current(job: Job, frames: Values[int], stills: Values[Job] = ()) -> bool:
    """Whether `render` of these frames, together with `stills`, would leave the movie of `job` as it is."""
    return _movie_holds(job.output.path, _movie_key(from_published(job, stills), frames))


def _movie_key(job: Job, frames: Values[int]) -> str:
    keys = [job.output.key(job.sequence.key(number)) for number in frames]
    return digest(frames=keys, fps=str(job.output.fps))


def _movie_holds(path: str, key: str) -> bool:
    from vfxgen.media.movie_writer import comment_of

    return os.path.exists(path) and comment_of(path) == key
