"""A key in a window: argv is a folder, the zip, a plate's first file, and `end` or `escape`: how the render ends.

Leaves MODE_before.png, MODE_mid.png, MODE_end.png and MODE.json in the folder.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
import stage
from window_stage import FOLDER, MODE, PLATE, facts, install, later, leave, picture, show
from window_stage import press as press_key

FRAMES, LIMIT_S = 12, 200
facts.update(longest_gap=0.0, longest_step=[0.0, 0.0], longest_export=[0.0, 0.0])
clock = {"pressed": 0.0, "last": 0.0}


def build() -> None:
    """The scene, as a user who follows docs/blender.md has it."""
    install()
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
    space = show("CompositorNodeTree").spaces[0]
    space.show_region_ui, space.show_region_asset_shelf, space.show_backdrop = True, False, True
    space.backdrop_zoom, space.backdrop_offset = 0.6, (-130, -170)
    later(warm_up, 1.5)


def warm_up() -> None:
    """A worker that has rendered before, and the panel that the first redraw has made."""
    for region in editor().regions:
        if region.type == "UI":
            region.active_panel_category = "vfxgen"
    key = {"operator": "key", "inputs": {"plate": PLATE}, "output": {"path": f"{FOLDER}/warm.####.exr"}, "frames": "1"}
    stage.extension("worker").client().call("render", key, timeout=None)
    later(press, 3.0)


def press() -> None:
    """What the Render button does."""
    window, area = bpy.context.window_manager.windows[0], editor()
    region = next(region for region in area.regions if region.type == "WINDOW")
    picture("before")
    stage.extension("job").render = timed(stage.extension("job").render)
    clock["pressed"] = clock["last"] = time.monotonic()
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.vfxgen.render("INVOKE_DEFAULT")
    later(watch, 0.02)


def timed(render: Callable[..., Iterator[None]]) -> Callable[..., Iterator[None]]:
    """A render that notes how long its steps hold the window: the longest, and the longest that exported a frame.

    In seconds, and in seconds of this thread's processor time, which other programs do not make longer.
    """

    def steps(*asked: object) -> Iterator[None]:
        inner = render(*asked)
        while True:
            exported, start = shares(), (time.monotonic(), time.thread_time())
            try:
                next(inner)
            except StopIteration:
                return
            finally:
                kind = "longest_export" if shares() > exported else "longest_step"
                taken = [time.monotonic() - start[0], time.thread_time() - start[1]]
                facts[kind] = [max(old, round(new, 3)) for old, new in zip(facts[kind], taken, strict=True)]
            yield

    return steps


def shares() -> float:
    return sum(one.exported for one in stage.extension("task").running.values())


def editor() -> bpy.types.Area:
    return next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "NODE_EDITOR")


def watch() -> None:
    """Look at the render until it is over."""
    now = time.monotonic()
    words = [one.words for one in stage.extension("task").running.values()]
    if words and words[0].startswith("frame"):
        facts.setdefault("first_progress", round(now - clock["pressed"], 2))
        facts["longest_gap"] = max(facts["longest_gap"], round(now - clock["last"], 3))
    clock["last"] = now
    if words and words[0].startswith("frame 3") and "mid" not in facts:
        facts["mid"] = words[0]
        picture("mid")
        if MODE == "escape":
            press_key("mousemove", "500", "400", "key", "Escape")
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


bpy.context.preferences.view.show_splash = False
later(build, 1.0)
