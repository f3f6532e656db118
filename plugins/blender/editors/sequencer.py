"""Sequencer > vfxgen: an operator on the active strip; the result is a strip above it, seen in the same frames."""

from pathlib import Path

import bpy

from .. import versions
from ..problem import Problem
from ..task import Steps
from . import footage_job, numbered_files, on_footage, strip_footage
from .footage_job import FootageTask
from .strip_footage import StripFootage

OF_THE_FILES = {
    *("name", "channel", "select", "select_left_handle", "select_right_handle", "mute", "lock"),
    *("directory", "filepath", "stream_index", "alpha_mode", "use_multiview", "use_proxy", "show_retiming_keys"),
    *("use_reverse_frames", "strobe", "animation_offset_start", "animation_offset_end"),
}
"""Settings of a strip that its result has of its own; what is earlier, later, backwards or held is in its files."""


class VFXGEN_OT_strip(on_footage.OnFootage, bpy.types.Operator):
    """Render an operator on a strip, with the settings that the scene has for it"""

    bl_idname, bl_label = "vfxgen.strip", "vfxgen on Strip"

    strip: bpy.props.StringProperty(
        options={"SKIP_SAVE", "HIDDEN"}, description="Name of the strip. Empty: the active one"
    )

    def task(self, context: bpy.types.Context) -> FootageTask:
        scene = _scene(context)
        editor = scene.sequence_editor
        strip = _strip(scene, self.strip) if self.strip else editor and editor.active_strip
        if strip is None:
            raise Problem(f"there is no strip {self.strip!r}" if self.strip else "no strip is active: select one")
        plate = strip_footage.of_strip(strip, scene)
        return footage_job.prepare(self.operator, plate, context.scene, sorted(set(plate.shown.values())))

    def render(self, context: bpy.types.Context, asked: FootageTask) -> Steps:
        try:
            yield from super().render(context, asked)
        finally:
            asked.plate.close()

    def adopt(self, context: bpy.types.Context, done: FootageTask) -> None:
        name, scene_name = done.plate.key
        scene = bpy.data.scenes.get(scene_name)
        strip = _strip(scene, name) if scene else None
        if strip is None:
            raise Problem(f"the strip {name} is not there any more; its frames are in {done.folder}")
        _add_above(strip, done, done.plate)


def _add_above(strip: versions.Strip, done: FootageTask, plate: StripFootage) -> None:
    files = [done.file(number) for number in plate.shown.values()]
    start, end = min(plate.shown), max(plate.shown) + 1
    holder = strip.parent_meta() or strip.id_data.sequence_editor
    strips = versions.strips_of(holder)
    taken = {other.channel for other in strips if other.frame_final_start < end and other.frame_final_end > start}
    channel = next(number for number in range(strip.channel + 1, max(taken) + 2) if number not in taken)
    result = strips.new_image(f"{strip.name} {done.operator}", files[0], channel, start)
    for file in files[1:]:
        result.elements.append(Path(file).name)
    frames = {setting.identifier for setting in strip.bl_rna.properties if setting.identifier.startswith("frame_")}
    on_footage.copy_properties(strip, result, leave=OF_THE_FILES | frames)
    on_footage.copy_properties(strip.transform, result.transform)
    on_footage.copy_properties(strip.crop, result.crop)
    _scale(result, plate.size, numbered_files.size_of_file(files[0]))
    result.alpha_mode = "PREMUL"
    on_footage.mark_data(result, done)


def _scale(strip: versions.Strip, before: tuple[int, int], after: tuple[int, int]) -> None:
    """Keep a strip as large as it is seen, where an operator made its pictures larger or smaller."""
    strip.transform.scale_x *= before[0] / after[0]
    strip.transform.scale_y *= before[1] / after[1]
    for side, axis in (("min_x", 0), ("max_x", 0), ("min_y", 1), ("max_y", 1)):
        setattr(strip.crop, side, round(getattr(strip.crop, side) * after[axis] / before[axis]))


def _scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene that the sequencer shows: from Blender 5 on it need not be the window's."""
    return getattr(context, "sequencer_scene", None) or context.scene


def _strip(scene: bpy.types.Scene, name: str) -> versions.Strip | None:
    editor = scene.sequence_editor
    return versions.strips_of(editor, "_all").get(name) if editor else None


VFXGEN_MT_strip = on_footage.menu("strip")


def _draw(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.menu("VFXGEN_MT_strip")


_register, _unregister = bpy.utils.register_classes_factory((VFXGEN_OT_strip, VFXGEN_MT_strip))


def register() -> None:
    """Called when the extension is turned on."""
    _register()
    bpy.types.SEQUENCER_MT_editor_menus.append(_draw)


def unregister() -> None:
    """Called when it is turned off."""
    bpy.types.SEQUENCER_MT_editor_menus.remove(_draw)
    _unregister()
