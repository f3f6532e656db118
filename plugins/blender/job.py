"""A node's frames: those that feed it first, then its own, then it shows them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from . import export, folders, frames, pipeline, places, plain, preferences, record, settings, status, task, worker
from . import node as nodes
from .places import Place
from .problem import Problem
from .task import Needs, Running, Steps, Task


@dataclass(frozen=True)
class _NodeTask(Task):
    """A task whose frames a node shows."""

    place: Place
    digest: str
    painted: dict[str, list[int]]

    def has(self, source: dict[str, Any]) -> Sequence[int]:
        return self.painted.get(source["name"]) or self.whole

    def plain_files(self, source: dict[str, Any], numbers: list[int]) -> dict[int, Path]:
        return plain.files(self.place, source, numbers)


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


def _render_chain(
    place: Place, wanted: Sequence[int] | None, done: dict[Place, set[int]], waits: Running | None = None
) -> Steps:
    with _noting_failure(place), _running(_task(place, wanted), waits) as (asked, progress):
        needs = yield from task.needed(asked)
        # The nearest first: it knows which frames it needs of those before it.
        for other in reversed(places.before(place)):
            if not done.get(other, set()).issuperset(needs.frames):
                progress.words = f"waiting for {other.path[-1]}"
                yield from _render_chain(other, needs.frames, done, progress)
        with folders.exports() as exports:
            yield from _render(asked, needs, exports, progress)
    done.setdefault(place, set()).update(asked.wanted)


def check(place: Place) -> Steps:
    """Find out, by the pixels of its inputs, which frames of a node are up to date."""
    with _noting_failure(place), _running(_task(place, None)) as (asked, progress), folders.exports() as exports:
        needs = yield from task.needed(asked)
        yield from pipeline.export_inputs(asked, needs, exports, progress)
        progress.words = "comparing"
        answer = yield from worker.ask("check", asked.params(exports, asked.wanted))
        states = next(iter(answer["outputs"].values()))
        made = record.read(asked.folder)
        current = dict.fromkeys(frames.numbers(states["current"]), asked.digest)
        stale = frames.numbers(states["stale"])
        changed = {number: record.INPUTS_CHANGED for number in stale if made.get(number) == asked.digest}
        record.add(asked.folder, {**current, **changed})


def _task(place: Place, wanted: Sequence[int] | None) -> _NodeTask:
    node, scene = place.node(), bpy.data.scenes[place.scene]
    tree = nodes.make_own(node)
    whole = settings.shot_range(tree, scene)
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
    return _NodeTask(
        label=label,
        operator=declared["name"],
        identifier=tree.vfxgen.identifier,
        inputs=export.linked_inputs(node, declared),
        parameters={**settings.for_worker(tree), **preferences.machine_parameters(declared)},
        folder=folders.output(tree),
        whole=whole,
        wanted=list(wanted or settings.frame_range(tree, scene)),
        stage=export.of_node(place),
        place=place,
        digest=status.digest(node, scene),
        painted=settings.painted(tree),
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
def _running(asked: _NodeTask, waits: Running | None = None) -> Iterator[tuple[_NodeTask, Running]]:
    with task.at_work(asked, waits) as progress:
        status.failures.pop(asked.identifier, None)
        yield asked, progress


def _render(asked: _NodeTask, needs: Needs, exports: Path, progress: Running) -> Steps:
    before, is_done = asked.times(), False
    # Blender may be killed, and a frame may end after it was cancelled: nobody vouches for what this may overwrite.
    kept = record.read(asked.folder)
    record.add(asked.folder, {number: "" for number in asked.wanted if kept.get(number, asked.digest) != asked.digest})
    try:
        yield from pipeline.render(asked, needs, exports, progress)
        is_done = True
    finally:
        after = asked.times()
        made = [number for number in after if is_done or before.get(number) != after[number]]
        record.add(asked.folder, dict.fromkeys(made, asked.digest))
        if made:
            _show(asked)


def _show(asked: _NodeTask) -> None:
    try:
        tree = asked.place.node().node_tree
    except Problem:
        return  # deleted meanwhile, or another file is open: nobody is left to show the frames
    if tree.vfxgen.identifier != asked.identifier:
        return
    there = folders.frames(asked.folder, asked.operator) & set(asked.whole)
    file = folders.frame_file(asked.folder, asked.operator, min(there))
    nodes.show(tree, str(file), asked.whole.start, len(asked.whole))
