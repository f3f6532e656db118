"""Frames into files of their own: read ahead, compute, publish behind."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from collections.abc import Sequence as Values
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from vfxgen import graph
from vfxgen.errors import FrameError, VfxgenError
from vfxgen.frame import Frame
from vfxgen.operator import Operator
from vfxgen.provenance import Provenance, provenance
from vfxgen.render.job import Event, Job
from vfxgen.sequence import Sequence, every_sequence, leaves

_Made = tuple[Job, str, Provenance, Frame]
_MOST_WAITING = 4
READERS = 2
WRITERS = 2


@dataclass
class _Plan:
    """One frame, looked into ahead of time: what must be made of it, its files decoded meanwhile."""

    number: int
    pending: list[tuple[Job, str, Provenance]]
    seconds: float


class Stills:
    """Jobs that publish a file a frame: three stages that overlap."""

    def __init__(self, jobs: Values[Job], frames: Values[int], on_error: str, force: bool, memory: int) -> None:
        self.jobs, self.frames = jobs, list(frames)
        self.on_error, self.force, self.memory = on_error, force, memory
        self.made_by = [_provenance(job.sequence) for job in jobs]
        self.ahead = self.behind = 1
        self.nodes = list(dict.fromkeys(node for job in jobs for node in every_sequence(job.sequence)))
        for node in self.nodes:
            node.keep = 0
        self._keep(self.frames[0], [])

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
        for job, made_by in zip(self.jobs, self.made_by, strict=True):
            key = job.output.key(job.sequence.key(number))
            if self.force or not job.output.is_current(number, key):
                files = leaves(job.sequence, number)
                self._keep(number, files)
                decoded = (leaf[needed] for leaf, needed in files)
                pending.append((job, key, made_by.resting_on(decoded)))
        return _Plan(number, pending, time.perf_counter() - start)

    def _computed(self, number: int, planned: Future[_Plan], writers: ThreadPoolExecutor) -> Future[Event]:
        try:
            plan = planned.result()
            if not plan.pending:
                return _done(Event(number, "current", seconds={"read": plan.seconds}))
            start = time.perf_counter()
            made = [(job, key, made_by, job.sequence[number]) for job, key, made_by in plan.pending]
            seconds = {"read": plan.seconds, "compute": time.perf_counter() - start}
        except VfxgenError as error:
            return _done(Event(number, "failed", error=str(error)))
        except Exception as error:
            return _done(Event(number, "failed", error=f"frame {number}: {type(error).__name__}: {error}"))
        self._fit(number, made)
        return writers.submit(self._publish, number, made, seconds)

    def _publish(self, number: int, made: list[_Made], seconds: dict[str, float]) -> Event:
        start = time.perf_counter()
        paths = []
        try:
            for job, key, made_by, frame in made:
                paths.append(job.output.publish(frame, number, key, made_by))
        except VfxgenError as error:
            return Event(number, "failed", tuple(paths), error=str(error))
        except Exception as error:
            fault = FrameError(f"frame {number}: cannot be published: {type(error).__name__}: {error}")
            return Event(number, "failed", tuple(paths), error=str(fault))
        return Event(number, "rendered", tuple(paths), {**seconds, "write": time.perf_counter() - start})

    def _fit(self, number: int, made: list[_Made]) -> None:
        """Set how many frames may wait, from what the first one weighs: half the budget before, half behind."""
        if self.ahead > 1 or self.behind > 1:
            return
        decoded = sum(leaf[n].bytes for job, *_ in made for leaf, n in leaves(job.sequence, number))
        results = sum(frame.bytes for *_, frame in made)
        self.ahead = max(1, min(_MOST_WAITING, self.memory // 2 // max(1, decoded)))
        self.behind = max(1, min(_MOST_WAITING, self.memory // 2 // max(1, results)))

    def _keep(self, number: int, files: list[tuple[Sequence, int]]) -> None:
        """Let every sequence remember just the frames that will be asked for again, now that `number` is to be made.

        As many as for the frame that asks for most: the first of a shot has no neighbours before it.
        """
        asked = Counter(job.sequence for job in self.jobs)
        for node in self.nodes:
            for name, numbers in node.needs(number).items():
                asked[node.inputs[name]] += len(numbers)
        # Neighbours of neighbours are more files than any one sequence asks for.
        asked |= Counter(leaf for leaf, _ in files)
        for node, used in asked.items():
            keep = used + self.ahead if not node.inputs else (used if used > 1 else 0)
            node.keep = max(node.keep, keep)


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
