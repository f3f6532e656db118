"""A sequence in the Image Editor, graded from its menu: argv as window_stage.py says.

Leaves image_menu.png, image_dialog.png, image_mid.png, image_end.png and image.json in the folder.
"""

import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
import stage
from window_stage import FOLDER, PLATE, facts, install, later, leave, picture, press, show

LIMIT_S = 200
clock = {"pressed": 0.0}


def build() -> None:
    """The editor with the plate, as a user opens it."""
    install()
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 24
    scene.vfxgen_editors.grade.saturation = 0.0
    bpy.ops.wm.save_as_mainfile(filepath=f"{FOLDER}/image.blend")
    space = show("IMAGE_EDITOR").spaces[0]
    image = bpy.data.images.load(PLATE)
    image.source = "SEQUENCE"
    space.image = image
    space.image_user.frame_start, space.image_user.frame_duration, space.image_user.frame_offset = 1, 24, 1000
    later(open_menu, 2.0)


def open_menu() -> None:
    """A click on `vfxgen` in the editor's header."""
    area = next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "IMAGE_EDITOR")
    header = next(region for region in area.regions if region.type == "HEADER")
    height = bpy.context.window_manager.windows[0].height
    facts["header"] = [header.x, height - header.y - header.height // 2]
    press("mousemove", str(header.x + 245), str(facts["header"][1]), "click", "1")
    later(choose, 2.0)


def choose() -> None:
    """Grade, by its letter."""
    picture("menu")
    press("key", "g")
    later(confirm, 2.0)


def confirm() -> None:
    """The dialog's button."""
    picture("dialog")
    clock["pressed"] = time.monotonic()
    press("key", "Return")
    later(watch, 0.1)


def watch() -> None:
    """Look at the render until it is over."""
    words = [one.text() for one in stage.extension("task").running.values()]
    waited = time.monotonic() - clock["pressed"]
    if words and words[0].startswith("frame 3") and "mid" not in facts:
        facts["mid"] = words[0]
        picture("mid")
    if waited > LIMIT_S:
        raise TimeoutError(f"the render is not over after {LIMIT_S} s: {words}")
    later(watch if words or waited < 3 else shown, 0.02)


def shown() -> None:
    """The redraw after the render has the result."""
    later(finish, 2.0)


def finish() -> None:
    """What is there at the end."""
    area = next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "IMAGE_EDITOR")
    image, user = area.spaces[0].image, area.spaces[0].image_user
    facts["editor"] = image.name
    facts["user"] = [user.frame_start, user.frame_duration, user.frame_offset]
    facts["path"] = image.filepath
    facts["scenes"] = len(bpy.data.scenes)
    facts["blender"] = bpy.app.version_string
    picture("end")
    leave(0)


bpy.context.preferences.view.show_splash = False
later(build, 1.0)
