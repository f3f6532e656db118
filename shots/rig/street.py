"""The scenery: a paved lane before a garden wall, trees, a hedge, houses beyond, things close to the camera."""

from math import pi
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from shots.stage.nodes import Floats, aim, grid, link, mesh_object, node, principled, smooth_noise, sphere
from shots.stage.props import Triple, box, foliage, leaf_material, masonry, mottled

SUN = (-0.55, -0.62, 0.60)
"""Where the sun stands: behind the camera, on its left."""
SKY_RADIUS = 160.0
WALL, WALL_HEIGHT = 10.0, 2.25
"""The garden wall: distance and height in metres."""


def build_street(random: np.random.Generator) -> None:
    """Everything that stays in the clean plate."""
    add_light()
    add_sky()
    add_ground(random)
    add_wall(random)
    add_houses()
    bark = mottled("bark", (0.05, 0.035, 0.025), (0.20, 0.15, 0.10), 16.0)
    light = leaf_material("light leaf", (0.06, 0.14, 0.02), (0.18, 0.30, 0.05))
    deep = leaf_material("deep leaf", (0.02, 0.07, 0.015), (0.08, 0.17, 0.03))
    add_tree("tree left", (-3.3, 8.2), 3.1, bark, deep, random)
    add_tree("tree right", (4.6, 8.9), 2.9, bark, light, random)
    for i, place in enumerate([(-9.0, 17.0), (0.8, 15.5), (7.5, 19.0)]):
        add_tree(f"far tree {i}", place, 3.8, bark, (light, deep)[i % 2], random)
    behind = set(bpy.data.objects)
    add_foreground(deep, light, random)
    for item in set(bpy.data.objects) - behind:
        item["front"] = True


def add_light() -> None:
    """A low warm sun and a blue sky."""
    scene = bpy.context.scene
    tree = scene.world.node_tree
    sky = node(tree, "ShaderNodeTexSky", sky_type="HOSEK_WILKIE", turbidity=3.0, ground_albedo=0.3)
    sky.sun_direction = Vector(SUN).normalized()
    tree.links.new(sky.outputs[0], tree.nodes["Background"].inputs[0])
    tree.nodes["Background"].inputs[1].default_value = 0.55
    light = bpy.data.lights.new("sun", "SUN")
    light.energy, light.angle, light.color = 3.4, 0.012, (1.0, 0.90, 0.76)
    sun = link(bpy.data.objects.new("sun", light))
    sun.location = SUN
    aim(sun, (0, 0, 0))


def add_sky() -> None:
    """A dome with clouds that only the camera sees: a surface, so that the sky has flow too."""
    material = principled("sky", (0, 0, 0), Roughness=1.0, Specular_IOR_Level=0.0)
    tree = material.node_tree
    where = node(tree, "ShaderNodeTexCoord").outputs["Generated"]
    flat = node(tree, "ShaderNodeMapping", {0: where, "Scale": (3.0, 3.0, 11.0)}).outputs[0]
    cloud = node(tree, "ShaderNodeTexNoise", {"Vector": flat, "Scale": 2.2, "Detail": 9.0, "Roughness": 0.6})
    cover = node(tree, "ShaderNodeMapRange", {"Value": cloud.outputs[0], "From Min": 0.44, "From Max": 0.66}).outputs[0]
    colours = {0: cover, 6: (0.34, 0.55, 0.92, 1), 7: (1.05, 1.03, 1.0, 1)}
    colour = node(tree, "ShaderNodeMix", colours, data_type="RGBA").outputs[2]
    glow = node(tree, "ShaderNodeEmission", {0: colour, 1: 1.15}).outputs[0]
    tree.links.new(glow, tree.nodes["Material Output"].inputs["Surface"])
    dome = sphere("sky", (0, 0, -8), SKY_RADIUS, material)
    dome.visible_diffuse = dome.visible_glossy = dome.visible_transmission = dome.visible_shadow = False


