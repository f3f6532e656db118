"""One random subject: what it is, how it moves and is lit, and what each pass shows of it."""

from typing import Any, Literal

import bpy
import numpy as np

from shots.pairs import bodies, cloth, fibres
from shots.stage.coverage import glow
from shots.stage.cycles import set_sampling
from shots.stage.nodes import area_light, camera, empty

Pass = Literal["lit", "bounce", "alpha"]

LENS, DISTANCE = 60.0, 2.2
"""Millimetres on a 36 mm gate; metres from the camera to the subject."""
ALPHA_THRESHOLD = 0.05
"""Noise at which a pixel of the alpha pass has enough samples."""
SCREEN = "screen"
KINDS = {
    "hair": fibres.hair,
    "fur": fibres.fur,
    "plant": fibres.plant,
    "wires": fibres.wires,
    "gauze": cloth.gauze,
    "smoke": bodies.smoke,
    "glass": bodies.glass,
    "head": fibres.head,
    "drape": cloth.drape,
    "solid": bodies.solid,
}
CHANCE = {"hair": 0.34, "fur": 0.1, "plant": 0.12, "wires": 0.1, "gauze": 0.1, "smoke": 0.06, "glass": 0.06}
"""Of the main thing in a sample; the rest are solid, heads and drapes what was asked for. Hair is what mattes show."""
SCREEN_LIGHT = 60.0
"""Watts of the screen: about as much light on the subject as a lit screen of reflectance 1 would send."""


def build(scene: Any, random: np.random.Generator, kind: str | None = None) -> str:
    """Put a random subject, its lights and a camera into the empty `scene`; returns what it is: `kind` if given."""
    names = list(KINDS)
    chances = np.array([CHANCE.get(name, 0.0) for name in names])
    chances[-1] = 1 - chances.sum()
    drawn = names[random.choice(len(names), p=chances)]
    kind = kind or drawn
    place, size = random.normal(0, 0.09, 3) * [1, 0.5, 1], random.uniform(0.14, 0.34)
    items = KINDS[kind](place, size, random)
    if kind in ("hair", "fur", "head"):
        items.append(bodies.ball(place, size, random, 0.04))
    if random.random() < (0.6 if kind in ("gauze", "smoke", "glass", "wires") else 0.25):
        items += bodies.solid(place + np.array([0, 0.35, -0.2]), size * random.uniform(0.6, 1.3), random)
    mover = empty("mover")
    for item in items:
        item.parent = mover
    move(scene, mover, random)
    add_lights(scene, random, 0.1 if kind == "drape" else 0.3)
    sharp = random.random() < 0.55
    aside = random.normal(0, 0.05)
    focus = DISTANCE + (0 if sharp else random.uniform(-0.5, 0.7))
    camera((0, -DISTANCE, 0.05), (aside, 0, 0), LENS, focus, 16.0 if sharp else random.uniform(1.4, 5.6))
    return kind


def move(scene: Any, mover: Any, random: np.random.Generator) -> None:
    """Half of the subjects move while the shutter is open, some of them far."""
    scene.render.use_motion_blur = bool(random.random() < 0.5)
    way = random.normal(size=3) * [1, 0.3, 1]
    way *= fibres.PIXEL * random.exponential(8.0) / np.linalg.norm(way)
    turn = random.normal(0, 0.03, 3)
    for frame, sign in ((0, -1), (2, 1)):
        mover.location, mover.rotation_euler = sign * way, sign * turn
        mover.keyframe_insert("location", frame=frame)
        mover.keyframe_insert("rotation_euler", frame=frame)


def add_lights(scene: Any, random: np.random.Generator, warmth: float) -> None:
    """One to three soft lamps about the subject, a dim sky, and behind it all the screen as a white lamp."""
    for n in range(int(random.integers(1, 4))):
        angle, height = random.uniform(0, 2 * np.pi), random.uniform(-0.3, 1.3)
        where = (1.7 * np.sin(angle), -1.7 * np.cos(angle), height)
        warm = random.uniform(-warmth, warmth)
        colour = (1 + warm, 1.0, 1 - warm)
        area_light(f"lamp {n}", where, (0, 0, 0), random.uniform(0.15, 1.2), 60 * random.uniform(0.1, 1.0), colour)
    level = random.uniform(0.02, 0.6)
    back = scene.world.node_tree.nodes["Background"].inputs
    back[0].default_value, back[1].default_value = (*(1 + random.uniform(-0.2, 0.2, 3)), 1.0), level
    scene.world["level"] = level
    far, floor = random.uniform(0.7, 1.8), random.uniform(-0.9, 0.0)
    area_light(SCREEN, (random.uniform(-0.4, 0.4), far, floor + 0.4), (0, -0.5, 0), 3.2, SCREEN_LIGHT)


def show(scene: Any, which: Pass, samples: int) -> None:
    """Set the scene up for a pass: under its lamps, under the screen's light alone, or its coverage as white light."""
    scene.render.film_transparent = True
    for item in bpy.data.objects:
        if item.type == "LIGHT":
            item.hide_render = which == "alpha" or (item.name == SCREEN) != (which == "bounce")
    lit = which == "lit"
    scene.world.node_tree.nodes["Background"].inputs[1].default_value = scene.world["level"] if lit else 0.0
    for material in bpy.data.materials:
        glow(material, which == "alpha")
    set_sampling(scene, which, samples, bounces=2, least=8, threshold=ALPHA_THRESHOLD)
