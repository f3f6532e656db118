"""The file that was saved without the extension, opened with it: argv[2] is the .blend."""

import sys
from pathlib import Path

import bpy
import stage


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    bpy.ops.wm.open_mainfile(filepath=sys.argv[2])
    scene = bpy.data.scenes["Shot"]
    tree = scene.compositing_node_group if stage.IS_5 else scene.node_tree
    key = tree.nodes["Key"]
    return {
        "status": stage.status(scene, key),
        "values": stage.extension("settings").values(key.node_tree),
        "folder": str(stage.extension("folders").shown(key.node_tree)),
    }


stage.scenario(run)
