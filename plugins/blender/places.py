"""Where vfxgen's nodes stand in a scene's compositor, and in which order they feed one another."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import bpy

from . import node as nodes
from . import versions
from .problem import Problem


class Place(NamedTuple):
    """A node by names, which outlive an undo: its scene, the groups it is in, itself."""

    scene: str
    path: tuple[str, ...]

    def trees(self) -> list[bpy.types.NodeTree]:
        """The scene's tree and those of the groups down to the one the node is in.

        Raises
        ------
        Problem
            Something on the way is not there any more.
        """
        scene = bpy.data.scenes.get(self.scene)
        tree = versions.compositor_of(scene) if scene else None
        trees = [tree]
        for name in self.path[:-1]:
            group = tree.nodes.get(name) if tree else None
            tree = getattr(group, "node_tree", None)
            trees.append(tree)
        if tree is None or tree.nodes.get(self.path[-1]) is None:
            raise Problem(f"the node {self.path[-1]!r} is not there any more")
        return trees

    def node(self) -> bpy.types.Node:
        """The node itself."""
        return self.trees()[-1].nodes[self.path[-1]]


def every(scene: bpy.types.Scene) -> list[Place]:
    """All vfxgen nodes that a scene's output shows, those that feed others first."""
    tree = versions.compositor_of(scene)
    if tree is None:
        return []
    walk = _Walk(scene.name)
    outputs = [node for node in tree.nodes if node.bl_idname in versions.OUTPUTS and not node.mute]
    return [place for node in outputs for place in walk.through(tree, node, ())]


def count(scene: bpy.types.Scene, node: bpy.types.Node) -> int:
    """How often a scene's output shows a node: more than once where its group is used twice."""
    return sum(place.node() == node for place in every(scene))


def before(place: Place) -> list[Place]:
    """The vfxgen nodes that feed a node, farthest first."""
    walk = _Walk(place.scene)
    found: list[Place] = []
    for depth, (tree, name) in enumerate(zip(place.trees(), place.path, strict=True)):
        found += walk.behind(tree, tree.nodes[name], place.path[:depth])
    return found


def of_active_node(context: bpy.types.Context) -> Place:
    """The active node of a node editor.

    Raises
    ------
    Problem
        The groups that are open cannot be followed from the scene's own tree.
    """
    editor, path = context.space_data, []
    trees = [step.node_tree for step in editor.path]
    for outer, inner in pairwise(trees):
        groups = [node for node in outer.nodes if getattr(node, "node_tree", None) == inner]
        if not groups:
            raise Problem("the open group is not in this scene's compositor")
        path.append((outer.nodes.active if outer.nodes.active in groups else groups[0]).name)
    if not trees or trees[0] != versions.compositor_of(context.scene):
        raise Problem("show this scene's compositor in the node editor: what is pinned there is another one")
    return Place(context.scene.name, (*path, trees[-1].nodes.active.name))


def links_to(node: bpy.types.Node) -> Iterator[bpy.types.NodeLink]:
    """The links that bring something to a node."""
    for socket in node.inputs:
        for link in socket.links:
            if link.is_valid and not link.is_muted:
                yield link


class _Walk:
    """Against the links, into groups, each node once."""

    def __init__(self, scene: str) -> None:
        self._scene = scene
        self._seen: set[tuple[str, ...]] = set()

    def behind(self, tree: bpy.types.NodeTree, node: bpy.types.Node, path: tuple[str, ...]) -> Iterator[Place]:
        for link in links_to(node):
            yield from self.through(tree, link.from_node, path)

    def through(self, tree: bpy.types.NodeTree, node: bpy.types.Node, path: tuple[str, ...]) -> Iterator[Place]:
        here = (*path, node.name)
        if here in self._seen:
            return
        self._seen.add(here)
        yield from self.behind(tree, node, path)
        inner = getattr(node, "node_tree", None)
        if node.mute or inner is None:
            return
        if nodes.is_ours(node):
            yield Place(self._scene, here)
            return
        for leave in inner.nodes:
            if leave.bl_idname in versions.OUTPUTS:
                yield from self.through(inner, leave, here)
