"""Short ways to make Blender objects and shader nodes from arrays."""

from collections.abc import Sequence
from math import pi
from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Colour = tuple[float, float, float]
Faces = list[list[int]]
Point = Sequence[float]


def mesh_object(name: str, vertices: Floats, faces: Faces, material: Any, smooth: bool = True) -> Any:
    """A mesh object in the scene."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices.tolist(), [], faces)
    mesh.materials.append(material)
    if smooth:
        mesh.shade_smooth()
    return link(bpy.data.objects.new(name, mesh))


def link(item: Any) -> Any:
    """Put an object into the scene."""
    bpy.context.scene.collection.objects.link(item)
    return item


def empty(name: str, location: Point = (0.0, 0.0, 0.0), parent: Any = None) -> Any:
    """An empty that others hang on."""
    item = link(bpy.data.objects.new(name, None))
    item.location = location
    item.parent = parent
    return item


def grid(columns: int, rows: int) -> tuple[Floats, Floats, Faces]:
    """Parameters u and v in 0..1 of a grid of points, and its quads."""
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    quads = np.stack([corner, corner + 1, corner + columns + 1, corner + columns], axis=1)
    return u.ravel(), v.ravel(), quads.tolist()


def rotation(angle: float) -> Floats:
    """A turn about Y, the line of sight, in radians; points (N, 3) stand to its left."""
    return np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])


def sphere(name: str, centre: Point, radius: float, material: Any, parent: Any = None) -> Any:
    """A smooth sphere, its centre in the space of its parent."""
    u, v, quads = grid(33, 21)
    longitude, latitude = u * 2 * pi, (v - 0.5) * pi
    around = np.stack([np.sin(longitude), -np.cos(longitude)]) * np.cos(latitude)
    item = mesh_object(name, radius * np.stack([*around, np.sin(latitude)], axis=1), quads, material)
    item.location = centre
    item.parent = parent
    return item


def smooth_noise(points: Floats, seed: int, frequency: float, octaves: int = 3) -> Floats:
    """A sum of sines over (N, 3) points, about -1..1: folds and wrinkles."""
    random = np.random.default_rng(seed)
    total = np.zeros(len(points))
    for octave in range(octaves):
        for _ in range(6):
            wave = random.normal(size=3) * frequency * 2**octave
            total += np.sin(points @ wave + random.uniform(0, 2 * pi)) / (6 * 2**octave)
    return total


def principled(name: str, colour: Colour = (0.8, 0.8, 0.8), **inputs: Any) -> Any:
    """A Principled material; inputs by their socket names with _ for a space."""
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    for socket, value in inputs.items():
        shader.inputs[socket.replace("_", " ")].default_value = value
    return material


def node(tree: Any, kind: str, links: dict[str | int, Any] | None = None, **settings: Any) -> Any:
    """Add a node; `links` gives inputs by name or index a socket or a value; settings are its attributes."""
    item = tree.nodes.new(kind)
    for name, value in settings.items():
        setattr(item, name, value)
    for key, value in (links or {}).items():
        if isinstance(value, bpy.types.NodeSocket):
            tree.links.new(value, item.inputs[key])
        else:
            item.inputs[key].default_value = value
    return item


def aim(item: Any, target: Point) -> None:
    """Turn a light or a camera to a point."""
    item.rotation_euler = (Vector(target) - Vector(item.location)).to_track_quat("-Z", "Y").to_euler()


def area_light(
    name: str,
    location: Point,
    target: Point,
    size: float,
    watts: float,
    colour: Colour = (1, 1, 1),
) -> Any:
    """A square softbox."""
    light = bpy.data.lights.new(name, "AREA")
    light.size, light.energy, light.color = size, watts, colour
    item = link(bpy.data.objects.new(name, light))
    item.location = location
    aim(item, target)
    return item


def camera(location: Point, target: Point, lens: float, focus: float, fstop: float) -> Any:
    """The scene's camera; lens in mm on a 36 mm gate, focus in metres."""
    data = bpy.data.cameras.new("camera")
    data.lens = lens
    data.dof.use_dof, data.dof.focus_distance, data.dof.aperture_fstop = True, focus, fstop
    item = link(bpy.data.objects.new("camera", data))
    bpy.context.scene.camera = item
    item.location = location
    aim(item, target)
    return item
