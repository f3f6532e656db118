"""Settings, saved with the file: a node's on the tree inside it, those of the other editors on the scene."""

from typing import Any

import bpy

from . import parameters, schema
from .editors import footage_inputs

_registered: list[type] = []


def values(tree: bpy.types.NodeTree) -> dict[str, Any]:
    """The parameters of a node as the worker takes them."""
    declared = schema.operators()[tree.vfxgen.operator]
    return parameters.values(declared, getattr(tree.vfxgen, declared["name"]))


def for_worker(tree: bpy.types.NodeTree) -> dict[str, Any]:
    """The same with whole paths."""
    return parameters.located(schema.operators()[tree.vfxgen.operator], values(tree))


def painted(tree: bpy.types.NodeTree) -> dict[str, list[int]]:
    """Input -> the frames it has, where the node says that it has but some."""
    declared = schema.operators()[tree.vfxgen.operator]
    return parameters.painted(declared, getattr(tree.vfxgen, declared["name"]))


def frame_range(tree: bpy.types.NodeTree, scene: bpy.types.Scene) -> range:
    """The frames that a node is to render."""
    settings = tree.vfxgen
    if settings.use_scene_range:
        return range(scene.frame_start, scene.frame_end + 1)
    return range(settings.frame_start, settings.frame_end + 1)


saved_ranges: dict[str, range] = {}
"""Scene -> its frames as the file has them, in a Blender without a window: ``-s`` and ``-e`` make a chunk of them."""


def shot_range(tree: bpy.types.NodeTree, scene: bpy.types.Scene) -> range:
    """The frames that there are around those to render: a chunk on a farm is no shorter shot."""
    asked = frame_range(tree, scene)
    saved = saved_ranges.get(scene.name) if tree.vfxgen.use_scene_range else None
    return range(min(asked.start, saved.start), max(asked.stop, saved.stop)) if saved and asked else asked


def register() -> None:
    """Make a class for every operator and hang them all on compositor trees and scenes."""
    annotations: dict[str, Any] = {
        "operator": bpy.props.StringProperty(options={"HIDDEN"}),
        "identifier": bpy.props.StringProperty(options={"HIDDEN"}),
        "use_scene_range": bpy.props.BoolProperty(
            name="Scene range", description="Render the frames of the scene", default=True, options=parameters.STILL
        ),
        "frame_start": bpy.props.IntProperty(
            name="First", description="First frame to render", default=1, min=0, options=parameters.STILL
        ),
        "frame_end": bpy.props.IntProperty(
            name="Last", description="Last frame to render", default=1, min=0, options=parameters.STILL
        ),
        "folder": bpy.props.StringProperty(
            name="Output",
            description="Folder for the node's own folder of frames. Empty: vfxgen, beside the .blend",
            subtype="DIR_PATH",
            options=parameters.STILL,
        ),
    }
    for name, declared in schema.operators().items():
        group = parameters.property_group(declared)
        _register(group)
        annotations[name] = bpy.props.PointerProperty(type=group)
    node_settings = type("VFXGEN_PG_node", (bpy.types.PropertyGroup,), {"__annotations__": annotations})
    _register(node_settings)
    editors = {name: annotations[name] for name in schema.operators()}
    for name, declared in schema.operators().items():
        group = footage_inputs.property_group(declared)
        _register(group)
        editors[f"{name}_inputs"] = bpy.props.PointerProperty(type=group)
    editor_settings = type("VFXGEN_PG_editors", (bpy.types.PropertyGroup,), {"__annotations__": editors})
    _register(editor_settings)
    bpy.types.Scene.vfxgen_editors = bpy.props.PointerProperty(type=editor_settings)
    bpy.types.CompositorNodeTree.vfxgen = bpy.props.PointerProperty(type=node_settings)
    bpy.types.Scene.vfxgen_render_stale = bpy.props.BoolProperty(
        name="Render stale nodes in background",
        description="A render without a window first renders the vfxgen nodes that are not up to date. "
        "Off: it stops with an error where one is not",
    )


def unregister() -> None:
    """Take everything back; what files hold stays in them."""
    del bpy.types.Scene.vfxgen_render_stale
    del bpy.types.Scene.vfxgen_editors
    del bpy.types.CompositorNodeTree.vfxgen
    while _registered:
        bpy.utils.unregister_class(_registered.pop())


def _register(group: type) -> None:
    bpy.utils.register_class(group)
    _registered.append(group)
