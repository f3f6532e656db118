"""Operators on an image, a clip, strips and a camera's background, in a folder with a plate and a movie."""

from pathlib import Path

import bpy
import numpy as np
import stage


def run(folder: Path) -> dict[str, object]:
    stage.enable()
    scene = stage.empty_scene(1, 4)[0]
    bpy.context.window.scene = scene
    scene.vfxgen_editors.grade.saturation = 0.25
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "Projekt Ärger 夜.blend"))
    there = counts()
    facts: dict[str, object] = {
        "still": on_image(folder),
        "sequence": on_sequence(folder),
        "clip": on_clip(folder, scene),
        "movie": on_movie(folder, scene),
        "strip": on_strip(folder, scene),
        "camera": on_camera(folder, scene),
    }
    facts["left"] = [name for name, count in counts().items() if count != there[name]]
    facts["exports"] = len(list(stage.extension("preferences").cache().glob("export_*")))
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    facts["kept"] = [name in bpy.data.images for name in ("plate.1001.exr", "Painted grade")]
    return facts


def on_image(folder: Path) -> dict[str, object]:
    """A painted image with alpha that was never saved, beside the same pixels in a file."""
    image = painted()
    bpy.ops.vfxgen.image(operator="grade", image=image.name)
    result = bpy.data.images["Painted grade"]
    pixels = np.empty(len(result.pixels), np.float32)
    result.pixels.foreach_get(pixels)
    np.save(folder / "painted.npy", pixels.reshape(stage.SIZE[1], stage.SIZE[0], 4)[::-1])
    return {
        "source": [image.source, image.is_dirty],
        "result": [result.source, result.is_float, result.colorspace_settings.name, result.channels],
        "path": result.filepath,
    }


def on_sequence(folder: Path) -> dict[str, object]:
    """A sequence that the Image Editor shows, by the operator's name and by what the editor shows."""
    image = bpy.data.images.load(str(folder / "plate" / "plate.1001.exr"), check_existing=False)
    image.source = "SEQUENCE"
    with stage.area("IMAGE_EDITOR") as space:
        space.image = image
        space.image_user.frame_start, space.image_user.frame_duration, space.image_user.frame_offset = 11, 4, 1000
        bpy.ops.vfxgen.image(operator="grade")
        user, result = space.image_user, space.image
        return {
            "name": result.name,
            "path": result.filepath,
            "user": [user.frame_start, user.frame_duration, user.frame_offset],
            "source": [image.filepath == result.filepath, image.use_fake_user],
        }


def on_clip(folder: Path, scene: bpy.types.Scene) -> dict[str, object]:
    """A clip that begins at frame 11, with a mask that moves and is blurred by its motion."""
    clip = bpy.data.movieclips.load(str(folder / "plate" / "plate.1001.exr"))
    clip.frame_start, clip.tracking.camera.k1 = 11, 0.125
    mask = moving_mask(clip)
    settings = scene.vfxgen_editors
    settings.cleanplate.method, settings.cleanplate.reach = "smooth", 2
    settings.cleanplate_inputs.mask_mask, settings.cleanplate_inputs.use_motion_blur = mask, True
    with stage.area("CLIP_EDITOR") as space:
        space.clip = clip
        showed = space.clip_user.frame_current
        bpy.ops.vfxgen.clip(operator="cleanplate")
        result, shows = space.clip, space.clip_user.frame_current
    write_mask(scene, mask, folder / "mask")
    return {
        "name": result.name,
        "files": bpy.path.abspath(result.filepath),
        "seen": [result.frame_start, result.frame_duration, result.tracking.camera.k1],
        "written": written(result),
        "editor": [showed, shows],
        "kept": clip.use_fake_user,
    }


def written(clip: bpy.types.MovieClip) -> dict[str, int]:
    """When each of its files was written."""
    folder = Path(bpy.path.abspath(clip.filepath)).parent
    return {str(file): file.stat().st_mtime_ns for file in sorted(folder.glob("*.exr"))}


