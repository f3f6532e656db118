"""Grow hair strands on the head: a parted, wavy bob with fly-aways."""

from math import pi
from typing import Any

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from shots.stage.nodes import Floats, link, node

PARTING = 0.024
"""Where the parting lies, metres to the subject's left."""
STEPS, STEP = 50, 0.0075
"""A strand grows by at most STEPS steps of STEP metres."""
POINTS = 16
"""Control points of a stored strand."""
RADIUS = 0.00010
TIP_HEIGHT = -0.125
"""Mean height of the tips over the eyes' height: just above the shoulders."""
FLYAWAYS = 0.035


def is_scalp(points: Floats) -> NDArray[np.bool_]:
    """Whether hair grows at these (N, 3) points of the skin: behind the hairline, forehead to nape."""
    depth = [-0.12, -0.085, -0.05, -0.022, 0.0, 0.018, 0.045, 0.09]
    height = [0.088, 0.073, 0.058, 0.036, 0.012, -0.015, -0.045, -0.052]
    return np.asarray(points[:, 2] > np.interp(points[:, 1], depth, height))


def roots_on(
    vertices: Floats, faces: list[list[int]], count: int, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Random points on the scalp, evenly over its area, and the normals there; both (count, 3)."""
    triangles = np.array([[f[0], f[i], f[i + 1]] for f in faces for i in range(1, len(f) - 1)])
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1)
    area[~is_scalp((a + b + c) / 3 + [0, 0, 0.012])] = 0
    chosen = random.choice(len(triangles), 3 * count, p=area / area.sum())
    u, v = random.random((2, 3 * count, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    points = a[chosen] + u * (b - a)[chosen] + v * (c - a)[chosen]
    keep = is_scalp(points + random.normal(0, 0.0045, points.shape))
    return points[keep][:count], (normal / np.maximum(area, 1e-12)[:, None])[chosen][keep][:count]


def push_out(points: Floats, body: BVHTree, clearance: Floats, cling: float = 0.0) -> Floats:
    """Move points nearer to the skin than their clearance out to it, and others in by `cling` of the gap."""
    moved = points.copy()
    for i, point in enumerate(points):
        nearest, normal, _, _ = body.find_nearest(point)
        missing = clearance[i] - (point - np.array(nearest)) @ np.array(normal)
        if missing > 0:
            moved[i] += np.array(normal) * missing
        elif cling:
            moved[i] += np.array(normal) * missing * cling * np.clip((point[2] + 0.10) / 0.12, 0, 1)
    return moved


def grow(roots: Floats, normals: Floats, body: BVHTree, random: np.random.Generator) -> Floats:
    """Strands (N, POINTS, 3): combed from the parting over the skull, then falling."""
    count = len(roots)
    side = np.where(roots[:, 0] + random.normal(0, 0.0045, count) > PARTING, 1.0, -1.0)
    fly = random.random(count) < FLYAWAYS
    clearance = 0.003 + 0.018 * random.random(count) ** 1.3 + 0.01 * fly * random.random(count)
    near_parting = np.exp(-(((roots[:, 0] - PARTING) / 0.02) ** 2)) * (roots[:, 2] > 0.06)
    comb = np.stack([side, np.full(count, 0.35), np.full(count, 0.1)], axis=1)
    comb[:, 1] += 0.9 * np.clip((-roots[:, 1] - 0.02) / 0.06, 0, 1)
    direction = (0.55 - 0.3 * near_parting)[:, None] * normals + 0.8 * comb
    direction += random.normal(0, 0.12, roots.shape)
    lift = (fly * random.uniform(0.0, 0.9, count))[:, None]
    direction += lift * (normals + random.normal(0, 0.6, roots.shape))
    lightness = np.where(fly, random.uniform(0.10, 0.28, count), 0.30)
    path = np.empty((count, STEPS + 1, 3))
    path[:, 0] = roots
    for step in range(1, STEPS + 1):
        here = path[:, step - 1]
        fall = lightness * min(1.0, step / 8)
        direction[:, 2] -= fall
        framing = np.clip((-here[:, 1] - 0.02) / 0.05, 0, 1) * (np.abs(here[:, 0]) < 0.085)
        direction[:, 0] += side * 0.35 * framing
        direction[:, 1] += 0.25 * framing
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        free = here + direction * STEP
        there = push_out(free, body, np.minimum(clearance, 0.001 + 0.0013 * step), cling=0.22)
        if step < 14:
            there[fly] = free[fly]
        direction = 0.35 * direction + 0.65 * (there - here) / STEP
        path[:, step] = there
    tip = TIP_HEIGHT + random.normal(0, 0.016, count) + 0.05 * fly * random.random(count)
    below = path[:, :, 2] < tip[:, None]
    length = np.where(below.any(axis=1), below.argmax(axis=1), STEPS) * random.uniform(0.9, 1.0, count)
    length = np.where(random.random(count) < 0.1, length * random.uniform(0.3, 0.9, count), length)
    at = np.linspace(0, 1, POINTS) * length[:, None]
    low = np.minimum(at.astype(int), STEPS - 1)
    part = (at - low)[..., None]
    row = np.arange(count)[:, None]
    return path[row, low] * (1 - part) + path[row, low + 1] * part


def style(strands: Floats, random: np.random.Generator, clumps: int = 300) -> Floats:
    """Draw strands together into wavy locks."""
    count = len(strands)
    leaders = random.choice(count, clumps, replace=False)
    middle = POINTS // 2
    nearest = np.empty(count, int)
    for block in np.array_split(np.arange(count), 40):
        gap = np.linalg.norm(strands[block, None, 0] - strands[None, leaders, 0], axis=2)
        gap += np.linalg.norm(strands[block, None, middle] - strands[None, leaders, middle], axis=2)
        nearest[block] = gap.argmin(axis=1)
    along = np.linspace(0, 1, POINTS)
    pull = (random.uniform(0.45, 0.95, count) * (random.random(count) > 0.15))[:, None, None]
    leader = strands[leaders][nearest]
    strands = strands + pull * (along**0.9)[None, :, None] * (leader - strands) * 0.8
    phase = (random.uniform(0, 2 * pi, clumps)[nearest] + random.normal(0, 0.35, count))[:, None]
    turns = random.uniform(2.0, 3.2, clumps)[nearest][:, None] * 2 * pi * along
    size = (random.uniform(0.003, 0.009, clumps)[nearest] * random.uniform(0.7, 1.3, count))[:, None]
    size = size * np.clip(along * 1.6 - 0.25, 0, 1)
    outward = strands[:, middle] * [1, 1, 0]
    outward /= np.linalg.norm(outward, axis=1, keepdims=True) + 1e-9
    across = np.stack([-outward[:, 1], outward[:, 0], np.zeros(count)], axis=1)
    wave = (size * np.sin(turns + phase))[..., None] * outward[:, None]
    wave += (size * np.cos(turns + phase))[..., None] * across[:, None]
    frizz = np.cumsum(random.normal(0, 0.0006, strands.shape), axis=1) * along[None, :, None]
    wild = np.where(random.random(count) < FLYAWAYS, 3.5, 1.0)[:, None, None]
    return strands + wave + frizz * wild


def hair_object(name: str, strands: Floats, material: Any, random: np.random.Generator) -> Any:
    """Hair curves with tapered radius and a `sway` attribute that grows towards the tip.

    Motion blur follows the head alone: sway within one exposure is below a pixel, and costs a quarter more.
    """
    count, points, _ = strands.shape
    curves = bpy.data.hair_curves.new(name)
    curves.add_curves([points] * count)
    curves.set_types(type="CATMULL_ROM")
    curves.position_data.foreach_set("vector", strands.astype(np.float32).ravel())
    along = np.linspace(0, 1, points)
    radius = RADIUS * np.interp(along, [0, 0.7, 1], [1, 0.85, 0.25]) * random.uniform(0.7, 1.2, (count, 1))
    radii = curves.attributes.new("radius", "FLOAT", "POINT")
    radii.data.foreach_set("value", radius.astype(np.float32).ravel())
    sway = np.broadcast_to(along**2, (count, points)).astype(np.float32)
    curves.attributes.new("sway", "FLOAT", "POINT").data.foreach_set("value", sway.ravel())
    curves.materials.append(material)
    item = link(bpy.data.objects.new(name, curves))
    item.cycles.use_deform_motion = False
    return item


def hair_material(name: str, melanin: float, redness: float) -> Any:
    """Fibres that reflect, transmit and scatter (Chiang 2016), and so carry the green as real hair does."""
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        material.use_nodes = True
    tree = material.node_tree
    inputs = {"Melanin": melanin, "Melanin Redness": redness, "Roughness": 0.32, "Random Color": 0.25}
    fibre = node(tree, "ShaderNodeBsdfHairPrincipled", inputs, parametrization="MELANIN")
    tree.links.new(fibre.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    return material
