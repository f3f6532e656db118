"""Quality of `key`, with a net and without, against truth, beside a difference key and pymatting's closed form.

``python -m benchmarks.key_quality --nets`` measures our own methods alone, and draws no pictures of real footage.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import cv2
import numpy as np
from pymatting import estimate_alpha_cf, estimate_foreground_ml

import vfxgen
from benchmarks.matte_errors import errors
from benchmarks.pictures import SPACE, displayed, in_grey
from benchmarks.results import REPOSITORY, RESULTS, SHARED, publish
from vfxgen import color
from vfxgen.frame import Pixels
from vfxgen.image.screen import ScreenName
from vfxgen.report.sheet import write_sheet
from vfxgen.report.truth import foreground_error
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures

SHOT = REPOSITORY / "shots" / "greenscreen"
FRAMES = (1001, 1007, 1012, 1018, 1024)
METHODS = ("mixture", "net")
LOW, HIGH = 0.05, 0.95
BLUE = (0.02, 0.09, 0.42)
"""Light of the drawn screen."""
_GREY = 0.18

Method = Callable[[Pixels, Sequence, int], tuple[Pixels, Pixels]]


class Shot(NamedTuple):
    """A sequence of plates, an empty screen or None, and by frame the true alpha and straight foreground."""

    plate: Sequence
    clean: Sequence | None
    truth: Mapping[int, tuple[Pixels, Pixels]]
    screen: ScreenName
    what: str


def main() -> None:
    """Measure on the sample shot and on hair before a blue screen, then show the clip and the photograph."""
    few = "--nets" in sys.argv
    shot = green_screen()
    methods = ours(shot) if few else {**ours(shot), **peers()}
    rows = [_measured(name, method, shot) for name, method in methods.items()]
    notes = [
        f"mean over frames {', '.join(map(str, FRAMES))} of shots/greenscreen; alpha over the whole frame (SAD, "
        "gradient and connectivity in thousands); foreground: mean absolute error of straight linear colour, true "
        "alpha 0.02 .. 0.98; residue: premultiplied light of the screen's channel above the others' and the truth's, "
        "mean over what is covered, in thousandths; processor seconds a frame.",
        "difference key: 1 - (G - max(R, B)) / that of the screen's median; foreground un-mixed with that median.",
        "closed form: pymatting, trimap from the difference key (below 0.05 background, above 0.95 foreground, both "
        "eroded by 2 px), on display-encoded colour as published; foreground by its multilevel method, linear.",
    ]
    publish("key_quality", "Green screen against truth", rows, notes)
    if (REPOSITORY / "shots" / "hair" / "truth").is_dir():
        hair = hair_on_blue()
        rows = [_measured(name, method, hair) for name, method in ours(hair).items()]
        publish("key_quality_hair", "Hair before a blue screen", rows, [hair.what, notes[0]])
    publish("key_exposure", "Keys of the same plate, exposed otherwise", exposures(shot), EXPOSURE_NOTES)
    if not few:
        _sheets(shot, methods)


def ours(shot: Shot) -> dict[str, Method]:
    """Our own methods on a shot."""
    sources: dict[str, tuple[Sequence | None, str]] = {name: (None, name) for name in METHODS}
    if shot.clean is not None:
        sources |= {f"{name}, clean plate given": (shot.clean, name) for name in METHODS}

    def keyed(clean: Sequence | None, method: str) -> Method:
        words: dict[str, Any] = {"screen": shot.screen, "foreground": True, "method": method}
        return lambda rgb, source, n: _keyed(vfxgen.Key(source, clean, **words), n)

    return {name: keyed(*source) for name, source in sources.items()}


def peers() -> dict[str, Method]:
    """What others do."""
    return {
        "difference key": lambda rgb, source, n: difference_key(rgb),
        "closed form": lambda rgb, source, n: closed_form(rgb),
    }


def green_screen() -> Shot:
    """The sample shot."""
    words = {"colorspace": SPACE, "working_space": SPACE}
    alpha = vfxgen.read(SHOT / "truth" / "alpha.####.exr")
    foreground = vfxgen.read(SHOT / "truth" / "foreground.####.exr", **words)
    truth = {n: (alpha[n].alpha, foreground[n].rgb) for n in FRAMES}
    plate = vfxgen.read(SHOT / "plate" / "greenscreen.####.exr", **words)
    clean = vfxgen.read(SHOT / "clean" / "screen.exr", **words)
    return Shot(plate, clean, truth, "green", "shots/greenscreen")


def hair_on_blue() -> Shot:
    """The subject of the hair shot before a drawn blue screen: folds, uneven light, a shadow, a sensor's noise."""
    folder = REPOSITORY / "shots" / "hair" / "truth"
    alphas = vfxgen.read(folder / "alpha.####.exr")
    foregrounds = vfxgen.read(folder / "foreground.####.exr", colorspace=SPACE, working_space=SPACE)
    frames = (alphas.range or [])[::5]
    truth = {n: (alphas[n].alpha, foregrounds[n].rgb) for n in frames}
    plates = {}
    for number, (alpha, foreground) in truth.items():
        height, width = alpha.shape[:2]
        v, u = np.mgrid[:height, :width].astype(np.float32) / width
        shade = 1 - 0.35 * (u - 0.4) ** 2 - 0.25 * v + 0.04 * np.sin(19 * u + 3 * v) + 0.03 * np.sin(41 * u - 9 * v)
        thrown = cv2.GaussianBlur(np.roll(alpha[..., 0], (12, 60), (0, 1)), (0, 0), 20)
        screen = np.array(BLUE, np.float32) * (shade * (1 - 0.3 * thrown))[..., None]
        light = alpha * foreground + (1 - alpha) * screen
        noise = np.random.default_rng(number).standard_normal(light.shape) * np.sqrt(7e-5 * light.clip(0) + 4e-6)
        plates[number] = color.convert((light + noise).astype(np.float32), SPACE, color.working_space())
    truth = {n: (alpha, color.convert(f, SPACE, color.working_space())) for n, (alpha, f) in truth.items()}
    what = (
        f"frames {', '.join(map(str, frames))} of shots/hair's subject before a drawn blue screen with folds, a shadow "
        "and noise; its light has no spill, since none fell on it."
    )
    return Shot(Pictures(plates), None, truth, "blue", what)


