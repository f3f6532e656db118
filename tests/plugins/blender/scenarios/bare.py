"""The same file without the extension, its project folder moved: argv[2] is the moved .blend."""

import sys
from pathlib import Path

import bpy
import stage


def run(folder: Path) -> dict[str, object]:
    bpy.ops.wm.open_mainfile(filepath=sys.argv[2])
    scene = bpy.data.scenes["Shot"]
    tree = scene.compositing_node_group if stage.IS_5 else scene.node_tree
    key = tree.nodes["Key"]
    stage.write(scene, key.outputs["Image"], folder / "bare", range(5, 9))
    bpy.ops.wm.save_mainfile()
    return {"knows": hasattr(bpy.types.CompositorNodeTree, "vfxgen"), "frame": scene.frame_current}


stage.scenario(run)
