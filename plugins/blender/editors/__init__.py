"""The operators in the image, clip and sequence editors, and behind a camera."""

from . import camera_plate, clip_editor, image_editor, on_footage, sequencer

_MODULES = (on_footage, image_editor, clip_editor, sequencer, camera_plate)


def register() -> None:
    """Called when the extension is turned on."""
    for module in _MODULES:
        module.register()


def unregister() -> None:
    """Called when it is turned off."""
    for module in reversed(_MODULES):
        module.unregister()
