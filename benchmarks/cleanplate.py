"""Clean plates against truth: shots/rig, a scene of our own, pasted holes in a real clip; beside baselines."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import cv2
import numpy as np

import vfxgen
from benchmarks.pictures import SPACE
from benchmarks.results import REPOSITORY, RESULTS, SHARED, publish
from vfxgen import color
from vfxgen.frame import RGB, Mask, Pixels
from vfxgen.image.inpainting import inpainted
from vfxgen.image.warp import displacement, warped
from vfxgen.report.sheet import write_sheet
from vfxgen.sequence import Sequence
from vfxgen.temporal.cleaning import Holes, Seen
from vfxgen.temporal.filling import between_arrays
from vfxgen.testing import Pictures

Frames = Mapping[int, Pixels]

RIG, STREET = REPOSITORY / "shots" / "rig", REPOSITORY / "shots" / "greenscreen" / "background" / "background.exr"
DAVIS = SHARED / "video" / "davis" / "bmx-trees"
SIZE = (270, 480)
REACH, GROW = 12, 3
# Variance of the grain: gain * light + floor, and what it is convolved with along both axes.
GAIN, FLOOR, SPREAD = 3e-4, 2e-6, (0.07, 0.24, 0.38, 0.24, 0.07)


class Clip(NamedTuple):
    """A plate and its mask; what is behind, without grain; where that is known; how it moves to the next frame."""

    plate: Sequence
    mask: Sequence
    truth: Frames
    holes: Mapping[int, Mask]
    motion: Mapping[int, tuple[Pixels, Mask]]
    grainy: Frames


def main() -> None:
    """Measure every clip there is, and show slices through time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=0, help="of the middle of each clip; default: all")
    parser.add_argument("--clips", nargs="*", default=list(CLIPS), help=f"of {', '.join(CLIPS)}")
    options, _ = parser.parse_known_args()
    rows, sheets = list[dict[str, object]](), []
    for name in options.clips:
        clip = CLIPS[name]()
        if clip is None:
            continue
        numbers = _middle(list(clip.truth), options.frames)
        made = dict[str, Frames]()
        for method, make in METHODS.items():
            start = time.process_time()
            made[method] = make(clip, numbers)
            seconds = (time.process_time() - start) / len(numbers)
            rows.append({"clip": name, "method": method, **_measured(made[method], clip), "CPU s": seconds})
            print(rows[-1], flush=True)
        made["truth"] = {n: clip.truth[n] for n in numbers}
        rows.append({"clip": name, "method": "truth", **_measured(made["truth"], clip), "CPU s": 0.0})
        if clip.grainy:
            made["truth, with grain"] = {n: clip.grainy[n] for n in numbers}
            rows.append({"clip": name, "method": "truth, with grain", **_measured(made["truth, with grain"], clip),
                         "CPU s": 0.0})  # fmt: skip
        sheets.append([(f"{name}: {method}", _slice(frames, clip)) for method, frames in made.items()])
    if not rows:
        raise SystemExit("none of the clips is here")
    notes = [
        f"PSNR and SSIM of sRGB code values in the hole, against what is behind it without grain. flicker: RMS "
        f"difference, of code values 0 .. 255 in the hole, between a frame and the next looked up along the true "
        f"motion. reach = {REACH} frames; the mask is grown by {GROW} pixels for all.",
        "rig: shots/rig at half size. pan: a street and nearer posts, panned at two speeds, before them a wire and a "
        "figure that stay in view. bmx: DAVIS bmx-trees, 432x240, beside the rider, who is masked too; the plate "
        "itself is the truth. median: of the frames within reach, aligned by homographies, Telea where none sees.",
    ]
    publish("cleanplate", "Clean plates", rows, notes)
    write_sheet(sheets, str(RESULTS / "cleanplate.png"))


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
    motion = dict[int, tuple[Pixels, Mask]]()
    for number in plate.range or []:
        shown = plate[number].rgb
        kept = {}
        for name, source in read.items():
            patch = source[number]
            kept[name] = _halved(np.where(patch.alpha > 0, patch.rgb, shown))
        truth[number], grainy[number] = kept["grainless"], kept["clean"]
        holes[number] = half_mask[number].matte[..., 0] > 0
        motion[number] = (
            flow[number].pixels("forward.u", "forward.v") * np.float32(0.5),
            np.ones(holes[number].shape, bool),
        )
    return Clip(half_plate, half_mask, truth, holes, motion, grainy)


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
        noise = _grain(truth[number], number)
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
    return Clip(Pictures(plates), Pictures(masks, "A"), truth, holes, motion, grainy)


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
    return Clip(Pictures(truth), Pictures(masks, "A"), truth, holes, {}, {})


CLIPS: dict[str, Callable[[], Clip | None]] = {
    "rig": rig,
    "pan": pan,
    "bmx, holes at rest": lambda: pasted(False),
    "bmx, holes that move": lambda: pasted(True),
}


def _cleanplate(clip: Clip, numbers: list[int], grain: float) -> Frames:
    operator = vfxgen.Cleanplate(clip.plate, clip.mask, reach=REACH, grow=GROW - 2, feather=2, grain=grain)
    return {number: operator[number].rgb for number in numbers}


