"""A group with a rendered node, appended to a file elsewhere and rendered anew there, with an undo; then linked."""

from pathlib import Path

import bpy
import stage


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    facts: dict[str, object] = {}
    library = made(folder)
    facts["made"] = files(folder / "a")
    scene, group = brought(folder, library, link=False)
    grade = group.node_tree.nodes["Grade"]
    facts["appended"] = [stage.status(scene, grade)]
    stage.write(scene, group.outputs[0], folder / "appended", range(1, 3))
    grade.node_tree.vfxgen.grade.saturation = 0.25
    facts["appended"].append(stage.status(scene, grade))
    undone(scene)
    scene = bpy.data.scenes["Shot"]
    grade = bpy.data.node_groups["Look"].nodes["Grade"]
    facts["appended"].append(stage.status(scene, grade))
    facts["scenes"] = len(bpy.data.scenes)
    facts["after"] = files(folder / "a")
    facts["own"] = str(stage.extension("folders").shown(grade.node_tree).relative_to(folder))
    scene, group = brought(folder, library, link=True)
    facts["linked"] = [stage.status(scene, group.node_tree.nodes["Grade"])]
    stage.write(scene, group.outputs[0], folder / "linked", range(1, 3))
    try:
        bpy.ops.vfxgen.render(node="Look/Grade")
    except RuntimeError as error:
        facts["linked"].append(str(error).strip())
    return facts


def made(folder: Path) -> str:
    """The file that the group comes from."""
    scene, tree = stage.empty_scene(1, 2)
    look = bpy.data.node_groups.new("Look", "CompositorNodeTree")
    for way in ("INPUT", "OUTPUT"):
        look.interface.new_socket("Image", in_out=way, socket_type="NodeSocketColor")
    enter, leave = look.nodes.new("NodeGroupInput"), look.nodes.new("NodeGroupOutput")
    grade = stage.add(look, "grade", enter.outputs[0])
    grade.node_tree.vfxgen.grade.saturation = 0.5
    look.links.new(grade.outputs["Image"], leave.inputs[0])
    group = shown(folder, tree, look)
    path = folder / "a" / "a.blend"
    path.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.vfxgen.render(node="Look/Grade")
    stage.write(scene, group.outputs[0], folder / "shown", range(1, 3))
    bpy.ops.wm.save_mainfile()
    return str(path)


def brought(folder: Path, library: str, link: bool) -> tuple[bpy.types.Scene, bpy.types.Node]:
    """Another file, in another folder, with the group of the first."""
    bpy.ops.wm.read_homefile(use_empty=True)
    scene, tree = stage.empty_scene(1, 2)
    path = folder / ("c" if link else "b") / "deeper" / "other.blend"
    path.parent.mkdir(parents=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    with bpy.data.libraries.load(library, link=link, relative=True) as (there, here):
        here.node_groups = [name for name in there.node_groups if name == "Look"]
    return scene, shown(folder, tree, bpy.data.node_groups["Look"])


def shown(folder: Path, tree: bpy.types.NodeTree, look: bpy.types.NodeTree) -> bpy.types.Node:
    source = stage.images(tree, str(folder / "plate" / "plate.1001.exr"), 1, 4, 1000)
    group = tree.nodes.new("CompositorNodeGroup")
    group.name, group.node_tree = "Look", look
    tree.links.new(source.outputs["Image"], group.inputs[0])
    tree.links.new(group.outputs[0], tree.nodes["Output"].inputs[0])
    return group


def undone(scene: bpy.types.Scene) -> None:
    """Render, and meanwhile undo something else: the data that the steps began with is replaced."""
    bpy.ops.ed.undo_push(message="before")
    scene["note"] = 1
    bpy.ops.ed.undo_push(message="note")
    steps = stage.extension("job").render(stage.extension("places").Place("Shot", ("Look", "Grade")))
    for _ in range(3):
        next(steps)
    bpy.ops.ed.undo()
    assert "note" not in bpy.data.scenes["Shot"]
    stage.extension("task").finish(steps)


def files(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in folder.rglob("*.exr")}


stage.scenario(run)
