"""What differs between Blender 4.2 and 5.2."""

import os

import bpy

IS_5 = bpy.app.version >= (5, 0, 0)
Strip = bpy.types.Strip if hasattr(bpy.types, "Strip") else bpy.types.Sequence
OUTPUTS = ("CompositorNodeComposite", "NodeGroupOutput", "CompositorNodeOutputFile")


def compositor_of(scene: bpy.types.Scene) -> bpy.types.NodeTree | None:
    """The scene's compositor tree; None while it has none."""
    if IS_5:
        return scene.compositing_node_group
    return scene.node_tree if scene.use_nodes else None


def copy_compositor(scene: bpy.types.Scene) -> list[bpy.types.NodeTree]:
    """Give a copied scene a compositor tree of its own; the trees to remove with it."""
    if not IS_5:
        return []
    scene.compositing_node_group = scene.compositing_node_group.copy()
    return [scene.compositing_node_group]


def new_compositor(scene: bpy.types.Scene) -> bpy.types.NodeTree:
    """Give a scene an empty compositor tree."""
    if IS_5:
        scene.compositing_node_group = bpy.data.node_groups.new("vfxgen", "CompositorNodeTree")
        return scene.compositing_node_group
    scene.use_nodes = True
    scene.node_tree.nodes.clear()
    return scene.node_tree


def blur_mask(node: bpy.types.Node, shutter: float) -> None:
    """Let a Mask node blur what moves while the shutter is open, in frames."""
    if "Motion Blur" in node.inputs:
        node.inputs["Motion Blur"].default_value, node.inputs["Shutter"].default_value = True, shutter
    else:
        node.use_motion_blur, node.motion_blur_shutter = True, shutter


def strips_of(holder: bpy.types.SequenceEditor | Strip, which: str = "") -> bpy.types.bpy_prop_collection:
    """The strips of a sequence editor or of a meta strip; `_all`: those in meta strips too."""
    return getattr(holder, ("strips" if hasattr(holder, "strips") else "sequences") + which)


def scene_linear() -> str:
    """The colour space of what the compositor computes and float EXR files hold, as vfxgen names it."""
    # With the variable both have one configuration, without it each its own. Debian's Blender sets it itself.
    if os.environ.get("OCIO"):
        return bpy.data.colorspace.working_space if IS_5 else "scene_linear"
    return bpy.data.colorspace.working_space_interop_id if IS_5 else "lin_rec709_scene"


def scene_linear_names() -> tuple[str, ...]:
    """What Blender calls the colour space that its compositor computes in."""
    if IS_5:
        return ("scene_linear", bpy.data.colorspace.working_space)
    return () if os.environ.get("OCIO") else ("Linear Rec.709",)


def exact(scene: bpy.types.Scene) -> None:
    """Let a scene compute in full float on the processor, so that its pixels are the same on every machine."""
    if hasattr(scene.render, "compositor_device"):
        scene.render.compositor_device = "CPU"
    if hasattr(scene.render, "compositor_precision"):
        scene.render.compositor_precision = "FULL"


def file_output(tree: bpy.types.NodeTree, folder: str, name: str, number: int, channels: str) -> bpy.types.Node:
    """A File Output that writes float EXR to ``folder/name.0001.exr``."""
    node = tree.nodes.new("CompositorNodeOutputFile")
    if IS_5:
        node.format.media_type = "IMAGE"
    node.format.file_format = "OPEN_EXR"
    node.format.color_mode, node.format.color_depth, node.format.exr_codec = channels, "32", "NONE"
    if IS_5:
        node.directory, node.file_name = folder, f"{name}.{number:04d}"
        node.file_output_items.new("RGBA", "")
    else:
        node.base_path = folder
        node.file_slots[0].path = f"{name}."
    return node
