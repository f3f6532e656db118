"""Quality of `matte` against truth: photographs with trimaps, a shot with three keyframes; and pictures of real clips.

``python -m benchmarks.matte_quality --quick`` takes five photographs at half size; ``--nets`` measures no shot, and of
the photographs our own methods and the closed form: the other rows of pymatting's stay as they were.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from pymatting import estimate_alpha_cf, estimate_alpha_knn

import vfxgen
from benchmarks.matte_errors import dt_ssd, errors
from benchmarks.pictures import SPACE, displayed, in_grey
from benchmarks.results import REPOSITORY, RESULTS, SHARED, publish
from vfxgen import color
from vfxgen.backends.net import load
from vfxgen.frame import Mask, Pixels
from vfxgen.image.natural_matte import Method, matte_by, mixture_matte
from vfxgen.image.sparse_matte import sparse_matte
from vfxgen.image.trimap import UNKNOWN, trimap_levels, trimap_of
from vfxgen.report.sheet import write_sheet
from vfxgen.temporal.matting import Told
from vfxgen.temporal.net_matte import matte_by_net
from vfxgen.testing import Pictures
from vfxgen.training.guides import random_mask
from vfxgen.zoo import registry

PHOTOGRAPHS, FEW = range(1, 15), (1, 2, 4, 8, 13)
KEYFRAMES = (1001, 1012, 1024)
WIDTH, ROUGH_WIDTH = 16.0, 10.0
GREY = np.float32(0.18)
PICTURES = REPOSITORY / "docs" / "pictures"
# Her head at half the size of the shot, and how wide a sheet shows it.
HEAD, HEAD_WIDTH = np.s_[10:210, 70:370], 360


class Shot(NamedTuple):
    """Plates and true coverage by frame number, (H, W, 3) and (H, W, 1); and what they are."""

    plates: Mapping[int, Pixels]
    truths: Mapping[int, Pixels]
    what: str


def main() -> None:
    """Photographs, then the shot."""
    quick = "--quick" in sys.argv
    numbers, scale = (FEW, 0.5) if quick else (PHOTOGRAPHS, 1.0)
    photographs(numbers, scale)
    rough_masks(numbers, scale)
    exposures()
    if "--nets" not in sys.argv:
        over_time(0.5)


def photographs(numbers: range | tuple[int, ...], scale: float) -> None:
    """The alphamatting.com photographs, trimap 1: pymatting on code values as everybody does, ours on light too."""
    folder = SHARED / "matting" / "alphamatting"
    if not folder.is_dir():
        return
    net = _net("matte-trimap")
    methods: dict[str, Callable[[Pixels, Pixels], Pixels]] = {
        "matte-trimap": lambda code, trimap: net(_light(code), trimap),
        "matte-trimap, on code values": net,
        "mixture": lambda code, trimap: mixture_matte(_light(code), trimap),
        "mixture, on code values": mixture_matte,
        "closed form, by crops": lambda code, trimap: matte_by(_sparse("closed-form"), _light(code), trimap),
        "KNN, by crops": lambda code, trimap: matte_by(_sparse("knn"), _light(code), trimap),
        "pymatting closed form": lambda code, trimap: estimate_alpha_cf(code.astype(float), trimap.astype(float)),
        "pymatting KNN": lambda code, trimap: estimate_alpha_knn(code.astype(float), trimap.astype(float)),
    }
    pictures = [_photograph(folder, number, scale) for number in numbers]
    rows = _rows("matte_photographs", methods, lambda method: [_measured(method, *picture) for picture in pictures])
    notes = [
        f"mean over {', '.join(f'GT{n:02d}' for n in numbers)} at {scale:g} of their size, trimap 1; within the "
        "unknown pixels; SAD, gradient and connectivity in thousands (Rhemann et al. 2009); processor seconds a frame.",
        "matte-trimap, mixture: alpha alone, on light, as the operator has it; on code values: these taken for light, "
        "as pymatting takes them.",
        "by crops: pymatting's Laplacians as the operator uses them: encoded light, pieces, half-size guess, tiles.",
    ]
    publish("matte_photographs", "Trimap to alpha on photographs", rows, notes)


def rough_masks(numbers: range | tuple[int, ...], scale: float) -> None:
    """The same photographs with masks that are too large, too small, coarse, shifted or blurred."""
    folder = SHARED / "matting" / "alphamatting"
    if not folder.is_dir():
        return
    net = _net("matte-coarse")
    methods: dict[str, Callable[[Pixels, Pixels], Pixels]] = {
        "the mask": lambda code, mask: mask,
        "matte-coarse": lambda code, mask: net(_light(code), mask),
        "matte-coarse, on code values": net,
        "mixture": lambda code, mask: mixture_matte(_light(code), trimap_of(mask, ROUGH_WIDTH)),
        "mixture, on code values": lambda code, mask: mixture_matte(code, trimap_of(mask, ROUGH_WIDTH)),
        "closed form, by crops": lambda code, mask: matte_by(
            _sparse("closed-form"), _light(code), trimap_of(mask, ROUGH_WIDTH)
        ),
    }
    pictures = []
    for number in numbers:
        code, _, truth = _photograph(folder, number, scale)
        mask = random_mask(truth, np.random.default_rng(number))
        pictures.append((code, mask, truth, np.ones(truth.shape, np.bool_)))
    rows = _rows("matte_rough", methods, lambda method: [_measured(method, *picture) for picture in pictures])
    notes = [
        f"mean over {', '.join(f'GT{n:02d}' for n in numbers)} at {scale:g} of their size, a rough mask each, seeded "
        f"by its number (vfxgen.training.guides.random_mask), its edge solved {ROUGH_WIDTH:g} px to both sides; whole "
        "picture; SAD, gradient and connectivity in thousands; processor seconds a frame.",
        "on code values: these taken for light; by crops: pymatting's Laplacian on light encoded again, so on code.",
    ]
    publish("matte_rough", "Rough mask to alpha on photographs", rows, notes)


def _rows(
    name: str,
    methods: dict[str, Callable[[Pixels, Pixels], Pixels]],
    measure: Callable[[Callable[[Pixels, Pixels], Pixels]], list[dict[str, float]]],
) -> list[dict[str, Any]]:
    """Means of each method; with ``--nets`` some of pymatting's as `results/NAME.json` has them."""
    rows = json.loads((RESULTS / f"{name}.json").read_text())["rows"] if "--nets" in sys.argv else []
    known = {row["method"]: row for row in rows if "pymatting KNN" in row["method"] or "by crops" in row["method"]}
    for method in [name for name in methods if name not in known]:
        measured = measure(methods[method])
        known[method] = {"method": method, **{key: statistics.mean(m[key] for m in measured) for key in measured[0]}}
    return [known[method] for method in methods]


