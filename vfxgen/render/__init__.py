"""Rendering: walk sequences over a frame range; read ahead, compute, publish behind; skip what is current."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Iterator
from collections.abc import Sequence as Values
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Literal

from vfxgen import graph
from vfxgen.errors import FrameError, RequestError, VfxgenError
from vfxgen.frame import Frame
from vfxgen.media import image
from vfxgen.media.pattern import format_frames, parse_frames
from vfxgen.media.publish import published, sweep_temporaries
from vfxgen.operator import Operator, digest
from vfxgen.operators.read import Read
from vfxgen.output import Output, output_of
from vfxgen.provenance import Provenance, provenance
from vfxgen.sequence import Sequence, every_sequence, leaves

MEMORY_BUDGET = 4 * 1024**3
"""Bytes that frames waiting to be computed or published may take by default."""

_MOST_WAITING = 4
READERS = 2
WRITERS = 2


@dataclass(frozen=True)
class Event:
    """What became of one frame.

    Parameters
    ----------
    frame
        Its number.
    status
        ``rendered``, ``current`` (it was there already, made by the same recipe from the same files), or ``failed``.
    paths
        The files that were published.
    seconds
        Seconds of work by stage: ``read``, ``compute``, ``write``.
    error
        What went wrong, in words.
    """

    frame: int
    status: Literal["rendered", "current", "failed"]
    paths: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class Job:
    """One sequence and where its frames go."""

    sequence: Sequence
    output: Output


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
    check(jobs, frames)
    for job in jobs:
        job.sequence.reset()
        sweep_temporaries(job.output.pattern.file(number) for number in frames)
    stills = [job for job in jobs if not job.output.is_movie]
    failed: list[int] = []
    if stills:
        for event in _Stills(stills, frames, on_error, force, memory).events():
            if event.status == "failed":
                failed.append(event.frame)
            yield event
    for job in jobs:
        if job.output.is_movie and failed:
            lost = format_frames(sorted(set(failed)))
            yield Event(failed[0], "failed", error=f"{job.output.path}: not made, since frames failed: {lost}")
        elif job.output.is_movie:
            yield from _encode(_from_published(job, stills), frames, force)


def check(jobs: Values[Job], frames: Values[int]) -> None:
    """Refuse a request that cannot work, before anything is written.

    Raises
    ------
    RequestError
        No frames; an output that cannot be written, that would overwrite an input, or that two jobs share.
    """
    if not frames:
        raise RequestError("no frames to render: give a frame range such as 1001-1100")
    if not jobs:
        raise RequestError("no outputs to render")
    sources: dict[str, str] = {}
    for job in jobs:
        job.output.check(list(frames))
        for leaf in every_sequence(job.sequence):
            if isinstance(leaf, Read):
                sources |= {os.path.realpath(leaf.pattern.file(number)): leaf.path for number in frames}
    written: set[str] = set()
    for job in jobs:
        files = {os.path.realpath(job.output.pattern.file(number)) for number in frames}
        if files & sources.keys():
            read = sources[next(iter(files & sources.keys()))]
            raise RequestError(f"{job.output.path}: would overwrite its own input {read}; write elsewhere")
        if files & written:
            raise RequestError(f"{job.output.path}: two outputs would write this file")
        written |= files


def events_per_frame(jobs: Values[Job]) -> int:
    """How many events `render` gives of a frame: one for all its files, and one for each movie."""
    movies = sum(job.output.is_movie for job in jobs)
    return (len(jobs) > movies) + movies


@dataclass
class _Plan:
    """One frame, looked into ahead of time: what must be made of it, its files decoded meanwhile."""

    number: int
    pending: list[tuple[Job, str]]
    seconds: float


class _Stills:
    """Jobs that publish a file a frame: three stages that overlap."""

    def __init__(self, jobs: Values[Job], frames: Values[int], on_error: str, force: bool, memory: int) -> None:
        self.jobs, self.frames = jobs, list(frames)
        self.on_error, self.force, self.memory = on_error, force, memory
        self.made_by = [_provenance(job.sequence) for job in jobs]
        self.ahead = self.behind = 1
        self._keep()

    def events(self) -> Iterator[Event]:
        """Every frame's event, in the order of `frames`."""
        readers = ThreadPoolExecutor(READERS, "vfxgen-read")
        writers = ThreadPoolExecutor(WRITERS, "vfxgen-write")
        plans: deque[tuple[int, Future[_Plan]]] = deque()
        publishing: deque[Future[Event]] = deque()
        waiting = deque(self.frames)
        try:
            while waiting or plans:
                while waiting and len(plans) < self.ahead:
                    number = waiting.popleft()
                    plans.append((number, readers.submit(copy_context().run, self._plan, number)))
                publishing.append(self._computed(*plans.popleft(), writers))
                if self.on_error == "stop" and any(map(_failed, publishing)):
                    break
                while publishing and (len(publishing) > self.behind or publishing[0].done()):
                    yield publishing.popleft().result()
            while publishing:
                yield publishing.popleft().result()
        finally:
            readers.shutdown(wait=False, cancel_futures=True)
            writers.shutdown(wait=True, cancel_futures=True)

    def _plan(self, number: int) -> _Plan:
        start = time.perf_counter()
        pending = []
        for job in self.jobs:
            key = job.output.key(job.sequence.key(number))
            if self.force or not job.output.is_current(number, key):
                pending.append((job, key))
        for job, _ in pending:
            for leaf, needed in leaves(job.sequence, number):
                leaf[needed]
        return _Plan(number, pending, time.perf_counter() - start)

    def _computed(self, number: int, planned: Future[_Plan], writers: ThreadPoolExecutor) -> Future[Event]:
        try:
            plan = planned.result()
            if not plan.pending:
                return _done(Event(number, "current", seconds={"read": plan.seconds}))
            start = time.perf_counter()
            made = [(job, key, job.sequence[number]) for job, key in plan.pending]
            seconds = {"read": plan.seconds, "compute": time.perf_counter() - start}
        except VfxgenError as error:
            return _done(Event(number, "failed", error=str(error)))
        except Exception as error:
            return _done(Event(number, "failed", error=f"frame {number}: {type(error).__name__}: {error}"))
        self._fit(number, made)
        return writers.submit(self._publish, number, made, seconds)

    def _publish(self, number: int, made: list[tuple[Job, str, Frame]], seconds: dict[str, float]) -> Event:
        start = time.perf_counter()
        paths = []
        try:
            for job, key, frame in made:
                made_by = self.made_by[self.jobs.index(job)]
                paths.append(job.output.publish(frame, number, key, made_by))
        except VfxgenError as error:
            return Event(number, "failed", tuple(paths), error=str(error))
        except Exception as error:
            fault = FrameError(f"frame {number}: cannot be published: {type(error).__name__}: {error}")
            return Event(number, "failed", tuple(paths), error=str(fault))
        return Event(number, "rendered", tuple(paths), {**seconds, "write": time.perf_counter() - start})

    def _fit(self, number: int, made: list[tuple[Job, str, Frame]]) -> None:
        """Set how many frames may wait, from what the first one weighs: half the budget before, half behind."""
        if self.ahead > 1 or self.behind > 1:
            return
        decoded = sum(leaf[n].bytes for job, _, _ in made for leaf, n in leaves(job.sequence, number))
        results = sum(frame.bytes for _, _, frame in made)
        self.ahead = max(1, min(_MOST_WAITING, self.memory // 2 // max(1, decoded)))
        self.behind = max(1, min(_MOST_WAITING, self.memory // 2 // max(1, results)))
        self._keep()

    def _keep(self) -> None:
        """Let every sequence remember just the frames that will be asked for again."""
        first = self.frames[0]
        asked: Counter[int] = Counter()
        everything = {id(node): node for job in self.jobs for node in every_sequence(job.sequence)}
        for node in everything.values():
            for name, numbers in node.needs(first).items():
                asked[id(node.inputs[name])] += len(numbers)
        asked.update(id(job.sequence) for job in self.jobs)
        for node in everything.values():
            used = asked[id(node)]
            node.keep = used + self.ahead if not node.inputs else (used if used > 1 else 0)


def _provenance(sequence: Sequence) -> Provenance:
    nets: dict[str, Any] = {}
    for node in every_sequence(sequence):
        nets |= node.nets if isinstance(node, Operator) else {}
    return provenance(graph.document(sequence), nets)


def _done(event: Event) -> Future[Event]:
    future: Future[Event] = Future()
    future.set_result(event)
    return future


def _failed(future: Future[Event]) -> bool:
    return future.done() and future.result().status == "failed"


def _from_published(job: Job, stills: Values[Job]) -> Job:
    """The same movie, made from frames that were just published instead of computing them again."""
    for still in stills:
        output = still.output
        if still.sequence is job.sequence and output.path.endswith(".exr") and not (output.view or output.channels):
            return Job(Read(path=output.path), job.output)
    return job


def _encode(job: Job, frames: Values[int], force: bool) -> Iterator[Event]:
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
    return _movie_holds(job.output.path, _movie_key(_from_published(job, stills), frames))


def _movie_key(job: Job, frames: Values[int]) -> str:
    keys = [job.output.key(job.sequence.key(number)) for number in frames]
    return digest(frames=keys, fps=str(job.output.fps))


def _movie_holds(path: str, key: str) -> bool:
    from vfxgen.media.movie_writer import comment_of

    return os.path.exists(path) and comment_of(path) == key


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
        Nothing was asked for and the sequence has no range of its own (a still), or none exists.
    """
    asked = (parse_frames(frames) if frames else []) if isinstance(frames, str) else list(frames)
    numbers = asked or sequence.range
    if not numbers and sequence.range is None and not (output.pattern.is_sequence or output.is_movie):
        return [1]
    if not numbers:
        raise RequestError(
            "no frame range: the input is a still, or no file matches its pattern; give frames such as 1001-1100"
        )
    return numbers
