"""Flicker of upscaled frames along the motion, and whether taking it out smears: own clips with truth, real clips."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import vfxgen
from benchmarks.pictures import SPACE
from benchmarks.results import REPOSITORY, RESULTS, SHARED, publish
from vfxgen import color
from vfxgen.frame import Pixels
from vfxgen.image.flow import flow, trust
from vfxgen.image.resample import Axis, resampled
from vfxgen.image.warp import displacement, warped
from vfxgen.operator import Operator
from vfxgen.report.sheet import write_sheet
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures

SHOT = REPOSITORY / "shots" / "greenscreen"
REAL = {"bedroom": "sam2/bedroom.mp4", "blocks": "sam2/03_blocks.mp4", "juggle": "sam2/05_default_juggle.mp4"}
LENGTH, FIRST, SCALE = 6, 1004, 2
# Noise of a camera at a high sensitivity: variance gain * light + floor, 2.4 % of middle grey.
GAIN, FLOOR = 1e-4, 1e-7
# Pixels that the frames of the pan move in each step, right and down.
PAN = (1.3, -0.45)

METHODS: dict[str, Callable[[Sequence], Operator]] = {
    "lanczos": lambda plate: vfxgen.Upscale(plate, scale=SCALE, method="lanczos"),
    "net": lambda plate: vfxgen.Upscale(plate, scale=SCALE),
    "net, temporal = 0.5": lambda plate: vfxgen.Upscale(plate, scale=SCALE, temporal=0.5),
    "net, temporal = 1": lambda plate: vfxgen.Upscale(plate, scale=SCALE, temporal=1.0),
}


class Clip(NamedTuple):
    """Frames as they should be, the small ones they are made from, and the motion between each and the next."""

    truth: Mapping[int, Pixels]
    small: Mapping[int, Pixels]
    motion: Mapping[int, tuple[Pixels, NDArray[np.bool_]]]


def main() -> None:
    """Measure every clip there is, and show slices through time."""
    clips: dict[str, Callable[[], Clip]] = {"shot, with noise": shot, "pan, with aliasing": pan}
    clips |= {
        name: lambda path=path: real(SHARED / "video" / path)  # type: ignore[misc]
        for name, path in REAL.items()
        if (SHARED / "video" / path).is_file()
    }
    rows, sheets = list[dict[str, object]](), []
    for name, load in clips.items():
        clip = load()
        made: dict[str, Mapping[int, Pixels]] = {
            method: _frames(make(Pictures(dict(clip.small))), list(clip.truth)) for method, make in METHODS.items()
        }
        made["truth"] = clip.truth
        rows += [{"clip": name, "frames": method, **_measured(made[method], clip)} for method in made]
        sheets.append([(f"{name}: {method}", _slice(frames)) for method, frames in made.items()])
        sheets.append([(f"{name}: {method}", _crop(frames)) for method, frames in made.items()])
    notes = [
        f"{LENGTH} frames made smaller by {SCALE} as light (box), then upscaled. flicker: RMS difference between a "
        "frame and the next looked up along the motion, sRGB code values 0 .. 255, on the pixels whose motion in the "
        "truth can be trusted (measured: their share). PSNR: of the same code values, whole frames, against those "
        "before they were made smaller.",
        f"shot: shots/greenscreen put together from its truth, noise of the variance {GAIN:g} light + {FLOOR:g} added "
        f"to the small frames. pan: its background, moved by {PAN} pixels a frame. Motion is that of the truth: "
        "exact for the pan, found in the noiseless or original frames elsewhere. Real clips are coded: their own "
        "flicker, in the last row of each, is noise too.",
    ]
    publish("flicker", "Upscaling x2 over time", rows, notes)
    write_sheet(sheets, str(RESULTS / "flicker.png"))


def shot() -> Clip:
    """The sample shot without grain, made of its truth; noise on the small frames."""
    read = {
        name: vfxgen.read(SHOT / "truth" / f"{name}.####.exr", colorspace=SPACE, working_space=SPACE)
        for name in ("foreground", "screen", "alpha")
    }
    truth = {}
    for number in range(FIRST, FIRST + LENGTH):
        alpha = read["alpha"][number].alpha
        truth[number] = read["foreground"][number].rgb * alpha + (1 - alpha) * read["screen"][number].rgb
    random = np.random.default_rng(7)
    small = {
        number: light
        + random.normal(0, 1, light.shape).astype(np.float32) * np.sqrt(np.maximum(light, 0) * GAIN + FLOOR)
        for number, light in _smaller(truth).items()
    }
    return Clip(truth, small, _motion(truth))


def pan() -> Clip:
    """A street under a camera that moves by parts of a pixel: fine edges crawl once they are made smaller."""
    still = vfxgen.read(SHOT / "background" / "background.exr", colorspace=SPACE, working_space=SPACE)[1]
    height, width = (side // (2 * SCALE) * 2 * SCALE for side in still.size)
    edge = 16
    truth = {}
    for step in range(LENGTH):
        axes = (Axis(1, step * PAN[0]), Axis(1, step * PAN[1]))
        moved = resampled(still, axes, still.display_window, "lanczos3", True, {}).on(still.data_window)
        truth[1001 + step] = moved.rgb[edge : height - edge, edge : width - edge]
    size = truth[1001].shape[:2]
    exact = displacement(np.array([[1, 0, PAN[0]], [0, 1, PAN[1]], [0, 0, 1.0]]), (size[0], size[1]))
    _, inside = warped(truth[1001], exact)
    return Clip(truth, _smaller(truth), dict.fromkeys(truth, (exact, inside)))


def real(path: Path) -> Clip:
    """Frames of a movie, cut to the middle 960x540; the frames themselves stand for the truth."""
    movie = vfxgen.read(path, working_space=SPACE)
    numbers = (movie.range or [])[40 : 40 + LENGTH]
    truth = {}
    for number in numbers:
        rgb = movie[number].rgb
        top, left = (max(0, (a - b) // 2) for a, b in zip(rgb.shape, (540, 960), strict=False))
        truth[number] = np.ascontiguousarray(rgb[top : top + 540, left : left + 960])
    return Clip(truth, _smaller(truth), _motion(truth))


def _smaller(frames: Mapping[int, Pixels]) -> dict[int, Pixels]:
    reduced = vfxgen.Resize(Pictures(dict(frames)), scale=1 / SCALE, filter="box")
    return {number: reduced[number].rgb for number in frames}


def _motion(frames: Mapping[int, Pixels]) -> dict[int, tuple[Pixels, NDArray[np.bool_]]]:
    found = {}
    for number in list(frames)[:-1]:
        this, other = frames[number], frames[number + 1]
        there, back = flow(this, other), flow(other, this)
        found[number] = there, trust(this, other, there, back)[..., 0] > 0.5
    return found


def _frames(operator: Operator, numbers: list[int]) -> dict[int, Pixels]:
    return {number: operator[number].rgb for number in numbers}


def _measured(frames: Mapping[int, Pixels], clip: Clip) -> dict[str, object]:
    """Flicker of consecutive frames, and PSNR of all of them."""
    flickering, wrong = [], []
    for number, light in frames.items():
        code = _code(light)
        wrong.append(np.mean((code - _code(clip.truth[number])) ** 2))
        if number + 1 in frames:
            lies, agrees = clip.motion[number]
            there, inside = warped(_code(frames[number + 1]), lies)
            flickering.append(np.mean((code - there)[agrees & inside] ** 2))
    error = float(np.mean(wrong))
    return {
        "measured": float(np.mean([agrees.mean() for _, agrees in clip.motion.values()])),
        "flicker": math.sqrt(float(np.mean(flickering))),
        "PSNR, dB": 10 * math.log10(255**2 / error) if error else math.inf,
    }


def _code(light: Pixels) -> Pixels:
    return np.clip(color.convert(light, SPACE, "srgb_rec709_scene"), 0, 1) * 255


def _slice(frames: Mapping[int, Pixels]) -> Pixels:
    """One row of every frame, below each other: what flickers is ragged from row to row."""
    rows = [_code(light)[light.shape[0] // 2, 340:580] / 255 for light in frames.values()]
    return np.repeat(np.repeat(np.stack(rows), 10, axis=0), 4, axis=1)


def _crop(frames: Mapping[int, Pixels]) -> Pixels:
    light = list(frames.values())[LENGTH // 2]
    middle = light.shape[0] // 2
    return np.repeat(np.repeat(_code(light)[middle - 60 : middle + 60, 360:560] / 255, 3, axis=0), 3, axis=1)


if __name__ == "__main__":
    main()
