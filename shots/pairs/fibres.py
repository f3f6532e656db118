"""Random subjects of thin things: hair, fur, wires, stalks with leaves."""

from math import pi
from typing import Any

import bpy
import numpy as np

from shots.stage.hair import hair_material
from shots.stage.nodes import Floats, link, principled, rotation
from shots.stage.props import foliage, leaf_material

Random = np.random.Generator

PIXEL = 0.0034
"""Metres that a pixel of a sample sees at the subject."""


def curves_object(name: str, paths: Floats, radius: Floats, material: Any, taper: float = 1.0) -> Any:
    """Smooth round fibres along paths (N, P, 3); radius (N,) in metres at the root, `taper` of it at the tip."""
    count, points, _ = paths.shape
    curves = bpy.data.hair_curves.new(name)
    curves.add_curves([points] * count)
    curves.set_types(type="CATMULL_ROM")
    curves.position_data.foreach_set("vector", paths.astype(np.float32).ravel())
    radii = radius[:, None] * np.linspace(1, taper, points)
    curves.attributes.new("radius", "FLOAT", "POINT").data.foreach_set("value", radii.astype(np.float32).ravel())
    curves.materials.append(material)
    return link(bpy.data.objects.new(name, curves))


def on_ball(count: int, random: Random) -> Floats:
    """Random directions (count, 3)."""
    direction = random.normal(size=(count, 3))
    return np.asarray(direction / np.linalg.norm(direction, axis=1, keepdims=True))


def fibre_material(name: str, random: Random) -> Any:
    """Hair of natural pigment, or a plain fibre of any colour."""
    if random.random() < 0.2:
        return hair_material(name, random.uniform(0.05, 1.0), random.uniform(0.2, 1.0))
    dark_or_bright = random.uniform(0.01, 0.25) if random.random() < 0.6 else random.uniform(0.4, 0.9)
    colour = np.clip(dark_or_bright * random.uniform(0.5, 1.5, 3), 0.003, 1)
    return principled(name, tuple(colour), Roughness=random.uniform(0.3, 0.6))