def on_movie(folder: Path, scene: bpy.types.Scene) -> dict[str, object]:
    """A movie, graded where a packed image of 8 bits is red."""
    clip = bpy.data.movieclips.load(str(folder / "movie.mkv"))
    scene.vfxgen_editors.grade_inputs.mask = packed_ramp()
    bpy.ops.vfxgen.clip(operator="grade", clip=clip.name)
    node = stage.compositor(scene).nodes.new("CompositorNodeMovieClip")
    node.clip = clip
    stage.write(scene, node.outputs["Image"], folder / "decoded", range(1, 7))
    result = bpy.data.movieclips[f"{clip.name} grade"]
    return {"files": bpy.path.abspath(result.filepath), "seen": [result.source, result.frame_duration]}


def on_strip(folder: Path, scene: bpy.types.Scene) -> dict[str, object]:
    """A strip whose handles are moved, played backwards, under a strip that is in the way."""
    strips = stage.extension("versions").strips_of(scene.sequence_editor_create())
    strip = strips.new_image("Plate", str(folder / "plate" / "plate.1001.exr"), 2, 20)
    for number in (1002, 1003, 1004):
        strip.elements.append(f"plate.{number}.exr")
    # The file as it is, but not known to be: it goes through Blender.
    strip.alpha_mode = "STRAIGHT"
    strip.use_reverse_frames, strip.frame_offset_start, strip.frame_offset_end = True, 1, -2
    strip.transform.offset_x, strip.blend_alpha, strip.crop.min_x = 5, 0.5, 4
    strips.new_effect("In the way", "COLOR", 3, 22, **ends(30))
    matte, scene.vfxgen_editors.grade_inputs.mask = scene.vfxgen_editors.grade_inputs.mask, None
    bpy.ops.vfxgen.strip(operator="grade", strip="Plate")
    scene.vfxgen_editors.grade_inputs.mask = matte
    result = stage.extension("versions").strips_of(scene.sequence_editor)["Plate grade"]
    slow = strips.new_image("Slow", str(folder / "plate" / "plate.1001.exr"), 6, 50)
    for number in (1002, 1003, 1004):
        slow.elements.append(f"plate.{number}.exr")
    with stage.area("SEQUENCE_EDITOR"):
        stage.half_speed(slow)
        bpy.ops.vfxgen.strip(operator="grade")
    slowed = stage.extension("versions").strips_of(scene.sequence_editor)["Slow grade"]
    times = range(int(slow.frame_final_start), int(slow.frame_final_end))
    movie = strips.new_movie("Movie", str(folder / "movie.mkv"), 5, 1)
    movie.frame_offset_start = 2
    scene.sequence_editor.active_strip = movie
    bpy.ops.vfxgen.strip(operator="grade")
    on_movie = stage.extension("versions").strips_of(scene.sequence_editor)["Movie grade"]
    return {
        "channel": result.channel,
        "seen": [result.frame_final_start, result.frame_final_end],
        "elements": [element.filename for element in result.elements],
        "source": [strip.strip_elem_from_frame(time).filename for time in range(21, 26)],
        "result": [result.strip_elem_from_frame(time).filename for time in range(21, 26)],
        "look": [result.transform.offset_x, result.blend_alpha, result.crop.min_x, result.colorspace_settings.name],
        "folder": bpy.path.abspath(result.directory),
        "slow": [slow.strip_elem_from_frame(time).filename for time in times],
        "slow result": [slowed.strip_elem_from_frame(time).filename for time in times],
        "movie": [on_movie.frame_final_start, on_movie.frame_final_end],
        "movie elements": [element.filename for element in on_movie.elements],
        "movie folder": bpy.path.abspath(on_movie.directory),
    }


