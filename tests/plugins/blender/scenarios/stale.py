"""What the panel says of a node, from the first render on; and what a render says of what it cannot do."""

from pathlib import Path

import bpy
import stage


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    scene, tree = stage.empty_scene(1, 4)
    source = stage.images(tree, str(folder / "plate" / "plate.1001.exr"), 1, 4, 1000)
    gain = stage.add(tree, "grade", source.outputs["Image"])
    grade = stage.add(tree, "grade", gain.outputs["Image"])
    gain.name, grade.name = "Gain", "Grade"
    tree.links.new(grade.outputs["Image"], tree.nodes["Output"].inputs[0])
    said: dict[str, str] = {}

    def say(step: str, node: bpy.types.Node = grade) -> None:
        said[step] = stage.status(scene, node)

    def tried(step: str, name: str = "Grade") -> None:
        try:
            bpy.ops.vfxgen.render(node=name)
            said[step] = "rendered"
        except RuntimeError as error:
            said[step] = str(error)

    tried("unsaved")
    say("unsaved status")
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "stale.blend"))
    scene.frame_current = 2
    bpy.ops.vfxgen.render_current(node="Grade")
    say("current frame")
    tried("all")
    say("rendered")
    say("rendered before it", gain)
    made = files(grade)
    bpy.ops.vfxgen.render(node="Grade")
    said["nothing to do"] = str(files(grade) == made)
    settings = grade.node_tree.vfxgen
    settings.grade.saturation = 0.5
    say("saturation")
    settings.grade.saturation = 1.0
    say("saturation back")
    (folder_of(grade) / "grade.0003.exr").unlink()
    say("file gone")
    tried("file again")
    say("file again status")
    source.image.filepath = str(folder / "other" / "plate.1001.exr")
    source.image.reload()
    bpy.ops.vfxgen.check(node="Gain")
    say("other plate", gain)
    say("other plate after it")
    tried("other plate rendered")
    bpy.ops.vfxgen.check(node="Grade")
    say("other plate checked")
    say("other plate status", gain)
    settings.use_scene_range, settings.frame_start, settings.frame_end = False, 4, 1
    tried("reversed")
    settings.frame_start, settings.frame_end = 2, 3
    say("shorter range")
    settings.use_scene_range = True
    tree.links.remove(gain.inputs[0].links[0])
    tried("unlinked", "Gain")
    stage.extension("preferences").current().environment = str(folder / "nowhere")
    tree.links.new(source.outputs["Image"], gain.inputs[0])
    tried("wrong path", "Gain")
    stage.extension("preferences").current().environment = ""
    bpy.ops.vfxgen.clear(node="Grade")
    say("cleared")
    gain.node_tree.vfxgen.folder = "/dev/null/no"
    tried("no folder", "Gain")
    return {"said": said}


def folder_of(node: bpy.types.Node) -> Path:
    return Path(stage.extension("folders").shown(node.node_tree))


def files(node: bpy.types.Node) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in folder_of(node).glob("*.exr")}


stage.scenario(run)
