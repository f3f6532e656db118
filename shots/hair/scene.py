"""The shot: a woman with wind in her hair before a garden at dusk, the camera's drift, what each pass shows."""

from math import radians, sin
from pathlib import Path
from typing import Any, Literal

import bpy
import numpy as np

from shots.hair.garden import build_garden
from shots.stage.coverage import glow
from shots.stage.cycles import new_scene, set_sampling
from shots.stage.frames import FIRST, LAST
from shots.stage.nodes import area_light, camera
from shots.stage.subject import build_subject, keyframe

LENS, FSTOP, FOCUS = 82.0, 4.0, 1.85
"""Millimetres on a 36 mm gate; focus in metres, on the eyes."""
MELANIN, REDNESS = 0.36, 0.85
"""Of her hair: copper."""
ALPHA_THRESHOLD = 0.022
"""Noise at which a pixel of the alpha pass has enough samples."""

Pass = Literal["subject", "alpha", "background"]

BODY_KEYS = {
    1000: (0.035, 0.0, 0.0, 24.0),
    1010: (0.015, -0.004, 0.002, 10.0),
    1025: (-0.050, -0.008, -0.002, -6.0),
}
"""frame: drift in metres (x, y, z) and turn in degrees."""
HEAD_KEYS = {
    1000: (3.0, 4.0, 14.0),
    1009: (-3.0, 1.0, 4.0),
    1018: (-1.0, -4.0, -12.0),
    1025: (1.0, -2.0, -15.0),
}
"""frame: nod, tilt and turn of the head on the body, in degrees."""


def build_shot(assets: Path, size: tuple[int, int], threads: int, seed: int) -> Any:
    """The whole scene, animated; what belongs to her carries the property `subject`."""
    scene = new_scene(size, threads)
    back = scene.world.node_tree.nodes["Background"]
    back.inputs[0].default_value, back.inputs[1].default_value = (0.36, 0.50, 0.80, 1.0), 0.22
    body, head = build_subject(assets, seed, MELANIN, REDNESS, scarf=False)
    for item in bpy.data.objects:
        item["subject"] = True
    keyframe(body, head, BODY_KEYS, HEAD_KEYS)
    build_garden(np.random.default_rng(seed))
    area_light("sky", (-1.1, -1.4, 0.9), (0, 0, 0), 0.9, 34.0, (0.90, 0.95, 1.0))
    area_light("low sun", (1.1, 0.95, 0.55), (0, 0, 0), 0.25, 30.0, (1.0, 0.76, 0.48))
    area_light("bounce", (1.5, -1.2, -0.3), (0, 0, -0.05), 1.0, 7.0, (1.0, 0.84, 0.68))
    drift(camera((0, 0, 0), (0, 1, 0), LENS, FOCUS, FSTOP))
    scene.render.use_motion_blur = True
    return scene


def drift(operator: Any) -> None:
    """A hand-held camera that slides 12 cm to the left and breathes."""
    for frame in range(FIRST - 2, LAST + 3):
        t = (frame - FIRST) / (LAST - FIRST)
        operator.location = (0.06 - 0.12 * t, -1.93, 0.03 + 0.004 * sin(8 * t))
        aside = 1.3 - 2.6 * t + 0.10 * sin(9 * t)
        operator.rotation_euler = (radians(88.2 + 0.12 * sin(11 * t + 1)), radians(0.15 * sin(6 * t)), radians(aside))
        operator.keyframe_insert("location", frame=frame)
        operator.keyframe_insert("rotation_euler", frame=frame)


def show(scene: Any, which: Pass, samples: int) -> None:
    """Set the scene up for one pass.

    subject: she alone, premultiplied, under the light of the garden; alpha: her coverage, as white light;
    background: the garden as if she were not seen, at half size, as it is out of focus.
    """
    on_subject = which != "background"
    scene.render.film_transparent = on_subject
    scene.render.resolution_percentage = 100 if on_subject else 50
    for item in bpy.data.objects:
        if item.type not in ("MESH", "CURVES"):
            continue
        item.visible_camera = ("subject" in item) == on_subject
        item.hide_render = which == "alpha" and "subject" not in item
        if "subject" in item:
            for slot in item.material_slots:
                glow(slot.material, which == "alpha")
    set_sampling(scene, which, samples, bounces=5, least=12, threshold=ALPHA_THRESHOLD)
