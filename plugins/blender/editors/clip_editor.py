"""Movie Clip Editor > vfxgen: an operator on the open clip, with its masks; the result is a clip of its own."""

import bpy

from ..problem import Problem
from . import footage, footage_job, on_footage
from .footage_job import FootageTask

MENUS = ("CLIP_MT_tracking_editor_menus", "CLIP_MT_masking_editor_menus")


class VFXGEN_OT_clip(on_footage.OnFootage, bpy.types.Operator):
    """Render an operator on a movie clip, with the settings that the scene has for it"""

    bl_idname, bl_label = "vfxgen.clip", "vfxgen on Clip"

    clip: bpy.props.StringProperty(
        options={"SKIP_SAVE", "HIDDEN"}, description="Name of the clip. Empty: the one that the editor shows"
    )

    def task(self, context: bpy.types.Context) -> FootageTask:
        clip = getattr(context.space_data, "clip", None)
        if self.clip:
            clip = footage.found(bpy.data.movieclips, (self.clip, None))
        if clip is None:
            raise Problem("no clip is open in the editor")
        return footage_job.prepare(self.operator, footage.of_clip(clip), context.scene)

    def adopt(self, context: bpy.types.Context, done: FootageTask) -> None:
        source, space = bpy.data.movieclips.get(done.plate.key), context.space_data
        result = load(done, source)
        if isinstance(space, bpy.types.SpaceClipEditor) and space.clip == source:
            space.clip = result


def load(done: FootageTask, source: bpy.types.MovieClip | None) -> bpy.types.MovieClip:
    """A clip of a task's frames, seen when the source is, through its lens."""
    result = bpy.data.movieclips.load(done.file(done.wanted[0]), check_existing=False)
    result.name = f"{done.label} {done.operator}"
    result.frame_start = done.plate.start
    on_footage.mark_data(result, done)
    on_footage.keep(source, result)
    if source:
        on_footage.copy_properties(source.tracking.camera, result.tracking.camera)
    return result


VFXGEN_MT_clip = on_footage.menu("clip")


def _draw(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.menu("VFXGEN_MT_clip")


_register, _unregister = bpy.utils.register_classes_factory((VFXGEN_OT_clip, VFXGEN_MT_clip))


def register() -> None:
    """Called when the extension is turned on."""
    _register()
    for name in MENUS:
        getattr(bpy.types, name).append(_draw)


def unregister() -> None:
    """Called when it is turned off."""
    for name in MENUS:
        getattr(bpy.types, name).remove(_draw)
    _unregister()
