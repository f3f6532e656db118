"""An operator over footage: what an editor shows goes in, frames beside the .blend come out."""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import bpy

from .. import export, folders, parameters, pipeline, plain, preferences, record, schema, task, versions
from ..problem import Problem
from ..task import Task
from . import footage_inputs
from .footage import Footage


@dataclass(frozen=True)
class FootageTask(Task):
    """A task whose first input is footage."""

    sources: dict[str, Footage]
    painted: dict[str, list[int]]

    @property
    def plate(self) -> Footage:
        """What the operator changes."""
        return self.sources[self.inputs[0]["name"]]

    def has(self, source: dict[str, Any]) -> Sequence[int]:
        given = self.sources[source["name"]]
        return self.painted.get(source["name"]) or (self.whole if given.is_still else given.numbers)

    def plain_files(self, source: dict[str, Any], numbers: list[int]) -> dict[int, Path]:
        files = {number: self.sources[source["name"]].file(number) for number in numbers}
        is_plain = source["kind"] == "image" and plain.are_plain(list(files.values()))
        return {number: file for number, file in files.items() if file} if is_plain else {}

    def file(self, number: int) -> str:
        """The frame that was made from a picture of the plate."""
        return str(folders.frame_file(self.folder, self.operator, number))


def prepare(operator: str, plate: Footage, scene: bpy.types.Scene, wanted: Sequence[int] | None = None) -> FootageTask:
    """A task with the parameters and inputs that are chosen in a scene for an operator.

    Parameters
    ----------
    operator
        Its name.
    plate
        What it changes.
    scene
        Whose settings are taken.
    wanted
        Pictures of the plate; all of them when not given.

    Raises
    ------
    Problem
        It cannot be rendered, for a reason in words.
    """
    declared = schema.operators().get(operator)
    if declared is None:
        raise Problem(f"there is no operator {operator!r}; there are {', '.join(schema.operators())}")
    group = getattr(scene.vfxgen_editors, operator)
    sources = footage_inputs.sources(declared, getattr(scene.vfxgen_editors, f"{operator}_inputs"), plate, scene)
    given, painted = parameters.values(declared, group), parameters.painted(declared, group)
    # The same again goes on where it was stopped, and makes only what is missing or changed.
    everything = {**given, **painted, **{name: repr(source) for name, source in sources.items()}}
    identifier = record.digest(scene.name, operator, everything, sources)[:8]
    inputs = [source for source in declared["inputs"] if source["name"] in sources]
    return FootageTask(
        label=plate.label,
        operator=operator,
        identifier=identifier,
        inputs=inputs,
        parameters={**parameters.located(declared, given), **preferences.machine_parameters(declared)},
        folder=folders.beside_blend(operator, identifier),
        whole=range(plate.numbers[0], plate.numbers[-1] + 1),
        wanted=list(wanted or plate.numbers),
        stage=partial(_scene_for, sources, plate),
        sources=sources,
        painted=painted,
    )


def render(asked: FootageTask) -> Generator[None, None, None]:
    """Render a task that was prepared.

    Raises
    ------
    Problem
        It failed, for a reason in words.
    """
    with task.at_work(asked) as progress:
        needs = yield from task.needed(asked)
        with folders.exports() as exports:
            yield from pipeline.render(asked, needs, exports, progress)


@contextmanager
def _scene_for(
    sources: dict[str, Footage], plate: Footage, inputs: list[dict[str, Any]], number: int, folder: Path
) -> Iterator[bpy.types.Scene]:
    scene = bpy.data.scenes.new("vfxgen")
    tree = versions.new_compositor(scene)
    own = Path(tempfile.mkdtemp(dir=folder))
    try:
        export.configure(scene)
        scene.render.resolution_x, scene.render.resolution_y = plate.size
        scene.render.resolution_percentage = 100
        time = plate.time(number)
        for source in inputs:
            socket = _channel(tree, source, sources[source["name"]].add(tree, number, time))
            export.add_output(tree, socket, source, number, str(own) + os.sep)
        scene.frame_set(time)
        yield scene
        for source in inputs:
            # Blender 4 numbers them by the scene's frame.
            for file in own.glob(f"{source['name']}.*.exr"):
                file.replace(export.file(folder, source["name"], number))
    finally:
        shutil.rmtree(own, ignore_errors=True)
        bpy.data.scenes.remove(scene)
        if versions.IS_5:
            bpy.data.node_groups.remove(tree)


def _channel(tree: bpy.types.NodeTree, source: dict[str, Any], socket: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """The red of a picture that is a matte: its luminance is not always what was painted."""
    if source["kind"] != "matte" or socket.type != "RGBA":
        return socket
    split = tree.nodes.new("CompositorNodeSeparateColor")
    tree.links.new(socket, split.inputs[0])
    return split.outputs[0]
