"""vfxgen in Blender: compositor nodes whose frames a worker renders, and the same operators in other editors."""

from . import (
    background,
    editors,
    keyframes,
    menu,
    operators,
    panel,
    preferences,
    settings,
    worker,
)

MODULES = (preferences, settings, operators, keyframes, menu, panel, background, editors)


def register() -> None:
    """Called by Blender when the extension is turned on."""
    for module in MODULES:
        module.register()


def unregister() -> None:
    """Called by Blender when it is turned off."""
    for module in reversed(MODULES):
        module.unregister()
    worker.close()
