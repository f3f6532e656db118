"""Clips for the measurement of clean plates: a rendered shot, layers of our own, pasted holes in a real clip."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import cv2
import numpy as np

import vfxgen
from benchmarks.pictures import SPACE
from benchmarks.results import REPOSITORY, SHARED
from vfxgen.frame import Mask, Pixels
from vfxgen.image.warp import displacement, warped
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures

Frames = Mapping[int, Pixels]

RIG, STREET = REPOSITORY / "shots" / "rig", REPOSITORY / "shots" / "greenscreen" / "background" / "background.exr"
DAVIS = SHARED / "video" / "davis" / "bmx-trees"
SIZE = (270, 480)
# Pixels that true motion there and back may be off.
_SURE = 0.5
# Variance of the grain: gain * light + floor, and what it is convolved with along both axes.
GAIN, FLOOR, SPREAD = 3e-4, 2e-6, (0.07, 0.24, 0.38, 0.24, 0.07)


class Clip(NamedTuple):
    """A plate and its mask, and what is known of what is behind it."""

    plate: Sequence
    mask: Sequence
    truth: Frames
    """What is behind, without grain where that is known."""
    grainy: Frames
    """With grain."""
    holes: Mapping[int, Mask]
    motion: Mapping[int, tuple[Pixels, Mask]]
    """To the next frame, and where that is sure."""
    seen: Mapping[int, Mask]
    """What of the holes another frame shows."""
    frames: int
    """How many of its frames are measured, of the middle."""


def rig() -> Clip | None:
    """The sample shot, at half size: box-filtered light, and half the motion."""
    if not (RIG / "plate").is_dir():
        print("rig: shots/rig has no frames: python -m shots.rig.make renders them")
        return None
    plate = vfxgen.read(RIG / "plate" / "rig.####.exr", colorspace=SPACE, working_space=SPACE)
    mask = vfxgen.read(RIG / "truth" / "mask.####.exr")
    half_plate, half_mask = (vfxgen.Resize(source, scale=0.5, filter="box") for source in (plate, mask))
    read = {
        name: vfxgen.read(RIG / "truth" / f"{name}.####.exr", colorspace=SPACE, working_space=SPACE)
        for name in ("clean", "grainless")
    }
    flow = vfxgen.read(RIG / "truth" / "flow.####.exr", colorspace="Raw")
    truth, grainy, holes = dict[int, Pixels](), dict[int, Pixels](), dict[int, Mask]()
    flows = dict[int, tuple[Pixels, Pixels]]()
    for number in plate.range or []:
        shown = plate[number].rgb
        kept = {}
        for name, source in read.items():
            patch = source[number]
            kept[name] = _halved(np.where(patch.alpha > 0, patch.rgb, shown))
        truth[number], grainy[number] = kept["grainless"], kept["clean"]
        holes[number] = half_mask[number].matte[..., 0] > 0
        forward, backward = (
            flow[number].pixels(f"{way}.u", f"{way}.v") * np.float32(0.5) for way in ("forward", "backward")
        )
        flows[number] = forward, backward
    motion = {n: (forward, np.ones(holes[n].shape, bool)) for n, (forward, _) in flows.items()}
    seen = {n: _seen_elsewhere(n, holes, flows) for n in holes}
    return Clip(half_plate, half_mask, truth, grainy, holes, motion, seen, 24)


def pan(count: int = 24) -> Clip:
    """A street at 3.1 pixels a frame, posts before it at 5.3; a wire and a swaying figure stay in view."""
    street = vfxgen.read(STREET, colorspace=SPACE, working_space=SPACE)[1]
    height, width = SIZE
    random = np.random.default_rng(4)
    bark = cv2.GaussianBlur(random.random((height + 40, 1600, 3), np.float32), (0, 0), 1.6) * np.array(
        [0.5, 0.4, 0.3], np.float32
    )
    posts = np.zeros((height + 40, 1600, 1), np.float32)
    for at in range(60, 1600, 170):
        posts[:, at : at + 22] = 1
    posts = cv2.GaussianBlur(posts, (0, 0), 0.7)[..., None]
    plates, masks, truth, grainy = (dict[int, Pixels]() for _ in range(4))
    motion = dict[int, tuple[Pixels, Mask]]()
    for step in range(count):
        number = 1001 + step
        far = _window(street.rgb, 60 + 3.1 * step, 120 - 0.4 * math.sin(step))
        near, cover = (_window(layer, 200 + 5.3 * step, 20 - 0.4 * math.sin(step)) for layer in (bark, posts))
        truth[number] = far * (1 - cover) + near * cover
        figure = np.zeros((height, width), np.float32)
        middle = width // 2 + 10 * math.sin(step / 5)
        cv2.ellipse(figure, (round(middle), 170), (22, 62), 0, 0, 360, 1, -1)
        cv2.line(figure, (0, 40), (width, 70), 1, 2)
        figure = cv2.GaussianBlur(figure, (0, 0), 0.8)[..., None]
        figure[figure < 0.02] = 0
        noise = grain(truth[number], number)
        grainy[number] = truth[number] + noise
        plates[number] = truth[number] * (1 - figure) + figure * np.array([0.6, 0.1, 0.1], np.float32) + noise
        masks[number] = figure
        both = np.array(
            [
                displacement(
                    np.array([[1, 0, -speed], [0, 1, 0.4 * (math.sin(step) - math.sin(step + 1))], [0, 0, 1.0]]), SIZE
                )
                for speed in (3.1, 5.3)
            ]
        )
        motion[number] = np.where(cover > 0.5, both[1], both[0]), (cover[..., 0] < 0.01) | (cover[..., 0] > 0.99)
    holes = {number: matte[..., 0] > 0 for number, matte in masks.items()}
    return Clip(Pictures(plates), Pictures(masks, "A"), truth, grainy, holes, motion, {}, 8)


def pasted(moving: bool) -> Clip | None:
    """Discs pasted on a real clip beside its moving object: standing in view, or crossing it."""
    if not DAVIS.is_dir():
        print(f"bmx: no clip at {DAVIS}")
        return None
    plate = vfxgen.read(DAVIS / "#####.jpg", working_space=SPACE)
    rider = vfxgen.read(DAVIS.parent / "bmx-trees_mask" / "#####.png")
    truth, masks, holes = {}, {}, {}
    for number in range(24):
        light = plate[number].rgb
        object_ = rider[number].matte[..., 0] > 0
        disc = np.zeros(object_.shape, np.uint8)
        shift = 4 * number if moving else 0
        for x, y in ((60 + shift, 70), (330 - shift, 150)):
            cv2.circle(disc, (x, y), 22, 1, -1)
        truth[number] = light
        near = cv2.dilate(object_.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
        holes[number] = (disc > 0) & ~near
        masks[number] = ((disc > 0) | object_).astype(np.float32)[..., None]
    return Clip(Pictures(truth), Pictures(masks, "A"), truth, {}, holes, {}, {}, 8)


CLIPS: dict[str, Callable[[], Clip | None]] = {
    "rig": rig,
    "pan": pan,
    "bmx, holes at rest": lambda: pasted(False),
    "bmx, holes that move": lambda: pasted(True),
}


def _seen_elsewhere(number: int, holes: Mapping[int, Mask], flows: Mapping[int, tuple[Pixels, Pixels]]) -> Mask:
    """What of a hole lies beside the holes of another frame, along true motion that leads there and back."""
    hole = holes[number]
    seen = np.zeros_like(hole)
    for ahead in (True, False):
        step, lies, sure = 1 if ahead else -1, np.zeros((*hole.shape, 2), np.float32), hole.copy()
        while (number + step) in holes:
            forward = _at(flows[number + step - (1 if ahead else -1)][0 if ahead else 1], lies)
            lies = lies + forward
            sure &= np.linalg.norm(forward + _at(flows[number + step][1 if ahead else 0], lies), axis=-1) < _SURE
            place = np.stack(np.meshgrid(*(np.arange(side) for side in hole.shape[::-1])), axis=-1) + lies
            inside = np.all((place >= 0) & (place <= np.array(hole.shape[::-1]) - 1), axis=-1)
            seen |= sure & inside & (_at(holes[number + step].astype(np.float32), lies) == 0)
            step += 1 if ahead else -1
    return seen


def _at(picture: Pixels, lies: Pixels) -> Pixels:
    """The pixels of a picture where a flow leads, without a mix of what lies side by side."""
    rows, columns = np.mgrid[: lies.shape[0], : lies.shape[1]].astype(np.float32)
    found: Pixels = cv2.remap(
        picture, columns + lies[..., 0], rows + lies[..., 1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    return found


def _halved(light: Pixels) -> Pixels:
    half: Pixels = vfxgen.Resize(Pictures(light), scale=0.5, filter="box")[1].rgb
    return half


def _window(light: Pixels, x: float, y: float) -> Pixels:
    """The picture of `SIZE` whose first pixel is at (x, y)."""
    return warped(light, np.full((*SIZE, 2), (x, y), np.float32))[0]


def grain(light: Pixels, seed: int) -> Pixels:
    """Grain of the layers' clip on grainless light (H, W, 3)."""
    white = np.random.default_rng(seed).standard_normal(light.shape).astype(np.float32)
    kernel = np.array(SPREAD, np.float32)
    soft = cv2.sepFilter2D(white, -1, kernel, kernel) / float((kernel**2).sum())
    return np.asarray(soft * np.sqrt(GAIN * np.maximum(light, 0) + FLOOR), np.float32)
