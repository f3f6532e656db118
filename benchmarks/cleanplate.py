"""Clean plates against truth: shots/rig, a scene of our own, pasted holes in a real clip; beside baselines."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import cv2
import numpy as np

import vfxgen
from benchmarks import cleanplate_grain
from benchmarks.cleanplate_clips import CLIPS, Clip, Frames
from benchmarks.pictures import SPACE
from benchmarks.results import REPOSITORY, RESULTS, publish
from vfxgen import color
from vfxgen.frame import RGB, Pixels
from vfxgen.image.inpainting import inpainted
from vfxgen.image.warp import displacement, warped
from vfxgen.report.sheet import write_sheet
from vfxgen.temporal.cleaning import Holes, Seen
from vfxgen.temporal.filling import between_arrays

REACH, FEATHER = 12, 1
PICTURES = REPOSITORY / "docs" / "pictures"
# The frame of shots/rig that is shown, and what of it: top, left, height, width.
SHOWN, PARTS = 1012, ((0, 0, 270, 480), (105, 242, 90, 160), (9, 72, 90, 160))
# Of every frame, across the person: row, left.
ACROSS = (150, 200)


def main() -> None:
    """Measure every clip there is, and show slices through time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=24, help="of the middle of each clip, at most")
    parser.add_argument("--clips", nargs="*", default=list(CLIPS), help=f"of {', '.join(CLIPS)}")
    options, _ = parser.parse_known_args()
    rows, sheets = list[dict[str, object]](), []
    for name in options.clips:
        clip = CLIPS[name]()
        if clip is None:
            continue
        numbers = _middle(list(clip.truth), min(options.frames, clip.frames))
        made = dict[str, Frames]()
        for method, make in METHODS.items():
            start = time.process_time()
            made[method] = make(clip, numbers)
            seconds = (time.process_time() - start) / len(numbers)
            rows.append({"clip": name, "method": method, **_measured(made[method], clip), "CPU s": seconds})
            print(rows[-1], flush=True)
        for method, truth in {"truth": clip.truth, "truth, with grain": clip.grainy}.items():
            if truth:
                made[method] = {n: truth[n] for n in numbers}
                rows.append({"clip": name, "method": method, **_measured(made[method], clip), "CPU s": 0.0})
        sheets.append([(f"{name}: {method}", _slice(frames, clip)) for method, frames in made.items()])
        if name == "rig" and SHOWN in numbers:
            _show(clip, made["cleanplate"])
    if not rows:
        raise SystemExit("none of the clips is here")
    notes = [
        f"PSNR and SSIM of sRGB code values in the hole, against what is behind it without grain; beside it against "
        f"what is behind it with the plate's grain, and apart for what another frame shows (by true motion, within "
        f"the clip) and what none does. flicker: RMS difference, of code values 0 .. 255 in the hole, between a frame "
        f"and the next looked up along the true motion. reach = {REACH} frames. CPU s: seconds a frame on one core.",
        "rig: shots/rig at half size, the mask as it is. pan: a street and nearer posts, panned at two speeds, before "
        "them a wire and a figure that stay in view. bmx: DAVIS bmx-trees, 432x240, discs beside the rider, who is "
        "masked too; the plate itself is the truth. median: of the frames within reach, "
        "aligned by homographies, Telea where none sees. All look at the whole clip; frames are those measured, of the "
        "middle.",
    ]
    publish("cleanplate", "Clean plates", rows, notes)
    cleanplate_grain.main()
    write_sheet(sheets, str(RESULTS / "cleanplate.png"))


def _show(clip: Clip, made: Frames) -> None:
    """The pictures of the page about clean plates."""
    shown = {
        "plate": {n: clip.plate[n].rgb for n in made},
        "cleanplate": made,
        "truth": {n: clip.truth[n] for n in made},
    }
    rows = [
        [
            (name, _code(frames[SHOWN])[y : y + height, x : x + width] / np.float32(255))
            for name, frames in shown.items()
        ]
        for y, x, height, width in PARTS
    ]
    write_sheet(rows, str(PICTURES / "cleanplate_rig.jpg"))
    write_sheet(
        [[(name, _rows(frames, *ACROSS)) for name, frames in shown.items()]], str(PICTURES / "cleanplate_slice.png")
    )


def _cleanplate(clip: Clip, numbers: list[int]) -> Frames:
    operator = vfxgen.Cleanplate(clip.plate, clip.mask, reach=REACH, grow=0, feather=FEATHER)
    return {number: operator[number].rgb for number in numbers}


def _inpaint(clip: Clip, numbers: list[int], method: str) -> Frames:
    operator = vfxgen.Inpaint(clip.plate, clip.mask, method=method, grow=0, feather=0)
    return {number: operator[number].rgb for number in numbers}


def _median(clip: Clip, numbers: list[int]) -> Frames:
    """The median of the frames that see a pixel, looked up through homographies."""
    holes = Holes(clip.plate, clip.mask, 0)
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
    "cleanplate": _cleanplate,
}


def _measured(frames: Frames, clip: Clip) -> dict[str, object]:
    squares, grainy, seen, unseen, likeness, changes = (list[Pixels]() for _ in range(6))
    for number, light in frames.items():
        code, truth, hole = _code(light), _code(clip.truth[number]), clip.holes[number]
        squares.append(((code - truth)[hole] ** 2).ravel())
        likeness.append(_ssim(code, truth)[hole].ravel())
        if clip.grainy:
            grainy.append(((code - _code(clip.grainy[number]))[hole] ** 2).ravel())
        if clip.seen:
            seen.append(((code - truth)[clip.seen[number]] ** 2).ravel())
            unseen.append(((code - truth)[hole & ~clip.seen[number]] ** 2).ravel())
        if number + 1 in frames and number in clip.motion:
            lies, known = clip.motion[number]
            there, inside = warped(_code(frames[number + 1]), lies)
            changes.append(((code - there)[hole & known & inside] ** 2).ravel())
    return {
        "PSNR, dB": _decibels(squares),
        "with grain": _decibels(grainy),
        "seen": _decibels(seen),
        "never seen": _decibels(unseen),
        "SSIM": float(np.concatenate(likeness).mean()),
        "frames": len(frames),
        "flicker": math.sqrt(float(np.concatenate(changes).mean())) if changes else None,
    }


def _decibels(squares: list[Pixels]) -> float | None:
    """None where nothing is known, or all is as it should be."""
    error = float(np.concatenate(squares).mean()) if squares else 0.0
    return 10 * math.log10(255**2 / error) if error else None


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
    return _rows(frames, row, left)


def _rows(frames: Frames, row: int, left: int) -> Pixels:
    rows = [_code(light)[row, left : left + 160] / 255 for light in frames.values()]
    return np.repeat(np.repeat(np.stack(rows), 8, axis=0), 4, axis=1)


def _code(light: Pixels) -> Pixels:
    code = color.convert(np.ascontiguousarray(light), SPACE, "srgb_rec709_scene")
    return np.asarray(np.clip(code, 0, 1) * 255, np.float32)


def _middle(numbers: list[int], count: int) -> list[int]:
    first = max(0, (len(numbers) - count) // 2) if count else 0
    return numbers[first : first + count] if count else numbers


if __name__ == "__main__":
    main()
