"""A render that is cancelled, one whose worker is killed, and the one after."""

import os
import signal
import time
from pathlib import Path

import bpy
import stage


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    scene, tree = stage.empty_scene(1, 12)
    source = stage.images(tree, str(folder / "large" / "plate.1001.exr"), 1, 4, 1000)
    flip = tree.nodes.new("CompositorNodeFlip")
    tree.links.new(source.outputs["Image"], flip.inputs[0])
    denoise = stage.add(tree, "denoise", flip.outputs["Image"])
    denoise.node_tree.vfxgen.denoise.size = 16
    tree.links.new(denoise.outputs["Image"], tree.nodes["Output"].inputs[0])
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "cancel.blend"))
    facts: dict[str, object] = {}
    job, task, worker = (stage.extension(name) for name in ("job", "task", "worker"))
    place = stage.extension("places").Place(scene.name, ("Denoise",))

    steps = job.render(place)
    until(steps, lambda: any(one.exported > 2 / 12 for one in task.running.values()))
    steps.close()
    facts["export"] = [stage.status(scene, denoise), len(bpy.data.scenes), len(task.running), left()]

    steps = job.render(place)
    until(steps, lambda: progress(task).startswith("frame "))
    steps.close()
    facts["cancelled"] = [stage.status(scene, denoise), len(bpy.data.scenes), len(task.running), left()]

    denoise.node_tree.vfxgen.denoise.amount = 0.5
    steps = job.render(place)
    until(steps, lambda: progress(task).startswith("frame "))
    os.kill(worker.client().about["pid"], signal.SIGKILL)
    try:
        task.finish(steps)
    except stage.extension("problem").Problem as problem:
        facts["killed"] = [str(problem), stage.status(scene, denoise), len(task.running), left()]

    denoise.node_tree.vfxgen.denoise.size = 1
    bpy.ops.vfxgen.render(node="Denoise")
    facts["after"] = stage.status(scene, denoise)
    return facts


def progress(task: object) -> str:
    return "".join(one.words for one in task.running.values())


def until(steps: object, reached: object) -> None:
    while not reached():
        next(steps)
        time.sleep(0.002)


def left() -> int:
    return len(list(stage.extension("preferences").cache().glob("*")))


stage.scenario(run)
