"""Things that sceneries are made of: blocks, foliage, lit and mottled materials."""

from math import pi
from typing import Any

import numpy as np

from shots.stage.nodes import Colour, Floats, mesh_object, node, principled

Triple = tuple[float, float, float]

LEAVES = 2600
"""Of each tree or hedge."""
UPRIGHT = {"x": (0.0, -pi / 2, -pi / 2), "y": (pi / 2, 0.0, 0.0), "z": (0.0, 0.0, 0.0)}
"""Turns that lay a texture on faces that look along an axis."""


def box(name: str, centre: Triple, size: Triple, material: Any) -> Any:
    """A block; centre and size in metres."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    faces = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    return mesh_object(name, corners * size + centre, faces, material, smooth=False)


def lit(name: str, colour: Colour, strength: float) -> Any:
    """A material that shines."""
    return principled(name, (0, 0, 0), Emission_Color=(*colour, 1.0), Emission_Strength=strength)


def mottled(name: str, dark: Colour, bright: Colour, scale: float, detail: float = 6.0) -> Any:
    """A rough material that varies between two colours."""
    material = principled(name, Roughness=0.75)
    tree = material.node_tree
    where = node(tree, "ShaderNodeTexCoord").outputs["Object"]
    noise = node(tree, "ShaderNodeTexNoise", {"Vector": where, "Scale": scale, "Detail": detail})
    colours = {0: noise.outputs[0], 6: (*dark, 1), 7: (*bright, 1)}
    colour = node(tree, "ShaderNodeMix", colours, data_type="RGBA").outputs[2]
    tree.links.new(colour, tree.nodes["Principled BSDF"].inputs["Base Color"])
    return material


def masonry(name: str, bricks: tuple[Colour, Colour], joint: Colour, width: float, looks: str = "y") -> Any:
    """Weathered bricks or slabs with joints between; width in metres, `looks` along x, y or z."""
    material = principled(name, Roughness=0.85, Specular_IOR_Level=0.25)
    tree = material.node_tree
    where = node(tree, "ShaderNodeTexCoord").outputs["Object"]
    turned = node(tree, "ShaderNodeMapping", {0: where, "Rotation": UPRIGHT[looks]}).outputs[0]
    course = {"Vector": turned, "Scale": 0.5 / width, "Mortar Size": 0.012, "Mortar Smooth": 0.2, "Mortar": (*joint, 1)}
    laid = node(tree, "ShaderNodeTexBrick", {**course, "Color1": (*bricks[0], 1), "Color2": (*bricks[1], 1)})
    stain = node(tree, "ShaderNodeTexNoise", {"Vector": where, "Scale": 1.3, "Detail": 5.0, "Roughness": 0.7})
    pits = node(tree, "ShaderNodeTexNoise", {"Vector": where, "Scale": 11.0, "Detail": 3.0, "Roughness": 0.7})
    grime = node(tree, "ShaderNodeMath", {0: stain.outputs[0], 1: pits.outputs[0]}, operation="MULTIPLY")
    level = node(tree, "ShaderNodeMapRange", {"Value": grime.outputs[0], "From Min": 0.12, "From Max": 0.4}).outputs[0]
    level = node(tree, "ShaderNodeMapRange", {"Value": level, "To Min": 0.45, "To Max": 1.25}).outputs[0]
    colours = {0: 1.0, 6: laid.outputs["Color"], 7: level}
    colour = node(tree, "ShaderNodeMix", colours, data_type="RGBA", blend_type="MULTIPLY").outputs[2]
    tree.links.new(colour, tree.nodes["Principled BSDF"].inputs["Base Color"])
    height = {0: pits.outputs[0], 1: 0.5, 2: laid.outputs["Fac"]}
    relief = node(tree, "ShaderNodeMath", height, operation="MULTIPLY_ADD").outputs[0]
    bump = node(tree, "ShaderNodeBump", {"Height": relief, "Strength": 0.6, "Distance": 0.012}, invert=True)
    tree.links.new(bump.outputs[0], tree.nodes["Principled BSDF"].inputs["Normal"])
    return material


def leaf_material(name: str, dark: Colour, bright: Colour) -> Any:
    """Leaves of varied green that let light through."""
    material = mottled(name, dark, bright, 9.0, detail=1.0)
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = 0.45
    through = node(tree, "ShaderNodeBsdfTranslucent", {"Color": (*[min(1.0, 2.2 * c) for c in bright], 1)})
    both = node(tree, "ShaderNodeMixShader", {0: 0.3, 1: shader.outputs[0], 2: through.outputs[0]})
    tree.links.new(both.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    return material


def foliage(name: str, middle: Floats, size: float, material: Any, random: np.random.Generator) -> Any:
    """Pointed leaves, folded along the rib, at (N, 3) points; size in metres from stalk to tip."""
    count = len(middle)
    along = random.normal(0, 1, (count, 3)) + np.array([0, 0, -0.5])
    along *= size * random.uniform(0.6, 1.1, (count, 1)) / np.linalg.norm(along, axis=1, keepdims=True)
    across = np.cross(along, random.normal(0, 1, (count, 3)))
    across *= 0.32 * size / np.linalg.norm(across, axis=1, keepdims=True)
    fold = np.cross(along, across) * (0.2 / size)
    belly = middle - 0.1 * along
    corners = [middle - along / 2, belly - across + fold, middle + along / 2, belly + across + fold]
    first = 4 * np.arange(count)
    halves = np.concatenate([np.stack([first + i, first + 2, first + j], axis=1) for i, j in ((1, 0), (0, 3))])
    return mesh_object(name, np.stack(corners, axis=1).reshape(-1, 3), halves.tolist(), material, smooth=False)


def leaves(name: str, centres: Floats, spread: float, material: Any, random: np.random.Generator) -> None:
    """Foliage: small random quads around centres."""
    count = LEAVES
    middle = centres[random.integers(0, len(centres), count)] + random.normal(0, spread, (count, 3))
    along, across = random.normal(0, 0.05, (2, count, 3))
    corners = np.stack([middle - along, middle - across, middle + along, middle + across], axis=1)
    quads = np.arange(4 * count).reshape(-1, 4).tolist()
    mesh_object(name, corners.reshape(-1, 3), quads, material, smooth=False)