def exposures() -> None:
    """How far the nets depend on exposure: GT01 and GT04 at half size, their light times 2^stops."""
    folder = SHARED / "matting" / "alphamatting"
    if not folder.is_dir():
        return
    rows = []
    for name in ("matte-trimap", "matte-coarse"):
        net = _net(name)
        for stops in (-4, -2, 2, 4):
            off = []
            for number in (1, 4):
                code, trimap, truth = _photograph(folder, number, 0.5)
                guide = trimap if name == "matte-trimap" else random_mask(truth, np.random.default_rng(number))
                light = _light(code)
                away = np.abs(net(light * np.float32(2.0**stops), guide) - net(light, guide))
                off.append(away[trimap == UNKNOWN].mean())
            rows.append({"net": name, "stops": stops, "alpha, mean difference": float(np.mean(off))})
    publish("matte_exposure", "Nets for mattes on the same light, exposed otherwise", rows, [exposures.__doc__ or ""])


def _net(name: str) -> Callable[[Pixels, Pixels], Pixels]:
    """Alpha from light and a guide by the shipped net, as the operator finds it, on one thread."""
    net = load(registry.find(name), device="cpu")

    def alpha(light: Pixels, guide: Pixels) -> Pixels:
        trimap = guide if name == "matte-trimap" else trimap_of(guide, ROUGH_WIDTH)
        return matte_by_net(net, light, Told(guide, trimap))

    return alpha