def _inpaint(clip: Clip, numbers: list[int], method: str) -> Frames:
    operator = vfxgen.Inpaint(clip.plate, clip.mask, method=method, grow=GROW, feather=0)
    return {number: operator[number].rgb for number in numbers}


def _median(clip: Clip, numbers: list[int]) -> Frames:
    """The median of the frames that see a pixel, looked up through homographies."""
    holes = Holes(clip.plate, clip.mask, GROW)
    seen = Seen(holes, REACH)
    made = {}
    for number in numbers:
        frame = holes[number]
        hole = frame.planes["hole"] > 0
        stack = []
        for other in seen.window(number):
            reached, matrix = seen.linked(number, other)
            if reached == other != number:
                lies = displacement(between_arrays(matrix, frame, holes[other]), hole.shape)
                light, inside = warped(holes[other].pixels(*RGB), lies)
                hidden, _ = warped(holes[other].pixels("hole"), lies, "bilinear")
                stack.append(np.where((inside & (hidden[..., 0] == 0))[..., None], light, np.nan)[hole])
        light = frame.rgb
        with np.errstate(all="ignore"):
            light[hole] = np.nanmedian(np.stack(stack), axis=0)
        lost = np.asarray(~np.isfinite(light).all(axis=-1), np.bool_)
        made[number] = inpainted(light, lost, "telea")
    return made


METHODS: dict[str, Callable[[Clip, list[int]], Frames]] = {
    "telea": lambda clip, numbers: _inpaint(clip, numbers, "telea"),
    "inpaint, patch": lambda clip, numbers: _inpaint(clip, numbers, "patch"),
    "median": _median,
    "cleanplate, grain = 0": lambda clip, numbers: _cleanplate(clip, numbers, 0.0),
    "cleanplate": lambda clip, numbers: _cleanplate(clip, numbers, 1.0),
}


def _measured(frames: Frames, clip: Clip) -> dict[str, object]:
    squares, likeness, changes = [], [], []
    for number, light in frames.items():
        code, truth, hole = _code(light), _code(clip.truth[number]), clip.holes[number]
        squares.append(((code - truth)[hole] ** 2).ravel())
        likeness.append(_ssim(code, truth)[hole].ravel())
        if number + 1 in frames and number in clip.motion:
            lies, known = clip.motion[number]
            there, inside = warped(_code(frames[number + 1]), lies)
            changes.append(((code - there)[hole & known & inside] ** 2).ravel())
    error = float(np.concatenate(squares).mean())
    return {
        "PSNR, dB": 10 * math.log10(255**2 / error) if error else math.inf,
        "SSIM": float(np.concatenate(likeness).mean()),
        "flicker": math.sqrt(float(np.concatenate(changes).mean())) if changes else math.nan,
    }


def _ssim(this: Pixels, other: Pixels) -> Pixels:
    """At every pixel and channel, in a Gaussian window of 1.5 pixels (Wang et al. 2004)."""

    def mean(picture: Pixels) -> Pixels:
        return np.asarray(cv2.GaussianBlur(picture, (11, 11), 1.5), np.float32)

    ours, theirs = mean(this), mean(other)
    our_variance, their_variance = mean(this**2) - ours**2, mean(other**2) - theirs**2
    shared = mean(this * other) - ours * theirs
    one, two = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    near = (2 * ours * theirs + one) * (2 * shared + two)
    return np.asarray(near / ((ours**2 + theirs**2 + one) * (our_variance + their_variance + two)), np.float32)


def _slice(frames: Frames, clip: Clip) -> Pixels:
    """The row with most of the hole in it, of every frame, below each other: what boils is ragged from row to row."""
    row = int(np.argmax(np.sum([hole.sum(axis=1) for hole in clip.holes.values()], axis=0)))
    columns = np.flatnonzero(np.any([hole[row] for hole in clip.holes.values()], axis=0))
    middle = int(np.median(columns))
    left = max(0, min(middle - 80, clip.truth[next(iter(frames))].shape[1] - 160))
    rows = [_code(light)[row, left : left + 160] / 255 for light in frames.values()]
    return np.repeat(np.repeat(np.stack(rows), 8, axis=0), 4, axis=1)


def _code(light: Pixels) -> Pixels:
    code = color.convert(np.ascontiguousarray(light), SPACE, "srgb_rec709_scene")
    return np.asarray(np.clip(code, 0, 1) * 255, np.float32)


def _halved(light: Pixels) -> Pixels:
    half: Pixels = vfxgen.Resize(Pictures(light), scale=0.5, filter="box")[1].rgb
    return half


def _window(light: Pixels, x: float, y: float) -> Pixels:
    """The picture of `SIZE` whose first pixel is at (x, y)."""
    return warped(light, np.full((*SIZE, 2), (x, y), np.float32))[0]


def _grain(light: Pixels, seed: int) -> Pixels:
    white = np.random.default_rng(seed).standard_normal(light.shape).astype(np.float32)
    kernel = np.array(SPREAD, np.float32)
    soft = cv2.sepFilter2D(white, -1, kernel, kernel) / float((kernel**2).sum())
    return np.asarray(soft * np.sqrt(GAIN * np.maximum(light, 0) + FLOOR), np.float32)


def _middle(numbers: list[int], count: int) -> list[int]:
    first = max(0, (len(numbers) - count) // 2) if count else 0
    return numbers[first : first + count] if count else numbers


if __name__ == "__main__":
    main()
