"""A key in a window: argv is a folder, the zip, a plate's first file, and `end` or `escape`: how the render ends.

Leaves MODE_before.png, MODE_mid.png, MODE_end.png and MODE.json in the folder.
"""

import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
import stage

FOLDER, ZIP, PLATE, MODE = sys.argv[-4:]
FRAMES, LIMIT_S = 12, 200
facts: dict[str, object] = {"longest_gap": 0.0}
clock = {"pressed": 0.0, "last": 0.0}


def build() -> None:
    """The scene, as a user who follows docs/blender.md has it."""
    bpy.ops.extensions.package_install_files(filepath=ZIP, repo="user_default", enable_on_install=True)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, FRAMES
    scene.render.resolution_x, scene.render.resolution_y = 960, 540
    tree = stage.compositor(scene)
    plate = stage.images(tree, PLATE, 1, 24, 1000)
    key = stage.add(tree, "key", plate.outputs[0])
    viewer = tree.nodes.new("CompositorNodeViewer")
    for target in (tree.nodes["Output"], viewer):
        tree.links.new(key.outputs[0], target.inputs[0])
    places = ((plate, -480, 300), (key, -160, 260), (tree.nodes["Output"], 140, 300), (viewer, 140, 120))
    for node, x, y in places:
        node.location, node.select = (x, y), False
    tree.nodes.active = key
    bpy.ops.wm.save_as_mainfile(filepath=f"{FOLDER}/{MODE}.blend")
    area = max(bpy.context.window_manager.windows[0].screen.areas, key=lambda area: area.width * area.height)
    area.ui_type = "CompositorNodeTree"
    space = area.spaces[0]
    space.show_region_ui, space.show_region_asset_shelf, space.show_backdrop = True, False, True
    space.backdrop_zoom, space.backdrop_offset = 0.6, (-130, -170)
    later(press, 1.5)


def press() -> None:
    """What the Render button does."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "NODE_EDITOR")
    for region in area.regions:
        if region.type == "UI":
            region.active_panel_category = "vfxgen"
    region = next(region for region in area.regions if region.type == "WINDOW")
    picture("before")
    clock["pressed"] = clock["last"] = time.monotonic()
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.vfxgen.render("INVOKE_DEFAULT")
    later(watch, 0.02)


def watch() -> None:
    """Look at the render until it is over."""
    now = time.monotonic()
    words = [one.words for one in stage.extension("job").running.values()]
    if words and words[0].startswith("frame"):
        facts.setdefault("first_progress", round(now - clock["pressed"], 2))
        facts["longest_gap"] = max(facts["longest_gap"], round(now - clock["last"], 3))
    clock["last"] = now
    if words and words[0].startswith("frame 3") and "mid" not in facts:
        facts["mid"] = words[0]
        picture("mid")
        if MODE == "escape":
            subprocess.run(["xdotool", "mousemove", "500", "400", "key", "Escape"], check=True)
        clock["last"] = time.monotonic()
    if now - clock["pressed"] > LIMIT_S:
        raise TimeoutError(f"the render is not over after {LIMIT_S} s: {words}")
    later(watch if words or now - clock["pressed"] < 2 else shown, 0.02)


def shown() -> None:
    """The redraw after the render has the result."""
    later(finish, 3.0)


def finish() -> None:
    """What is there at the end."""
    scene = bpy.data.scenes[0]
    tree = scene.compositing_node_group if stage.IS_5 else scene.node_tree
    facts["status"] = stage.status(scene, tree.nodes["Key"])
    facts["scenes"] = len(bpy.data.scenes)
    facts["blender"] = bpy.app.version_string
    picture("end")
    leave(0)


def picture(name: str) -> None:
    """The whole screen."""
    subprocess.run(["import", "-window", "root", f"{FOLDER}/{MODE}_{name}.png"], check=True)


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


bpy.context.preferences.view.show_splash = False
later(build, 1.0)
