"""Read the CC0 MakeHuman base mesh, its morph targets, and the proxies (eyes, brows, lashes) on it."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ASSETS_HELP = """folder with the CC0 MakeHuman / MPFB2 head: mpfb/ from github.com/makehumancommunity/mpfb2
(base mesh, targets, masks), mh/ from github.com/makehumancommunity/makehuman (eyes), mha/ and tex/ from
github.com/makehumancommunity/makehuman-assets (brows, lashes, textures). It stays outside the project."""

TARGETS = "mpfb/src/mpfb/data/targets"
BASE_MESH = "mpfb/src/mpfb/data/3dobjs/base.obj"
MASKS = "mpfb/src/mpfb/data/textures"
EYES = "mh/makehuman/data/eyes/high-poly/high-poly"
CARDS = "mha/base"
TEXTURES = "tex"

ORIGIN = (0.0, 6.79, 0.45)
"""The point of the base mesh, in decimetres with y up, that becomes our origin: at eye height."""

WOMAN = {
    "macrodetails/caucasian-female-young": 1.0,
    "head/head-oval": 0.5,
    "cheek/l-cheek-bones-incr": 0.3,
    "cheek/r-cheek-bones-incr": 0.3,
    "mouth/mouth-lowerlip-volume-incr": 0.4,
    "mouth/mouth-upperlip-volume-incr": 0.3,
    "expression/units/caucasian/mouth-corner-puller": 0.22,
    "expression/units/caucasian/eye-left-slit": 0.1,
    "expression/units/caucasian/eye-right-slit": 0.1,
}
"""The subject: morph targets and their weights, a slight smile included."""


@dataclass(frozen=True)
class Mesh:
    """Faces of an OBJ file; corner texture coordinates and the group name go with every face."""

    vertices: Floats
    texture: Floats
    faces: list[list[int]]
    face_texture: list[list[int]]
    groups: list[str]

    def in_group(self, name: str) -> list[int]:
        """Indices of the faces of one group."""
        return [i for i, group in enumerate(self.groups) if group == name]


def to_scene(points: Floats) -> Floats:
    """From decimetres, y up, to the scene: metres, z up, the face looks down -y."""
    x, y, z = ((points - ORIGIN) * 0.1).T
    return np.stack([x, -z, y], axis=1)


def read_obj(path: Path) -> Mesh:
    """Read the parts of an OBJ file that a render needs."""
    vertices: list[list[float]] = []
    texture: list[list[float]] = []
    faces: list[list[int]] = []
    face_texture: list[list[int]] = []
    groups: list[str] = []
    group = ""
    for line in path.read_text().splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            vertices.append([float(x) for x in rest[:3]])
        elif word == "vt":
            texture.append([float(x) for x in rest[:2]])
        elif word == "g":
            group = rest[0] if rest else ""
        elif word == "f":
            corners = [corner.split("/") for corner in rest]
            faces.append([int(c[0]) - 1 for c in corners])
            face_texture.append([int(c[1]) - 1 for c in corners])
            groups.append(group)
    return Mesh(np.array(vertices), np.array(texture), faces, face_texture, groups)


def shaped(assets: Path, base: Mesh, weights: dict[str, float]) -> Floats:
    """Vertices of the base mesh after the weighted morph targets."""
    vertices = base.vertices.copy()
    for name, weight in weights.items():
        with gzip.open(assets / TARGETS / f"{name}.target.gz", "rt") as lines:
            for line in lines:
                words = line.split()
                if len(words) == 4 and not words[0].startswith("#"):
                    vertices[int(words[0])] += weight * np.array([float(x) for x in words[1:]])
    return vertices


def read_proxy(stem: Path, base: Floats) -> Mesh:
    """Read NAME.obj and fit it to the base mesh as NAME.mhclo prescribes (barycentric, with offset)."""
    mesh = read_obj(stem.with_suffix(".obj"))
    scale = np.ones(3)
    rows: list[list[str]] = []
    section = ""
    for line in stem.with_suffix(".mhclo").read_text().splitlines():
        words = line.split()
        if not words or words[0] == "#":
            continue
        if words[0] in ("x_scale", "y_scale", "z_scale"):
            axis = "xyz".index(words[0][0])
            first, second, length = int(words[1]), int(words[2]), float(words[3])
            scale[axis] = abs(base[first, axis] - base[second, axis]) / length
        elif words[0] in ("verts", "delete_verts"):
            section = words[0]
        elif section == "verts" and words[0].lstrip("-").isdigit():
            rows.append(words)
    vertices = np.empty((len(rows), 3))
    for i, row in enumerate(rows):
        if len(row) == 1:
            vertices[i] = base[int(row[0])]
        else:
            numbers = [float(x) for x in row[3:9]]
            corners = base[[int(x) for x in row[:3]]]
            vertices[i] = np.array(numbers[:3]) @ corners + np.array(numbers[3:]) * scale
    return Mesh(vertices, mesh.texture, mesh.faces, mesh.face_texture, mesh.groups)
