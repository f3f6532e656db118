"""The sidebar of a vfxgen node."""

import bpy

from . import folders, parameters, status, task
from . import node as nodes
from .problem import Problem


class VFXGEN_PT_node(bpy.types.Panel):
    """Parameters, frame range, buttons, how it stands."""

    bl_label, bl_category = "vfxgen", "vfxgen"
    bl_space_type, bl_region_type = "NODE_EDITOR", "UI"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Where a vfxgen node is active."""
        return context.space_data.tree_type == "CompositorNodeTree" and nodes.is_ours(context.active_node)

    def draw(self, context: bpy.types.Context) -> None:
        node, layout = context.active_node, self.layout
        tree = node.node_tree
        layout.use_property_split, layout.use_property_decorate = True, False
        try:
            declared = nodes.declaration(tree)
        except Problem as problem:
            layout.label(text=str(problem), icon="ERROR")
            return
        parameters.draw(layout.column(), declared, getattr(tree.vfxgen, declared["name"]))
        _draw_range(layout.column(align=True), tree.vfxgen)
        progress = task.running.get(tree.vfxgen.identifier)
        if progress:
            _draw_progress(layout, progress)
        else:
            _draw_buttons(layout, status.of(node, context.scene))
        _draw_files(layout, tree)
        layout.use_property_split = False
        layout.prop(context.scene, "vfxgen_render_stale")


def _draw_range(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    layout.prop(settings, "use_scene_range")
    rows = layout.column(align=True)
    rows.enabled = not settings.use_scene_range
    rows.prop(settings, "frame_start")
    rows.prop(settings, "frame_end")


def _draw_progress(layout: bpy.types.UILayout, progress: task.Running) -> None:
    layout.progress(factor=progress.fraction, text=progress.text())
    layout.operator("vfxgen.cancel", icon="CANCEL")


def _draw_buttons(layout: bpy.types.UILayout, words: str) -> None:
    layout.operator("vfxgen.render", icon="RENDER_ANIMATION")
    layout.operator("vfxgen.render_current", icon="RENDER_STILL")
    layout.operator("vfxgen.check", icon="FILE_REFRESH")
    icon = "CHECKMARK" if words == status.UP_TO_DATE else "ERROR" if words.startswith("failed") else "INFO"
    lines = _wrapped(words)
    layout.label(text=lines[0], icon=icon)
    for line in lines[1:]:
        layout.label(text=line)


def _draw_files(layout: bpy.types.UILayout, tree: bpy.types.NodeTree) -> None:
    layout.prop(tree.vfxgen, "folder")
    folder = folders.shown(tree)
    if folder:
        layout.label(text=bpy.path.relpath(str(folder)) if bpy.data.filepath else str(folder))
    row = layout.row()
    row.enabled = folder is not None
    row.operator("vfxgen.open_folder", icon="FILE_FOLDER")
    row.operator("vfxgen.clear", icon="TRASH")


def _wrapped(words: str, width: int = 48) -> list[str]:
    """A label is one line and is cut at the panel's edge."""
    lines = [""]
    for word in words.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


register, unregister = bpy.utils.register_classes_factory((VFXGEN_PT_node,))
