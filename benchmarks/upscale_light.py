"""What upscaling does to light above white, and whether it sees exposure: real HDR frames, beside Lanczos."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import vfxgen
from benchmarks.results import REPOSITORY, SHARED, publish
from benchmarks.super_resolution import LINEAR
from vfxgen.frame import Pixels
from vfxgen.image.bicubic import smaller
from vfxgen.operator import Operator
from vfxgen.testing import Pictures
from vfxgen.zoo import registry

FRAMES = {
    "Desk": SHARED / "exr/openexr-images/ScanLines/Desk.exr",
    "Flowers": SHARED / "exr/openexr-images/LuminanceChroma/Flowers.exr",
    "Cannon": SHARED / "exr/openexr-images/ScanLines/Cannon.exr",
    "greenscreen 1012": REPOSITORY / "shots/greenscreen/plate/greenscreen.1012.exr",
}
WHITE = 1.0
# 5.5 stops below middle grey: under it a difference in stops says more about noise than about the picture.
DARKEST = 2.0**-8
EXPOSURES = (1, 2, 4)


def area(light: Pixels, scale: int) -> Pixels:
    """The mean of each block: what larger pixels in the camera see."""
    height, width = (side // scale for side in light.shape[:2])
    cut = light[: height * scale, : width * scale]
    small: Pixels = np.maximum(cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA), 0)
    return small


REDUCTIONS: dict[str, Callable[[Pixels, int], Pixels]] = {
    "area": area,
    "bicubic": lambda light, scale: np.maximum(smaller(light, scale), 0),
}
REDUCTION_NOTE = (
    "made smaller as light: area, the mean of each block, is what larger pixels in the camera see; bicubic, MATLAB's "
    "as in the published sets, goes below 0 beside bright edges and is cut there, which leaves black pixels."
)


def main(nets: Sequence[registry.Entry]) -> None:
    """Both tables, for every net."""
    truths = {name: _read(path) for name, path in FRAMES.items()}
    notes = [
        f"scene-linear EXR, {REDUCTION_NOTE} highlights: mean of |result - truth| / truth where truth > 1, and RMS of "
        "the difference in stops; whole: RMS in stops over all values, those below 2^-8 counted as 2^-8. above: "
        "largest result / maximum of the 3x3 source pixels around it; below zero: values under 0 (the small frames "
        "have none), per cent.",
    ]
    rows = [
        row
        for entry in nets
        for way in REDUCTIONS
        for name, truth in truths.items()
        for row in highlights(name, truth, entry, way)
    ]
    publish("upscale_highlights", "Upscaling light above white", rows, notes)
    notes = [
        "the same frames, made smaller by area: stops up or down, upscaled, and back, beside upscaled as they are; RMS "
        "a frame, and what one value in a thousand of all frames passes; values below 2^-8 counted as 2^-8. 0: does "
        "not see exposure, as Lanczos."
    ]
    rows = [row for entry in nets for row in exposure(truths, entry)]
    publish("upscale_exposure", "Upscaling at another exposure, difference in stops", rows, notes)


def highlights(name: str, truth: Pixels, entry: registry.Entry, way: str) -> list[dict[str, object]]:
    """Error against truth, and overshoot: net, Lanczos as `vfxgen.Upscale` does it, and Lanczos that rings."""
    scale = int(entry.card.scale)
    small, truth = reduced(truth, scale, way)
    source = Pictures(small)
    operators: dict[str, Operator] = {
        "lanczos, ringing": vfxgen.Resize(source, scale=scale, ringing=True),
        "lanczos": vfxgen.Upscale(source, scale=scale, method="lanczos"),
        entry.name: vfxgen.Upscale(source, scale=scale, net=entry.name),
    }
    return [
        {"frame": f"{name} x{scale}", "by": way, "method": method, **light_errors(operator[1].rgb, truth, small, scale)}
        for method, operator in operators.items()
    ]


def light_errors(made: Pixels, truth: Pixels, small: Pixels, scale: int) -> dict[str, float]:
    """What the table's columns say; `made` and `truth` (scale H, scale W, 3), `small` (H, W, 3)."""
    around = cv2.dilate(small, np.ones((3, 3), np.uint8)).repeat(scale, 0).repeat(scale, 1)
    bright = truth > WHITE
    stops = difference_in_stops(made, truth)
    return {
        "highlights, relative": float(np.mean(np.abs(made - truth)[bright] / truth[bright])),
        "highlights, stops": float(np.sqrt(np.mean(stops[bright] ** 2))),
        "whole, stops": float(np.sqrt(np.mean(stops**2))),
        "above": float(np.max(made / np.maximum(around, DARKEST))),
        "below zero, %": float(np.mean(made < 0) * 100),
    }


def exposure(truths: Mapping[str, Pixels], entry: registry.Entry) -> list[dict[str, object]]:
    """Difference to the frame upscaled as it is, in stops: RMS a frame, and what one value in a thousand passes."""
    smalls = {name: reduced(truth, int(entry.card.scale), "area")[0] for name, truth in truths.items()}
    plain = {name: _enlarged(small, entry) for name, small in smalls.items()}
    rows: list[dict[str, object]] = []
    for stops in sorted(sign * exposure for sign in (-1, 1) for exposure in EXPOSURES):
        gain = np.float32(2.0**stops)
        differences = {
            name: difference_in_stops(_enlarged(small * gain, entry) / gain, plain[name])
            for name, small in smalls.items()
        }
        every = np.concatenate([np.abs(difference).ravel() for difference in differences.values()])
        squares = {name: float(np.sqrt(np.mean(difference**2))) for name, difference in differences.items()}
        rows.append({"net": entry.name, "stops": f"{stops:+d}", **squares, "99.9 %": float(np.quantile(every, 0.999))})
    return rows


def reduced(light: Pixels, scale: int, way: str) -> tuple[Pixels, Pixels]:
    """The small frame, and the part of the large one it stands for."""
    small = REDUCTIONS[way](light, scale)
    return small, light[: small.shape[0] * scale, : small.shape[1] * scale]


def difference_in_stops(one: Pixels, other: Pixels) -> NDArray[np.floating]:
    """log2 of `one` / `other`, values below `DARKEST` counted as `DARKEST`."""
    ratio: NDArray[np.floating] = np.log2(np.maximum(one, DARKEST) / np.maximum(other, DARKEST))
    return ratio


def _enlarged(small: Pixels, entry: registry.Entry) -> Pixels:
    large: Pixels = vfxgen.Upscale(Pictures(small), scale=entry.card.scale, net=entry.name)[1].rgb
    return large


def _read(path: Path) -> Pixels:
    return vfxgen.read(path, colorspace=LINEAR, working_space=LINEAR)[1].rgb
