"""What is behind her: a brick wall under leaves, a hedge, a garden at dusk with bulbs between the trees."""

from math import pi
from typing import Any

import numpy as np

from shots.stage.nodes import Colour, Floats, area_light, grid, mesh_object, principled, sphere
from shots.stage.props import box, foliage, leaf_material, lit, masonry, mottled

GROUND = -1.55
"""Her eyes are at height 0."""
WARM: Colour = (1.0, 0.70, 0.36)


def build_garden(random: np.random.Generator) -> None:
    """A wall on the left, the garden open on the right."""
    bricks = masonry("bricks", ((0.24, 0.075, 0.045), (0.44, 0.19, 0.11)), (0.46, 0.42, 0.36), 0.16)
    box("wall", (-1.36, 1.75, 0.0), (2.4, 0.3, 3.2), bricks)
    u, v, quads = grid(2, 2)
    ground = np.stack([(u - 0.5) * 24, v * 30 - 4, np.full(4, GROUND)], axis=1)
    mesh_object("ground", ground, quads, mottled("gravel", (0.12, 0.10, 0.08), (0.34, 0.30, 0.24), 4.0), smooth=False)
    house = mottled("house", (0.24, 0.17, 0.12), (0.38, 0.28, 0.20), 1.5)
    box("house", (2.2, 12.0, 0.6), (9.0, 1.0, 5.0), house)
    for i, (x, z) in enumerate([(0.0, 0.2), (1.5, 0.2), (3.0, 0.2), (0.7, 1.7), (2.3, 1.7)]):
        box(
            f"window {i}",
            (x, 11.45, z),
            (0.75, 0.1, 1.0),
            lit(f"window {i}", (1.0, 0.66, 0.34), random.uniform(1.0, 2.2)),
        )
    add_leaves(random)
    add_bulbs(random)
    area_light("dusk", (-2.5, -0.5, 3.5), (-0.6, 1.6, 0.0), 1.6, 95.0, (0.80, 0.88, 1.0))
    area_light("lane lamp", (2.6, 2.4, 2.2), (0.5, 3.0, -0.4), 0.6, 170.0, (1.0, 0.74, 0.46))
    area_light("far lamp", (-0.4, 7.5, 3.2), (1.0, 8.0, -0.5), 0.8, 330.0, (1.0, 0.80, 0.56))


def add_leaves(random: np.random.Generator) -> None:
    """Leaves on the wall and over it, a hedge close behind her, two trees, shrubs."""
    fresh = leaf_material("fresh", (0.05, 0.13, 0.02), (0.20, 0.33, 0.06))
    deep = leaf_material("deep", (0.02, 0.07, 0.015), (0.08, 0.18, 0.035))
    autumn = leaf_material("autumn", (0.28, 0.09, 0.02), (0.55, 0.25, 0.05))
    ivy = np.stack(
        [random.uniform(-1.1, -0.16, 900), 1.56 + random.normal(0, 0.04, 900), random.uniform(-0.6, 0.6, 900)], axis=1
    )
    bare = np.sin(6.0 * ivy[:, 0] + 1.0) + np.sin(7.0 * ivy[:, 2] + 2.0 * ivy[:, 0]) < 0.35
    foliage("ivy", ivy[~bare], 0.075, deep, random)
    corner = np.array([-0.12, 1.52, 0.1]) + random.normal(0, 1, (500, 3)) * [0.10, 0.05, 0.33]
    foliage("corner", corner, 0.07, autumn, random)
    foliage("bough", cluster((0.42, 1.35, 0.46), (0.26, 0.12, 0.07), 260, random), 0.085, fresh, random)
    foliage("hedge", cluster((0.75, 1.7, -0.62), (0.42, 0.22, 0.18), 2200, random), 0.07, fresh, random)
    bark = mottled("bark", (0.05, 0.035, 0.025), (0.18, 0.13, 0.09), 14.0)
    for i, (x, y, leaf) in enumerate([(0.75, 4.2, deep), (1.9, 6.2, fresh), (0.15, 8.5, autumn), (2.9, 8.8, deep)]):
        trunk(f"trunk {i}", x, y, bark)
        foliage(f"crown {i}", cluster((x, y, 0.95), (0.50, 0.4, 0.32), 1500, random), 0.12, leaf, random)
        foliage(
            f"shrub {i}",
            cluster((x - 0.5, y + 0.4, -0.95), (0.45, 0.3, 0.24), 1100, random),
            0.09,
            (fresh, deep)[i % 2],
            random,
        )


def cluster(
    centre: tuple[float, float, float], spread: tuple[float, float, float], count: int, random: np.random.Generator
) -> Floats:
    """Points round twelve clumps, (count, 3)."""
    clumps = np.array(centre) + random.normal(0, 1, (12, 3)) * spread
    return np.asarray(clumps[random.integers(0, 12, count)] + random.normal(0, 0.45, (count, 3)) * spread)


def trunk(name: str, x: float, y: float, material: Any) -> None:
    """A straight stem from the ground."""
    u, v, quads = grid(17, 3)
    around = (0.10 - 0.04 * v) * np.stack([np.cos(2 * pi * u), np.sin(2 * pi * u)])
    mesh_object(name, np.stack([x + around[0], y + around[1], GROUND + 2.6 * v], axis=1), quads, material)


def add_bulbs(random: np.random.Generator) -> None:
    """Strings of warm bulbs between wall, trees and house."""
    bulb = lit("bulb", WARM, 42.0)
    cable = principled("cable", (0.02, 0.02, 0.02))
    strings = [
        ((-0.25, 2.2, 0.62), (1.6, 3.4, 0.55)),
        ((-0.2, 4.5, 0.75), (2.6, 5.5, 0.9)),
        ((-1.2, 7.5, 0.9), (3.0, 8.0, 1.0)),
    ]
    for i, (start, end) in enumerate(strings):
        for t in np.linspace(0.02, 0.98, 12):
            point = np.array(start) * (1 - t) + np.array(end) * t - np.array([0, 0, 1.2 * t * (1 - t)])
            point += random.normal(0, 0.02, 3)
            sphere(f"bulb {i} {t:.2f}", tuple(point), 0.016 + 0.004 * i, bulb)
            sphere(f"socket {i} {t:.2f}", (point[0], point[1], point[2] + 0.035), 0.014, cable)
