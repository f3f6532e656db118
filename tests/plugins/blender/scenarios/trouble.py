"""What a node says of inputs, disks and installations that are not as they should be; then it renders."""

import resource
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import stage

ANSWER = r'{"jsonrpc": "2.0", "id": \1, "result": {"protocol": 99}}'
OTHER_PROTOCOL = rf"""#!/bin/sh
while read -r line; do echo "$line" | sed 's/.*"id": \([0-9]*\).*/{ANSWER}/'; done
"""


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    scene, tree = stage.empty_scene(1, 4)
    grade = stage.add(tree, "grade")
    tree.links.new(grade.outputs["Image"], tree.nodes["Output"].inputs[0])
    blend = folder / "project" / "trouble.blend"
    blend.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    said: dict[str, list[str]] = {}

    def tried(name: str, each_step: Callable[[], None] = lambda: None) -> None:
        """How the operator ends in a script, and what the panel says then."""
        task = stage.extension("task")
        steps = stage.extension("job").render(stage.extension("places").Place(scene.name, ("Grade",)))
        try:
            for _ in steps:
                each_step()
            words = "rendered"
        except stage.extension("problem").Problem as problem:
            words = str(problem)
        said[name] = [words, stage.status(scene, grade)]
        assert not task.running and len(bpy.data.scenes) == 1, name

    plates = {name: flipped(tree, folder, name) for name in ("plate", "sizes", "gap")}
    for name in ("sizes", "gap"):
        tree.links.new(plates[name], grade.inputs["Plate"])
        tried(name)
    damaged = stage.images(tree, str(folder / "damaged" / "damaged.1001.exr"), 1, 4, 1000)
    tree.links.new(damaged.outputs["Image"], grade.inputs["Plate"])
    tried("damaged")
    tree.links.new(plates["plate"], grade.inputs["Plate"])
    with environment(sys.prefix):
        tried("not installed")
    with environment(str(other_protocol(folder))):
        tried("other protocol")
    with file_limit():
        tried("disk of the cache full")
    stage.extension("worker").close()
    with file_limit():
        stage.extension("worker").call("describe")
    tried("disk of the frames full")
    stage.extension("worker").close()
    cache = stage.extension("preferences").cache()
    tried("cache deleted", lambda: shutil.rmtree(cache, ignore_errors=True))
    shutil.rmtree(blend.parent / "vfxgen", ignore_errors=True)
    (blend.parent / "vfxgen").write_text("in the way")
    tried("cannot write beside the .blend")
    (blend.parent / "vfxgen").unlink()
    tried("in the end")
    return {"said": said, "left": len(list(cache.glob("*")))}


def flipped(tree: bpy.types.NodeTree, folder: Path, name: str) -> bpy.types.NodeSocket:
    """A sequence that Blender has to export."""
    flip = tree.nodes.new("CompositorNodeFlip")
    source = stage.images(tree, str(folder / name / f"{name}.1001.exr"), 1, 4, 1000)
    tree.links.new(source.outputs["Image"], flip.inputs[0])
    return flip.outputs["Image"]


@contextmanager
def environment(path: str) -> Iterator[None]:
    stage.extension("preferences").current().environment = path
    yield
    stage.extension("preferences").current().environment = ""


@contextmanager
def file_limit() -> Iterator[None]:
    """Files cannot become larger than a few kilobytes: as when a disk is full, without one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def other_protocol(folder: Path) -> Path:
    python = folder / "other" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(OTHER_PROTOCOL)
    python.chmod(0o755)
    return folder / "other"


stage.scenario(run)
