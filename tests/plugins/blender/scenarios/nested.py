"""A node in a group that a 3D render feeds, in one of two scenes; the user's own outputs and frame are left alone."""

from pathlib import Path

import bpy
import stage


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    scene, tree = stage.empty_scene(1, 3)
    moving_light(scene)
    layers = tree.nodes.new("CompositorNodeRLayers")
    layers.scene = scene
    group = tree.nodes.new("CompositorNodeGroup")
    group.name, group.node_tree = "Look", look()
    tree.links.new(layers.outputs["Image"], group.inputs[0])
    tree.links.new(group.outputs[0], tree.nodes["Output"].inputs[0])
    users_own(tree, layers.outputs["Image"], folder / "own")
    other = scene.copy()
    other.name = "Other"
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "nested.blend"))
    scene.frame_current, other.frame_current = 3, 2
    bpy.ops.vfxgen.render(node="Look/Grade", scene=scene.name)
    facts: dict[str, object] = {
        "frames": [scene.frame_current, other.frame_current],
        "scenes": sorted(one.name for one in bpy.data.scenes),
        "trees": sorted(one.name for one in bpy.data.node_groups),
        "own": [file.name for file in (folder / "own").glob("*")],
        "status": stage.status(scene, group.node_tree.nodes["Grade"]),
        "other scene": stage.status(other, group.node_tree.nodes["Grade"]),
        "twice": twice(tree, group),
        "order": [list(place.path) for place in stage.extension("places").every(scene)],
    }
    tree.nodes.remove(tree.nodes["Own"])
    flip = tree.nodes.new("CompositorNodeFlip")
    tree.links.new(layers.outputs["Image"], flip.inputs[0])
    stage.write(scene, group.outputs[0], folder / "shown", range(1, 4))
    stage.write(scene, flip.outputs[0], folder / "source", range(1, 4))
    return facts


def twice(tree: bpy.types.NodeTree, group: bpy.types.Node) -> str:
    """What a render says where the group is used twice."""
    second = tree.nodes.new("CompositorNodeGroup")
    second.node_tree = group.node_tree
    over = tree.nodes.new("CompositorNodeAlphaOver")
    images = [socket for socket in over.inputs if socket.type == "RGBA"]
    for source, target in zip((group, second), images, strict=True):
        tree.links.new(source.outputs[0], target)
    tree.links.new(over.outputs[0], tree.nodes["Output"].inputs[0])
    try:
        bpy.ops.vfxgen.render(node="Look/Grade", scene="Shot")
    except RuntimeError as error:
        return str(error)
    finally:
        tree.links.new(group.outputs[0], tree.nodes["Output"].inputs[0])
        stage.extension("status").failures.clear()
    return "rendered"


def look() -> bpy.types.NodeTree:
    """A group: flip, then two grades that feed one another."""
    tree = bpy.data.node_groups.new("Look", "CompositorNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Image", in_out=way, socket_type="NodeSocketColor")
    enter, leave = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    flip = tree.nodes.new("CompositorNodeFlip")
    tree.links.new(enter.outputs[0], flip.inputs[0])
    first = stage.add(tree, "grade", flip.outputs[0])
    first.name = "Gain"
    first.node_tree.vfxgen.grade.slope = (2.0, 2.0, 2.0)
    second = stage.add(tree, "grade", first.outputs["Image"])
    second.name = "Grade"
    second.node_tree.vfxgen.grade.saturation = 0.5
    tree.links.new(second.outputs["Image"], leave.inputs[0])
    return tree


def moving_light(scene: bpy.types.Scene) -> None:
    """A sphere of light that moves, rendered by Cycles with a few samples."""
    bpy.ops.preferences.addon_enable(module="cycles")
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 2, False
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        bpy.ops.mesh.primitive_uv_sphere_add()
        ball = bpy.context.object
        bpy.ops.object.camera_add(location=(0, 0, 8))
        scene.camera = bpy.context.object
    material = bpy.data.materials.new("Light")
    material.use_nodes = True
    nodes = material.node_tree.nodes
    nodes.clear()
    light, surface = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeOutputMaterial")
    light.inputs["Color"].default_value = (3.0, 0.4, 0.1, 1.0)
    material.node_tree.links.new(light.outputs[0], surface.inputs[0])
    ball.data.materials.append(material)
    for number in (1, 3):
        ball.location.x = number - 2
        ball.keyframe_insert("location", frame=number)


def users_own(tree: bpy.types.NodeTree, socket: bpy.types.NodeSocket, folder: Path) -> None:
    """A File Output of the user's, which only the user's renders may write."""
    node = tree.nodes.new("CompositorNodeOutputFile")
    node.name = "Own"
    if stage.IS_5:
        node.directory = str(folder)
        node.file_output_items.new("RGBA", "")
    else:
        node.base_path = str(folder)
    tree.links.new(socket, node.inputs[0])


stage.scenario(run)
