"""How it stands with a node, in words."""

from collections.abc import Sequence

import bpy

from . import folders, frames, record, settings
from . import node as nodes
from .places import links_to
from .problem import Problem

UP_TO_DATE = "up to date"

failures: dict[str, str] = {}
"""Identifier of a node -> what its last render in this session failed of."""


def of(node: bpy.types.Node, scene: bpy.types.Scene) -> str:
    """``up to date``, or what is not, by settings and files; that inputs changed is known after a check."""
    tree = node.node_tree
    if tree.vfxgen.identifier in failures:
        return f"failed: {failures[tree.vfxgen.identifier]}"
    try:
        return of_files(node, scene, settings.frame_range(tree, scene))
    except Problem as problem:
        return f"failed: {problem}"


def of_files(node: bpy.types.Node, scene: bpy.types.Scene, wanted: Sequence[int]) -> str:
    """The same for some frames, whatever the last render said."""
    tree = node.node_tree
    folder = folders.shown(tree)
    if folder is None:
        return "not rendered"
    missing = set(wanted) - folders.frames(folder, tree.vfxgen.operator)
    if missing:
        return f"frames {frames.text(missing)} missing"
    if not _shows(tree, wanted):
        return "settings changed (frame range)"
    made = record.read(folder)
    now = digest(node, scene)
    changed = {number: made.get(number, "") for number in wanted if made.get(number, "") != now}
    if not changed:
        return UP_TO_DATE
    inputs = [number for number, why in changed.items() if why == record.INPUTS_CHANGED]
    if inputs:
        return f"inputs changed (frames {frames.text(inputs)})"
    return "settings changed" + ("" if len(changed) == len(wanted) else f" (frames {frames.text(changed)})")


def digest(node: bpy.types.Node, scene: bpy.types.Scene) -> str:
    """The settings of a node as one word; with the scene, since two may show one tree, each with frames of its own."""
    declared = nodes.declaration(node.node_tree)
    linked = {link.to_socket.name for link in links_to(node)}
    inputs = [source["name"] for source in declared["inputs"] if source["label"] in linked]
    given = {**settings.values(node.node_tree), **settings.painted(node.node_tree)}
    return record.digest(scene.name, declared["name"], given, inputs)


def _shows(tree: bpy.types.NodeTree, wanted: Sequence[int]) -> bool:
    """Whether the node's image covers these frames: before its first it would be black, after its last it holds."""
    result = tree.nodes[nodes.RESULT]
    first, count = result.frame_start, result.frame_duration
    return not wanted or (first <= wanted[0] and wanted[-1] < first + count)
