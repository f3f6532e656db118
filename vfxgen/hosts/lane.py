"""A lane: jobs wait in line, and one thread does them one after the other."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vfxgen.cancel import Cancelled, cancellable, stop_if_cancelled
from vfxgen.hosts.rpc import INVALID_REQUEST, Fault, Id


@dataclass
class Job:
    """What a host asked for."""

    id: Id
    work: Callable[[], Any]
    cancelled: threading.Event = field(default_factory=threading.Event)


class Lane:
    """Does jobs in the order they came.

    Parameters
    ----------
    answered
        Called with each job and what came of it: its result, or the exception.
    changed
        Called with the ids of the job at work (None where there is none) and of those that wait, when these change.
    """

    def __init__(self, answered: Callable[[Job, Any], None], changed: Callable[[Id, list[Id]], None]) -> None:
        self._answered, self._changed = answered, changed
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._ended = False
        self._news = threading.Condition(threading.RLock())
        self.last_active = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="vfxgen-lane", daemon=True)
        self._thread.start()

    @property
    def is_busy(self) -> bool:
        """Whether a job is at work or waits."""
        with self._news:
            return self._running is not None or bool(self._waiting)

    def add(self, job: Job) -> None:
        """Put a job at the end of the line.

        Raises
        ------
        Fault
            One of this id is here already.
        """
        with self._news:
            if job.id is not None and job.id in self._ids():
                raise Fault(INVALID_REQUEST, f"a request with the id {job.id!r} is at work already")
            self._waiting.append(job)
            self._tell()
            self._news.notify()

    def cancel(self, id: Id) -> bool:
        """Stop the job of this id at its next step, or take it out of the line; whether there is one."""
        with self._news:
            if self._running is not None and self._running.id == id:
                self._running.cancelled.set()
                return True
            for job in self._waiting:
                if job.id == id:
                    self._waiting.remove(job)
                    self._answered(job, Cancelled())
                    self._tell()
                    return True
        return False

    def end(self) -> None:
        """Cancel everything, and take nothing more."""
        with self._news:
            self._ended = True
            if self._running is not None:
                self._running.cancelled.set()
            while self._waiting:
                self._answered(self._waiting.popleft(), Cancelled())
            self._news.notify()

    def join(self, seconds: float) -> bool:
        """Wait for the job at work to stop; whether it did."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                with cancellable(job.cancelled):
                    stop_if_cancelled()
                    outcome = job.work()
            except BaseException as error:
                outcome = error
            with self._news:
                self._running = None
                self.last_active = time.monotonic()
                self._answered(job, outcome)
                self._tell()

    def _next(self) -> Job | None:
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._ended)
            if self._ended:
                return None
            self._running = self._waiting.popleft()
            self._tell()
            return self._running

    def _tell(self) -> None:
        self._changed(self._running.id if self._running else None, [job.id for job in self._waiting])

    def _ids(self) -> list[Id]:
        return [job.id for job in (*self._waiting, *([self._running] if self._running else []))]
