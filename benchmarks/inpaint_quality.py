"""Inpainting of photographs: free-form, box and scratch holes by seed, beside OpenCV and scikit-image; and HDR.

python -m benchmarks inpaint_quality [--full] [--net FOLDER]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.restoration import inpaint_biharmonic

import vfxgen
from benchmarks.natural_statistics import Luma, energy_difference
from benchmarks.results import RESULTS, SHARED, publish
from benchmarks.super_resolution import DISPLAY, LINEAR, Codes, as_light, read_picture
from vfxgen import color
from vfxgen.frame import Mask, Pixels
from vfxgen.operators.inpaint import SHIPPED
from vfxgen.report.sheet import write_sheet
from vfxgen.testing import Pictures
from vfxgen.training.hole_masks import KINDS, hole
from vfxgen.zoo import registry

SEED = 5
SIDE, FULL_SIDE = 256, 512
STOPS = (-4, 4)
# Rows of a sheet; a picture on it is shown as large as it is.
SHOWN = 6

Fill = Callable[[Codes, Mask], Pixels]


class Case(NamedTuple):
    """A photograph and a hole in it."""

    name: str
    kind: str
    truth: Codes
    hole: Mask


class Scores(NamedTuple):
    """Of a fill, within the hole: see the notes of the table."""

    psnr: float
    ssim: float
    energy: float
    detail: float


def main() -> None:
    """Measure every method on every kind of hole, show them, and expose them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help=f"squares of {FULL_SIDE} pixels in place of {SIDE}")
    parser.add_argument("--net", default="", help=f"an inpainting net; default: {SHIPPED}, where it is installed")
    options, _ = parser.parse_known_args()
    ways = methods(options.net)
    found = cases(FULL_SIDE if options.full else SIDE)
    rows = []
    for kind in KINDS:
        of_kind = [case for case in found if case.kind == kind]
        made = {name: _measured(fill, of_kind) for name, fill in ways.items()}
        rows += [{"holes": kind, "method": name, **row} for name, (row, _) in made.items()]
        _show(kind, of_kind, {name: fills for name, (_, fills) in made.items()})
    notes = [
        f"{len(found) // len(KINDS)} squares of photographs (Kodak 1 .. 12, photo2k halved) with one hole each; means. "
        "All within the hole: PSNR of R G B and SSIM (Wang et al. 2004) of Y, display code.",
        "energy: mean difference of the energies of oriented filters, 3 octaves, 4 directions, in dB; detail: of the "
        "shortest waves, with its sign: below 0 is too soft. Without a phase, so that texture need not lie where it "
        "lay: textures of equal energies look alike (Portilla and Simoncelli 2000).",
        "OpenCV: radius 5, 8-bit code; biharmonic: scikit-image, code; the others: vfxgen.Inpaint, light.",
    ]
    publish("inpaint_quality", "Inpainting", rows, notes)
    exposure = [_equivariance(name, fill, found) for name, fill in _on_light(options.net).items()]
    notes = ["difference of the filled code when light is exposed first and put back after, within the hole, of 0 .. 1"]
    publish("inpaint_exposure", f"Inpainting, exposed by {STOPS[0]} and {STOPS[1]} stops", exposure, notes)


def methods(net: str) -> dict[str, Fill]:
    """By name, from display code with a hole to display code 0 .. 1."""
    ours = {name: _through_code(fill) for name, fill in _on_light(net).items()}
    return {
        "OpenCV Telea": lambda code, there: _opencv(code, there, cv2.INPAINT_TELEA),
        "OpenCV NS": lambda code, there: _opencv(code, there, cv2.INPAINT_NS),
        "biharmonic": lambda code, there: np.asarray(inpaint_biharmonic(_blank(code, there), there, channel_axis=-1)),
        **ours,
    }


def _on_light(net: str) -> dict[str, Callable[[Pixels, Mask], Pixels]]:
    ways: dict[str, dict[str, str]] = {"smooth": {"method": "smooth"}, "patch": {"method": "patch"}}
    if net or SHIPPED in registry.nets():
        ways[f"net {net or SHIPPED}"] = {"method": "net", "net": net or SHIPPED}
    ways["auto"] = {"method": "auto"}

    def through(parameters: dict[str, str]) -> Callable[[Pixels, Mask], Pixels]:
        def fill(light: Pixels, there: Mask) -> Pixels:
            mask = Pictures(there[..., None].astype(np.float32), "A")
            blank = Pictures(np.where(there[..., None], np.float32(0), light))
            filled: Pixels = vfxgen.Inpaint(blank, mask, grow=0.0, feather=0.0, **parameters)[1].rgb
            return filled

        return fill

    return {name: through(parameters) for name, parameters in ways.items()}


