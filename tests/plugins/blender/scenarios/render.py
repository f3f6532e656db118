"""Key a sequence whose files are numbered otherwise than the scene's frames, in a folder with spaces and accents."""

from pathlib import Path

import bpy
import stage


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    scene, tree = stage.empty_scene(5, 8)
    source = stage.images(tree, str(folder / "plate" / "plate.1001.exr"), 5, 4, 996)
    matte = stage.images(tree, str(folder / "matte" / "matte.1001.exr"), 5, 4, 996)
    key = stage.add(tree, "key", source.outputs["Image"])
    # A colour that becomes a number is weighed into luminance: one channel of it is the matte as it is.
    red = tree.nodes.new("CompositorNodeSeparateColor")
    tree.links.new(matte.outputs["Image"], red.inputs[0])
    tree.links.new(red.outputs[0], key.inputs["Holdout"])
    key.node_tree.vfxgen.key.despill = 0.7
    key.node_tree.vfxgen.key.foreground = True
    own = stage.images(tree, str(folder / "plate" / "plate.1001.exr"), 5, 4, 996)
    stage.write(scene, source.outputs["Image"], folder / "source", range(5, 9))
    stage.write(scene, key.outputs["Image"], folder / "passed", range(5, 9))
    tree.links.new(key.outputs["Image"], tree.nodes["Output"].inputs[0])
    tree.links.new(own.outputs["Image"], stage.add(tree, "grade").inputs[0])
    blend = folder / "Projekt Ärger 夜" / "shot v1.blend"
    blend.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    scene.frame_current = 7
    before = stage.status(scene, key)
    bpy.ops.vfxgen.render(node="Key")
    after = stage.status(scene, key)
    stage.write(scene, key.outputs["Image"], folder / "shown", range(5, 9))
    stage.write(scene, key.outputs["Alpha"], folder / "alpha", range(5, 9))
    key.mute = True
    stage.write(scene, key.outputs["Image"], folder / "muted", range(5, 9))
    key.mute = False
    scene.frame_current = 7
    bpy.ops.wm.save_mainfile()
    return {
        "before": before,
        "after": after,
        "outputs": [output.name for output in key.outputs],
        "image": bpy.data.images["vfxgen Key result"].filepath,
        "scenes": [scene.name for scene in bpy.data.scenes],
        "trees": sorted(tree.name for tree in bpy.data.node_groups),
        "left": [file.name for file in stage.extension("preferences").cache().glob("*")],
        "decimal": stage.extension("settings").values(key.node_tree)["despill"],
    }


stage.scenario(run)
