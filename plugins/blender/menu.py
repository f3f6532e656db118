"""Add > vfxgen: one entry an operator."""

import bpy

from . import node as nodes
from . import schema


class VFXGEN_OT_add(bpy.types.Operator):
    """Add a vfxgen node to the compositor"""

    bl_idname, bl_label, bl_options = "vfxgen.add", "Add", {"REGISTER", "UNDO"}

    operator: bpy.props.StringProperty()

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The operator's own help."""
        return schema.operators()[properties.operator]["help"].rstrip(".")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """In a compositor that can be edited."""
        return _is_compositor(context) and context.space_data.edit_tree is not None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.space_data.cursor_location_from_region(event.mouse_region_x, event.mouse_region_y)
        done = self.execute(context)
        if done == {"FINISHED"}:
            bpy.ops.node.translate_attach_remove_on_cancel("INVOKE_DEFAULT")
        return done

    def execute(self, context: bpy.types.Context) -> set[str]:
        tree = context.space_data.edit_tree
        if self.operator not in schema.operators():
            self.report({"ERROR"}, f"there is no operator {self.operator!r}; there are {', '.join(schema.operators())}")
            return {"CANCELLED"}
        bpy.ops.node.select_all(action="DESELECT")
        node = nodes.add(tree, self.operator)
        node.location = context.space_data.cursor_location
        node.select, tree.nodes.active = True, node
        return {"FINISHED"}


class VFXGEN_MT_add(bpy.types.Menu):
    """Nodes whose frames vfxgen renders"""

    bl_label = "vfxgen"

    def draw(self, context: bpy.types.Context) -> None:
        for name, declared in schema.operators().items():
            self.layout.operator("vfxgen.add", text=declared["label"]).operator = name


def _is_compositor(context: bpy.types.Context) -> bool:
    return getattr(context.space_data, "tree_type", "") == "CompositorNodeTree"


def _draw(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    if _is_compositor(context):
        self.layout.menu("VFXGEN_MT_add")


_register, _unregister = bpy.utils.register_classes_factory((VFXGEN_OT_add, VFXGEN_MT_add))


def register() -> None:
    """Called when the extension is turned on."""
    _register()
    bpy.types.NODE_MT_add.append(_draw)


def unregister() -> None:
    """Called when it is turned off."""
    bpy.types.NODE_MT_add.remove(_draw)
    _unregister()
