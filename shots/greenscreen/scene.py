"""The studio: camera, lamps, wrinkled green screen, the performance, and what each pass shows."""

from pathlib import Path
from typing import Any, Literal

import bpy
import numpy as np

from shots.stage.coverage import glow
from shots.stage.cycles import new_scene, set_sampling
from shots.stage.nodes import area_light, camera, grid, mesh_object, principled, smooth_noise
from shots.stage.subject import build_subject, keyframe

LENS, FSTOP, FOCUS = 82.0, 2.8, 1.84
"""Millimetres on a 36 mm gate; focus in metres, on the eyes."""
CAMERA, CAMERA_TARGET = (0.0, -1.93, 0.03), (0.0, 0.0, -0.035)
ALPHA_THRESHOLD = 0.022
"""Noise at which a pixel of the alpha pass has enough samples."""
GREEN = (0.06, 0.36, 0.10)
GREY = (float(np.dot(GREEN, (0.2126, 0.7152, 0.0722))),) * 3
"""The paint of the screen, and a neutral of the same luminance."""

Pass = Literal["green", "grey", "alpha", "shadow", "clean"]

BODY_KEYS = {
    1001: (-0.085, 0.010, -0.004, -20.0),
    1005: (-0.078, 0.006, -0.003, -17.0),
    1014: (0.045, -0.012, 0.002, 13.0),
    1024: (0.058, -0.015, 0.0, 17.0),
}
"""frame: drift in metres (x, y, z) and turn in degrees."""
HEAD_KEYS = {
    1001: (2.0, -3.0, -18.0),
    1004: (2.0, -3.0, -17.0),
    1012: (-4.0, 4.0, 15.0),
    1018: (-2.0, 3.0, 4.0),
    1024: (1.0, 1.5, -4.0),
}
"""frame: nod, tilt and turn of the head on the body, in degrees."""


def studio_camera() -> Any:
    """The camera of the shot; the background plate uses it too."""
    return camera(CAMERA, CAMERA_TARGET, LENS, FOCUS, FSTOP)


def build_studio(assets: Path, size: tuple[int, int], threads: int, seed: int) -> Any:
    """The whole scene, animated."""
    scene = new_scene(size, threads)
    back = scene.world.node_tree.nodes["Background"]
    back.inputs[0].default_value, back.inputs[1].default_value = (0.7, 0.8, 1.0, 1.0), 0.04
    body, head = build_subject(assets, seed)
    keyframe(body, head, BODY_KEYS, HEAD_KEYS)
    add_screen()
    area_light("key", (-1.05, -1.25, 0.75), (0, 0, 0), 0.5, 33.0, (1.0, 0.92, 0.82))
    area_light("rim", (0.95, 0.75, 0.65), (0, 0, 0), 0.35, 13.0, (0.82, 0.90, 1.0))
    area_light("back", (-0.8, 0.85, 0.75), (0, 0, 0.02), 0.3, 6.0, (1.0, 0.86, 0.70))
    area_light("fill", (1.5, -1.2, 0.1), (0, 0, -0.05), 1.0, 6.0, (0.94, 0.97, 1.0))
    area_light("screen left", (-1.6, 0.45, 0.9), (-0.35, 1.5, -0.1), 0.8, 40.0)
    area_light("screen right", (1.7, 0.30, 0.7), (0.5, 1.5, 0.1), 0.8, 26.0)
    studio_camera()
    scene.render.use_motion_blur = True
    return scene


def add_screen() -> None:
    """Green cloth on a wall: long hanging folds, creases from the box, and fine wrinkles."""
    u, v, quads = grid(420, 260)
    points = np.stack([(u - 0.5) * 3.6, np.full(len(u), 1.45), (v - 0.5) * 2.4], axis=1)
    hanging = smooth_noise(points * [1, 0, 0.12], 2, 5.0, 3)
    creases = 1 - np.abs(smooth_noise(points * [1, 0, 0.55], 5, 7.0, 2)) ** 0.8
    fold_lines = np.exp(-(((points[:, 0] - 0.33) / 0.012) ** 2))
    fold_lines += np.exp(-(((points[:, 2] - 0.12) / 0.010) ** 2))
    points[:, 1] += 0.034 * hanging - 0.034 * creases - 0.006 * fold_lines
    mesh_object("screen", points, quads, principled("screen", GREEN, Roughness=0.85, Specular_IOR_Level=0.12))


def show(scene: Any, which: Pass, samples: int) -> None:
    """Set the scene up for one pass.

    green: the subject with the green bounce; grey: with neutral bounce; alpha: her coverage, as white light;
    shadow: the screen as she shades it; clean: the empty screen; both at half size, as they are out of focus.
    """
    screen = bpy.data.objects["screen"]
    paint = bpy.data.materials["screen"].node_tree.nodes["Principled BSDF"].inputs["Base Color"]
    paint.default_value = (*(GREY if which == "grey" else GREEN), 1.0)
    on_subject = which in ("green", "grey", "alpha")
    scene.render.film_transparent = on_subject
    scene.render.resolution_percentage = 100 if on_subject else 50
    screen.visible_camera = not on_subject
    for item in bpy.data.objects:
        if item.type in ("MESH", "CURVES") and item is not screen:
            item.visible_camera = on_subject
            item.hide_render = which == "clean"
    for material in bpy.data.materials:
        if material.name != "screen":
            glow(material, which == "alpha")
    set_sampling(scene, which, samples, bounces=6, least=12, threshold=ALPHA_THRESHOLD)
