"""What feeds a node, rendered to float EXR by a scene that lives for one frame."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import bpy

from . import editor_frames, exr_header, versions
from .places import Place, links_to
from .problem import Problem

Stage = Callable[[list[dict[str, Any]], int, Path], AbstractContextManager[bpy.types.Scene]]
"""Inputs, frame, folder -> a scene for as long as it is needed, at that frame, that writes them to the folder."""

_under_way: set[str] = set()


def is_under_way() -> bool:
    """Whether the render that Blender just began is one of ours."""
    return bool(_under_way)


def linked_inputs(node: bpy.types.Node, declared: dict[str, Any]) -> list[dict[str, Any]]:
    """The declared inputs that have something linked.

    Raises
    ------
    Problem
        One that the operator needs has nothing.
    """
    by_name = {link.to_socket.name for link in links_to(node)}
    for source in declared["inputs"]:
        if not source["optional"] and source["label"] not in by_name:
            raise Problem(f"nothing is linked to {source['label']}")
    return [source for source in declared["inputs"] if source["label"] in by_name]


def of_node(place: Place) -> Stage:
    """Where what feeds a node is rendered: a copy of its scene."""
    return partial(_scene_for, place)


def frame(stage: Stage, inputs: list[dict[str, Any]], number: int, folder: Path) -> None:
    """Render one frame of `inputs`, to ``folder/NAME.0001.exr``.

    Raises
    ------
    Problem
        Blender could not render or write it.
    """
    wanted = {source["name"]: file(folder, source["name"], number) for source in inputs}
    for path in wanted.values():
        path.unlink(missing_ok=True)
    with editor_frames.kept(), stage(inputs, number, folder) as scene, bpy.context.temp_override(scene=scene):
        _under_way.add(scene.name)
        try:
            finished = bpy.ops.render.render()
        except RuntimeError as error:
            raise Problem(f"frame {number}: {str(error).strip().removeprefix('Error: ')}") from None
        finally:
            _under_way.discard(scene.name)
    for name, path in wanted.items():
        if finished != {"FINISHED"} or not path.is_file():
            raise Problem(
                f"frame {number}: Blender wrote nothing of what feeds {name}: a file of an image sequence is missing, "
                f"it is one value and no picture, or the disk of {folder} is full"
            )
        if not _is_whole(path):
            raise Problem(f"frame {number}: {path} was cut off: the disk is full")


def file(folder: Path, name: str, number: int) -> Path:
    """Where a frame of an input is."""
    return folder / f"{name}.{number:04d}.exr"


def _is_whole(path: Path) -> bool:
    """Whether an export has all its pixels: 32 bits a channel, uncompressed."""
    header = exr_header.read(path)
    if header is None:
        return False
    left, top, right, bottom = header.window
    return path.stat().st_size > 4 * len(header.channels) * (right - left + 1) * (bottom - top + 1)


def channels(source: dict[str, Any]) -> str:
    """How an input is stored: a matte without alpha, which would be taken for the matte."""
    return "RGBA" if source["kind"] == "image" else "RGB"


def reading(source: dict[str, Any], folder: Path) -> dict[str, str]:
    """How the worker is to read an exported input."""
    space = versions.scene_linear()
    colorspace = space if source["kind"] == "image" else "Raw"
    return {"path": str(folder / f"{source['name']}.####.exr"), "colorspace": colorspace, "working_space": space}


@contextmanager
def _scene_for(place: Place, inputs: list[dict[str, Any]], number: int, folder: Path) -> Iterator[bpy.types.Scene]:
    original = bpy.data.scenes[place.scene]
    scene = original.copy()
    trees = versions.copy_compositor(scene)
    try:
        configure(scene)
        tree = versions.compositor_of(scene)
        for name in place.path[:-1]:
            tree = _enter(tree, name, trees)
        _add_outputs(tree, tree.nodes[place.path[-1]], inputs, number, str(folder) + os.sep)
        for own in [versions.compositor_of(scene), *trees]:
            _retarget(own, original, scene, trees)
        with bpy.context.temp_override(scene=scene):
            scene.frame_set(number)
        yield scene
    finally:
        bpy.data.scenes.remove(scene)
        for own in trees:
            bpy.data.node_groups.remove(own)


def configure(scene: bpy.types.Scene) -> None:
    """Let a scene render its compositor alone, the same on every machine.

    Raises
    ------
    Problem
        It renders in stereo.
    """
    render = scene.render
    if render.use_multiview:
        raise Problem("stereoscopy is on in the scene's output properties: vfxgen renders one view; turn it off")
    versions.exact(scene)
    render.use_compositing, render.use_sequencer, render.use_border = True, False, False
    render.use_file_extension = True
    for setting in render.bl_rna.properties:
        # Dates in a header would make every export a new file, and every frame stale.
        if setting.identifier.startswith("use_stamp"):
            setattr(render, setting.identifier, False)


def _enter(tree: bpy.types.NodeTree, name: str, trees: list[bpy.types.NodeTree]) -> bpy.types.NodeTree:
    """The tree inside a group, as a copy; around the group only what feeds it is left."""
    group = tree.nodes[name]
    _keep_only(tree, group)
    group.mute = False
    group.node_tree = inner = group.node_tree.copy()
    trees.append(inner)
    return inner


def _add_outputs(
    tree: bpy.types.NodeTree, node: bpy.types.Node, inputs: list[dict[str, Any]], number: int, folder: str
) -> None:
    _keep_only(tree, node)
    sources = {link.to_socket.name: link.from_socket for link in links_to(node)}
    for source in inputs:
        add_output(tree, sources[source["label"]], source, number, folder)
    tree.nodes.remove(node)


def add_output(
    tree: bpy.types.NodeTree, socket: bpy.types.NodeSocket, source: dict[str, Any], number: int, folder: str
) -> None:
    """Let a tree write what a socket gives, as the worker is to read it."""
    if source["kind"] == "matte":
        socket = _as_grey(tree, socket)
    output = versions.file_output(tree, folder, source["name"], number, channels(source))
    tree.links.new(socket, output.inputs[0])


def _as_grey(tree: bpy.types.NodeTree, socket: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """One number a pixel as R, G and B: Blender 4.2 writes a bare number as a channel V, which nobody else reads."""
    grey = tree.nodes.new("CompositorNodeCombineColor")
    for channel in grey.inputs[:3]:
        tree.links.new(socket, channel)
    return grey.outputs[0]


def _keep_only(tree: bpy.types.NodeTree, node: bpy.types.Node) -> None:
    """Remove everything but a node and what feeds it: other outputs would write, other layers would render."""
    kept, waiting = {node.name}, [node]
    while waiting:
        for link in links_to(waiting.pop()):
            if link.from_node.name not in kept:
                kept.add(link.from_node.name)
                waiting.append(link.from_node)
    parents = {tree.nodes[name].parent.name for name in kept if tree.nodes[name].parent}
    for other in [other for other in tree.nodes if other.name not in kept | parents]:
        tree.nodes.remove(other)


def _retarget(
    tree: bpy.types.NodeTree, original: bpy.types.Scene, scene: bpy.types.Scene, trees: list[bpy.types.NodeTree]
) -> None:
    """Let Render Layers, in groups too, render the copied scene: the original's current frame would move."""
    for node in tree.nodes:
        inner = getattr(node, "node_tree", None)
        if node.bl_idname == "CompositorNodeRLayers" and node.scene == original:
            node.scene = scene
        elif inner is not None and inner not in trees and _acts(inner, original):
            node.node_tree = own = inner.copy()
            trees.append(own)
            for output in [other for other in own.nodes if other.bl_idname == "CompositorNodeOutputFile"]:
                own.nodes.remove(output)
            _retarget(own, original, scene, trees)


def _acts(tree: bpy.types.NodeTree, scene: bpy.types.Scene) -> bool:
    return any(
        node.bl_idname == "CompositorNodeOutputFile"
        or (node.bl_idname == "CompositorNodeRLayers" and node.scene == scene)
        or (getattr(node, "node_tree", None) is not None and _acts(node.node_tree, scene))
        for node in tree.nodes
    )
