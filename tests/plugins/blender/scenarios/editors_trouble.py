"""What the operators of the editors say of what they cannot do, and what one that is stopped leaves."""

from collections.abc import Callable
from pathlib import Path

import bpy
import stage


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    scene = stage.empty_scene(1, 4)[0]
    bpy.context.window.scene = scene
    image = bpy.data.images.new("Painted", *stage.SIZE, float_buffer=True)
    said = {"unsaved": tried(bpy.ops.vfxgen.image, operator="grade", image=image.name)}
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "trouble.blend"))
    return {"said": {**said, **failures(folder, scene)}, "stopped": stopped(scene), "undone": undone(scene)}


def failures(folder: Path, scene: bpy.types.Scene) -> dict[str, str]:
    clips, inputs = bpy.data.movieclips, scene.vfxgen_editors
    plate, movie = (clips.load(str(folder / name)).name for name in ("plate/plate.1001.exr", "movie.mkv"))
    gap = clips.load(str(folder / "gap" / "plate.1001.exr")).name
    said = {
        "no mask": tried(bpy.ops.vfxgen.clip, operator="cleanplate", clip=plate),
        "unknown": tried(bpy.ops.vfxgen.clip, operator="shine", clip=plate),
        "no image": tried(bpy.ops.vfxgen.image, operator="grade", image="nobody"),
        "nothing open": tried(bpy.ops.vfxgen.image, operator="grade"),
        "no clip": tried(bpy.ops.vfxgen.clip, operator="grade"),
        "no strip": tried(bpy.ops.vfxgen.strip, operator="grade"),
        "no camera": tried(bpy.ops.vfxgen.camera),
        "gap": tried(bpy.ops.vfxgen.clip, operator="grade", clip=gap),
    }
    stage.write(scene, stage.compositor(scene).nodes.new("CompositorNodeRGB").outputs[0], folder / "any", range(1, 2))
    said["render"] = tried(bpy.ops.vfxgen.image, operator="grade", image="Render Result")
    inputs.grade_inputs.mask = bpy.data.images.load(str(folder / "matte" / "matte.1001.exr"))
    inputs.grade_inputs.mask.source = "SEQUENCE"
    said["other numbers"] = tried(bpy.ops.vfxgen.clip, operator="grade", clip=movie)
    inputs.grade_inputs.mask_mask = bpy.data.masks.new("Rig")
    said["two masks"] = tried(bpy.ops.vfxgen.clip, operator="grade", clip=movie)
    inputs.grade_inputs.mask_mask = inputs.grade_inputs.mask = None
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    said["no background"] = tried(bpy.ops.vfxgen.camera)
    return {**said, **strip_failures(folder, scene)}


def strip_failures(folder: Path, scene: bpy.types.Scene) -> dict[str, str]:
    strips = stage.extension("versions").strips_of(scene.sequence_editor_create())
    strips.new_effect("Red", "COLOR", 1, 1, **({"length": 8} if stage.IS_5 else {"frame_end": 9}))
    strips.new_image("Nowhere", str(folder / "nowhere.exr"), 2, 1)
    other_rate(scene, str(folder / "movie.mkv"))
    return {
        "colour strip": tried(bpy.ops.vfxgen.strip, operator="grade", strip="Red"),
        "no file": tried(bpy.ops.vfxgen.strip, operator="grade", strip="Nowhere"),
        "other rate": tried(bpy.ops.vfxgen.strip, operator="grade", strip="Movie"),
    }


def other_rate(scene: bpy.types.Scene, movie: str) -> None:
    """A movie that is not played a picture a frame: by the scene's rate, or, where adding one crashes, by its own."""
    with stage.area("SEQUENCE_EDITOR"):
        if stage.IS_5:
            strip = stage.extension("versions").strips_of(scene.sequence_editor).new_movie("Movie", movie, 5, 1)
            stage.half_speed(strip)
        else:
            scene.render.fps = 12
            bpy.ops.sequencer.movie_strip_add(
                filepath=movie, frame_start=1, channel=5, sound=False, use_framerate=False, adjust_playback_rate=True
            )
            scene.sequence_editor.active_strip.name = "Movie"


def stopped(scene: bpy.types.Scene) -> list[object]:
    """Closed after its first export, as ESC does it."""
    steps = begun(scene)
    steps.close()
    return left()


def undone(scene: bpy.types.Scene) -> list[object]:
    """The user undoes something of the user's own, meanwhile."""
    bpy.ops.ed.undo_push(message="Before")
    scene.frame_end = 7
    bpy.ops.ed.undo_push(message="Length")
    steps = begun(scene)
    bpy.ops.ed.undo()
    stage.extension("task").finish(steps)
    return [bpy.data.scenes["Shot"].frame_end, *left()]


def begun(scene: bpy.types.Scene) -> object:
    """A task whose first frame was exported."""
    footage, job = stage.extension("editors.footage"), stage.extension("editors.footage_job")
    clip = bpy.data.movieclips["plate.1001.exr"]
    steps = job.render(job.prepare("denoise", footage.of_clip(clip), scene))
    exports = stage.extension("preferences").cache()
    while not list(exports.glob("export_*/*.exr")):
        next(steps)
    return steps


def left() -> list[object]:
    exports = list(stage.extension("preferences").cache().glob("export_*"))
    return [len(bpy.data.scenes), len(stage.extension("task").running), len(exports)]


def tried(press: Callable[..., object], **settings: str) -> str:
    try:
        press(**settings)
    except RuntimeError as error:
        return str(error).strip().removeprefix("Error: ")
    return "rendered"


stage.scenario(run)