def grown(roots: Floats, normals: Floats, length: Floats, random: Random, points: int, wild: float) -> Floats:
    """Strands (N, points, 3) that leave along the normals, fall, and curl in locks; `wild` is how far they differ."""
    count = len(roots)
    fall = random.uniform(0.0, 0.35) * np.array([0, 0, -1.0]) + random.normal(0, 0.08, 3)
    direction = normals + random.normal(0, wild, (count, 3))
    paths = np.empty((count, points, 3))
    paths[:, 0] = roots
    for step in range(1, points):
        direction = direction + fall + random.normal(0, 0.12 * wild, (count, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        paths[:, step] = paths[:, step - 1] + direction * (length / (points - 1))[:, None]
    leaders = random.choice(count, max(1, count // random.integers(15, 80)), replace=False)
    nearest = np.concatenate(
        [
            np.linalg.norm(block[:, None] - roots[None, leaders], axis=2).argmin(1)
            for block in np.array_split(roots, max(1, count // 1000))
        ]
    )
    along = np.linspace(0, 1, points)[None, :, None]
    pull = (random.uniform(0, 0.9) * random.random(count) ** 0.5)[:, None, None]
    paths += pull * along * (paths[leaders][nearest] - paths)
    turns = random.uniform(0, 3) * 2 * pi * along + random.uniform(0, 2 * pi, (count, 1, 1))
    size = random.uniform(0, 0.02) * along
    return np.asarray(paths + size * np.concatenate([np.sin(turns), np.cos(turns), np.sin(1.3 * turns)], axis=2))


def hair(centre: Floats, size: float, random: Random) -> list[Any]:
    """Long strands from the upper half of a ball, fly-aways among them."""
    count = int(random.integers(800, 4000))
    normals = on_ball(2 * count, random)
    normals = normals[normals[:, 2] > random.uniform(-0.3, 0.4)][:count]
    length = size * random.uniform(0.8, 3.0) * random.uniform(0.6, 1.0, len(normals))
    paths = grown(centre + 0.98 * size * normals, normals, length, random, 10, random.uniform(0.1, 0.5))
    thick = PIXEL * np.exp(random.uniform(np.log(0.06), np.log(0.3)))
    radius = thick * random.uniform(0.6, 1.3, len(paths))
    return [curves_object("hair", paths, radius, fibre_material("hair", random), 0.3)]


def head(centre: Floats, size: float, random: Random) -> list[Any]:
    """Dense hair of natural pigment: solid where it lies, so that what is solid shows the colour of what flies away."""
    material = hair_material("head", random.uniform(0.1, 1.0), random.uniform(0.2, 1.0))
    wild, length = random.uniform(0.1, 0.4), size * random.uniform(0.6, 2.2)
    lying = (int(random.integers(4000, 9000)), 0.35, wild, length)
    loose = (int(random.integers(200, 2500)), 0.22, wild * random.uniform(1.5, 3), length * random.uniform(1, 1.8))
    items = []
    for count, thick, how_wild, how_long in (lying, loose):
        normals = on_ball(2 * count, random)
        normals = normals[normals[:, 2] > -0.4][:count]
        far = how_long * random.uniform(0.5, 1.0, len(normals))
        paths = grown(centre + 0.98 * size * normals, normals, far, random, 10, how_wild)
        radius = PIXEL * thick * random.uniform(0.4, 1.2, len(paths))
        items.append(curves_object("head", paths, radius, material, 0.3))
    return items


def fur(centre: Floats, size: float, random: Random) -> list[Any]:
    """Short strands all over a ball."""
    normals = on_ball(int(random.integers(2000, 6000)), random)
    length = size * random.uniform(0.12, 0.5) * random.uniform(0.5, 1.0, len(normals))
    paths = grown(centre + 0.98 * size * normals, normals, length, random, 5, random.uniform(0.2, 0.7))
    radius = PIXEL * random.uniform(0.08, 0.35) * random.uniform(0.6, 1.3, len(paths))
    return [curves_object("fur", paths, radius, fibre_material("fur", random), 0.1)]


def wires(centre: Floats, size: float, random: Random) -> list[Any]:
    """Cables, a net, or a fence: from a quarter of a pixel to several."""
    thick = PIXEL * np.exp(random.uniform(np.log(0.2), np.log(4.0)))
    material = principled("wire", tuple(random.uniform(0.02, 0.8, 3)), Roughness=0.35, Metallic=random.choice([0, 1]))
    if random.random() < 0.5:
        count = int(random.integers(6, 24))
        across = np.linspace(-1.5, 1.5, count) * size * random.uniform(1, 1.6)
        line = np.linspace(-1.8, 1.8, 12) * size
        sag = random.uniform(-0.1, 0.1) * size * (1 - (line / line[-1]) ** 2)
        upright = [np.stack([np.full(12, a) + sag, np.zeros(12), line], 1) for a in across]
        level = [np.stack([line, np.full(12, thick), np.full(12, a) + sag], 1) for a in across]
        paths = np.array(upright + level * int(random.integers(2)))
        paths = paths @ rotation(random.uniform(0, pi))
    else:
        count = int(random.integers(2, 14))
        ends = random.uniform(-2.2, 2.2, (count, 4, 3)) * size * [1, 0.3, 1]
        at = np.linspace(0, 1, 16)[:, None]
        weights = [(1 - at) ** 3, 3 * at * (1 - at) ** 2, 3 * at**2 * (1 - at), at**3]
        paths = sum(w[None] * ends[:, None, i] for i, w in enumerate(weights))
    return [curves_object("wires", centre + paths, np.full(len(paths), thick), material)]


def plant(centre: Floats, size: float, random: Random) -> list[Any]:
    """Stalks with leaves, or grass."""
    green = np.array([0.08, 0.16, 0.03]) * random.uniform(0.4, 2.0) * random.uniform(0.6, 1.4, 3)
    if random.random() < 0.4:
        green = random.uniform(0.03, 0.6, 3)
    bright = np.clip(green * random.uniform(1.2, 2.2), 0, 0.9)
    stalks = int(random.integers(5, 30))
    roots = centre + random.normal(0, 0.3, (stalks, 3)) * size + [0, 0, -1.2 * size]
    up = np.array([0, 0, 1.0]) + random.normal(0, 0.4, (stalks, 3))
    paths = grown(roots, up, size * random.uniform(1.2, 3.0, stalks), random, 9, 0.2)
    stalk = principled("stalk", tuple(green * 0.6))
    items = [curves_object("stalks", paths, np.full(stalks, PIXEL * random.uniform(0.3, 1.5)), stalk, 0.4)]
    if random.random() < 0.85:
        per = int(random.integers(8, 60))
        at = paths[:, 2:][random.integers(0, stalks, stalks * per), random.integers(0, 7, stalks * per)]
        leaf = size * random.uniform(0.05, 0.3)
        at = at + random.normal(0, 0.4 * leaf, at.shape)
        items.append(foliage("leaves", at, leaf, leaf_material("leaf", tuple(green), tuple(bright)), random))
    return items
