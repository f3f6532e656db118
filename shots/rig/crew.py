"""What has to go: a crew member, the wires with their trolley and harness, a lamp stand."""

from itertools import pairwise
from math import cos, pi, radians, sin
from typing import Any

import bpy
import numpy as np

from shots.stage.frames import FIRST, LAST
from shots.stage.nodes import Floats, empty, grid, link, mesh_object, node, principled, sphere
from shots.stage.props import Triple, box, mottled

MAN = (0.95, 5.9, 0.0)
"""Where he stands."""
HIP = 0.95
Joint = tuple[float, float, float, float, float]
"""x, y, z, and the radii of a limb there, in metres; he looks down -y, his right is -x."""

LEGS: dict[str, Joint] = {
    "belt": (0.0, 0.0, 1.04, 0.165, 0.125),
    "pelvis": (0.0, 0.01, 0.90, 0.180, 0.140),
    "left thigh": (0.100, 0.0, 0.74, 0.100, 0.108),
    "left knee": (0.120, -0.03, 0.49, 0.076, 0.080),
    "left calf": (0.135, 0.0, 0.33, 0.074, 0.080),
    "left ankle": (0.145, 0.02, 0.04, 0.068, 0.075),
    "right thigh": (-0.100, 0.0, 0.74, 0.100, 0.108),
    "right knee": (-0.125, -0.015, 0.49, 0.076, 0.080),
    "right calf": (-0.145, 0.01, 0.33, 0.074, 0.080),
    "right ankle": (-0.160, 0.02, 0.04, 0.068, 0.075),
}
TORSO: dict[str, Joint] = {
    "hem": (0.0, 0.0, 0.90, 0.185, 0.140),
    "waist": (0.0, 0.0, 1.08, 0.172, 0.130),
    "chest": (0.0, 0.0, 1.30, 0.198, 0.140),
    "yoke": (0.0, 0.01, 1.45, 0.178, 0.105),
    "collar": (0.0, 0.01, 1.54, 0.075, 0.075),
}
ARMS: dict[str, Joint] = {
    "right shoulder": (-0.205, 0.01, 1.42, 0.085, 0.085),
    "right elbow": (-0.285, -0.01, 1.15, 0.064, 0.064),
    "right wrist": (-0.20, -0.24, 1.22, 0.046, 0.046),
    "left shoulder": (0.205, 0.01, 1.42, 0.085, 0.085),
    "left elbow": (0.285, 0.02, 1.13, 0.064, 0.064),
    "left wrist": (0.25, -0.15, 0.92, 0.046, 0.046),
}
LEG_CHAINS = [
    ["belt", "pelvis", *(f"{side} {part}" for part in ("thigh", "knee", "calf", "ankle"))] for side in ("left", "right")
]
ARM_CHAINS = [["yoke", *(f"{side} {part}" for part in ("shoulder", "elbow", "wrist"))] for side in ("left", "right")]
PUFFED = 1.12
"""The vest is wider than the jacket below it."""

TROLLEY = (-1.3, 6.7, 3.02)
"""Where the trolley hangs on the wires in the middle of the shot."""


def build_crew() -> list[Any]:
    """All objects that the clean plate does not show, animated."""
    before = set(bpy.data.objects)
    add_man()
    add_wires()
    add_stand()
    return [item for item in bpy.data.objects if item not in before]


def limbs(name: str, joints: dict[str, Joint], chains: list[list[str]], material: Any, parent: Any) -> Any:
    """A skin of given radii round a skeleton of chains that all hang on the first joint."""
    names = list(joints)
    bones = dict.fromkeys((names.index(a), names.index(b)) for chain in chains for a, b in pairwise(chain))
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([joints[n][:3] for n in names], list(bones), [])
    mesh.materials.append(material)
    item = link(bpy.data.objects.new(name, mesh))
    skin = item.modifiers.new("skin", "SKIN")
    skin.use_smooth_shade = True
    for joint, data in zip(names, mesh.skin_vertices[0].data, strict=True):
        data.radius = joints[joint][3:]
        data.use_root = joint == names[0]
    smooth = item.modifiers.new("smooth", "SUBSURF")
    smooth.levels = smooth.render_levels = 3
    folds = bpy.data.textures.new(name, "CLOUDS")
    folds.noise_scale = 0.11
    crease = item.modifiers.new("folds", "DISPLACE")
    crease.texture, crease.strength, crease.mid_level = folds, 0.022, 0.5
    item.parent = parent
    return item


