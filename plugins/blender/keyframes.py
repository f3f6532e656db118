"""Frames of an input that has but a few, such as painted keyframes: set where they are painted."""

import bpy

from . import frames, parameters
from . import node as nodes
from .problem import Problem


class VFXGEN_OT_keyframe(bpy.types.Operator):
    """Take the current frame into the list, or out of it"""

    bl_idname, bl_label, bl_options = "vfxgen.keyframe", "Keyframe", {"UNDO"}

    input: bpy.props.StringProperty(options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Where a vfxgen node is active."""
        return nodes.is_ours(getattr(context, "active_node", None))

    def execute(self, context: bpy.types.Context) -> set[str]:
        tree = context.active_node.node_tree
        try:
            declared = nodes.declaration(tree)
            group = getattr(tree.vfxgen, declared["name"])
            has = parameters.painted(declared, group).get(self.input, [])
        except Problem as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        setattr(group, parameters.frames_of(self.input), frames.text({*has} ^ {context.scene.frame_current}))
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory((VFXGEN_OT_keyframe,))
