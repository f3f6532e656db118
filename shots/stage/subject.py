"""A person: head, clothes, gauze scarf, jewels and hair, on two empties that move."""

from collections.abc import Mapping, Sequence
from math import pi, radians
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree

from shots.stage import makehuman
from shots.stage.coverage import sheer
from shots.stage.hair import grow, hair_material, hair_object, is_scalp, push_out, roots_on, style
from shots.stage.makehuman import Mesh
from shots.stage.nodes import Faces, Floats, empty, grid, mesh_object, node, principled, smooth_noise, sphere

STRANDS = 16000
NECK = (0.0, 0.046, -0.13)
"""The pivot of the head."""
SKIN = (0.62, 0.36, 0.26)
LIPS = (0.50, 0.17, 0.15)
FLUSH = (
    (1.0, (0.042, -0.07, -0.035), 0.024),
    (0.8, (0.0, -0.13, -0.035), 0.016),
    (0.35, (0.0, -0.09, -0.095), 0.02),
    (0.8, (0.08, 0.0, -0.02), 0.03),
)
"""Where the skin is redder, cheeks, nose, chin and ears: strength, centre and radius."""


def build_subject(
    assets: Path, seed: int, melanin: float = 0.62, redness: float = 0.75, scarf: bool = True
) -> tuple[Any, Any]:
    """Build her, with hair of that pigment; returns the empties of the body and of the head (a child of the body)."""
    body = empty("body")
    head = empty("head", NECK, body)
    base = makehuman.read_obj(assets / makehuman.BASE_MESH)
    shape = makehuman.shaped(assets, base, makehuman.WOMAN)
    skin, skull = add_skin(assets, base, shape, body, head)
    add_features(assets, shape, head)
    shirt = add_shirt(base, shape, body)
    if scarf:
        add_scarf(body, shirt)
    add_jewels(body, head)
    random = np.random.default_rng(seed)
    roots, normals = roots_on(skin, skull, STRANDS, random)
    strands = style(grow(roots, normals, BVHTree.FromPolygons(skin.tolist(), skull), random), random)
    hair = hair_object("hair", strands, hair_material("hair", melanin, redness), random)
    hang(hair, head)
    add_sway(hair, amplitude=0.010, scale=5.0, speed=1.6)
    return body, head


def hang(item: Any, parent: Any) -> None:
    """Parent an object whose points are in scene space to an empty at rest."""
    item.parent = parent
    item.matrix_parent_inverse = parent_matrix(parent).inverted()


def parent_matrix(parent: Any) -> Any:
    """Where an empty is at rest."""
    bpy.context.view_layer.update()
    return parent.matrix_world.copy()


def with_texture(item: Any, texture: Floats, face_texture: Faces) -> None:
    """Give a mesh its texture coordinates."""
    corners = np.concatenate([texture[f] for f in face_texture]).astype(np.float32)
    item.data.uv_layers.new(name="UV").data.foreach_set("uv", corners.ravel())


def add_attribute(item: Any, name: str, values: Floats) -> None:
    """A number per point."""
    item.data.attributes.new(name, "FLOAT", "POINT").data.foreach_set("value", values.astype(np.float32))


def part_of(base: Mesh, group: str, shape: Floats, lowest: float, highest: float) -> tuple[Floats, list[int]]:
    """All points in the scene, and the faces of a group between two heights."""
    points = makehuman.to_scene(shape)
    chosen = [i for i in base.in_group(group) if lowest < points[base.faces[i], 2].mean() < highest]
    return points, chosen


def compact(points: Floats, faces: Faces) -> tuple[Floats, Faces]:
    """Only the points that the faces use."""
    used = np.unique(np.concatenate(faces))
    index = np.full(len(points), -1)
    index[used] = np.arange(len(used))
    return points[used], [index[f].tolist() for f in faces]


