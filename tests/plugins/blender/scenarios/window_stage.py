"""What the scenarios in a window share: argv is a folder, the zip, a plate's first file, and how the scenario ends."""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import bpy
import stage

FOLDER, ZIP, PLATE, MODE = sys.argv[-4:]
facts: dict[str, object] = {}


def install() -> None:
    """The extension, as a user installs it."""
    bpy.ops.extensions.package_install_files(filepath=ZIP, repo="user_default", enable_on_install=True)


def show(kind: str) -> bpy.types.Area:
    """The largest area as an editor."""
    area = max(bpy.context.window_manager.windows[0].screen.areas, key=lambda area: area.width * area.height)
    area.ui_type = kind
    return area


def picture(name: str) -> None:
    """The whole screen."""
    subprocess.run(["import", "-window", "root", f"{FOLDER}/{MODE}_{name}.png"], check=True)


def press(*what: str) -> None:
    """What mouse and keyboard do, in words of xdotool."""
    subprocess.run(["xdotool", *what], check=True)


def later(step: Callable[[], None], seconds: float) -> None:
    """Take a step when Blender has drawn; a step that fails ends Blender."""

    def safely() -> None:
        try:
            step()
        except BaseException:
            traceback.print_exc()
            leave(1)

    bpy.app.timers.register(safely, first_interval=seconds)


def leave(code: int) -> None:
    """End Blender without asking whether to save."""
    Path(FOLDER, f"{MODE}.json").write_text(json.dumps(facts, indent=1))
    stage.extension("worker").close()
    sys.stdout.flush()
    os._exit(code)
