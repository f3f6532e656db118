"""What is asked of the worker for the frames of one operator. In steps, so that a window lives."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import export, folders, frames, worker
from .problem import Problem

Steps = Generator[None, None, None]


@dataclass
class Running:
    """How far a task is."""

    words: str = "starting"
    exported: float = 0.0
    rendered: float = 0.0
    seconds_left: float | None = None
    is_cancelled: bool = False
    waits: "Running | None" = None

    @property
    def fraction(self) -> float:
        """Of all there is to do: a guess, for a bar."""
        return 0.3 * self.exported + 0.7 * self.rendered

    def cancel(self) -> None:
        """Stop it, and what waits for it."""
        self.is_cancelled = True
        if self.waits:
            self.waits.cancel()

    def text(self) -> str:
        """For people: what is being done and how long it takes yet."""
        return self.words + (f", {self.seconds_left:.0f} s left" if self.seconds_left else "")


running: dict[str, Running] = {}
"""Identifier of a task -> how far it is."""


@dataclass(frozen=True)
class Needs:
    """Which frames of its inputs a task is made from, and whether each frame needs its own number alone."""

    inputs: dict[str, list[int]]
    frame_by_frame: bool

    @property
    def frames(self) -> list[int]:
        """Those of all inputs."""
        return sorted({number for numbers in self.inputs.values() for number in numbers})


@dataclass(frozen=True)
class Task:
    """What is asked of the worker, fixed when the job begins."""

    label: str
    operator: str
    identifier: str
    inputs: list[dict[str, Any]]
    parameters: dict[str, Any]
    folder: Path
    whole: range
    wanted: list[int]
    stage: export.Stage

    def has(self, source: dict[str, Any]) -> Sequence[int]:
        """The frames that an input has."""
        return self.whole

    def plain_files(self, source: dict[str, Any], numbers: list[int]) -> dict[int, Path]:
        """Files that hold just what would be exported of an input; empty where there are none."""
        return {}

    def params(self, exports: Path, numbers: Sequence[int]) -> dict[str, Any]:
        """As `render` and `check` of the worker take them, for some frames."""
        return {
            "operator": self.operator,
            "parameters": self.parameters,
            "inputs": {source["name"]: export.reading(source, exports) for source in self.inputs},
            "output": {
                "path": str(self.folder / f"{self.operator}.####.exr"),
                "type": "float",
                "compression": "zip",
            },
            "frames": frames.text(numbers),
        }

    def times(self) -> dict[int, int]:
        """When each frame on disk was written."""
        files = {number: folders.frame_file(self.folder, self.operator, number) for number in self.wanted}
        return {number: file.stat().st_mtime_ns for number, file in files.items() if file.is_file()}


@contextmanager
def at_work(task: Task, waits: Running | None = None) -> Iterator[Running]:
    """How far a task is, for all to see while it is under way.

    Raises
    ------
    Problem
        It is under way already.
    """
    if task.identifier in running:
        raise Problem(f"{task.label} is being rendered already")
    running[task.identifier] = progress = Running(waits=waits)
    try:
        yield progress
    finally:
        del running[task.identifier]


def needed(task: Task) -> Generator[None, None, Needs]:
    """The frames of the inputs that the wanted frames are made from."""
    params = {
        "operator": task.operator,
        "parameters": task.parameters,
        "inputs": {source["name"]: frames.text(task.has(source)) for source in task.inputs},
        "frames": frames.text(task.wanted),
    }
    answer = yield from worker.ask("needs", params)
    return Needs({name: frames.numbers(said) for name, said in answer["inputs"].items()}, answer["frame_by_frame"])


def finish(steps: Steps) -> None:
    """Take every step at once: where there is no window."""
    began = time.monotonic()
    for _ in steps:
        # A short step had nothing to do but wait.
        if time.monotonic() - began < 0.005:
            time.sleep(0.01)
        began = time.monotonic()