def add_skin(assets: Path, base: Mesh, shape: Floats, body: Any, head: Any) -> tuple[Floats, Faces]:
    """Head, neck and shoulders; the neck bends by a hook. Returns points and faces."""
    points, chosen = part_of(base, "body", shape, -0.55, 1.0)
    points, faces = compact(points, [base.faces[i] for i in chosen])
    item = mesh_object("skin", points, faces, skin_material(assets))
    with_texture(item, base.texture, [base.face_texture[i] for i in chosen])
    _, y, z = points.T
    flush = sum(weight * nearness(points, centre, radius) for weight, centre, radius in FLUSH)
    add_attribute(item, "flush", np.clip(flush, 0, 1))
    add_attribute(item, "scalp", is_scalp(points + np.array([0, 0, 0.004])).astype(float))
    bend = np.clip((z + 0.15) / 0.085, 0, 1)
    bend = np.maximum(bend**2 * (3 - 2 * bend), np.clip(-y / 0.03, 0, 1) * (z > -0.13))
    group = item.vertex_groups.new(name="head")
    for i in np.flatnonzero(bend):
        group.add([int(i)], float(bend[i]), "REPLACE")
    hang(item, body)
    hook = item.modifiers.new("neck", "HOOK")
    hook.object, hook.vertex_group, hook.falloff_type = head, "head", "NONE"
    hook.matrix_inverse = parent_matrix(head).inverted()
    smooth = item.modifiers.new("smooth", "SUBSURF")
    smooth.levels = smooth.render_levels = 2
    return points, faces


def nearness(points: Floats, centre: tuple[float, float, float], radius: float) -> Floats:
    """A soft ball of 0..1 round a centre and its mirror image."""
    gap = np.column_stack([np.abs(points[:, 0]), points[:, 1:]])
    return np.asarray(np.exp(-(((gap - centre) / radius) ** 2).sum(axis=1)))


def skin_material(assets: Path) -> Any:
    """Mottled skin with flushed cheeks, painted lips, pores, and shaded scalp; a picture for the lips."""
    material = principled("skin", SKIN, Roughness=0.46, Specular_IOR_Level=0.42)
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Subsurface Weight"].default_value = 0.35
    shader.inputs["Subsurface Radius"].default_value = (1.0, 0.35, 0.2)
    shader.inputs["Subsurface Scale"].default_value = 0.006
    where = node(tree, "ShaderNodeTexCoord").outputs["UV"]
    lips = node(tree, "ShaderNodeTexImage", {"Vector": where})
    lips.image = bpy.data.images.load(str(assets / makehuman.MASKS / "mpfb_lips.jpg"))
    lips.image.colorspace_settings.name = "Non-Color"
    mottle = {"Vector": where, "Scale": 38.0, "Detail": 6.0, "Roughness": 0.65}
    blotch = node(tree, "ShaderNodeTexNoise", mottle)
    pores = node(tree, "ShaderNodeTexNoise", {"Vector": where, "Scale": 900.0, "Detail": 3.0})
    colour: Any = mix(tree, blotch.outputs[0], (*[c * 0.86 for c in SKIN], 1), (*[c * 1.1 for c in SKIN], 1))
    for name, tint, strength in (("flush", (0.58, 0.21, 0.16), 0.55), ("scalp", (0.06, 0.03, 0.018), 0.9)):
        mask = node(tree, "ShaderNodeAttribute", attribute_name=name).outputs["Fac"]
        amount = node(tree, "ShaderNodeMath", {0: mask, 1: strength}, operation="MULTIPLY")
        colour = mix(tree, amount.outputs[0], colour, (*tint, 1))
    colour = mix(tree, lips.outputs["Color"], colour, (*LIPS, 1))
    tree.links.new(colour, shader.inputs["Base Color"])
    gloss = node(tree, "ShaderNodeMapRange", {"Value": blotch.outputs[0], "To Min": 0.36, "To Max": 0.56})
    tree.links.new(gloss.outputs[0], shader.inputs["Roughness"])
    bump = node(tree, "ShaderNodeBump", {"Height": pores.outputs[0], "Strength": 0.25, "Distance": 0.0006})
    tree.links.new(bump.outputs[0], shader.inputs["Normal"])
    return material


