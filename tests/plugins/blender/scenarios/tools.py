"""The buttons of the preferences, and an undo."""

from pathlib import Path

import bpy
import stage


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    tree = stage.empty_scene(1, 2)[1]
    source = stage.images(tree, str(folder / "plate" / "plate.1001.exr"), 1, 4, 1000)
    grade = stage.add(tree, "grade", source.outputs["Image"])
    grade.node_tree.vfxgen.grade.saturation = 0.25
    tree.links.new(grade.outputs["Image"], tree.nodes["Output"].inputs[0])
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "tools.blend"))
    facts: dict[str, object] = {}
    facts.update(tested(folder, grade))
    bpy.ops.vfxgen.render(node="Grade")
    facts.update(undone())
    facts.update(cleaned())
    return facts


def tested(folder: Path, grade: bpy.types.Node) -> dict[str, object]:
    """Test with a wrong path, then with the right one."""
    preferences, found = stage.extension("preferences").current(), []
    preferences.environment = str(folder)
    try:
        bpy.ops.vfxgen.test()
    except RuntimeError:
        found.append(preferences.doctor)
    preferences.environment = ""
    bpy.ops.vfxgen.test()
    return {
        "doctor": [*found, preferences.doctor],
        "kept": stage.extension("settings").values(grade.node_tree)["saturation"],
        "refreshed": stage.extension("schema")._refreshed().is_file(),
    }


def undone() -> dict[str, object]:
    """A parameter is changed and the change undone: the frames are those of the settings again."""
    scene = bpy.data.scenes["Shot"]
    bpy.ops.ed.undo_push(message="Render")
    found = [stage.status(scene, node())]
    node().node_tree.vfxgen.grade.saturation = 0.75
    bpy.ops.ed.undo_push(message="Saturation")
    found.append(stage.status(scene, node()))
    bpy.ops.ed.undo()
    found.append(stage.status(bpy.data.scenes["Shot"], node()))
    return {"undone": found}


def node() -> bpy.types.Node:
    scene = bpy.data.scenes["Shot"]
    return (scene.compositing_node_group if stage.IS_5 else scene.node_tree).nodes["Grade"]


def cleaned() -> dict[str, object]:
    """What a Blender that was killed left in the cache."""
    cache = stage.extension("preferences").cache()
    (cache / "export_left").mkdir(parents=True)
    (cache / "export_left" / "plate.0001.exr").write_bytes(bytes(1000))
    size = stage.extension("folders").cache_size()
    bpy.ops.vfxgen.clean_cache()
    return {"size": size, "left": len(list(cache.iterdir()))}


stage.scenario(run)
