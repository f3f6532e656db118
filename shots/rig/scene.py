"""The shot: scenery, crew, the camera's walk, and what each pass shows."""

from math import radians, sin
from typing import Any, Literal

import bpy
import numpy as np

from shots.rig.crew import build_crew
from shots.rig.street import build_street
from shots.stage.cycles import new_scene
from shots.stage.frames import FIRST, LAST
from shots.stage.nodes import camera

LENS, FSTOP, FOCUS = 30.0, 11.0, 6.0
"""Millimetres on a 36 mm gate; focus in metres."""
EXPOSURE = 1.3
SOFTNESS = 2.2
"""Width of the pixel filter: what a lens and a scan leave of a pixel."""

Pass = Literal["clean", "rig", "flow"]


def build_shot(size: tuple[int, int], threads: int, seed: int) -> Any:
    """The whole scene, animated.

    What the clean plate does not show carries the property `rig`, what stands before that the property `front`.
    """
    scene = new_scene(size, threads)
    scene.cycles.use_light_tree = False
    build_street(np.random.default_rng(seed))
    for item in build_crew():
        item["rig"] = True
    walk(camera((0, 0, 0), (0, 1, 0), LENS, FOCUS, FSTOP))
    layer = scene.view_layers[0]
    layer.use_pass_vector = True
    return scene


def walk(operator: Any) -> None:
    """A camera on a walking operator's shoulder: 1.6 m to the right, a little forward, panning against it."""
    for frame in range(FIRST - 2, LAST + 3):
        t = (frame - FIRST) / (LAST - FIRST)
        operator.location = (-0.75 + 1.6 * t, 0.30 * t, 1.52 + 0.015 * sin(13 * t))
        operator.rotation_euler = (
            radians(91.5 + 0.25 * sin(9 * t)),
            radians(0.3 * sin(7 * t)),
            radians(-0.75 + 1.5 * t + 0.2 * sin(11 * t)),
        )
        operator.keyframe_insert("location", frame=frame)
        operator.keyframe_insert("rotation_euler", frame=frame)


def show(scene: Any, which: Pass, samples: int) -> None:
    """Set the scene up for one pass.

    clean: the scenery, still with the shadows and reflections of the rig; rig: the rig alone, premultiplied, held
    out by what stands before it; flow: motion vectors of the scenery at the middle of the exposure.
    """
    for item in bpy.data.objects:
        rig, front = "rig" in item, "front" in item
        item.visible_camera = rig or front if which == "rig" else not rig
        item.is_holdout = which == "rig" and front
    render, cycles = scene.render, scene.cycles
    render.film_transparent = which == "rig"
    render.use_motion_blur = which != "flow"
    cycles.samples, cycles.use_denoising = samples, which == "clean"
    cycles.film_exposure = EXPOSURE
    cycles.max_bounces = 0 if which == "flow" else 2
    cycles.pixel_filter_type = "BOX" if which == "flow" else "BLACKMAN_HARRIS"
    cycles.filter_width = 0.01 if which == "flow" else SOFTNESS
    settings = render.image_settings
    settings.media_type = "MULTI_LAYER_IMAGE" if which == "flow" else "IMAGE"
    settings.file_format = "OPEN_EXR_MULTILAYER" if which == "flow" else "OPEN_EXR"
    settings.color_depth = "32"
