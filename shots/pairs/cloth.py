"""Random subjects of thin cloth that lets light through: gauze that hangs, and drapes about a body."""

from math import pi
from typing import Any

import numpy as np

from shots.pairs.bodies import ball
from shots.stage.coverage import sheer
from shots.stage.nodes import Colour, Floats, grid, mesh_object, node, principled, rotation, smooth_noise

Random = np.random.Generator


def gauze(centre: Floats, size: float, random: Random) -> list[Any]:
    """A hanging cloth that lets light through: even, or woven so that threads show."""
    u, v, quads = grid(90, 90)
    points = np.stack([(u - 0.5) * 2.6, np.zeros(len(u)), (v - 0.5) * 2.6], axis=1)
    points[:, 1] = 0.12 * smooth_noise(points * [1, 1, random.uniform(0.1, 1)], int(random.integers(1 << 30)), 6.0, 2)
    points[:, [0, 2]] += 0.25 * random.normal(size=(1, 2))
    turned = points @ rotation(random.uniform(-0.7, 0.7))
    # Most veils are hardly dyed.
    tint = random.uniform(0.6, 1.4, 3) ** random.choice([0.15, 1.0])
    colour: Colour = tuple(np.clip(random.uniform(0.1, 0.9) * tint, 0, 0.95))
    material = principled("gauze", colour, Roughness=0.8, Specular_IOR_Level=0.1)
    tree = material.node_tree
    thick = random.uniform(0.1, 0.75)
    cover = node(tree, "ShaderNodeFresnel", {"IOR": random.uniform(1.02, 1.2)}).outputs[0]
    cover = node(tree, "ShaderNodeMath", {0: cover, 1: thick}, operation="ADD", use_clamp=True).outputs[0]
    if random.random() < 0.4:
        where = node(tree, "ShaderNodeTexCoord").outputs["Object"]
        threads = {"Vector": where, "Scale": random.uniform(20, 120), "Distortion": random.uniform(0, 2)}
        wave = node(tree, "ShaderNodeTexWave", threads).outputs[1]
        cover = node(tree, "ShaderNodeMath", {0: cover, 1: wave}, operation="MULTIPLY").outputs[0]
    front = tree.nodes["Principled BSDF"].outputs[0]
    cloth = sheer(material, cover, front, colour, random.uniform(0.0, 0.8))
    return [mesh_object("gauze", centre + size * turned, quads, cloth)]


def drape(centre: Floats, size: float, random: Random) -> list[Any]:
    """A scarf or veil, mostly undyed, in folds: laid about a body, one end of it free."""
    u, v, quads = grid(240, 80)
    across, tail = v - 0.5, np.clip((u - random.uniform(0.3, 0.8)) / 0.6, 0, 1)
    # Round the body, rising or falling, then away from it along the way it goes.
    turn, first, wide = random.uniform(0.5, 1.7) * pi, random.uniform(0, 2 * pi), random.uniform(0.6, 2.2)
    angle = first + turn * np.minimum(u - 0.5 * tail**2, 1) * random.choice([-1, 1])
    radius = 1.05 + tail * random.uniform(0.3, 2.2) + 0.15 * across * random.normal()
    height = random.uniform(-0.7, 0.7) + random.uniform(-0.9, 0.9) * (u - 0.5) + random.normal(0, 0.5) * tail**2
    # Cloth that is gathered lies in folds that lean over one another.
    gathered, folds = across.copy(), np.zeros_like(u)
    for _ in range(int(random.integers(2, 6))):
        many, leaning = np.exp(random.uniform(np.log(1.0), np.log(9.0))), random.uniform(-3, 3)
        phase = 2 * pi * many * v + leaning * u + random.uniform(0, 2 * pi) + 0.6 * np.sin(3 * u + random.uniform(0, 6))
        folds += random.uniform(0.1, 0.5) * np.sin(phase) / many
        gathered += random.uniform(0.0, 1.2) * np.cos(phase) / (2 * pi * many)
    ripple = 0.12 * smooth_noise(np.stack([5 * u, 1.5 * v, tail], 1), int(random.integers(1 << 30)), 2.0, 3)
    out = radius + 0.35 * wide * folds + (0.2 + tail) * ripple
    points = np.stack([out * np.sin(angle), -out * np.cos(angle), height + wide * gathered + 0.1 * ripple], axis=1)
    points[:, 1] = np.maximum(points[:, 1], -2.5)
    tilted = points @ rotation(random.uniform(-0.9, 0.9))
    scale = size * random.uniform(0.9, 2.2)
    cloth = mesh_object("drape", centre + scale * tilted, quads, weave(random))
    uv = cloth.data.uv_layers.new(name="weave")
    uv.data.foreach_set("uv", np.stack([u, v], 1)[np.array(quads).ravel()].astype(np.float32).ravel())
    return [cloth, ball(centre, 0.9 * scale, random, 0.1)] if random.random() < 0.6 else [cloth]


def weave(random: Random) -> Any:
    """Cloth: white or cream, some of it dyed or black; more opaque edge-on, with thicker threads and hems."""
    kind, level = random.random(), random.uniform(0.5, 0.88)
    cream = level * (1 - np.array([0.0, 1.0, 1.7]) * random.uniform(0, 0.07))
    dyed = random.uniform(0.05, 0.9, 3)
    colour: Colour = tuple(cream if kind < 0.7 else dyed if kind < 0.85 else cream * random.uniform(0.02, 0.2))
    material = principled("drape")
    tree = material.node_tree
    where = node(tree, "ShaderNodeTexCoord").outputs["UV"]
    along = node(tree, "ShaderNodeSeparateXYZ", {0: where}).outputs[1]
    facing = node(tree, "ShaderNodeLayerWeight", {"Blend": random.uniform(0.15, 0.5)}).outputs["Facing"]
    thin = random.uniform(0.08, 0.5)
    reach = {0: facing, 3: thin, 4: random.uniform(thin, 1.0)}
    cover = node(tree, "ShaderNodeMapRange", reach).outputs[0]
    threads = {"Vector": where, "Scale": random.uniform(8, 90), "Distortion": random.uniform(0, 3)}
    thread = node(tree, "ShaderNodeTexWave", threads, bands_direction=str(random.choice(["X", "Y"]))).outputs[1]
    thicker = {0: thread, 1: random.choice([0.0, random.uniform(0.02, 0.3)]), 2: cover}
    cover = node(tree, "ShaderNodeMath", thicker, operation="MULTIPLY_ADD").outputs[0]
    edge = node(tree, "ShaderNodeMath", {0: along, 1: 0.5}, operation="SUBTRACT").outputs[0]
    edge = node(tree, "ShaderNodeMath", {0: edge}, operation="ABSOLUTE").outputs[0]
    hem = node(tree, "ShaderNodeMath", {0: edge, 1: random.uniform(0.47, 0.495)}, operation="GREATER_THAN").outputs[0]
    hemmed = {0: hem, 1: random.choice([0.0, random.uniform(0.1, 0.6)]), 2: cover}
    cover = node(tree, "ShaderNodeMath", hemmed, operation="MULTIPLY_ADD", use_clamp=True).outputs[0]
    front = node(tree, "ShaderNodeBsdfDiffuse", {"Color": (*colour, 1)}).outputs[0]
    # Thin cloth throws somewhat less light forward than back.
    return sheer(material, cover, front, colour, random.uniform(0.15, 0.5))
