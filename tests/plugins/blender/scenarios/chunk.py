"""Part of a shot again, as `blender -b shot.blend -s 3 -e 4 -a` does it; a render broken off; saved settings."""

import zlib
from pathlib import Path

import bpy
import stage


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    scene, tree = stage.empty_scene(1, 4)
    source = stage.images(tree, str(folder / "plate" / "plate.1001.exr"), 1, 4, 1000)
    upscale = stage.add(tree, "upscale", source.outputs["Image"])
    settings = upscale.node_tree.vfxgen.upscale
    settings.method, settings.temporal = "lanczos", 0.5
    tree.links.new(upscale.outputs["Image"], tree.nodes["Output"].inputs[0])
    scene.vfxgen_render_stale = True
    blend = str(folder / "chunk.blend")
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    bpy.ops.vfxgen.render(node="Upscale")
    bpy.ops.wm.save_mainfile()
    facts: dict[str, object] = {}
    made = stage.extension("folders").shown(upscale.node_tree)
    before = {path.name: path.stat().st_mtime_ns for path in made.glob("*.exr")}

    bpy.ops.wm.open_mainfile(filepath=blend)
    scene = bpy.data.scenes["Shot"]
    scene.frame_start, scene.frame_end = 3, 4
    scene.render.filepath = str(folder / "out.")
    bpy.ops.render.render(animation=True)
    facts["made again"] = sorted(n for n, time in before.items() if (made / n).stat().st_mtime_ns != time)

    scene.frame_start = 1
    place = stage.extension("places").Place(scene.name, ("Upscale",))
    upscale = place.node()
    settings = upscale.node_tree.vfxgen.upscale
    settings.temporal = 0.25
    steps = stage.extension("job").render(place)
    while all((made / n).stat().st_mtime_ns == time for n, time in before.items()):
        next(steps)
    settings.temporal = 0.5
    facts["broken off"] = stage.status(scene, upscale)
    steps.close()

    try:
        settings.keyframe_insert("temporal")
        facts["animated"] = "yes"
    except TypeError as error:
        facts["animated"] = str(error)
    methods = settings.bl_rna.properties["method"].enum_items
    facts["numbers"] = {item.identifier: item.value == zlib.crc32(item.identifier.encode()) >> 1 for item in methods}
    return facts


stage.scenario(run)
