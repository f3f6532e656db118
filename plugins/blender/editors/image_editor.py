"""Image Editor > vfxgen: an operator on the open image; the result is an image of its own."""

import bpy

from .. import node as nodes
from ..problem import Problem
from . import footage, footage_job, on_footage
from .footage_job import FootageTask


class VFXGEN_OT_image(on_footage.OnFootage, bpy.types.Operator):
    """Render an operator on an image, with the settings that the scene has for it"""

    bl_idname, bl_label = "vfxgen.image", "vfxgen on Image"

    image: bpy.props.StringProperty(
        options={"SKIP_SAVE", "HIDDEN"}, description="Name of the image. Empty: the one that the editor shows"
    )

    def task(self, context: bpy.types.Context) -> FootageTask:
        image, user = self._chosen(context)
        plate = footage.of_image(image, user, context.scene.frame_current)
        return footage_job.prepare(self.operator, plate, context.scene)

    def adopt(self, context: bpy.types.Context, done: FootageTask) -> None:
        first, count = done.wanted[0], len(done.wanted)
        result, source = load(done), bpy.data.images.get(done.plate.key)
        on_footage.keep(source, result)
        space = context.space_data
        if isinstance(space, bpy.types.SpaceImageEditor) and space.image == source:
            space.image = result
            space.image_user.frame_start, space.image_user.frame_duration = done.plate.start, count
            space.image_user.frame_offset = first - 1

    def _chosen(self, context: bpy.types.Context) -> tuple[bpy.types.Image, bpy.types.ImageUser | None]:
        if self.image:
            return footage.found(bpy.data.images, (self.image, None)), None
        image = getattr(context.space_data, "image", None)
        if image is None:
            raise Problem("no image is open in the editor")
        return image, context.space_data.image_user


def load(done: FootageTask) -> bpy.types.Image:
    """An image of a task's frames."""
    name = f"{done.label} {done.operator}"
    image = nodes.load_image(done.file(done.wanted[0]), name, is_sequence=not done.plate.is_still)
    on_footage.mark_data(image, done)
    return image


VFXGEN_MT_image = on_footage.menu("image")


def _draw(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.menu("VFXGEN_MT_image")


_register, _unregister = bpy.utils.register_classes_factory((VFXGEN_OT_image, VFXGEN_MT_image))


def register() -> None:
    """Called when the extension is turned on."""
    _register()
    bpy.types.IMAGE_MT_editor_menus.append(_draw)


def unregister() -> None:
    """Called when it is turned off."""
    bpy.types.IMAGE_MT_editor_menus.remove(_draw)
    _unregister()
