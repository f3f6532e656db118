"""What the buttons do: render, check, cancel, clear, open the folder, test, clean."""

import bpy

from . import folders, job, places, preferences, schema, settings, status, task, worker
from . import node as nodes
from .in_steps import InSteps
from .places import Place
from .problem import Problem
from .task import Steps


class _OnNode:
    """An operator on a vfxgen node: the active one, or the one a script names."""

    node: bpy.props.StringProperty(
        options={"SKIP_SAVE", "HIDDEN"},
        description="Name of the node, after those of the groups it is in: Group/Key. Empty: the active node",
    )
    scene: bpy.props.StringProperty(options={"SKIP_SAVE", "HIDDEN"})

    @property
    def place(self) -> Place:
        if self.node:
            return Place(self.scene or bpy.context.scene.name, tuple(self.node.split("/")))
        return places.of_active_node(bpy.context)


class _Rendering(_OnNode, InSteps):
    """One that takes its time."""

    def job(self, place: Place) -> Steps:
        """What there is to do for a node."""
        raise NotImplementedError

    def steps(self, context: bpy.types.Context) -> Steps:
        self._place = self.place
        return self.job(self._place)

    def identifier(self) -> str:
        return self._place.node().node_tree.vfxgen.identifier


class VFXGEN_OT_render(_Rendering, bpy.types.Operator):
    """Render the node's frames that are missing or not up to date"""

    bl_idname, bl_label = "vfxgen.render", "Render"

    def job(self, place: Place) -> Steps:
        return job.render(place)


class VFXGEN_OT_render_current(_Rendering, bpy.types.Operator):
    """Render the scene's current frame alone"""

    bl_idname, bl_label = "vfxgen.render_current", "Render Current Frame"

    def job(self, place: Place) -> Steps:
        return job.render(place, [bpy.data.scenes[place.scene].frame_current])


class VFXGEN_OT_check(_Rendering, bpy.types.Operator):
    """Export the inputs again and compare: are the frames up to date?"""

    bl_idname, bl_label = "vfxgen.check", "Check"

    def job(self, place: Place) -> Steps:
        return job.check(place)


class VFXGEN_OT_cancel(_OnNode, bpy.types.Operator):
    """Stop rendering; frames that are done stay"""

    bl_idname, bl_label = "vfxgen.cancel", "Cancel"

    def execute(self, context: bpy.types.Context) -> set[str]:
        progress = task.running.get(self.place.node().node_tree.vfxgen.identifier)
        if progress:
            progress.cancel()
        return {"FINISHED"}


class VFXGEN_OT_clear(_OnNode, bpy.types.Operator):
    """Let the node pass its input again; the files stay"""

    bl_idname, bl_label, bl_options = "vfxgen.clear", "Clear", {"UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        tree = nodes.make_own(self.place.node())
        nodes.clear(tree)
        status.failures.pop(tree.vfxgen.identifier, None)
        return {"FINISHED"}


class VFXGEN_OT_open_folder(_OnNode, bpy.types.Operator):
    """Show the node's frames in the file browser of the system"""

    bl_idname, bl_label = "vfxgen.open_folder", "Open Folder"

    def execute(self, context: bpy.types.Context) -> set[str]:
        folder = folders.shown(self.place.node().node_tree)
        if folder is None or not folder.is_dir():
            self.report({"ERROR"}, "there are no frames yet" if folder is None else f"{folder} is not there")
            return {"CANCELLED"}
        return bpy.ops.wm.path_open(filepath=str(folder))


class VFXGEN_OT_test(bpy.types.Operator):
    """Start vfxgen and show what works; nodes and nets are taken from it"""

    bl_idname, bl_label = "vfxgen.test", "Test"

    def execute(self, context: bpy.types.Context) -> set[str]:
        shown = preferences.current()
        try:
            shown.doctor = worker.doctor()
            schema.refresh(worker.call("describe"))
        except Problem as problem:
            shown.doctor = str(problem)
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        settings.unregister()
        settings.register()
        if context.area:
            context.area.tag_redraw()
        return {"FINISHED"}


class VFXGEN_OT_clean_cache(bpy.types.Operator):
    """Remove exports that an ended Blender left behind"""

    bl_idname, bl_label = "vfxgen.clean_cache", "Clean"

    def execute(self, context: bpy.types.Context) -> set[str]:
        size = folders.cache_size()
        folders.clean_cache()
        self.report({"INFO"}, f"{size / 2**20:.1f} MiB removed")
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory(
    (
        VFXGEN_OT_render,
        VFXGEN_OT_render_current,
        VFXGEN_OT_check,
        VFXGEN_OT_cancel,
        VFXGEN_OT_clear,
        VFXGEN_OT_open_folder,
        VFXGEN_OT_test,
        VFXGEN_OT_clean_cache,
    )
)
