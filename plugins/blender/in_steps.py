"""An operator that takes its time: in a window between redraws, elsewhere at once."""

import traceback

import bpy

from . import task
from .problem import Problem

TICK_S = 0.05


class InSteps:
    """What `steps` yields between, a window draws; ESC, and the task's own switch, stop it."""

    def steps(self, context: bpy.types.Context) -> task.Steps:
        """What there is to do.

        Raises
        ------
        Problem
            It cannot be begun.
        """
        raise NotImplementedError

    def identifier(self) -> str:
        """The task that is under way.

        Raises
        ------
        Problem
            What it is for is not there any more.
        """
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            task.finish(self.steps(context))
        except Problem as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        try:
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
        self._show_progress(context)
        return {"PASS_THROUGH"}

    def _is_cancelled(self) -> bool:
        try:
            progress = task.running.get(self.identifier())
        except Problem:
            return True
        return progress is not None and progress.is_cancelled

    def _show_progress(self, context: bpy.types.Context) -> None:
        progress = task.running.get(self.identifier())
        if progress:
            context.window.workspace.status_text_set(f"vfxgen: {progress.text()}. ESC stops it")
        _redraw(context, {"NODE_EDITOR"})

    def _end(self, context: bpy.types.Context, how: set[str]) -> set[str]:
        context.window_manager.event_timer_remove(self._timer)
        context.window.workspace.status_text_set(None)
        _redraw(context, {"NODE_EDITOR", "IMAGE_EDITOR", "CLIP_EDITOR", "SEQUENCE_EDITOR", "VIEW_3D"})
        bpy.ops.ed.undo_push(message=self.bl_label)
        return how


def _redraw(context: bpy.types.Context, kinds: set[str]) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in kinds:
                area.tag_redraw()