def mix(tree: Any, factor: Any, first: Any, second: Any) -> Any:
    """A socket of the colour between two colours (sockets or values)."""
    return node(tree, "ShaderNodeMix", {0: factor, 6: first, 7: second}, data_type="RGBA").outputs[2]


def card_material(name: str, texture: Path, tint: tuple[float, float, float], **inputs: Any) -> Any:
    """A textured material whose transparency comes from the texture."""
    material = principled(name, **inputs)
    tree = material.node_tree
    picture = node(tree, "ShaderNodeTexImage")
    picture.image = bpy.data.images.load(str(texture))
    colours = {0: 1.0, 6: picture.outputs["Color"], 7: (*tint, 1)}
    tinted = node(tree, "ShaderNodeMix", colours, data_type="RGBA", blend_type="MULTIPLY")
    shader = tree.nodes["Principled BSDF"]
    tree.links.new(tinted.outputs[2], shader.inputs["Base Color"])
    tree.links.new(picture.outputs["Alpha"], shader.inputs["Alpha"])
    return material


def add_features(assets: Path, shape: Floats, head: Any) -> None:
    """Eyes, brows and lashes follow the head."""
    cards, textures = assets / makehuman.CARDS, assets / makehuman.TEXTURES
    eye = card_material("eyes", textures / "brown_eye.png", (0.9, 0.9, 0.9), Roughness=0.2, Coat_Weight=1.0)
    eye.node_tree.nodes["Principled BSDF"].inputs["Coat Roughness"].default_value = 0.02
    brow = card_material("brow", textures / "eyebrow001.png", (0.55, 0.42, 0.34), Roughness=0.7)
    lash = card_material("lash", textures / "eyelashes01.png", (0.6, 0.5, 0.45), Roughness=0.7)
    for name, stem, material in (
        ("eyes", assets / makehuman.EYES, eye),
        ("brows", cards / "eyebrows/eyebrow001/eyebrow001", brow),
        ("lashes", cards / "eyelashes/eyelashes01/eyelashes01", lash),
    ):
        proxy = makehuman.read_proxy(stem, shape)
        item = mesh_object(name, makehuman.to_scene(proxy.vertices), proxy.faces, material)
        with_texture(item, proxy.texture, proxy.face_texture)
        hang(item, head)


def smooth_rim(points: Floats, faces: Faces) -> Floats:
    """Straighten the jagged open edge that cutting a mesh along its faces leaves."""
    edges = np.array([sorted((f[i], f[i - 1])) for f in faces for i in range(len(f))])
    unique, count = np.unique(edges, axis=0, return_counts=True)
    rim = unique[count == 1]
    total, number = np.zeros_like(points), np.zeros((len(points), 1))
    for _ in range(12):
        total[:], number[:] = 0, 0
        for a, b in (rim.T, rim.T[::-1]):
            np.add.at(total, a, points[b])
            np.add.at(number, a, 1)
        points = np.where(number > 1, 0.5 * points + 0.5 * total / np.maximum(number, 1), points)
    return points


def add_shirt(base: Mesh, shape: Floats, body: Any) -> BVHTree:
    """A knitted top: the clothes layer of the base mesh, a little off the skin; returns its surface."""
    points, chosen = part_of(base, "helper-tights", shape, -0.6, -0.152)
    points, faces = compact(points, [base.faces[i] for i in chosen])
    points = smooth_rim(points, faces)
    material = principled("shirt", (0.13, 0.035, 0.055), Roughness=0.85, Specular_IOR_Level=0.2)
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Sheen Weight"].default_value = 0.15
    where = node(tree, "ShaderNodeTexCoord").outputs["Object"]
    knit = node(tree, "ShaderNodeTexWave", {"Vector": where, "Scale": 95.0, "Distortion": 1.2, "Detail": 2.0})
    bump = node(tree, "ShaderNodeBump", {"Height": knit.outputs[1], "Strength": 0.5, "Distance": 0.0012})
    tree.links.new(bump.outputs[0], shader.inputs["Normal"])
    item = mesh_object("shirt", points, faces, material)
    normals = np.array([v.normal for v in item.data.vertices])
    fold = smooth_noise(points * [1, 1, 0.5], 7, 22.0, 2)
    points = points + normals * (0.007 + 0.004 * fold)[:, None]
    item.data.vertices.foreach_set("co", points.astype(np.float32).ravel())
    smooth = item.modifiers.new("smooth", "SUBSURF")
    smooth.levels = smooth.render_levels = 2
    thick = item.modifiers.new("thick", "SOLIDIFY")
    thick.thickness = 0.003
    hang(item, body)
    return BVHTree.FromPolygons(points.tolist(), faces)


