"""What a node is given beside frames: painted keyframes on some of them, and a net in a folder beside the .blend."""

import shutil
import sys
from pathlib import Path

import bpy
import stage


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    if sys.argv[2] == "moved":
        return moved(folder)
    scene, tree = stage.empty_scene(1, 4)
    plate = stage.images(tree, str(folder / "plate" / "plate.1001.exr"), 1, 4, 1000)
    painted = stage.images(tree, str(folder / "painted" / "painted.1001.exr"), 1, 4, 1000)
    red = tree.nodes.new("CompositorNodeSeparateColor")
    tree.links.new(painted.outputs["Image"], red.inputs[0])
    matte = stage.add(tree, "matte", plate.outputs["Image"])
    tree.links.new(red.outputs[0], matte.inputs["Keyframes"])
    apply = stage.add(tree, "apply", plate.outputs["Image"])
    tree.links.new(apply.outputs["Image"], tree.nodes["Output"].inputs[0])
    apply.node_tree.vfxgen.apply.net = "nets/retouch"
    matte.node_tree.vfxgen.matte.width = 4
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "project" / "given.blend"))
    bpy.ops.vfxgen.render(node="Apply")
    facts = {"keyframes": keyframes(scene, matte), "choosers": choosers()}
    bpy.ops.wm.save_mainfile()
    return facts


def keyframes(scene: bpy.types.Scene, matte: bpy.types.Node) -> dict[str, object]:
    """Set by the button, as a user does; then what else can be typed there."""
    settings = matte.node_tree.vfxgen.matte
    with bpy.context.temp_override(scene=scene, active_node=matte):
        for number in (1, 3, 4, 3):
            scene.frame_current = number
            bpy.ops.vfxgen.keyframe(input="keyframes")
    facts: dict[str, object] = {"set": settings.keyframes_frames}
    bpy.ops.vfxgen.render(node="Matte")
    facts["status"] = [stage.status(scene, matte)]
    for said in ("1", "1,x", "9", "1,4"):
        settings.keyframes_frames = said
        facts["status"].append(stage.status(scene, matte))
        if said == "9":
            try:
                bpy.ops.vfxgen.render(node="Matte")
            except RuntimeError as error:
                facts["outside"] = str(error)
            stage.extension("status").failures.clear()
    return facts


def choosers() -> dict[str, list[str]]:
    """The tasks of the nets that a node offers."""
    schema = stage.extension("schema")
    catalogue = schema._catalogue()
    nets = [
        {**catalogue["nets"][0], "name": task, "task": task} for task in ("matte", "key", "image-to-image", "upscale")
    ]
    schema._current.update(nets=nets)
    declared = {name: schema.operators()[name]["parameters"] for name in ("apply", "upscale")}
    return {
        name: [net["name"] for parameter in parameters if parameter["task"] for net in schema.nets(parameter["task"])]
        for name, parameters in declared.items()
    }


def moved(folder: Path) -> dict[str, object]:
    """The project folder, with the net in it, is somewhere else."""
    shutil.copytree(folder / "project", folder / "elsewhere")
    shutil.rmtree(folder / "project")
    bpy.ops.wm.open_mainfile(filepath=str(folder / "elsewhere" / "given.blend"))
    scene = bpy.data.scenes["Shot"]
    node = (scene.compositing_node_group if stage.IS_5 else scene.node_tree).nodes["Apply"]
    found = [stage.status(scene, node)]
    bpy.ops.vfxgen.check(node="Apply")
    return {"status": [*found, stage.status(scene, node)]}


stage.scenario(run)