def _sparse(name: str) -> Method:
    return partial(sparse_matte, name)  # type: ignore[arg-type]


def _read(path: Path) -> Pixels:
    """Code values 0 .. 1, R G B."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None, f"{path}: cannot be read"
    code: Pixels = picture[..., ::-1].astype(np.float32) / 255
    return code


def _light(code: Pixels) -> Pixels:
    return color.convert(code, "srgb_rec709_scene", SPACE)


def _photograph(folder: Path, number: int, scale: float) -> tuple[Pixels, Pixels, Pixels]:
    """Code values (H, W, 3), trimap and truth (H, W)."""
    code = _read(folder / "input" / f"GT{number:02d}.webp")
    trimap, truth = (_read(folder / part / f"GT{number:02d}.png")[..., 0] for part in ("trimap1", "gt"))
    size = (round(code.shape[1] * scale), round(code.shape[0] * scale))
    code, truth = (cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in (code, truth))
    trimap = cv2.resize(trimap, size, interpolation=cv2.INTER_NEAREST)
    return np.clip(code, 0, 1), trimap_levels(trimap), truth


def _measured(
    method: Callable[[Pixels, Pixels], Pixels], code: Pixels, guide: Pixels, truth: Pixels, within: Mask | None = None
) -> dict[str, float]:
    start = time.process_time()
    alpha = method(code, guide)
    seconds = time.process_time() - start
    return {**errors(alpha, truth, guide == UNKNOWN if within is None else within), "seconds": seconds}


def over_time(scale: float) -> None:
    """A shot with three keyframes: alphas, their flicker, and pictures."""
    shot = hair(scale) if (REPOSITORY / "shots" / "hair" / "plate").is_dir() else composed(scale)
    width = WIDTH * scale
    plates = Pictures(dict(shot.plates))
    keys = Pictures({n: shot.truths[n] for n in KEYFRAMES}, "A")
    ours = {
        name: vfxgen.Matte(plates, keyframes=keys, width=width, **values)  # type: ignore[arg-type]
        for name, values in {
            "matte": {},
            "matte, temporal = 1": {"temporal": 1.0},
            "closed form a frame": {"method": "closed-form"},
        }.items()
    }
    alphas: dict[str, dict[int, Pixels]] = {"carried, not solved": {}}
    seconds: dict[str, list[float]] = {}
    between = [n for n in shot.plates if n not in KEYFRAMES]
    for name, operator in ours.items():
        alphas[name], seconds[name] = {}, []
        for number in sorted(shot.plates):
            start = time.process_time()
            alphas[name][number] = operator[number].alpha[..., 0]
            seconds[name].append(time.process_time() - start)
            if name == "matte":
                told = operator._guide.told(plates[number])
                alphas["carried, not solved"][number] = told.matte
    truths = {n: truth[..., 0] for n, truth in shot.truths.items()}
    rows = []
    for name, made in alphas.items():
        each = [errors(made[n], truths[n], np.ones(truths[n].shape, np.bool_)) for n in between]
        means = {key: statistics.mean(e[key] for e in each) for key in each[0]}
        spent = statistics.median(seconds[name]) if name in seconds else float("nan")
        rows.append({"method": name, **means, "dtSSD": dt_ssd(made, truths), "seconds": spent})
    notes = [
        f"{shot.what}; keyframes {', '.join(map(str, KEYFRAMES))} are the truth, means over the other frames, whole "
        "frame; SAD, gradient and connectivity in thousands; dtSSD x 100 over all frames; processor time a frame.",
        "closed form a frame: pymatting's, from the same trimap that the motion carries.",
    ]
    publish("matte_over_time", "Three keyframes, the frames between", rows, notes)
    _sheet(shot, alphas, ours["matte"])


def hair(scale: float) -> Shot:
    """The sample shot of windblown hair."""
    folder = REPOSITORY / "shots" / "hair"
    plate = vfxgen.read(folder / "plate" / "hair.####.exr", colorspace=SPACE, working_space=SPACE)
    truth = vfxgen.read(folder / "truth" / "alpha.####.exr")
    numbers = plate.range or []
    return Shot(
        {n: _sized(plate[n].rgb, scale) for n in numbers},
        {n: _sized(truth[n].alpha, scale) for n in numbers},
        f"shots/hair at {scale:g} of its size",
    )


def composed(scale: float) -> Shot:
    """The subject of the green-screen shot over a photograph that moves 8 pixels a frame, with grain."""
    folder = REPOSITORY / "shots" / "greenscreen" / "truth"
    truth = vfxgen.read(folder / "alpha.####.exr")
    foreground = vfxgen.read(folder / "foreground.####.exr", colorspace=SPACE, working_space=SPACE)
    photograph = vfxgen.read(SHARED / "matting" / "background_plates" / "JDW_0302.jpg", working_space=SPACE)[1].rgb
    plates, truths = {}, {}
    for number in truth.range or []:
        alpha = truth[number].alpha
        covered = _sized(foreground[number].rgb * alpha, scale)
        alpha = _sized(alpha, scale)
        height, width = covered.shape[:2]
        large = cv2.resize(photograph, (round(width * 1.25), round(height * 1.25)), interpolation=cv2.INTER_AREA)
        moved = np.array([[1, 0, -4 - 8 * scale * (number - 1001)], [0, 1, -5 - 0.6 * scale * (number - 1001)]])
        behind = cv2.warpAffine(large * np.float32(0.5), moved, (width, height))
        grain = np.random.default_rng(number).normal(0, 0.004, behind.shape)
        plates[number] = (covered + (1 - alpha) * behind + grain).astype(np.float32)
        truths[number] = alpha
    return Shot(plates, truths, f"subject of shots/greenscreen over a moving photograph, at {scale:g} of its size")


def _sized(picture: Pixels, scale: float) -> Pixels:
    sized: Pixels = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return sized.reshape(*sized.shape[:2], picture.shape[2])


def _sheet(shot: Shot, alphas: Mapping[str, Mapping[int, Pixels]], matte: vfxgen.Sequence) -> None:
    def row(number: int, names: Iterable[str], part: tuple[slice, slice] = np.s_[:, :]) -> list[tuple[str, Pixels]]:
        frame = matte[number]
        shown = [(f"plate {number}", displayed(shot.plates[number])), ("truth", in_grey(shot.truths[number]))]
        shown += [(name, in_grey(alphas[name][number])) for name in names]
        shown.append(("matte over grey", displayed(frame.rgb + (1 - frame.alpha) * GREY)))
        return [(caption, np.ascontiguousarray(picture[part])) for caption, picture in shown]

    write_sheet([row(number, alphas) for number in (1004, 1006, 1009, 1018)], str(RESULTS / "matte_over_time.png"))
    names = ("matte", "closed form a frame")
    write_sheet([row(n, names, HEAD) for n in (1006, 1018)], str(PICTURES / "matte_hair.jpg"), HEAD_WIDTH)
    middle = shot.truths[1001].shape[0] // 3
    strips = [("truth", {n: t[..., 0] for n, t in shot.truths.items()}), *((name, alphas[name]) for name in names)]
    slices = [(name, in_grey(_through_time(made, middle)[:, HEAD[1]])) for name, made in strips]
    write_sheet([slices], str(PICTURES / "matte_strips.png"), HEAD_WIDTH)


def _through_time(alphas: Mapping[int, Pixels], row: int) -> Pixels:
    """One row of every frame, one below the other, each 8 high."""
    return np.repeat(np.stack([alphas[n][row] for n in sorted(alphas)]), 8, axis=0)


if __name__ == "__main__":
    main()