def add_ground(random: np.random.Generator) -> None:
    """Setts with a worn profile, a kerb, a strip of grass along the wall."""
    u, v, quads = grid(160, 160)
    points = np.stack([(u - 0.5) * 40, v * 40 - 6, np.zeros(len(u))], axis=1)
    points[:, 2] = 0.015 * smooth_noise(points, 3, 0.9, 2)
    setts = masonry("setts", ((0.19, 0.175, 0.16), (0.30, 0.275, 0.245)), (0.075, 0.07, 0.06), 0.22, "z")
    mesh_object("lane", points, quads, setts)
    box("kerb", (0, WALL - 1.15, 0.04), (40, 0.16, 0.16), mottled("kerb", (0.22, 0.21, 0.19), (0.40, 0.38, 0.35), 5.0))
    box("verge", (0, WALL - 0.5, 0.05), (40, 1.2, 0.12), mottled("soil", (0.04, 0.05, 0.02), (0.10, 0.10, 0.04), 3.0))
    foot = np.stack([random.uniform(-9, 11, 15000), random.uniform(WALL - 1.05, WALL - 0.14, 15000)], axis=1)
    clumps = np.exp(1.3 * smooth_noise(np.column_stack([foot, np.zeros(len(foot))]), 8, 1.6, 3))
    add_grass("grass", foot, 0.10 + 0.07 * clumps, random)


def add_grass(name: str, foot: Floats, height: Floats, random: np.random.Generator) -> None:
    """Blades of grass at (N, 2) points of the verge."""
    angle = random.uniform(0, 2 * pi, len(foot))
    across = 0.006 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    low = np.column_stack([foot, np.full(len(foot), 0.1)])
    lean = random.normal(0, 0.35, (len(foot), 2)) * height[:, None]
    points = np.stack([low - across, low + across, low + np.column_stack([lean, height])], axis=1).reshape(-1, 3)
    blades = np.arange(3 * len(foot)).reshape(-1, 3).tolist()
    mesh_object(name, points, blades, leaf_material(name, (0.05, 0.10, 0.015), (0.20, 0.27, 0.06)), smooth=False)


def add_wall(random: np.random.Generator) -> None:
    """Bricks under a coping, a plank door, a poster, ivy."""
    bricks = masonry("bricks", ((0.27, 0.085, 0.05), (0.42, 0.17, 0.10)), (0.33, 0.30, 0.26), 0.21)
    stone = mottled("coping", (0.24, 0.22, 0.19), (0.46, 0.43, 0.38), 6.0)
    box("wall", (1, WALL + 0.2, WALL_HEIGHT / 2), (26, 0.4, WALL_HEIGHT), bricks)
    box("coping", (1, WALL + 0.2, WALL_HEIGHT + 0.05), (26, 0.56, 0.1), stone)
    for x in (-5.2, -1.0, 3.2, 7.4):
        box(f"pier {x}", (x, WALL + 0.1, 1.22), (0.5, 0.5, 2.44), bricks)
        box(f"cap {x}", (x, WALL + 0.1, 2.5), (0.62, 0.62, 0.12), stone)
    planks = masonry("planks", ((0.035, 0.11, 0.10), (0.05, 0.15, 0.13)), (0.01, 0.03, 0.03), 0.9, "x")
    tree = planks.node_tree
    next(n for n in tree.nodes if n.type == "MAPPING").inputs["Rotation"].default_value = (pi / 2, pi / 2, 0)
    box("frame", (-2.5, WALL - 0.03, 1.05), (1.24, 0.14, 2.1), stone)
    box("door", (-2.5, WALL - 0.08, 1.02), (1.0, 0.12, 2.0), planks)
    sphere("knob", (-2.14, WALL - 0.17, 1.0), 0.035, principled("brass", (0.8, 0.55, 0.2), Metallic=1.0, Roughness=0.3))
    box("lantern", (-1.0, WALL - 0.26, 1.9), (0.16, 0.16, 0.26), principled("iron", (0.02, 0.02, 0.02), Roughness=0.4))
    poster = masonry("poster", ((0.05, 0.13, 0.32), (0.80, 0.66, 0.30)), (0.75, 0.73, 0.66), 0.16)
    box("poster", (0.75, WALL - 0.012, 1.35), (0.62, 0.02, 0.86), poster)
    box("edge", (0.75, WALL - 0.008, 1.35), (0.70, 0.02, 0.94), principled("paper", (0.78, 0.76, 0.70)))
    for i, (left, right) in enumerate([(1.7, 5.2), (-8.0, -4.6)]):
        x = random.uniform(left, right, 9000)
        z = WALL_HEIGHT + 0.15 - random.gamma(1.6, 0.42, len(x)) * (1 + 0.5 * np.sin(2.7 * x + i))
        y = WALL - np.abs(random.normal(0.03, 0.07, len(x)))
        climbing = np.stack([x, y, z], axis=1)[z > 0.2]
        foliage(f"ivy {i}", climbing, 0.085, leaf_material(f"ivy {i}", (0.02, 0.06, 0.015), (0.09, 0.17, 0.03)), random)


