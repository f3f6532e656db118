"""A node's frames: export what feeds it, let the worker render, show the result. In steps, so that a window lives."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from . import export, folders, frames, places, preferences, record, settings, status, worker
from . import node as nodes
from .client import Request
from .places import Place
from .problem import Problem

Steps = Generator[None, None, None]


@dataclass
class Running:
    """How far a node is."""

    words: str = "starting"
    fraction: float = 0.0
    seconds_left: float | None = None
    is_cancelled: bool = False


running: dict[str, Running] = {}
"""Identifier of a node -> how far it is."""


@dataclass(frozen=True)
class _Task:
    """What is asked of the worker for one node, fixed when the job begins."""

    place: Place
    operator: str
    identifier: str
    inputs: list[dict[str, Any]]
    parameters: dict[str, Any]
    folder: Path
    whole: range
    wanted: list[int]
    digest: str

    def params(self, exports: Path) -> dict[str, Any]:
        return {
            "operator": self.operator,
            "parameters": self.parameters,
            "inputs": {source["name"]: export.reading(source, exports) for source in self.inputs},
            "output": {
                "path": str(self.folder / f"{self.operator}.####.exr"),
                "type": "float",
                "compression": "zip",
            },
            "frames": frames.text(self.wanted),
        }

    def needs(self) -> dict[str, Any]:
        has = frames.text(self.whole)
        return {
            "operator": self.operator,
            "parameters": self.parameters,
            "inputs": {source["name"]: has for source in self.inputs},
            "frames": frames.text(self.wanted),
        }

    def times(self) -> dict[int, int]:
        """When each frame on disk was written."""
        files = {number: folders.frame_file(self.folder, self.operator, number) for number in self.wanted}
        return {number: file.stat().st_mtime_ns for number, file in files.items() if file.is_file()}


def render(place: Place, wanted: Sequence[int] | None = None) -> Steps:
    """Render a node, and before it those that feed it, as far as they are not up to date.

    Yields after each short step.

    Parameters
    ----------
    place
        The node.
    wanted
        Frames; all of the node's when not given.

    Raises
    ------
    Problem
        It cannot be rendered, for a reason in words.
    """
    yield from _render_chain(place, wanted, {})


def render_all(scene: bpy.types.Scene, wanted: Sequence[int]) -> Steps:
    """Render every node that a scene's output shows, each once."""
    done: dict[Place, set[int]] = {}
    for place in places.every(scene):
        if not done.get(place, set()).issuperset(wanted):
            yield from _render_chain(place, wanted, done)


def _render_chain(place: Place, wanted: Sequence[int] | None, done: dict[Place, set[int]]) -> Steps:
    with _noting_failure(place), _running(_task(place, wanted)) as (task, progress):
        exported = yield from _needed(task)
        # The nearest first: it knows which frames it needs of those before it.
        for other in reversed(places.before(place)):
            if not done.get(other, set()).issuperset(exported):
                progress.words = f"waiting for {other.path[-1]}"
                yield from _render_chain(other, exported, done)
        with folders.exports() as exports:
            yield from _export(task, exported, exports, progress)
            yield from _render(task, exports, progress)
    done.setdefault(place, set()).update(task.wanted)


def check(place: Place) -> Steps:
    """Find out, by the pixels of its inputs, which frames of a node are up to date."""
    with _noting_failure(place), _running(_task(place, None)) as (task, progress), folders.exports() as exports:
        exported = yield from _needed(task)
        yield from _export(task, exported, exports, progress)
        progress.words = "comparing"
        answer = yield from worker.ask("check", task.params(exports))
        states = next(iter(answer["outputs"].values()))
        made = record.read(task.folder)
        current = dict.fromkeys(frames.numbers(states["current"]), task.digest)
        stale = frames.numbers(states["stale"])
        changed = {number: record.INPUTS_CHANGED for number in stale if made.get(number) == task.digest}
        record.add(task.folder, {**current, **changed})


def _task(place: Place, wanted: Sequence[int] | None) -> _Task:
    node, scene = place.node(), bpy.data.scenes[place.scene]
    tree = nodes.make_own(node)
    whole = settings.frame_range(tree, scene)
    label = node.label or node.name
    if not whole:
        raise Problem(f"{label}: the frame range is reversed: {whole.start} to {whole.stop - 1}")
    outside = set(wanted or ()) - set(whole)
    if outside:
        raise Problem(f"{label}: frames {frames.text(outside)} are outside its range {frames.text(whole)}")
    if places.count(scene, node) > 1:
        raise Problem(
            f"{label}: its group is used twice here, and its frames are those of one place: make it single-user"
        )
    declared = nodes.declaration(tree)
    return _Task(
        place=place,
        operator=declared["name"],
        identifier=tree.vfxgen.identifier,
        inputs=export.linked_inputs(node, declared),
        parameters={**settings.values(tree), **preferences.machine_parameters(declared)},
        folder=folders.output(tree),
        whole=whole,
        wanted=list(wanted or whole),
        digest=status.digest(node, scene),
    )


@contextmanager
def _noting_failure(place: Place) -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        with suppress(Problem):
            status.failures[place.node().node_tree.vfxgen.identifier] = str(problem)
        raise


@contextmanager
def _running(task: _Task) -> Iterator[tuple[_Task, Running]]:
    if task.identifier in running:
        raise Problem(f"{task.place.path[-1]} is being rendered already")
    status.failures.pop(task.identifier, None)
    running[task.identifier] = progress = Running()
    try:
        yield task, progress
    finally:
        del running[task.identifier]


def _needed(task: _Task) -> Generator[None, None, list[int]]:
    answer = yield from worker.ask("needs", task.needs())
    return sorted({number for said in answer["inputs"].values() for number in frames.numbers(said)})


def _export(task: _Task, exported: list[int], folder: Path, progress: Running) -> Steps:
    for done, number in enumerate(exported):
        progress.words = f"exporting frame {number}"
        progress.fraction = 0.3 * done / len(exported)
        yield
        export.frame(task.place, task.inputs, number, folder)


def _render(task: _Task, exports: Path, progress: Running) -> Steps:
    before, is_done = task.times(), False
    progress.words = "waiting for the worker"

    def hear(request: Request) -> None:
        said = request.progress
        if said:
            progress.words = f"frame {said['done']} of {said['total']}"
            progress.fraction = 0.3 + 0.7 * said["done"] / max(said["total"], 1)
            progress.seconds_left = said["seconds_left"]

    try:
        yield from worker.ask("render", task.params(exports), hear)
        is_done = True
    finally:
        after = task.times()
        made = [number for number in after if is_done or before.get(number) != after[number]]
        record.add(task.folder, dict.fromkeys(made, task.digest))
        if made:
            _show(task)


def _show(task: _Task) -> None:
    try:
        tree = task.place.node().node_tree
    except Problem:
        return  # deleted meanwhile, or another file is open: nobody is left to show the frames
    if tree.vfxgen.identifier != task.identifier:
        return
    there = folders.frames(task.folder, task.operator) & set(task.whole)
    file = folders.frame_file(task.folder, task.operator, min(there))
    nodes.show(tree, str(file), task.whole.start, len(task.whole))


def finish(steps: Steps) -> None:
    """Take every step at once: where there is no window."""
    for _ in steps:
        time.sleep(0.01)
