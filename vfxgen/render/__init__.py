"""Rendering: walk sequences over a frame range; read ahead, compute, publish behind; skip what is current."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Values
from dataclasses import replace
from typing import Literal

from vfxgen.errors import FrameError, RequestError
from vfxgen.media.pattern import format_frames, parse_frames
from vfxgen.media.publish import sweep_temporaries
from vfxgen.operator import Operator
from vfxgen.operators.read import Read
from vfxgen.output import Output, output_of
from vfxgen.render.job import Event as Event
from vfxgen.render.job import Job as Job
from vfxgen.render.movies import check_frames, encode, source_of
from vfxgen.render.movies import movie_is_current as movie_is_current
from vfxgen.render.stills import READERS as READERS
from vfxgen.render.stills import WRITERS as WRITERS
from vfxgen.render.stills import Stills
from vfxgen.sequence import Sequence, every_sequence, frame_number

MEMORY_BUDGET = 4 * 1024**3
"""Bytes that frames waiting to be computed or published may take by default."""


def render(
    jobs: Values[Job],
    frames: Values[int],
    *,
    on_error: Literal["stop", "skip"] = "stop",
    force: bool = False,
    memory: int = MEMORY_BUDGET,
) -> Iterator[Event]:
    """Make the frames of every job, and tell of each as it is done.

    Frames that are current are left alone: their header carries the key of the same operators, parameters, inputs and
    version. Files are decoded ahead and published behind while a frame is computed; what waits is kept within
    `memory`. Movies come last, each from the published frames where the same sequence is published as EXR. When the
    caller stops, or an exception passes, the frame at work is dropped, those being written are finished, and no
    temporary file stays.

    Parameters
    ----------
    jobs
        Sequences and their outputs; what they share is computed once.
    frames
        Frame numbers, in the order they are to be made.
    on_error
        ``stop`` after the first frame that fails, or ``skip`` it and go on. A movie is whole or not made.
    force
        Make current frames again.
    memory
        Bytes that frames waiting to be computed or published may take; at least one frame waits at each stage.

    Raises
    ------
    RequestError
        The request is wrong as a whole: nothing has been written then.

    Examples
    --------
    >>> import tempfile, os
    >>> from vfxgen.testing import constant
    >>> path = os.path.join(tempfile.mkdtemp(), "grey.####.exr")
    >>> [event.status for event in render([Job(constant([0.18, 0.18, 0.18]), Output(path=path))], [1, 2])]
    ['rendered', 'rendered']
    """
    check(jobs, frames, force)
    for job in jobs:
        job.sequence.reset()
        sweep_temporaries(job.output.pattern.file(number) for number in frames)
    stills = [job for job in jobs if not job.output.is_movie]
    failed: list[int] = []
    if stills:
        for event in Stills(stills, frames, on_error, force, memory).events():
            if event.status == "failed":
                failed.append(event.frame)
            yield replace(event, outputs=tuple(job.label for job in stills))
    for job in jobs:
        if job.output.is_movie and failed:
            lost = f"{job.output.path}: not made, since frames failed: {format_frames(sorted(set(failed)))}"
            yield Event(failed[0], "failed", error=lost, outputs=(job.label,))
        elif job.output.is_movie:
            for event in encode(job, source_of(job, stills), frames, force):
                yield replace(event, outputs=(job.label,))


def check(jobs: Values[Job], frames: Values[int], force: bool = False) -> None:
    """Refuse a request that cannot work, before anything is written.

    Raises
    ------
    RequestError
        No frames; an output that cannot be written, that would overwrite an input, or that two jobs share; a movie
        that would lose frames, without `force`; a device that is not there.
    """
    if not frames:
        raise RequestError("no frames to render: give a frame range such as 1001-1100")
    if not jobs:
        raise RequestError("no outputs to render")
    sources: dict[str, str] = {}
    for job in jobs:
        job.output.check(list(frames))
        for node in every_sequence(job.sequence):
            if isinstance(node, Operator):
                node.check()
            if isinstance(node, Read):
                sources |= {os.path.realpath(node.pattern.file(number)): node.path for number in frames}
    written: set[str] = set()
    for job in jobs:
        files = {os.path.realpath(job.output.pattern.file(number)) for number in frames}
        if files & sources.keys():
            read = sources[next(iter(files & sources.keys()))]
            raise RequestError(f"{job.output.path}: would overwrite its own input {read}; write elsewhere")
        if files & written:
            raise RequestError(f"{job.output.path}: two outputs would write this file")
        written |= files
        if job.output.is_movie and not force:
            check_frames(job.output, frames)


def events_per_frame(jobs: Values[Job]) -> int:
    """How many events `render` gives of a frame: one for all its files, and one for each movie."""
    movies = sum(job.output.is_movie for job in jobs)
    return (len(jobs) > movies) + movies


def write(
    sequence: Sequence,
    path: str | os.PathLike[str],
    frames: str | Values[int] = "",
    *,
    force: bool = False,
    **output: object,
) -> list[str]:
    """Render frames of `sequence` to `path`; returns the files that hold them now.

    Parameters
    ----------
    path
        A pattern (``comp.####.exr``) or a movie.
    frames
        ``1001-1100`` or numbers; empty: the sequence's own range.
    output
        Further fields of `vfxgen.output.Output`: ``type``, ``compression``, ``colorspace``, ``channels`` ...

    Raises
    ------
    RequestError
        The request is wrong: nothing has been written.
    FrameError
        A frame failed; the ones before it are published.

    Examples
    --------
    >>> import os, tempfile, vfxgen
    >>> from vfxgen.testing import constant
    >>> folder = tempfile.mkdtemp()
    >>> paths = vfxgen.write(constant([0.1, 0.2, 0.3]), os.path.join(folder, "c.####.exr"), frames="1-2")
    >>> [os.path.basename(path) for path in paths]
    ['c.0001.exr', 'c.0002.exr']
    """
    made = output_of(path, **output)
    # Its range is that of the files that are there now.
    sequence.reset()
    numbers = frame_numbers(sequence, frames, made)
    for event in render([Job(sequence, made)], numbers, force=force):
        if event.status == "failed":
            raise FrameError(event.error)
    return list(dict.fromkeys(made.pattern.file(number) for number in numbers))


def frame_numbers(sequence: Sequence, frames: str | Values[int], output: Output) -> list[int]:
    """The frames asked for, else all that `sequence` has; frame 1 for a still into one file.

    Raises
    ------
    RequestError
        What was asked for are no frame numbers; or nothing was, and the sequence has no range of its own (a still), or
        none exists.
    """
    if not isinstance(frames, Iterable):
        raise RequestError(f"frames = {frames!r}: give a range such as '1001-1100', or numbers in a list")
    asked = parse_frames(frames) if isinstance(frames, str) and frames else [frame_number(n) for n in frames]
    numbers = asked or sequence.range
    if not numbers and sequence.range is None and not (output.pattern.is_sequence or output.is_movie):
        return [1]
    if not numbers:
        raise RequestError(
            "no frame range: the input is a still, or no file matches its pattern; give frames such as 1001-1100"
        )
    return numbers