EXPOSURE_NOTES = (
    "frame 1012 of shots/greenscreen times 2^stops; alpha: largest and mean difference from the key as exposed; "
    "foreground: mean difference over its mean; lamp: a square of light 2000 on the subject, what comes back of it.",
)


def exposures(shot: Shot) -> list[dict[str, object]]:
    """How far a key depends on exposure, and what a lamp of 2000 becomes."""
    rows: list[dict[str, object]] = []
    light = shot.plate[1012].rgb
    for method in METHODS:
        words: dict[str, Any] = {"foreground": True, "method": method}
        alpha, foreground = _keyed(vfxgen.Key(Pictures(light), **words), 1)
        for stops in (-4, 4):
            gain = np.float32(2.0**stops)
            other, colour = _keyed(vfxgen.Key(Pictures(light * gain), **words), 1)
            solid = alpha[..., 0] > 0.02
            off = np.abs(colour / gain - foreground)[solid].mean() / foreground[solid].mean()
            lamp = light.copy()
            y, x = (int(v) for v in np.argwhere(alpha[..., 0] == 1).mean(0))
            lamp[y : y + 8, x : x + 8] = 2000
            lit = _keyed(vfxgen.Key(Pictures(lamp), **words), 1)[1][y : y + 8, x : x + 8]
            away = np.abs(other - alpha)
            row = {"method": method, "stops": stops, "alpha, largest": float(away.max()), "alpha": float(away.mean())}
            rows.append({**row, "foreground": float(off), "lamp": float(lit.mean())})
    return rows


def difference_key(rgb: Pixels) -> tuple[Pixels, Pixels]:
    """The textbook colour-difference key with one screen colour for the whole frame."""
    difference = rgb[..., 1] - np.maximum(rgb[..., 0], rgb[..., 2])
    screen = np.median(rgb[difference > np.quantile(difference, 0.6)], axis=0)
    alpha = np.clip(1 - difference / (screen[1] - max(screen[0], screen[2])), 0, 1)[..., None].astype(np.float32)
    return alpha, (rgb - (1 - alpha) * screen) / np.maximum(alpha, 1e-3)