def add_man() -> None:
    """Boots, work trousers, a hi-vis vest over a dark jacket, cap and headset; he leans and looks about."""
    man = empty("man", MAN)
    man.rotation_euler = (0, 0, radians(-24))
    upper = empty("upper body", (0, 0, HIP), man)
    head = empty("head", (0, 0.0, 1.535 - HIP), upper)
    low = empty("low", (0, 0, -HIP), upper)
    cloth = mottled("trousers", (0.03, 0.035, 0.05), (0.07, 0.075, 0.09), 22.0)
    jacket = mottled("jacket", (0.025, 0.03, 0.04), (0.06, 0.065, 0.08), 18.0)
    skin = mottled("skin", (0.40, 0.22, 0.15), (0.55, 0.32, 0.23), 14.0)
    black = principled("plastic", (0.015, 0.015, 0.017), Roughness=0.4)
    puffed = {
        n: (x, y, z, PUFFED * across, PUFFED * deep) for n, (x, y, z, across, deep) in TORSO.items() if n != "collar"
    }
    limbs("trousers", LEGS, LEG_CHAINS, cloth, man)
    limbs("jacket", TORSO | ARMS, [list(TORSO), *ARM_CHAINS], jacket, low)
    limbs("vest", puffed, [list(puffed)], hi_vis(), low)
    for side, x, y in (("left", 0.14, -0.01), ("right", -0.16, -0.02)):
        ellipsoid(f"{side} boot", (x, y - 0.05, 0.055), (0.062, 0.16, 0.068), black, man)
        wrist = np.array(ARMS[f"{side} wrist"][:3])
        ellipsoid(f"{side} hand", wrist + np.array([0.0, -0.045, -0.01]), (0.042, 0.066, 0.050), skin, low)
    ellipsoid("neck", (0, 0.01, 0.02), (0.060, 0.062, 0.09), skin, head)
    ellipsoid("face", (0, -0.012, 0.125), (0.074, 0.094, 0.120), skin, head)
    ellipsoid("nose", (0, -0.105, 0.11), (0.015, 0.022, 0.024), skin, head)
    ellipsoid("hair", (0, 0.012, 0.135), (0.080, 0.092, 0.108), principled("hair", (0.03, 0.02, 0.012)), head)
    cap = mottled("cap", (0.10, 0.02, 0.02), (0.16, 0.04, 0.035), 25.0)
    ellipsoid("cap", (0, 0.003, 0.175), (0.086, 0.103, 0.088), cap, head)
    ellipsoid("peak", (0, -0.115, 0.170), (0.068, 0.072, 0.010), cap, head)
    for x in (-0.082, 0.082):
        ellipsoid(f"headset {x}", (x, 0.005, 0.12), (0.020, 0.036, 0.042), black, head)
    tube(
        "microphone", np.array([[-0.085, 0.0, 0.11], [-0.08, -0.08, 0.075], [-0.03, -0.115, 0.065]]), 0.005, black, head
    )
    sway(man, upper, head)


def hi_vis() -> Any:
    """Orange cloth with two reflecting bands."""
    material = mottled("hi-vis", (0.75, 0.17, 0.015), (0.95, 0.27, 0.03), 16.0)
    tree = material.node_tree
    colour = tree.nodes["Principled BSDF"].inputs["Base Color"]
    height = node(tree, "ShaderNodeSeparateXYZ", {0: node(tree, "ShaderNodeTexCoord").outputs["Object"]}).outputs[2]
    bands = [
        node(tree, "ShaderNodeMath", {0: height, 1: middle, 2: 0.028}, operation="COMPARE").outputs[0]
        for middle in (1.02, 1.18)
    ]
    band = node(tree, "ShaderNodeMath", {0: bands[0], 1: bands[1]}, operation="ADD").outputs[0]
    colours = {0: band, 6: colour.links[0].from_socket, 7: (0.70, 0.72, 0.70, 1)}
    tree.links.new(node(tree, "ShaderNodeMix", colours, data_type="RGBA").outputs[2], colour)
    return material


def sway(man: Any, upper: Any, head: Any) -> None:
    """He shifts his weight, pays out the line and follows the trolley with his eyes."""
    for frame in range(FIRST - 2, LAST + 3):
        t = (frame - FIRST) / 24
        man.location = (MAN[0] + 0.05 * sin(2.2 * t), MAN[1], 0)
        upper.rotation_euler = (radians(-3 + 2.5 * sin(4 * t)), radians(3 * sin(3 * t)), radians(7 * sin(2.6 * t + 1)))
        head.rotation_euler = (radians(-8 + 3 * sin(3 * t)), 0, radians(-14 + 26 * t))
        for item, what in ((man, "location"), (upper, "rotation_euler"), (head, "rotation_euler")):
            item.keyframe_insert(what, frame=frame)


def ellipsoid(name: str, centre: Any, radii: Triple, material: Any, parent: Any) -> Any:
    """A smooth ellipsoid, its centre in the space of its parent."""
    item = sphere(name, tuple(centre), 1.0, material, parent)
    item.scale = radii
    return item


def tube(name: str, points: Floats, radius: float, material: Any, parent: Any = None) -> Any:
    """A wire or a pole through (N, 3) points."""
    curve = bpy.data.curves.new(name, "CURVE")
    curve.dimensions, curve.bevel_depth, curve.bevel_resolution = "3D", radius, 3
    curve.use_fill_caps = True
    spline = curve.splines.new("POLY")
    spline.points.add(len(points) - 1)
    spline.points.foreach_set("co", np.column_stack([points, np.ones(len(points))]).ravel())
    curve.materials.append(material)
    item = link(bpy.data.objects.new(name, curve))
    item.parent = parent
    return item


