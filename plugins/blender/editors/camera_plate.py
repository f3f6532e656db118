"""View > Cameras > Clean Plate: what is behind the active camera, cleaned of what a mask marks."""

import bpy

from ..problem import Problem
from . import clip_editor, footage, footage_job, image_editor, on_footage
from .footage import ClipFootage, Footage
from .footage_job import FootageTask


class VFXGEN_OT_camera(on_footage.OnFootage, bpy.types.Operator):
    """Render a clean plate from the active camera's background, and put it in its place"""

    bl_idname, bl_label = "vfxgen.camera", "Clean Plate"

    def task(self, context: bpy.types.Context) -> FootageTask:
        camera = context.scene.camera
        if camera is None or camera.type != "CAMERA":
            raise Problem("the scene has no active camera")
        self._camera = footage.key_of(camera.data)
        plate = _footage(_shown(camera.data), context.scene)
        return footage_job.prepare(self.operator or "cleanplate", plate, context.scene)

    def adopt(self, context: bpy.types.Context, done: FootageTask) -> None:
        camera = footage.found(bpy.data.cameras, self._camera)
        before = _shown(camera)
        result = camera.background_images.new()
        on_footage.copy_properties(before, result, leave={"source", "image", "clip", "use_camera_clip"})
        if isinstance(done.plate, ClipFootage):
            clip = bpy.data.movieclips.get(done.plate.key)
            result.source, result.clip = "MOVIE_CLIP", clip_editor.load(done, clip)
            on_footage.copy_properties(before.clip_user, result.clip_user)
        else:
            result.image = image_editor.load(done)
            result.image_user.frame_start, result.image_user.frame_duration = done.plate.start, len(done.wanted)
            result.image_user.frame_offset = done.wanted[0] - 1
        # Hidden, it stays in the camera's list.
        before.show_background_image = False
        camera.show_background_images = True


def _shown(camera: bpy.types.Camera) -> bpy.types.CameraBackgroundImage:
    backgrounds = [background for background in camera.background_images if background.show_background_image]
    if not backgrounds:
        raise Problem(f"{camera.name} shows no background: add one in its properties")
    return backgrounds[0]


def _footage(background: bpy.types.CameraBackgroundImage, scene: bpy.types.Scene) -> Footage:
    if background.source == "IMAGE" and background.image:
        return footage.of_image(background.image, background.image_user, scene.frame_current)
    clip = scene.active_clip if background.use_camera_clip else background.clip
    if background.source == "MOVIE_CLIP" and clip:
        return footage.of_clip(clip)
    raise Problem("the camera's background is empty: choose an image or a clip for it")


def _draw(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.operator_context = "INVOKE_DEFAULT"
    entry = self.layout.operator("vfxgen.on_footage", text="vfxgen: Camera Plate to Clean Plate...")
    entry.editor, entry.operator = "camera", "cleanplate"


_register, _unregister = bpy.utils.register_classes_factory((VFXGEN_OT_camera,))


def register() -> None:
    """Called when the extension is turned on."""
    _register()
    bpy.types.VIEW3D_MT_view_cameras.append(_draw)


def unregister() -> None:
    """Called when it is turned off."""
    bpy.types.VIEW3D_MT_view_cameras.remove(_draw)
    _unregister()