def closed_form(rgb: Pixels) -> tuple[Pixels, Pixels]:
    """Closed-form matting (Levin et al. 2008) from a trimap made of the difference key."""
    rough = difference_key(rgb)[0][..., 0]
    kernel = np.ones((5, 5), np.uint8)
    trimap = np.full(rough.shape, 0.5)
    trimap[cv2.erode((rough < LOW).astype(np.uint8), kernel) > 0] = 0
    trimap[cv2.erode((rough > HIGH).astype(np.uint8), kernel) > 0] = 1
    encoded = np.clip(color.convert(rgb, SPACE, "srgb_rec709_scene"), 0, 1).astype(np.float64)
    alpha = estimate_alpha_cf(encoded, trimap)
    foreground = estimate_foreground_ml(rgb.astype(np.float64), alpha)
    return alpha[..., None].astype(np.float32), foreground.astype(np.float32)


def _keyed(key: Sequence, number: int) -> tuple[Pixels, Pixels]:
    frame = key[number]
    return frame.alpha, frame.pixels("fg.R", "fg.G", "fg.B")


def _measured(name: str, method: Method, shot: Shot) -> dict[str, object]:
    rows = []
    for number, (true_alpha, truth) in shot.truth.items():
        rgb = shot.plate[number].rgb
        start = time.process_time()
        alpha, foreground = method(rgb, shot.plate, number)
        seconds = time.process_time() - start
        off = errors(alpha[..., 0], truth=true_alpha[..., 0], unknown=np.ones(alpha.shape[:2], np.bool_))
        off |= {"foreground": foreground_error(foreground, truth, true_alpha)}
        off |= {"residue": _residue(alpha * foreground, true_alpha * truth, true_alpha, shot.screen)}
        rows.append({**off, "seconds": seconds})
    means = {column: statistics.mean(row[column] for row in rows) for column in rows[0]}
    return {"method": name, **means}


def _residue(made: Pixels, truth: Pixels, alpha: Pixels, screen: ScreenName) -> float:
    """How much more light of the screen there is than in truth, in thousandths."""
    lead, *others = (1, 0, 2) if screen == "green" else (2, 0, 1)
    excess, true = ((light[..., lead] - light[..., others].max(-1)).clip(0) for light in (made, truth))
    return float(1000 * (excess - true).clip(0)[alpha[..., 0] > 0.02].mean())


def _sheets(shot: Shot, methods: dict[str, Method]) -> None:
    """Contact sheets: the sample shot, the real clip and the real photograph."""
    rows = []
    for number in (1001, 1012):
        rgb = shot.plate[number].rgb
        true = shot.truth[number][0]
        results = {name: method(rgb, shot.plate, number) for name, method in methods.items() if "clean" not in name}
        rows.append([("plate", displayed(rgb)), *((f"alpha: {name}", in_grey(a)) for name, (a, _) in results.items())])
        rows.append(
            [("truth", in_grey(true)), *((f"over grey: {n}", displayed(_over(a, f))) for n, (a, f) in results.items())]
        )
    write_sheet(rows, str(RESULTS / "key_quality_shot.png"))
    real = SHARED / "matting" / "greenscreen_cc0"
    if not real.is_dir():
        return
    background = vfxgen.read(SHARED / "matting" / "background_plates" / "forest.jpg", working_space=SPACE)
    sources = [("mdn_yellowgreen_screen.mp4", n) for n in (100, 250, 400)] + [("skimage_greenscreen.jpg", 1)]
    rows = []
    for file, number in sources:
        source = vfxgen.read(real / file, working_space=SPACE)
        rgb = source[number].rgb
        keyed, net = (vfxgen.Key(source, screen="green", method=method) for method in METHODS)
        sized = vfxgen.Reformat(background, format=f"{rgb.shape[1]}x{rgb.shape[0]}", resize="fill", crop=True)
        comp, net_comp = (vfxgen.Merge(sized, k)[number] for k in (keyed, net))
        naive_alpha, naive = difference_key(rgb)
        behind = sized[number].rgb
        row = [
            ("plate", displayed(rgb)),
            ("alpha: mixture", in_grey(keyed[number].alpha)),
            ("comp: mixture", displayed(comp.rgb)),
        ]
        row += [("alpha: net", in_grey(net[number].alpha)), ("comp: net", displayed(net_comp.rgb))]
        row.append(("comp: difference key", displayed(naive * naive_alpha + (1 - naive_alpha) * behind)))
        rows.append(row)
    write_sheet(rows, str(RESULTS / "key_quality_real.png"))


def _over(alpha: Pixels, foreground: Pixels) -> Pixels:
    return foreground * alpha + (1 - alpha) * np.float32(_GREY)


if __name__ == "__main__":
    main()
