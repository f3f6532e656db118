"""A shot whose key has not been rendered, saved for `blender -b shot.blend -a`; argv[2]: whether it may render it."""

import sys
from pathlib import Path

import bpy
import stage


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    scene, tree = stage.empty_scene(1, 3)
    source = stage.images(tree, str(folder / "plate" / "plate.1001.exr"), 1, 4, 1000)
    grade = stage.add(tree, "grade", source.outputs["Image"])
    grade.node_tree.vfxgen.grade.saturation = 0.25
    tree.links.new(grade.outputs["Image"], tree.nodes["Output"].inputs[0])
    scene.vfxgen_render_stale = sys.argv[2] == "render"
    settings = scene.render.image_settings
    settings.file_format, settings.color_depth, settings.color_mode = "OPEN_EXR", "32", "RGBA"
    scene.render.filepath = str(folder / "farm" / "out.")
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "farm.blend"))
    with bpy.context.temp_override(scene=scene):
        bpy.ops.render.render(animation=True)
    return {"status": stage.status(scene, grade)}


stage.scenario(run)
