"""A node: a plain group, which renders without the extension; its settings live on the tree inside."""

import os
import uuid
from typing import Any

import bpy

from . import schema, versions
from .problem import Problem

RESULT, PASS = "vfxgen result", "vfxgen pass"


def is_ours(node: bpy.types.Node | None) -> bool:
    """Whether it is one of vfxgen's."""
    tree = getattr(node, "node_tree", None)
    return tree is not None and bool(getattr(tree, "vfxgen", None)) and bool(tree.vfxgen.operator)


def add(tree: bpy.types.NodeTree, operator: str) -> bpy.types.Node:
    """Add the node of an operator to a compositor tree."""
    declared = schema.operators()[operator]
    node = tree.nodes.new("CompositorNodeGroup")
    node.node_tree = _inner_tree(declared)
    node.name = node.label = declared["label"]
    node.width = 180
    return node


def declaration(tree: bpy.types.NodeTree) -> dict[str, Any]:
    """The declaration of a node's operator.

    Raises
    ------
    Problem
        This extension does not know it.
    """
    found = schema.operators().get(tree.vfxgen.operator)
    if found is None:
        raise Problem(f"there is no operator {tree.vfxgen.operator!r} here: install the newer extension of this file")
    return found


def make_own(node: bpy.types.Node) -> bpy.types.NodeTree:
    """Give a copied node a tree, and so settings and files, of its own."""
    tree = node.node_tree
    if tree.library is not None:
        raise Problem(f"{node.label or node.name} is linked from {tree.library.filepath}: make it local to render it")
    if _count_users(tree) > 1:
        node.node_tree = tree = tree.copy()
        tree.vfxgen.identifier = _identifier()
    same = [
        other
        for other in bpy.data.node_groups
        if other != tree and getattr(other, "vfxgen", None) and other.vfxgen.identifier == tree.vfxgen.identifier
    ]
    if same:
        tree.vfxgen.identifier = _identifier()
    return tree


def show(tree: bpy.types.NodeTree, path: str, first: int, count: int) -> None:
    """Let the node give the image sequence that the file at `path` is of."""
    image = load_image(path, f"{tree.name} result", is_sequence=True)
    result = tree.nodes.get(RESULT) or tree.nodes.new("CompositorNodeImage")
    result.name, result.label, result.location = RESULT, "Result", (-40, 160)
    before, result.image = result.image, image
    if before is not None and before.users == 0:
        bpy.data.images.remove(before)
    result.frame_start, result.frame_duration, result.frame_offset = first, count, first - 1
    result.use_auto_refresh = True
    main, alpha, *layers = [output for output in result.outputs if output.enabled and not output.is_unavailable]
    leave = tree.nodes[PASS + " out"]
    _link(tree, main, leave.inputs["Image"])
    _link(tree, alpha, leave.inputs["Alpha"])
    for layer in layers:
        if layer.name not in leave.inputs:
            tree.interface.new_socket(layer.name, in_out="OUTPUT", socket_type="NodeSocketColor")
        _link(tree, layer, leave.inputs[layer.name])


def clear(tree: bpy.types.NodeTree) -> None:
    """Let the node pass its first input again."""
    result = tree.nodes.get(RESULT)
    if result is not None:
        image = result.image
        tree.nodes.remove(result)
        if image is not None and image.users == 0:
            bpy.data.images.remove(image)
    enter, split, leave = (tree.nodes[PASS + name] for name in (" in", " alpha", " out"))
    _link(tree, enter.outputs[0], leave.inputs["Image"])
    _link(tree, split.outputs["Alpha"], leave.inputs["Alpha"])


def result_file(tree: bpy.types.NodeTree) -> str:
    """A frame of what the node shows, as an absolute path; empty while it passes its input."""
    result = tree.nodes.get(RESULT)
    if result is None or result.image is None:
        return ""
    return os.path.normpath(bpy.path.abspath(result.image.filepath, library=result.image.library))


def _inner_tree(declared: dict[str, Any]) -> bpy.types.NodeTree:
    tree = bpy.data.node_groups.new(f"vfxgen {declared['label']}", "CompositorNodeTree")
    for source in declared["inputs"]:
        kind = "NodeSocketColor" if source["kind"] == "image" else "NodeSocketFloat"
        socket = tree.interface.new_socket(source["label"], in_out="INPUT", socket_type=kind)
        socket.description, socket.hide_value = source["help"].rstrip("."), True
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    tree.interface.new_socket("Alpha", in_out="OUTPUT", socket_type="NodeSocketFloat")
    for name, kind, x in (
        (" in", "NodeGroupInput", -260),
        (" alpha", "CompositorNodeSeparateColor", -40),
        (" out", "NodeGroupOutput", 200),
    ):
        node = tree.nodes.new(kind)
        node.name, node.location = PASS + name, (x, 0)
    tree.vfxgen.operator, tree.vfxgen.identifier = declared["name"], _identifier()
    _link(tree, tree.nodes[PASS + " in"].outputs[0], tree.nodes[PASS + " alpha"].inputs[0])
    clear(tree)
    return tree


def _identifier() -> str:
    return uuid.uuid4().hex[:8]


def _count_users(tree: bpy.types.NodeTree) -> int:
    embedded = [] if versions.IS_5 else [scene.node_tree for scene in bpy.data.scenes if scene.node_tree]
    return sum(
        getattr(node, "node_tree", None) == tree
        for holder in [*bpy.data.node_groups, *embedded]
        if holder.bl_idname == "CompositorNodeTree"
        for node in holder.nodes
    )


def load_image(path: str, name: str, is_sequence: bool) -> bpy.types.Image:
    """A new image from one of its files, with a path that begins at the .blend."""
    image = bpy.data.images.load(path, check_existing=False)
    image.name, image.source = name, "SEQUENCE" if is_sequence else "FILE"
    try:
        image.filepath = bpy.path.relpath(path)
    except ValueError:  # on another drive than the .blend: Windows has no relative path to it
        image.filepath = path
    return image


def _link(tree: bpy.types.NodeTree, source: bpy.types.NodeSocket, target: bpy.types.NodeSocket) -> None:
    tree.links.new(source, target)