def hanging(start: Any, end: Any, sag: float) -> Floats:
    """Points of a wire that sags by so many metres in its middle."""
    t = np.linspace(0, 1, 40)[:, None]
    return np.asarray(np.array(start) * (1 - t) + np.array(end) * t - [0, 0, 4 * sag] * t * (1 - t))


def add_wires() -> None:
    """Two span wires, a trolley that runs on them, its drop lines with a harness bar, the line to his hand."""
    steel = principled("steel", (0.42, 0.42, 0.43), Roughness=0.6)
    dark = principled("dark wire", (0.02, 0.02, 0.02), Roughness=0.4)
    red = principled("webbing", (0.45, 0.03, 0.03), Roughness=0.7)
    for y in (-0.12, 0.12):
        tube(f"span {y}", hanging((-9, TROLLEY[1] + y, 3.75), (9, TROLLEY[1] + y, 3.55), 0.62), 0.009, steel)
    trolley = empty("trolley", TROLLEY)
    box("carriage", (0, 0, -0.06), (0.34, 0.30, 0.09), dark).parent = trolley
    for x in (-0.11, 0.11):
        for y in (-0.12, 0.12):
            ellipsoid(f"pulley {x} {y}", (x, y, 0.0), (0.045, 0.014, 0.045), steel, trolley)
    swing = empty("swing", (0, 0, -0.08), trolley)
    for x in (-0.26, 0.26):
        tube(f"drop {x}", np.array([[x * 0.4, 0, 0], [x, 0, -1.05]]), 0.007, dark, swing)
        tube(f"strap {x}", hanging((x * 0.9, 0, -1.05), (x * 0.25, 0, -1.62), -0.02), 0.016, red, swing)
    tube("bar", np.array([[-0.30, 0, -1.05], [0.30, 0, -1.05]]), 0.016, steel, swing)
    tube(
        "belt", np.array([[0.15 * cos(a), 0.11 * sin(a), -1.64] for a in np.linspace(0, 2 * pi, 30)]), 0.026, red, swing
    )
    for frame in range(FIRST - 2, LAST + 3):
        t = (frame - FIRST) / 24
        trolley.location = (TROLLEY[0] - 0.35 + 0.7 * t, TROLLEY[1], TROLLEY[2])
        swing.rotation_euler = (radians(4 * sin(5 * t)), radians(7 * sin(4.5 * t + 0.6)), radians(30 * t))
        trolley.keyframe_insert("location", frame=frame)
        swing.keyframe_insert("rotation_euler", frame=frame)
    hand = (MAN[0] - 0.26, MAN[1] - 0.20, 1.25)
    line = tube("hand line", np.array([[0, 0, 0], [1, 0, 0]]), 1.0, dark)
    stretch(line, trolley, hand)


def stretch(line: Any, trolley: Any, hand: Triple) -> None:
    """Keep a tube of unit size between the trolley and a hand."""
    for frame in range(FIRST - 2, LAST + 3):
        bpy.context.scene.frame_set(frame)
        end = trolley.matrix_world.translation
        start = np.array(hand)
        along = np.array(end) - start
        line.location = hand
        line.rotation_euler = (0, -np.arctan2(along[2], np.hypot(*along[:2])), np.arctan2(along[1], along[0]))
        line.scale = (float(np.linalg.norm(along)), 0.007, 0.007)
        for what in ("location", "rotation_euler", "scale"):
            line.keyframe_insert(what, frame=frame)


def add_stand() -> None:
    """A lamp stand with a round head and a sandbag, by the wall."""
    aluminium = principled("aluminium", (0.50, 0.50, 0.51), Metallic=0.6, Roughness=0.5)
    black = principled("lamp", (0.02, 0.02, 0.02), Roughness=0.5)
    foot = np.array([-0.75, 7.6, 0.0])
    tube("column", np.array([foot + np.array([0, 0, 0.1]), foot + np.array([0, 0, 2.05])]), 0.018, aluminium)
    for angle in (0.4, 2.5, 4.6):
        out = np.array([0.48 * cos(angle), 0.48 * sin(angle), 0.0])
        tube(f"leg {angle}", np.array([foot + out + [0, 0, 0.02], foot + np.array([0, 0, 0.75])]), 0.012, aluminium)
    head = empty("lamp", foot + np.array([0, 0, 2.12]))
    head.rotation_euler = (radians(78), 0, radians(28))
    u, v, quads = grid(33, 12)
    barrel = (0.10 + 0.07 * v**2)[:, None] * np.stack([np.cos(2 * pi * u), np.sin(2 * pi * u)], axis=1)
    mesh_object("barrel", np.column_stack([barrel, 0.30 * v - 0.12]), quads, black).parent = head
    ellipsoid("bulb", (0, 0, 0.02), (0.06, 0.06, 0.06), principled("bulb", (0.9, 0.9, 0.85), Roughness=0.2), head)
    ellipsoid(
        "sandbag",
        foot + np.array([0.1, 0.05, 0.09]),
        (0.22, 0.12, 0.08),
        mottled("bag", (0.05, 0.06, 0.03), (0.12, 0.13, 0.07), 9.0),
        None,
    )
