"""What docs/blender.md shows of a window before anything is rendered: argv as window_stage.py says.

Leaves tour_preferences.png, tour_add.png and tour.json in the folder.
"""

import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
import stage
from window_stage import PLATE, facts, install, later, leave, picture, press, show

LIMIT_S = 60
began = time.monotonic()


def fill_in() -> None:
    """The preferences of the extension, with the path that docs/blender.md has."""
    install()
    show("PREFERENCES")
    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "vfxgen"
    bpy.ops.preferences.addon_expand(module=stage.EXTENSION)
    stage.extension("preferences").current().environment = "/opt/vfxgen/.venv"
    later(point, 1.0)


def point() -> None:
    """The mouse on the Test button."""
    press("mousemove", "1130", "327")
    later(click, 1.0)


def click() -> None:
    """On it."""
    press("click", "1")
    later(read, 1.0)


def read() -> None:
    """Wait for the answer; the mouse goes, or a tooltip would be in the picture."""
    doctor = stage.extension("preferences").current().doctor
    if not doctor and time.monotonic() - began < LIMIT_S:
        later(read, 1.0)
        return
    facts["doctor"] = doctor.splitlines()[0]
    press("mousemove", "1000", "780")
    later(add, 2.0)


def add() -> None:
    """A compositor with a plate."""
    picture("preferences")
    tree = stage.compositor(bpy.context.scene)
    plate = stage.images(tree, PLATE, 1, 24, 1000)
    plate.location, plate.select = (-420, 260), False
    show("CompositorNodeTree")
    press("mousemove", "420", "90")
    later(open_menu, 1.5)


def open_menu() -> None:
    """The Add menu at the mouse, by its shortcut."""
    press("key", "shift+a")
    later(choose, 1.5)


def choose() -> None:
    """vfxgen's part of the menu: it stands last."""
    press("key", "--delay", "400", "Up", "Right")
    later(finish, 1.5)


def finish() -> None:
    """What the menu shows."""
    picture("add")
    leave(0)


bpy.context.preferences.view.show_splash = False
later(fill_in, 1.0)
