"""Which inputs are taken from their files as they stand, and what Blender exports of the same."""

from collections.abc import Iterator
from pathlib import Path

import bpy
import stage

FRAMES = [1, 2, 3, 4]
Case = tuple[str, bpy.types.NodeSocket]


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    scene, tree = stage.empty_scene(1, 4)
    grade = stage.add(tree, "grade")
    tree.links.new(grade.outputs["Image"], tree.nodes["Output"].inputs[0])
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "plain.blend"))
    place = stage.extension("places").Place(scene.name, (grade.name,))
    plain, export = stage.extension("plain"), stage.extension("export")
    found: dict[str, list[str]] = {}
    for name, socket in cases(tree, folder):
        tree.links.new(socket, grade.inputs["Plate"])
        source = export.linked_inputs(grade, stage.extension("node").declaration(grade.node_tree))[0]
        files = plain.files(place, source, FRAMES)
        found[name] = [str(files[number].relative_to(folder)) for number in files]
        exports = folder / "exports" / name
        exports.mkdir(parents=True)
        for number in files:
            export.frame(export.of_node(place), [source], number, exports)
    return {"files": found, "matte": matte(tree, place, folder)}


def cases(tree: bpy.types.NodeTree, folder: Path) -> Iterator[Case]:
    plate = str(folder / "plate" / "plate.1001.exr")
    for name in ("plate", "rgba", "half", "dwaa", "layered", "window"):
        yield name, stage.images(tree, str(folder / name / f"{name}.1001.exr"), 1, 4, 1000).outputs[0]
    reroute = tree.nodes.new("NodeReroute")
    tree.links.new(stage.images(tree, plate, 1, 4, 1000).outputs[0], reroute.inputs[0])
    yield "reroute", reroute.outputs[0]
    yield "earlier", stage.images(tree, plate, -1, 6, 1000).outputs[0]
    still = stage.images(tree, plate, 1, 1, 1000)
    still.image.source = "FILE"
    yield "still", still.outputs[0]
    data = stage.images(tree, plate, 1, 4, 1000)
    data.image.colorspace_settings.name = "Non-Color"
    yield "data", data.outputs[0]
    display = stage.images(tree, plate, 1, 4, 1000)
    display.image.colorspace_settings.name = "sRGB"
    yield "display", display.outputs[0]
    straight = stage.images(tree, str(folder / "rgba" / "rgba.1001.exr"), 1, 4, 1000)
    straight.image.alpha_mode = "STRAIGHT"
    yield "straight", straight.outputs[0]
    yield "shorter", stage.images(tree, plate, 1, 3, 1000).outputs[0]
    yield "gap", stage.images(tree, plate, 1, 5, 1001).outputs[0]
    cyclic = stage.images(tree, plate, 1, 2, 1000)
    cyclic.use_cyclic = True
    yield "cyclic", cyclic.outputs[0]
    packed = stage.images(tree, plate, 1, 4, 1000)
    packed.image.source = "FILE"
    packed.image.pack()
    yield "packed", packed.outputs[0]
    muted = stage.images(tree, plate, 1, 4, 1000)
    muted.mute = True
    yield "muted", muted.outputs[0]
    flip = tree.nodes.new("CompositorNodeFlip")
    tree.links.new(stage.images(tree, plate, 1, 4, 1000).outputs[0], flip.inputs[0])
    yield "flip", flip.outputs[0]
    yield "alpha", stage.images(tree, plate, 1, 4, 1000).outputs[1]
    before = stage.add(tree, "grade", stage.images(tree, plate, 1, 4, 1000).outputs[0])
    yield "passing", before.outputs["Image"]
    stage.extension("node").show(before.node_tree, str(folder / "rgba" / "rgba.1001.exr"), 1, 4)
    before.node_tree.nodes["vfxgen result"].frame_offset = 1000
    yield "node before", before.outputs["Image"]
    before.mute = True
    yield "muted node before", before.outputs["Image"]
    moving = stage.images(tree, plate, 1, 4, 1000)
    moving.keyframe_insert("frame_offset", frame=1)
    yield "animated", moving.outputs[0]
    tree.animation_data_clear()


def matte(tree: bpy.types.NodeTree, place: object, folder: Path) -> int:
    """A mask weighs colours, whatever is linked to it: never a file."""
    grade = tree.nodes[place.path[-1]]
    plate = stage.images(tree, str(folder / "plate" / "plate.1001.exr"), 1, 4, 1000)
    tree.links.new(plate.outputs[0], grade.inputs["Mask"])
    declared = stage.extension("node").declaration(grade.node_tree)
    mask = next(source for source in declared["inputs"] if source["name"] == "mask")
    return len(stage.extension("plain").files(place, mask, FRAMES))


stage.scenario(run)
