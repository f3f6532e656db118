"""A task's way through the worker: while it renders, the next frames are exported."""

import contextlib
import time
from collections.abc import Generator, Iterator
from pathlib import Path

from . import export, worker
from .problem import Problem
from .task import Needs, Running, Steps, Task

_AT_ONCE = 2
"""Requests under way: one at work, and one that waits, so that the worker never does."""


def export_inputs(task: Task, needs: Needs, folder: Path, progress: Running) -> Steps:
    """Give the worker all that a task reads."""
    for _ in _exported(task, needs, folder, progress):
        yield


def render(task: Task, needs: Needs, folder: Path, progress: Running) -> Steps:
    """Give the worker what a task reads, and let it render each frame as soon as it has what the frame needs.

    Raises
    ------
    Problem
        An export or a frame failed; no other frame is begun then.
    """
    batches = _Batches(task, needs, folder, progress)
    try:
        for ready in _exported(task, needs, folder, progress):
            batches.add(ready)
            yield
        while not batches.are_over:
            batches.poll()
            yield
    finally:
        batches.cancel()


def _exported(task: Task, needs: Needs, folder: Path, progress: Running) -> Generator[list[int], None, None]:
    """Export in steps; yields the frames that can be rendered now."""
    left = _without_plain(task, needs, folder)
    numbers = sorted({number for some in left.values() for number in some})
    ready: list[int] = []
    for done, number in enumerate(numbers):
        if not progress.words.startswith("frame"):
            progress.words = f"exporting frame {number}"
        yield ready
        export.frame(task.stage, [source for source in task.inputs if number in left[source["name"]]], number, folder)
        progress.exported = (done + 1) / len(numbers)
        ready = [number] if needs.frame_by_frame else []
    yield ready or task.wanted


def _without_plain(task: Task, needs: Needs, folder: Path) -> dict[str, list[int]]:
    """Link the files that hold an input already; input -> frames that are left to export."""
    left = {}
    for source in task.inputs:
        name = source["name"]
        left[name] = needs.inputs[name]
        found = task.plain_files(source, left[name])
        if found:
            # Where links are not allowed, as on Windows, it is exported.
            with contextlib.suppress(OSError):
                for number, file in found.items():
                    export.file(folder, name, number).symlink_to(file.absolute())
                left[name] = []
    return left


def _with_real_names(words: str, folder: Path) -> str:
    """Words about a linked file, by the name that people know it by."""
    for link in folder.glob("*.exr"):
        if link.is_symlink():
            words = words.replace(str(link), str(link.readlink()))
    return words


class _Batches:
    """Frames on their way through the worker, asked for as they become ready.

    One request for all of them, where they are ready at once; else as many frames a request as became ready since the
    last: the fewest at the beginning, so that the worker begins soon.
    """

    def __init__(self, task: Task, needs: Needs, folder: Path, progress: Running) -> None:
        self._task, self._needs, self._folder, self._progress = task, needs, folder, progress
        self._client = worker.client()
        self._ready: list[int] = []
        self._open: list[tuple[worker.Request, list[int]]] = []
        self._finished = 0
        self._first: tuple[float, int] | None = None

    @property
    def are_over(self) -> bool:
        return not self._ready and not self._open

    def add(self, numbers: list[int]) -> None:
        self._ready += numbers
        self.poll()

    def poll(self) -> None:
        self._client.poll()
        while self._open and self._open[0][0].is_over:
            request, numbers = self._open.pop(0)
            if request.error is not None:
                raise Problem(_with_real_names(worker.words(request.error), self._folder))
            self._finished += len(numbers)
            self._remove_exports(numbers)
        if self._ready and len(self._open) < _AT_ONCE:
            request = self._client.send("render", self._task.params(self._folder, self._ready))
            self._open.append((request, self._ready))
            self._ready = []
        self._tell()

    def cancel(self) -> None:
        for request, _ in self._open:
            self._client.cancel(request)

    def _remove_exports(self, numbers: list[int]) -> None:
        """Free the disk of frames that nothing needs any more; the first stays, which the others must be like."""
        if self._needs.frame_by_frame:
            first = self._needs.frames[0]
            for file in self._files(number for number in numbers if number != first):
                file.unlink(missing_ok=True)

    def _files(self, numbers: Iterator[int]) -> Iterator[Path]:
        for number in numbers:
            for source in self._task.inputs:
                yield export.file(self._folder, source["name"], number)

    def _tell(self) -> None:
        heard = [request.progress for request, _ in self._open if request.progress]
        if not heard and not self._finished:
            return
        done, total = self._finished + sum(said["done"] for said in heard), len(self._task.wanted)
        now = time.monotonic()
        if done and self._first is None:
            self._first = (now, done)
        self._progress.words = f"frame {done} of {total}"
        self._progress.rendered = done / total
        if self._first and done > self._first[1]:
            since, before = self._first
            self._progress.seconds_left = (now - since) / (done - before) * (total - done)
