"""The files of blender_farm.sh: argv is a folder and a plate's first file.

A key that has not been rendered, in stale.blend and, where the background may render it, in allowed.blend; one that is
up to date in done.blend and in bare.blend.
"""

import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
import stage

folder, plate = Path(sys.argv[-2]), sys.argv[-1]
scene, tree = stage.empty_scene(1, 3)
scene.render.resolution_x, scene.render.resolution_y = 960, 540
key = stage.add(tree, "key", stage.images(tree, plate, 1, 24, 1000).outputs[0])
tree.links.new(key.outputs[0], tree.nodes["Output"].inputs[0])
image = scene.render.image_settings
image.file_format, image.color_depth, image.color_mode = "OPEN_EXR", "32", "RGBA"
for setting in scene.render.bl_rna.properties:
    # Dates and names of files in a header: the same frames would be other files.
    if setting.identifier.startswith("use_stamp"):
        setattr(scene.render, setting.identifier, False)


def save(name: str) -> None:
    scene.render.filepath = f"//{name}/farm."
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / f"{name}.blend"), copy=True)


save("stale")
scene.vfxgen_render_stale = True
save("allowed")
scene.vfxgen_render_stale = False
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "made.blend"))
bpy.ops.vfxgen.render(node="Key")
assert stage.status(scene, key) == "up to date"
save("done")
save("bare")
stage.extension("worker").close()
