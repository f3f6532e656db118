"""Random subjects with a surface: solids, smoke, glass."""

from math import pi
from typing import Any

import bpy
import numpy as np

from shots.stage.nodes import Floats, grid, mesh_object, node, principled, smooth_noise
from shots.stage.props import box, mottled

Random = np.random.Generator


def look(name: str, random: Random) -> Any:
    """A surface of any colour: mottled, glossy, metal, or like skin."""
    kind = random.random()
    if kind < 0.2:
        tone = random.uniform(0.25, 1.0)
        return principled(name, (0.75 * tone, 0.45 * tone**1.4, 0.33 * tone**1.7), Roughness=0.5)
    dark = np.clip(random.uniform(0.0, 0.5) * random.uniform(0.3, 1.7, 3), 0.003, 0.9)
    if kind < 0.7:
        bright = np.clip(dark * random.uniform(1.0, 3.0) + random.uniform(0, 0.2, 3), 0.003, 0.95)
        return mottled(name, tuple(dark), tuple(bright), random.uniform(2, 40))
    return principled(name, tuple(dark), Roughness=random.uniform(0.1, 0.6), Metallic=random.choice([0, 0, 1]))


def ball(centre: Floats, size: float, random: Random, lumps: float = 0.0) -> Any:
    """A ball with lumps, as large as `size`."""
    u, v, quads = grid(49, 33)
    longitude, latitude = u * 2 * pi, (v - 0.5) * pi
    flat = np.stack([np.sin(longitude), -np.cos(longitude)]) * np.cos(latitude)
    points = np.stack([*flat, np.sin(latitude)], axis=1)
    swell = 1 + lumps * smooth_noise(points, int(random.integers(1 << 30)), 1.5, 2)
    return mesh_object("ball", centre + size * points * swell[:, None], quads, look("ball", random))


def solid(centre: Floats, size: float, random: Random) -> list[Any]:
    """Lumps, boxes and cards with sharp edges."""
    items = []
    for _ in range(int(random.integers(1, 5))):
        where = centre + random.normal(0, 0.6, 3) * size
        if random.random() < 0.5:
            items.append(ball(where, size * random.uniform(0.3, 0.9), random, random.uniform(0, 0.5)))
            continue
        item = box("box", (0, 0, 0), tuple(size * random.uniform(0.1, 1.5, 3)), look("box", random))
        item.location, item.rotation_euler = where, random.uniform(0, 2 * pi, 3)
        items.append(item)
    return items


def covered(material: Any, cover: Any) -> Any:
    """The material as opaque as the socket `cover` says."""
    material.node_tree.links.new(cover, material.node_tree.nodes["Principled BSDF"].inputs["Alpha"])
    return material


def smoke(centre: Floats, size: float, random: Random) -> list[Any]:
    """Sheets of drifting haze, dense in the middle, gone at the rim."""
    colour = (random.uniform(0.3, 0.9),) * 3
    items = []
    for depth in np.linspace(-0.2, 0.2, int(random.integers(2, 5))):
        material = principled("smoke", colour, Roughness=1.0, Specular_IOR_Level=0.0)
        tree = material.node_tree
        where = node(tree, "ShaderNodeTexCoord").outputs["Generated"]
        moved = node(tree, "ShaderNodeMapping", {0: where, 1: tuple(random.uniform(-9, 9, 3))}).outputs[0]
        wisps = {"Vector": moved, "Scale": random.uniform(1.5, 5), "Detail": 5.0, "Distortion": random.uniform(0, 2)}
        wisp = node(tree, "ShaderNodeTexNoise", wisps).outputs[0]
        wisp = node(tree, "ShaderNodeMapRange", {0: wisp, 1: random.uniform(0.3, 0.5), 2: 0.75}).outputs[0]
        centred = node(tree, "ShaderNodeVectorMath", {0: where, 1: (0.5, 0.5, 0.5)}, operation="SUBTRACT").outputs[0]
        far = node(tree, "ShaderNodeVectorMath", {0: centred}, operation="LENGTH").outputs["Value"]
        rim = node(tree, "ShaderNodeMapRange", {0: far, 1: 0.5, 2: 0.2, 4: random.uniform(0.4, 1)}).outputs[0]
        cover = node(tree, "ShaderNodeMath", {0: wisp, 1: rim}, operation="MULTIPLY", use_clamp=True).outputs[0]
        u, v, quads = grid(2, 2)
        sheet = np.stack([(u - 0.5) * 3.6, np.full(4, depth), (v - 0.5) * 3.6], axis=1)
        items.append(mesh_object("smoke", centre + size * sheet, quads, covered(material, cover)))
    return items


def glass(centre: Floats, size: float, random: Random) -> list[Any]:
    """Thin shells that are clear in front, covering at the rim: bubbles, bottles, plastic; nothing is bent."""
    items = []
    for _ in range(int(random.integers(1, 5))):
        item = ball(centre + random.normal(0, 0.7, 3) * size, size * random.uniform(0.25, 0.9), random, 0.15)
        tint = tuple(np.clip(random.uniform(0.2, 0.95) * random.uniform(0.7, 1.3, 3), 0, 1))
        material = principled("glass", tint, Roughness=random.uniform(0.02, 0.3))
        tree = material.node_tree
        rim = node(tree, "ShaderNodeLayerWeight", {"Blend": random.uniform(0.2, 0.6)}).outputs["Facing"]
        reach = {0: rim, 3: random.uniform(0.02, 0.3), 4: random.uniform(0.6, 1)}
        cover = node(tree, "ShaderNodeMapRange", reach).outputs[0]
        item.data.materials.clear()
        item.data.materials.append(covered(material, cover))
        items.append(item)
    return items


def clear() -> None:
    """Forget every object and what hung on it."""
    for group in (bpy.data.objects, bpy.data.meshes, bpy.data.hair_curves, bpy.data.materials, bpy.data.lights):
        for item in list(group):
            group.remove(item)
    for item in list(bpy.data.cameras):
        bpy.data.cameras.remove(item)