def add_houses() -> None:
    """A row of plastered and brick houses beyond the garden."""
    white = principled("window frame", (0.72, 0.71, 0.67), Roughness=0.5)
    pane = principled("pane", (0.03, 0.035, 0.045), Roughness=0.06)
    tiles = masonry("tiles", ((0.20, 0.075, 0.045), (0.30, 0.13, 0.08)), (0.06, 0.03, 0.02), 0.3, "z")
    fronts = [
        masonry("old brick", ((0.33, 0.15, 0.09), (0.44, 0.24, 0.15)), (0.40, 0.37, 0.32), 0.24),
        mottled("cream", (0.52, 0.45, 0.32), (0.68, 0.61, 0.46), 0.8),
        masonry("grey brick", ((0.26, 0.245, 0.22), (0.38, 0.36, 0.33)), (0.20, 0.19, 0.18), 0.24),
        mottled("rose", (0.45, 0.27, 0.21), (0.58, 0.37, 0.29), 0.8),
    ]
    for i, (left, height, depth) in enumerate(
        [(-17.5, 6.6, 26), (-9.8, 7.6, 25), (-2.4, 6.4, 27), (5.0, 7.3, 25.5), (12.6, 6.2, 27)]
    ):
        width = 7.3
        box(f"house {i}", (left + width / 2, depth + 3, height / 2), (width, 6, height), fronts[i % 4])
        add_roof(f"roof {i}", (left + width / 2, depth + 3, height), width, tiles)
        box(f"chimney {i}", (left + 1.2, depth + 3, height + 2.6), (0.8, 0.9, 1.8), fronts[0])
        for x in (1.3, 3.65, 6.0):
            for z in (height - 1.5, height - 4.2):
                middle = np.array([left + x, depth, z])
                box(f"frame {i} {x} {z:.1f}", tuple(middle), (1.2, 0.16, 1.7), white)
                for side in (-0.27, 0.27):
                    box(
                        f"pane {i} {x} {z:.1f} {side}",
                        tuple(middle + np.array([side, -0.05, 0])),
                        (0.46, 0.12, 1.5),
                        pane,
                    )


def add_roof(name: str, eaves: Triple, width: float, material: Any) -> None:
    """A gable along x, its eaves at a height."""
    x, y, z = eaves
    ends = [(-width / 2 - 0.1, s) for s in (-3.3, 0, 3.3)] + [(width / 2 + 0.1, s) for s in (-3.3, 0, 3.3)]
    points = np.array([[x + a, y + b, z + 2.4 * (b == 0)] for a, b in ends])
    mesh_object(name, points, [[0, 1, 4, 3], [1, 2, 5, 4], [0, 2, 1], [3, 4, 5]], material, smooth=False)