def add_scarf(body: Any, below: BVHTree) -> None:
    """A gauze scarf: from the chest over one shoulder, round the back, its end lifted by the wind."""
    u, v, quads = grid(260, 70)
    drape, tail = np.clip(u / 0.58, 0, 1), np.clip((u - 0.58) / 0.42, 0, 1)
    angle = -0.10 * pi - drape * 1.42 * pi
    across = v - 0.5
    front = np.clip(1 - drape / 0.42, 0, 1)
    folds = 0.007 * np.sin(17 * v + 6 * drape) + 0.004 * np.sin(33 * v - 9 * drape)
    folds += 0.003 * np.sin(51 * v + 3)
    radius = 0.085 + 0.02 * front + folds - across * 0.075 * (1 - 0.6 * tail)
    x = radius * np.sin(angle)
    y = 0.025 - radius * np.cos(angle)
    z = -0.118 - 0.30 * front**1.6 + across * (0.06 + 0.02 * np.sin(9 * drape))
    ease = tail**1.2
    ripple = 0.028 * np.sin(8 * tail + 2.4 * v) + 0.014 * np.sin(17 * v + 4 * tail)
    ripple += 0.006 * np.sin(35 * v + 7 * tail)
    x = x + 0.33 * ease + 0.02 * np.sin(6 * v) * tail
    y = y + 0.03 * ease + ripple * np.clip(2 * tail, 0, 1)
    z = z + 0.07 * np.sin(1.7 * tail) + 0.025 * np.sin(5.5 * tail) * tail + across * 0.19 * tail
    points = push_out(np.stack([x, y, z], axis=1), below, np.maximum(0.010 + folds, 0.003))
    item = mesh_object("scarf", points, quads, gauze_material())
    with_texture(item, np.stack([u, v], axis=1), quads)
    add_attribute(item, "sway", tail**1.3)
    smooth = item.modifiers.new("smooth", "SUBSURF")
    smooth.levels = smooth.render_levels = 1
    hang(item, body)
    add_sway(item, amplitude=0.04, scale=3.0, speed=1.1)


def gauze_material() -> Any:
    """Thin white weave: more opaque where it is seen edge-on, at its hem, and along thicker threads."""
    material = principled("gauze")
    tree = material.node_tree
    where = node(tree, "ShaderNodeTexCoord").outputs["UV"]
    split = node(tree, "ShaderNodeSeparateXYZ", {0: where})
    facing = node(tree, "ShaderNodeLayerWeight", {"Blend": 0.28}).outputs["Facing"]
    slubs = {"Vector": where, "Scale": 26.0, "Distortion": 1.5}
    slub = node(tree, "ShaderNodeTexWave", slubs, bands_direction="Y")
    edge = node(tree, "ShaderNodeMath", {0: split.outputs[1], 1: 0.5}, operation="SUBTRACT")
    edge = node(tree, "ShaderNodeMath", {0: edge.outputs[0]}, operation="ABSOLUTE")
    hem = node(tree, "ShaderNodeMath", {0: edge.outputs[0], 1: 0.488}, operation="GREATER_THAN")
    amount = node(tree, "ShaderNodeMapRange", {"Value": facing, "To Min": 0.24, "To Max": 0.9})
    threads = node(
        tree, "ShaderNodeMath", {0: slub.outputs[1], 1: 0.10, 2: amount.outputs[0]}, operation="MULTIPLY_ADD"
    )
    hemmed = {0: hem.outputs[0], 1: 0.35, 2: threads.outputs[0]}
    cover = node(tree, "ShaderNodeMath", hemmed, operation="MULTIPLY_ADD", use_clamp=True)
    white = (0.80, 0.76, 0.74)
    front = node(tree, "ShaderNodeBsdfDiffuse", {"Color": (*white, 1)})
    return sheer(material, cover.outputs[0], front.outputs[0], white, 0.4)


