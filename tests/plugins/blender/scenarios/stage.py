"""What the scenarios share: a small scene, the extension's modules, nodes of Blender whatever its version."""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

EXTENSION = "bl_ext.user_default.vfxgen"
IS_5 = bpy.app.version >= (5, 0, 0)
SIZE = (48, 36)


def extension(name: str) -> Any:
    """A module of the installed extension."""
    return importlib.import_module(f"{EXTENSION}.{name}")


def scenario(run: Callable[[Path], dict[str, Any]]) -> None:
    """Run with the folder in argv[1]; leave what it returns in facts.json there, or a traceback on stderr."""
    folder = Path(sys.argv[1])
    faulthandler.enable()
    try:
        (folder / "facts.json").write_text(json.dumps(run(folder)))
        code = 0
    except BaseException:
        traceback.print_exc()
        code = 1
    if EXTENSION in bpy.context.preferences.addons:
        extension("worker").close()
    sys.stdout.flush()
    sys.stderr.flush()
    # The module's own end hangs in Blender 4.5 where a property group is registered.
    os._exit(code)


def enable() -> None:
    """Turn the installed extension on."""
    bpy.ops.preferences.addon_enable(module=EXTENSION)


def empty_scene(first: int, last: int) -> tuple[bpy.types.Scene, bpy.types.NodeTree]:
    """A scene of its own with an empty compositor; every other scene is gone."""
    scene = bpy.data.scenes.new("Shot")
    for other in [other for other in bpy.data.scenes if other != scene]:
        bpy.data.scenes.remove(other)
    scene.frame_start, scene.frame_end = first, last
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.resolution_percentage = 100
    scene.render.compositor_precision = "FULL"
    return scene, compositor(scene)


def compositor(scene: bpy.types.Scene) -> bpy.types.NodeTree:
    """The scene's compositor tree, empty and with an output."""
    if IS_5:
        tree = bpy.data.node_groups.new("Compositor", "CompositorNodeTree")
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        scene.compositing_node_group = tree
    else:
        scene.use_nodes = True
        tree = scene.node_tree
        tree.nodes.clear()
    tree.nodes.new("NodeGroupOutput" if IS_5 else "CompositorNodeComposite").name = "Output"
    return tree


def images(tree: bpy.types.NodeTree, file: str, first: int, count: int, offset: int) -> bpy.types.Node:
    """An Image node on a sequence: scene frame `first` shows file `first + offset`."""
    image = bpy.data.images.load(file, check_existing=False)
    image.source = "SEQUENCE"
    node = tree.nodes.new("CompositorNodeImage")
    node.image = image
    node.frame_start, node.frame_duration, node.frame_offset = first, count, first + offset - 1
    return node


def write(scene: bpy.types.Scene, socket: bpy.types.NodeSocket, folder: Path, frames: range) -> None:
    """What a socket of the scene's tree gives, up to date or not, as float EXR: ``folder/out.0001.exr``."""
    guards, bpy.app.handlers.render_init[:] = list(bpy.app.handlers.render_init), []
    tree = scene.compositing_node_group if IS_5 else scene.node_tree
    folder.mkdir(parents=True, exist_ok=True)
    node = tree.nodes.new("CompositorNodeOutputFile")
    if IS_5:
        node.format.media_type = "IMAGE"
    node.format.file_format, node.format.color_mode, node.format.color_depth = "OPEN_EXR", "RGBA", "32"
    if IS_5:
        node.directory = str(folder)
        node.file_output_items.new("RGBA", "")
    else:
        node.base_path = str(folder)
        node.file_slots[0].path = "out."
    tree.links.new(socket, node.inputs[0])
    for number in frames:
        if IS_5:
            node.file_name = f"out.{number:04d}"
        scene.frame_set(number)
        with bpy.context.temp_override(scene=scene):
            bpy.ops.render.render()
    tree.nodes.remove(node)
    bpy.app.handlers.render_init[:] = guards


def add(tree: bpy.types.NodeTree, operator: str, source: bpy.types.NodeSocket | None = None) -> bpy.types.Node:
    """A vfxgen node, its first input linked."""
    node = extension("node").add(tree, operator)
    if source is not None:
        tree.links.new(source, node.inputs[0])
    return node


def status(scene: bpy.types.Scene, node: bpy.types.Node) -> str:
    """What its panel says."""
    return str(extension("status").of(node, scene))


@contextmanager
def area(kind: str) -> Iterator[bpy.types.Space]:
    """An area of the window, which is there although nobody sees it, as an editor."""
    window = bpy.context.window
    if hasattr(window.workspace, "sequencer_scene"):
        window.workspace.sequencer_scene = window.scene
    found = window.screen.areas[0]
    found.type = kind
    region = next(region for region in found.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=found, region=region):
        yield found.spaces[0]


def half_speed(strip: bpy.types.bpy_struct) -> None:
    """Retime a strip, in a sequencer."""
    editor = strip.id_data.sequence_editor
    for other in extension("versions").strips_of(editor):
        other.select = other == strip
    editor.active_strip = strip
    bpy.ops.sequencer.retiming_show()
    bpy.ops.sequencer.retiming_reset()
    bpy.ops.sequencer.retiming_segment_speed_set(speed=50, keep_retiming=True)
