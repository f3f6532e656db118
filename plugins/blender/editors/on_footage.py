"""Operators on what an editor shows, outside of the compositor: a dialog asks for settings, then they run in steps."""

from collections.abc import Container
from typing import Any

import bpy

from .. import parameters, schema, versions
from ..in_steps import InSteps
from ..task import Steps
from . import footage_inputs, footage_job
from .footage_job import FootageTask


class OnFootage(InSteps):
    """One that changes footage; how it gets it and what becomes of the frames is its editor's."""

    operator: bpy.props.StringProperty(name="Operator", options={"SKIP_SAVE"})

    def task(self, context: bpy.types.Context) -> FootageTask:
        """What is asked for; `footage_job.prepare` makes it.

        Raises
        ------
        Problem
            It cannot be.
        """
        raise NotImplementedError

    def adopt(self, context: bpy.types.Context, done: FootageTask) -> None:
        """Show the frames."""
        raise NotImplementedError

    def steps(self, context: bpy.types.Context) -> Steps:
        asked = self.task(context)
        self._identifier = asked.identifier
        return self.render(context, asked)

    def identifier(self) -> str:
        return self._identifier

    def render(self, context: bpy.types.Context, asked: FootageTask) -> Steps:
        """Make the frames, then show them."""
        yield from footage_job.render(asked)
        self.adopt(context, asked)


class VFXGEN_OT_on_footage(bpy.types.Operator):
    """Settings of an operator, then the operator"""

    bl_idname, bl_label = "vfxgen.on_footage", "vfxgen"

    editor: bpy.props.StringProperty(options={"SKIP_SAVE"})
    operator: bpy.props.StringProperty(options={"SKIP_SAVE"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The operator's own help."""
        return schema.operators()[properties.operator]["help"].rstrip(".")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        declared, settings = self._declared, context.scene.vfxgen_editors
        mask = getattr(context.space_data, "mask", None)
        footage_inputs.suggest(declared, getattr(settings, f"{self.operator}_inputs"), mask)
        return context.window_manager.invoke_props_dialog(
            self, width=420, title=declared["label"], confirm_text="Render"
        )

    def draw(self, context: bpy.types.Context) -> None:
        declared, settings, layout = self._declared, context.scene.vfxgen_editors, self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        footage_inputs.draw(layout, declared, getattr(settings, f"{self.operator}_inputs"))
        parameters.draw(layout, declared, getattr(settings, self.operator))

    def execute(self, context: bpy.types.Context) -> set[str]:
        getattr(bpy.ops.vfxgen, self.editor)("INVOKE_DEFAULT", operator=self.operator)
        return {"FINISHED"}

    @property
    def _declared(self) -> dict[str, Any]:
        return schema.operators()[self.operator]


def menu(editor: str) -> type[bpy.types.Menu]:
    """An editor's menu: every operator."""

    def draw(self: bpy.types.Menu, context: bpy.types.Context) -> None:
        self.layout.operator_context = "INVOKE_DEFAULT"
        for name, declared in schema.operators().items():
            entry = self.layout.operator("vfxgen.on_footage", text=f"{declared['label']}...")
            entry.editor, entry.operator = editor, name

    return type(f"VFXGEN_MT_{editor}", (bpy.types.Menu,), {"bl_label": "vfxgen", "draw": draw})


def keep(*blocks: bpy.types.ID | None) -> None:
    """Let the file keep sources and results that no editor shows."""
    for block in blocks:
        if block and block.library is None:
            block.use_fake_user = True


def mark_data(result: bpy.types.Image | bpy.types.MovieClip | versions.Strip, done: FootageTask) -> None:
    """Let the frames of pictures that have no colour have none."""
    if done.plate.is_data:
        result.colorspace_settings.is_data = True


def copy_properties(source: bpy.types.bpy_struct, target: bpy.types.bpy_struct, leave: Container[str] = ()) -> None:
    """Set what two things of Blender have in common, but for the names in `leave`."""
    for name, setting in source.bl_rna.properties.items():
        there = target.bl_rna.properties.get(name)
        if there and not (setting.is_readonly or there.is_readonly or name in leave):
            setattr(target, name, getattr(source, name))


register, unregister = bpy.utils.register_classes_factory((VFXGEN_OT_on_footage,))