def add_tree(
    name: str, place: tuple[float, float], height: float, bark: Any, leaf: Any, random: np.random.Generator
) -> None:
    """A bent trunk with boughs and a crown of clustered leaves; height in metres of the crown's middle."""
    u, v, quads = grid(15, 13)
    foot = np.array([*place, 0.0])
    around = np.stack([np.cos(2 * pi * u), np.sin(2 * pi * u), 0 * u], axis=1)
    bend = np.stack([0.10 * np.sin(3.1 * v), 0.06 * np.sin(4.0 * v), v * height], axis=1)
    thick = (0.17 - 0.09 * v + 0.10 * np.exp(-9 * v))[:, None] * (1 + 0.1 * smooth_noise(around, 2, 3.0, 2))[:, None]
    mesh_object(f"{name} trunk", foot + around * thick + bend, quads, bark)
    crown = foot + [0, 0, height] + random.normal(0, 1, (26, 3)) * [0.75, 0.75, 0.5]
    for i, end in enumerate(crown[:9]):
        start = foot + np.array([0, 0, height * random.uniform(0.6, 0.85)])
        along = start + v[:, None] * (end - start)
        mesh_object(f"{name} bough {i}", along + around * (0.045 - 0.03 * v)[:, None], quads, bark)
    where = crown[random.integers(0, len(crown), 7000)] + random.normal(0, 0.24, (7000, 3))
    foliage(f"{name} leaves", where, 0.12, leaf, random)


def add_foreground(deep: Any, light: Any, random: np.random.Generator) -> None:
    """What passes close to the camera: bollards with a chain, a planter, a twig from above."""
    iron = mottled("bollard", (0.015, 0.02, 0.02), (0.05, 0.055, 0.05), 20.0)
    rust = principled("chain", (0.10, 0.06, 0.04), Metallic=0.7, Roughness=0.6)
    u, v, quads = grid(25, 40)
    rings = 0.062 - 0.012 * v + 0.022 * (np.exp(-(((v - 0.82) / 0.03) ** 2)) + np.exp(-(((v - 0.06) / 0.05) ** 2)))
    rings = np.where(v > 0.93, np.sqrt(np.clip(1 - ((v - 0.93) / 0.07) ** 2, 0, 1)) * 0.055, rings)
    post = np.stack([rings * np.cos(2 * pi * u), rings * np.sin(2 * pi * u), v * 0.92], axis=1)
    places = [-2.3, -0.1, 2.1, 4.3]
    for i, x in enumerate(places):
        mesh_object(f"bollard {i}", post + np.array([x, 3.9, 0]), quads, iron)
    for i, x in enumerate(places[:-1]):
        for j, t in enumerate(np.linspace(0, 1, 60)):
            centre = (x + 2.2 * t, 3.9, 0.76 - 1.0 * t * (1 - t))
            box(f"link {i} {j}", centre, ((0.034, 0.008, 0.018) if j % 2 else (0.034, 0.018, 0.008)), rust)
    clay = mottled("clay", (0.30, 0.11, 0.06), (0.46, 0.20, 0.12), 7.0)
    for i, (x, y) in enumerate([(2.75, 3.3), (-2.9, 4.4)]):
        shape = (0.20 + 0.10 * v + 0.025 * (v > 0.88))[:, None] * np.stack(
            [np.cos(2 * pi * u), np.sin(2 * pi * u)], axis=1
        )
        mesh_object(f"pot {i}", np.column_stack([shape + np.array([x, y]), 0.48 * v]), quads, clay)
        shrub = np.array([x, y, 0.72]) + random.normal(0, 1, (1500, 3)) * [0.17, 0.17, 0.16]
        foliage(f"shrub {i}", shrub, 0.075, (light, deep)[i], random)
        if i == 0:
            petals = np.array([x, y, 0.78]) + random.normal(0, 1, (160, 3)) * [0.18, 0.18, 0.14]
            foliage("flowers", petals, 0.06, mottled("petal", (0.55, 0.05, 0.12), (0.85, 0.25, 0.30), 30.0), random)
    twig = np.array([-1.9, 2.9, 2.55]) + random.normal(0, 1, (420, 3)) * [0.42, 0.15, 0.13]
    foliage("twig", twig, 0.09, light, random)
