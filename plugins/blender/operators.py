"""What the buttons do: render, check, cancel, clear, open the folder, test, clean."""

import traceback

import bpy

from . import folders, job, places, preferences, schema, settings, status, worker
from . import node as nodes
from .places import Place
from .problem import Problem

TICK_S = 0.05


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


class _InSteps(_OnNode):
    """One that takes its time: in a window between redraws, elsewhere at once."""

    def steps(self, context: bpy.types.Context) -> job.Steps:
        """What there is to do."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            job.finish(self.steps(context))
        except Problem as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        try:
            self._place = self.place
            self._steps = self.steps(context)
        except Problem as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        self._timer = context.window_manager.event_timer_add(TICK_S, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if (event.type == "ESC" and event.value == "PRESS") or self._is_cancelled():
            self._steps.close()
            return self._end(context, {"CANCELLED"})
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            next(self._steps)
        except StopIteration:
            return self._end(context, {"FINISHED"})
        except Problem as problem:
            self.report({"ERROR"}, str(problem))
            return self._end(context, {"CANCELLED"})
        except Exception as error:
            # Whatever it is, a modal operator must not stay behind; the traceback is for a bug report.
            traceback.print_exc()
            self.report({"ERROR"}, f"{type(error).__name__}: {error} (see the console)")
            return self._end(context, {"CANCELLED"})
        _redraw(context)
        return {"PASS_THROUGH"}

    def _is_cancelled(self) -> bool:
        try:
            progress = job.running.get(self._place.node().node_tree.vfxgen.identifier)
        except Problem:
            return True
        return progress is not None and progress.is_cancelled

    def _end(self, context: bpy.types.Context, how: set[str]) -> set[str]:
        context.window_manager.event_timer_remove(self._timer)
        _redraw(context)
        bpy.ops.ed.undo_push(message=self.bl_label)
        return how


class VFXGEN_OT_render(_InSteps, bpy.types.Operator):
    """Render the node's frames that are missing or not up to date"""

    bl_idname, bl_label = "vfxgen.render", "Render"

    def steps(self, context: bpy.types.Context) -> job.Steps:
        return job.render(self.place)


class VFXGEN_OT_render_current(_InSteps, bpy.types.Operator):
    """Render the scene's current frame alone"""

    bl_idname, bl_label = "vfxgen.render_current", "Render Current Frame"

    def steps(self, context: bpy.types.Context) -> job.Steps:
        place = self.place
        return job.render(place, [bpy.data.scenes[place.scene].frame_current])


class VFXGEN_OT_check(_InSteps, bpy.types.Operator):
    """Export the inputs again and compare: are the frames up to date?"""

    bl_idname, bl_label = "vfxgen.check", "Check"

    def steps(self, context: bpy.types.Context) -> job.Steps:
        return job.check(self.place)


class VFXGEN_OT_cancel(_OnNode, bpy.types.Operator):
    """Stop rendering; frames that are done stay"""

    bl_idname, bl_label = "vfxgen.cancel", "Cancel"

    def execute(self, context: bpy.types.Context) -> set[str]:
        progress = job.running.get(self.place.node().node_tree.vfxgen.identifier)
        if progress:
            progress.is_cancelled = True
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
            shown.doctor = worker.call("doctor")["text"]
            schema.refresh(worker.call("describe"))
        except Problem as problem:
            shown.doctor = str(problem)
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        settings.unregister()
        settings.register()
        return {"FINISHED"}


class VFXGEN_OT_clean_cache(bpy.types.Operator):
    """Remove exports that an ended Blender left behind"""

    bl_idname, bl_label = "vfxgen.clean_cache", "Clean"

    def execute(self, context: bpy.types.Context) -> set[str]:
        size = folders.cache_size()
        folders.clean_cache()
        self.report({"INFO"}, f"{size / 2**20:.1f} MiB removed")
        return {"FINISHED"}


def _redraw(context: bpy.types.Context) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "NODE_EDITOR":
                area.tag_redraw()


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