def cases(side: int) -> list[Case]:
    """The middle of every photograph of the test sets with a hole of each kind."""
    kodak = sorted((SHARED / "sr_test/Kodak12").glob("*.png"))
    large = sorted((SHARED / "sr_test/photo2k").glob("*.jpg"))
    if not kodak or not large:
        raise FileNotFoundError(f"{SHARED / 'sr_test'}: Kodak12 or photo2k is not there")
    photos = [(path.stem, read_picture(path)) for path in kodak]
    for path in large:
        half = cv2.resize(read_picture(path), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        photos.append((path.stem[:8], np.asarray(half, np.uint8)))
    found = []
    for number, (name, photo) in enumerate(photos):
        y, x = ((size - side) // 2 for size in photo.shape[:2])
        truth = np.ascontiguousarray(photo[y : y + side, x : x + side])
        for place, kind in enumerate(KINDS):
            random = np.random.default_rng((SEED, number, place))
            found.append(Case(name, kind, truth, hole(kind, truth.shape[:2], 0.6 * side, random)))
    return found


def scores(made: NDArray[Any], case: Case) -> Scores:
    """Within the hole."""
    truth = case.truth.astype(np.float64) / 255
    error = np.mean((np.clip(made, 0, 1) - truth)[case.hole] ** 2)
    ours, theirs = _luma(np.clip(made, 0, 1)), _luma(truth)
    energy = energy_difference(ours, theirs, case.hole)
    similar = float(_similarity(ours, theirs)[case.hole].mean())
    return Scores(float(-10 * np.log10(max(error, 1e-10))), similar, energy.error, energy.detail)


def _measured(fill: Fill, found: list[Case]) -> tuple[dict[str, float], list[Pixels]]:
    start = time.process_time()
    fills = [np.where(c.hole[..., None], fill(c.truth, c.hole), c.truth / np.float32(255)) for c in found]
    seconds = (time.process_time() - start) / len(found)
    means = np.mean([scores(made, case) for made, case in zip(fills, found, strict=True)], axis=0)
    row = dict(zip(("PSNR dB", "SSIM", "energy dB", "detail dB"), map(float, means), strict=True))
    return {**row, "CPU s": seconds}, fills


def _equivariance(name: str, fill: Callable[[Pixels, Mask], Pixels], found: list[Case]) -> dict[str, object]:
    differences = list[list[NDArray[np.float32]]]()
    for case in found[:6]:
        light = as_light(case.truth)
        plain = _code(fill(light, case.hole))
        exposed = [_code(fill(light * np.float32(2.0**s), case.hole) / np.float32(2.0**s)) for s in STOPS]
        differences.append([np.abs(code - plain)[case.hole] for code in exposed])
    means = [float(np.mean([np.mean(pair[place]) for pair in differences])) for place in range(len(STOPS))]
    most = max(float(part.max()) for pair in differences for part in pair)
    return {"method": name, **{f"mean, {s:+d}": m for s, m in zip(STOPS, means, strict=True)}, "largest": most}


def _show(kind: str, found: list[Case], made: dict[str, list[Pixels]]) -> None:
    rows = []
    for place, case in enumerate(found[:: max(1, len(found) // SHOWN)][:SHOWN]):
        number = place * max(1, len(found) // SHOWN)
        truth = case.truth / np.float32(255)
        given = np.where(case.hole[..., None], np.float32(1), truth)
        fills = [(name, np.clip(fills[number], 0, 1).astype(np.float32)) for name, fills in made.items()]
        rows.append([(case.name, given), *fills, ("truth", truth)])
    write_sheet(rows, str(RESULTS / f"inpaint_{kind}.png"), found[0].truth.shape[1])


def _opencv(code: Codes, there: Mask, method: int) -> Pixels:
    return np.asarray(cv2.inpaint(code, there.astype(np.uint8), 5, method), np.float32) / np.float32(255)


def _blank(code: Codes, there: Mask) -> Pixels:
    return np.where(there[..., None], np.float32(0), code / np.float32(255))


def _through_code(fill: Callable[[Pixels, Mask], Pixels]) -> Fill:
    return lambda code, there: _code(fill(as_light(code), there))


def _code(light: Pixels) -> Pixels:
    return color.convert(light, LINEAR, DISPLAY)


def _luma(code: NDArray[Any]) -> Luma:
    return np.asarray(code, np.float64) @ (0.299, 0.587, 0.114)


def _similarity(ours: Luma, truth: Luma) -> Luma:
    """Map of SSIM, code 0 .. 1, the border mirrored."""

    def local(values: Luma) -> Luma:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5))

    a, b = local(ours), local(truth)
    variances = local(ours**2) - a**2 + local(truth**2) - b**2
    covariance = local(ours * truth) - a * b
    c1, c2 = 0.01**2, 0.03**2
    return np.asarray((2 * a * b + c1) * (2 * covariance + c2) / ((a**2 + b**2 + c1) * (variances + c2)))


if __name__ == "__main__":
    main()
