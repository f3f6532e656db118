"""The background plate: a street at dusk, warm shop windows on the key's side, all out of focus."""

from pathlib import Path

import bpy
import numpy as np

from shots.greenscreen.scene import studio_camera
from shots.stage.cycles import new_scene
from shots.stage.film import Image, lens_blur, read
from shots.stage.frames import SIZE
from shots.stage.nodes import Colour, area_light, grid, mesh_object, principled, sphere
from shots.stage.props import box, leaves, lit, mottled

GROUND = -1.55
"""The subject's eyes are at height 0."""
OVERSCAN = 1.1
"""Rendered larger, so that the blur has something to take in at the borders."""
EXPOSURE = 1.5
BOKEH = 31.0
"""Pixels across a far light: what the shot's lens gives at six metres and beyond."""


def build_street(random: np.random.Generator) -> None:
    """A pavement with house fronts on both sides, trees, bulbs, lamps and far cars."""
    u, v, quads = grid(2, 2)
    ground = np.stack([(u - 0.5) * 30, v * 44 - 4, np.full(4, GROUND)], axis=1)
    wet = mottled("asphalt", (0.03, 0.03, 0.035), (0.09, 0.085, 0.08), 3.0)
    wet.node_tree.nodes["Principled BSDF"].inputs["Roughness"].default_value = 0.28
    mesh_object("ground", ground, quads, wet, smooth=False)
    plaster = mottled("plaster", (0.20, 0.13, 0.09), (0.36, 0.26, 0.18), 1.5)
    stone = mottled("stone", (0.07, 0.075, 0.09), (0.16, 0.16, 0.18), 1.2)
    frame = principled("frame", (0.03, 0.025, 0.02), Roughness=0.5)
    box("left houses", (-3.9, 15.0, 1.5), (2.6, 26.0, 7.0), plaster)
    box("right houses", (4.6, 17.0, 2.0), (2.6, 26.0, 8.0), stone)
    box("far house", (0.6, 30.0, -0.2), (12.0, 2.0, 2.9), stone)
    shops: list[tuple[float, Colour, float]] = [
        (4.2, (1.0, 0.66, 0.34), 2.2), (7.2, (1.0, 0.56, 0.26), 1.6),
        (10.4, (1.0, 0.74, 0.46), 2.6), (14.0, (1.0, 0.6, 0.3), 2.0),
    ]  # fmt: skip
    for i, (y, colour, strength) in enumerate(shops):
        box(f"shop {i}", (-2.59, y, -0.25), (0.06, 2.1, 1.7), lit(f"shop {i}", colour, strength))
        for j, part in enumerate((-0.7, 0.0, 0.7)):
            box(f"bar {i} {j}", (-2.54, y + part, -0.25), (0.08, 0.07, 1.8), frame)
        box(f"awning {i}", (-2.25, y, 0.80), (0.75, 2.3, 0.10), principled(f"awning {i}", (0.22, 0.05, 0.04)))
    for i, (y, z) in enumerate([(6.5, 0.3), (9.5, 0.2), (9.5, 2.0), (13.0, 0.4), (17.0, 0.6), (17.0, 2.2)]):
        glow = lit(f"window {i}", (1.0, 0.72, 0.42), random.uniform(0.5, 1.3))
        box(f"window {i}", (3.29, y, z), (0.06, 1.0, 1.2), glow)
    for i, x in enumerate(np.linspace(-2.5, 3.5, 6)):
        box(
            f"far window {i}",
            (x, 28.98, 0.25 - 0.1 * (i % 2)),
            (0.5, 0.06, 0.75),
            lit(f"far {i}", (1, 0.78, 0.5), 0.9),
        )
    green = mottled("leaf", (0.015, 0.035, 0.012), (0.05, 0.09, 0.03), 4.0)
    for i, (x, y, z) in enumerate(
        [(2.1, 8.5, 0.9), (2.6, 12.5, 1.1), (-1.7, 17.0, 1.2), (2.2, 5.6, -1.0), (2.4, 6.6, -1.0)]
    ):
        crown = np.array([x, y, z]) + random.normal(0, 0.4 if z > 0 else 0.15, (8, 3))
        leaves(f"crown {i}", crown, 0.28, green, random)
        box(f"trunk {i}", (x, y, (z + GROUND) / 2), (0.16, 0.16, z - GROUND), stone)
    bulb = lit("bulb", (1.0, 0.70, 0.36), 55.0)
    for i, (start, end) in enumerate(
        [
            ((-2.4, 6.5, 1.0), (3.2, 9.0, 0.9)),
            ((-2.4, 11.0, 1.45), (3.2, 10.5, 1.3)),
            ((-2.4, 15, 1.6), (3.2, 17, 1.8)),
        ]
    ):
        for t in np.linspace(0.03, 0.97, 11):
            point = np.array(start) * (1 - t) + np.array(end) * t - [0, 0, 1.8 * t * (1 - t)]
            sphere(f"bulb {i} {t:.2f}", tuple(point + random.normal(0, 0.02, 3)), 0.022, bulb)
    for i, (x, y, z) in enumerate([(-0.9, 20.0, 0.9), (1.5, 24.0, 0.8), (0.5, 27.0, 0.75)]):
        sphere(f"lamp {i}", (x, y, z), 0.10, lit(f"lamp {i}", (1.0, 0.86, 0.66), 14.0))
    for i, (x, colour) in enumerate(
        [(0.15, (1, 0.06, 0.03)), (0.75, (1, 0.06, 0.03)), (-0.55, (1, 0.93, 0.8)), (-1.1, (1, 0.93, 0.8))]
    ):
        sphere(f"car {i}", (x, 22.0, -0.85), 0.07, lit(f"car {i}", colour, 9.0))
    area_light("street", (-1.8, 6.0, 2.6), (0.3, 7.0, GROUND), 0.8, 90.0, (1.0, 0.72, 0.45))
    area_light("dusk", (5.0, 2.0, 6.0), (0, 10.0, 0), 5.0, 420.0, (0.45, 0.62, 1.0))


def render_background(passes: Path, threads: int, samples: int, seed: int) -> Image:
    """The plate (H, W, 3): rendered sharp, then thrown out of focus."""
    width, height = (2 * round(n * OVERSCAN / 2) for n in SIZE)
    scene = new_scene((width, height), threads)
    back = scene.world.node_tree.nodes["Background"]
    back.inputs[0].default_value, back.inputs[1].default_value = (0.20, 0.32, 0.60, 1.0), 0.9
    build_street(np.random.default_rng(seed))
    lens = studio_camera().data
    lens.sensor_width *= width / SIZE[0]
    lens.dof.use_dof = False
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.film_exposure = samples, True, EXPOSURE
    scene.render.filepath = str(passes / "background.exr")
    bpy.ops.render.render(write_still=True)
    blurred = lens_blur(read(passes / "background.exr")[..., :3], BOKEH)
    top, left = (height - SIZE[1]) // 2, (width - SIZE[0]) // 2
    return blurred[top : top + SIZE[1], left : left + SIZE[0]].copy()
