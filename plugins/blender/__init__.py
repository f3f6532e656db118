"""vfxgen in Blender: compositor nodes whose frames a worker process renders."""

from . import background, menu, operators, panel, preferences, settings, worker


def register() -> None:
    """Called by Blender when the extension is turned on."""
    for module in (preferences, settings, operators, menu, panel, background):
        module.register()


def unregister() -> None:
    """Called by Blender when it is turned off."""
    for module in (background, panel, menu, operators, settings, preferences):
        module.unregister()
    worker.close()
