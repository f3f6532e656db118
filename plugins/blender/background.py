"""Renders without a window: nodes that are not up to date are rendered first, or stop the render with an error."""

import os
import sys
import traceback

import bpy

from . import export, job, places, settings, status, task, worker
from .places import Place
from .problem import Problem


@bpy.app.handlers.persistent
def before_render(scene: bpy.types.Scene, *_: object) -> None:
    """Called by Blender when a render begins; ends Blender with exit code 1 where it would show wrong frames."""
    if not bpy.app.background or export.is_under_way():
        return
    wanted = range(scene.frame_start, scene.frame_end + 1)
    try:
        if scene.vfxgen_render_stale:
            task.finish(job.render_all(scene, wanted))
        else:
            for place in places.every(scene):
                _require(place, wanted)
    except Exception as error:
        if not isinstance(error, Problem):
            traceback.print_exc()
        print(f"vfxgen: {error}", file=sys.stderr, flush=True)
        worker.close()
        # An exception would be printed and the render would go on; an ordinary exit hangs in Blender 4.5.
        os._exit(1)


@bpy.app.handlers.persistent
def after_load(*_: object) -> None:
    """Called by Blender when a file is open, before it takes -s and -e."""
    settings.saved_ranges.clear()
    if bpy.app.background:
        settings.saved_ranges.update({s.name: range(s.frame_start, s.frame_end + 1) for s in bpy.data.scenes})


def _require(place: Place, wanted: range) -> None:
    words = status.of_files(place.node(), bpy.data.scenes[place.scene], wanted)
    if words != status.UP_TO_DATE:
        raise Problem(
            f"{'/'.join(place.path)}: {words}. Render it, or turn on 'Render stale nodes in background' in its panel"
        )


def register() -> None:
    """Called when the extension is turned on."""
    bpy.app.handlers.load_post.append(after_load)
    bpy.app.handlers.render_init.append(before_render)


def unregister() -> None:
    """Called when it is turned off."""
    bpy.app.handlers.render_init.remove(before_render)
    bpy.app.handlers.load_post.remove(after_load)