def on_camera(folder: Path, scene: bpy.types.Scene) -> dict[str, object]:
    """The plate behind a camera, with the mask of the clip."""
    camera = bpy.data.cameras.new("Plate")
    scene.camera = bpy.data.objects.new("Plate", camera)
    image = bpy.data.images.load(str(folder / "plate" / "plate.1001.exr"), check_existing=False)
    image.source, image.alpha_mode = "SEQUENCE", "STRAIGHT"
    old = camera.background_images.new()
    old.image, old.alpha, old.frame_method = image, 0.75, "CROP"
    old.image_user.frame_start, old.image_user.frame_offset, old.image_user.frame_duration = 11, 1000, 4
    bpy.ops.vfxgen.camera()
    old, new = camera.background_images
    found = {
        "old": [old.image == image, old.show_background_image],
        "new": [new.show_background_image, new.alpha, new.frame_method],
        "user": [new.image_user.frame_start, new.image_user.frame_offset, new.image_user.frame_duration],
        "files": bpy.path.abspath(new.image.filepath),
    }
    clip = bpy.data.movieclips["plate.1001.exr"]
    camera.background_images.clear()
    again = camera.background_images.new()
    again.source, again.clip = "MOVIE_CLIP", clip
    bpy.ops.ed.undo_push(message="Clip")
    bpy.ops.vfxgen.camera()
    found["clip"] = [background.clip.name for background in camera.background_images]
    found["again"] = written(camera.background_images[1].clip)
    bpy.ops.ed.undo_push(message="Clean Plate")
    bpy.ops.ed.undo()
    backgrounds = bpy.data.cameras["Plate"].background_images
    found["undone"] = [[background.clip.name, background.show_background_image] for background in backgrounds]
    return found


def painted() -> bpy.types.Image:
    """An image with alpha and values beyond 1 that is in memory alone."""
    image = bpy.data.images.get("Painted") or bpy.data.images.new("Painted", *stage.SIZE, alpha=True, float_buffer=True)
    image.pixels.foreach_set(pixels().ravel())
    return image


def packed_ramp() -> bpy.types.Image:
    """8 bits a channel, red from left to right, in the .blend alone; test_blender_editors.py knows it too."""
    image = bpy.data.images.new("Ramp", *stage.SIZE)
    image.colorspace_settings.name = "Non-Color"
    picture = np.ones((stage.SIZE[1], stage.SIZE[0], 4), np.float32)
    picture[..., 0] = np.arange(stage.SIZE[0]) * 5 / 255
    image.pixels.foreach_set(picture.ravel())
    image.pack()
    return image


def pixels() -> np.ndarray:
    """Premultiplied, from the lowest row up; test_blender_editors.py knows them too."""
    random = np.random.default_rng(11)
    picture = random.random((stage.SIZE[1], stage.SIZE[0], 4), dtype=np.float32)
    picture[..., :3] *= 3 * picture[..., 3:]
    return picture


def moving_mask(clip: bpy.types.MovieClip) -> bpy.types.Mask:
    """A square that goes to the right between frames 11 and 14, with a soft edge."""
    mask = bpy.data.masks.new("Rig")
    spline = mask.layers.new(name="Rig").splines.new()
    spline.use_cyclic = True
    spline.points.add(3)
    with stage.area("CLIP_EDITOR") as space:
        space.clip, space.mode, space.mask = clip, "MASK", mask
        for frame, x in ((11, 0.2), (14, 0.6)):
            bpy.context.scene.frame_set(frame)
            corners = ((x, 0.3), (x + 0.2, 0.3), (x + 0.2, 0.6), (x, 0.6))
            for point, corner in zip(spline.points, corners, strict=True):
                point.handle_left_type = point.handle_right_type = "VECTOR"
                point.co, point.weight = corner, 0.1
            bpy.ops.mask.select_all(action="SELECT")
            bpy.ops.mask.shape_key_insert()
    return mask


def write_mask(scene: bpy.types.Scene, mask: bpy.types.Mask, folder: Path) -> None:
    """The mask as the user's own compositor shows it."""
    tree = stage.compositor(scene)
    node = tree.nodes.new("CompositorNodeMask")
    node.mask = mask
    stage.extension("versions").blur_mask(node, scene.render.motion_blur_shutter)
    grey = tree.nodes.new("CompositorNodeCombineColor")
    for channel in grey.inputs[:3]:
        tree.links.new(node.outputs[0], channel)
    stage.write(scene, grey.outputs[0], folder, range(11, 15))


def ends(frame: int) -> dict[str, int]:
    """How a strip's length is given: by its end before Blender 5, by its length from then on."""
    return {"length": 8} if stage.IS_5 else {"frame_end": frame}


def counts() -> dict[str, int]:
    return {"scenes": len(bpy.data.scenes), "running": len(stage.extension("task").running)}


stage.scenario(run)