def add_jewels(body: Any, head: Any) -> None:
    """Beads on neck, ears and hair: gold and pearl mirror the lamps; one shines itself, far above 1."""
    gold = principled("gold", (1.0, 0.74, 0.36), Metallic=1.0, Roughness=0.05)
    pearl = principled("pearl", (0.85, 0.80, 0.74), Roughness=0.12, Coat_Weight=1.0)
    warm = (1.0, 0.90, 0.74)
    spark = principled("spark", (0.9, 0.9, 0.9), Emission_Color=(*warm, 1.0), Emission_Strength=26.0)
    for side in (-1, 1):
        for name, drop, radius, material in (("pin", 0.0, 0.0032, gold), ("drop", -0.022, 0.0075, gold)):
            centre = np.array([side * 0.079, -0.004, -0.049 + drop]) - NECK
            sphere(f"{name} {side}", centre, radius, material, head)
    for i, angle in enumerate(np.linspace(-0.33, 0.33, 13) * pi):
        place = (0.072 * np.sin(angle), 0.03 - 0.088 * np.cos(angle), -0.145 - 0.032 * np.cos(angle))
        sphere(f"bead {i}", place, 0.0048, (spark if i == 6 else gold if i % 3 == 0 else pearl), body)
    for i in range(4):
        centre = np.array([-0.089 - 0.001 * i, -0.045 + 0.016 * i, 0.048 - 0.004 * i]) - NECK
        sphere(f"clip {i}", centre, 0.0075 - 0.0006 * i, gold, head)


def add_sway(item: Any, amplitude: float, scale: float, speed: float) -> None:
    """Let points drift in noise, as far as their `sway` attribute allows; motion blur sees Geometry Nodes."""
    tree = bpy.data.node_groups.new("sway", "GeometryNodeTree")
    for direction in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
    seconds = node(tree, "GeometryNodeInputSceneTime").outputs["Seconds"]
    time = node(tree, "ShaderNodeMath", {0: seconds, 1: speed}, operation="MULTIPLY")
    noise = node(tree, "ShaderNodeTexNoise", {"W": time.outputs[0], "Scale": scale}, noise_dimensions="4D")
    middle = {0: noise.outputs["Color"], 1: (0.5, 0.5, 0.5)}
    centred = node(tree, "ShaderNodeVectorMath", middle, operation="SUBTRACT")
    named = node(tree, "GeometryNodeInputNamedAttribute", {"Name": "sway"}, data_type="FLOAT")
    reach = node(tree, "ShaderNodeMath", {0: named.outputs[0], 1: amplitude * 4}, operation="MULTIPLY")
    scaled = {0: centred.outputs[0], "Scale": reach.outputs[0]}
    offset = node(tree, "ShaderNodeVectorMath", scaled, operation="SCALE")
    source = node(tree, "NodeGroupInput")
    shift = {"Geometry": source.outputs[0], "Offset": offset.outputs[0]}
    moved = node(tree, "GeometryNodeSetPosition", shift)
    node(tree, "NodeGroupOutput", {0: moved.outputs[0]})
    modifier = item.modifiers.new("sway", "NODES")
    modifier.node_group = tree


def keyframe(
    body: Any, head: Any, body_keys: Mapping[int, Sequence[float]], head_keys: Mapping[int, Sequence[float]]
) -> None:
    """Move her: body by frame as x, y, z in metres and a turn in degrees; head as angles in degrees."""
    for frame, (x, y, z, turn) in body_keys.items():
        body.location = (x, y, z)
        body.rotation_euler = (0, 0, radians(turn))
        body.keyframe_insert("location", frame=frame)
        body.keyframe_insert("rotation_euler", frame=frame)
    for frame, angles in head_keys.items():
        head.rotation_euler = [radians(a) for a in angles]
        head.keyframe_insert("rotation_euler", frame=frame)
