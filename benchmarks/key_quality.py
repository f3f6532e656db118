"""Quality of `key` against truth, beside a difference key and pymatting's closed form; and pictures of real footage."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from pymatting import estimate_alpha_cf, estimate_foreground_ml

import vfxgen
from benchmarks.pictures import SPACE, displayed, in_grey
from benchmarks.results import REPOSITORY, RESULTS, SHARED, publish
from vfxgen import color
from vfxgen.frame import Pixels
from vfxgen.report.sheet import write_sheet
from vfxgen.report.truth import alpha_errors, foreground_error
from vfxgen.sequence import Sequence

SHOT = REPOSITORY / "shots" / "greenscreen"
FRAMES = (1001, 1007, 1012, 1018, 1024)
LOW, HIGH = 0.05, 0.95
_GREY = 0.18

Method = Callable[[Pixels, Sequence, int], tuple[Pixels, Pixels]]


def main() -> None:
    """Measure on the sample shot, then show the clip and the photograph."""
    plate = vfxgen.read(SHOT / "plate" / "greenscreen.####.exr", colorspace=SPACE, working_space=SPACE)
    clean = vfxgen.read(SHOT / "clean" / "screen.exr", colorspace=SPACE, working_space=SPACE)
    methods: dict[str, Method] = {
        "key": lambda rgb, source, n: _keyed(vfxgen.Key(source, screen="green", foreground=True), n),
        "key, clean plate given": lambda rgb, source, n: _keyed(
            vfxgen.Key(source, clean, screen="green", foreground=True), n
        ),
        "difference key": lambda rgb, source, n: difference_key(rgb),
        "closed form": lambda rgb, source, n: closed_form(rgb),
    }
    rows = [_measured(name, method, plate) for name, method in methods.items()]
    notes = [
        f"mean over frames {', '.join(map(str, FRAMES))} of shots/greenscreen; alpha over the whole frame (SAD and "
        "gradient in thousands), foreground: mean absolute error of straight linear colour, true alpha 0.02 .. 0.98.",
        "difference key: 1 - (G - max(R, B)) / that of the screen's median; foreground un-mixed with that median.",
        "closed form: pymatting, trimap from the difference key (below 0.05 background, above 0.95 foreground, both "
        "eroded by 2 px), on display-encoded colour as published; foreground by its multilevel method, linear.",
    ]
    publish("key_quality", "Green screen against truth", rows, notes)
    _sheets(plate, methods)


def difference_key(rgb: Pixels) -> tuple[Pixels, Pixels]:
    """The textbook colour-difference key with one screen colour for the whole frame."""
    difference = rgb[..., 1] - np.maximum(rgb[..., 0], rgb[..., 2])
    screen = np.median(rgb[difference > np.quantile(difference, 0.6)], axis=0)
    alpha = np.clip(1 - difference / (screen[1] - max(screen[0], screen[2])), 0, 1)[..., None].astype(np.float32)
    return alpha, (rgb - (1 - alpha) * screen) / np.maximum(alpha, 1e-3)


def closed_form(rgb: Pixels) -> tuple[Pixels, Pixels]:
    """Closed-form matting (Levin et al. 2008) from a trimap made of the difference key."""
    import cv2

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


def _measured(name: str, method: Method, plate: Sequence) -> dict[str, object]:
    rows = []
    for number in FRAMES:
        rgb = plate[number].rgb
        true_alpha = vfxgen.read(SHOT / "truth" / "alpha.####.exr")[number].alpha
        truth = vfxgen.read(SHOT / "truth" / "foreground.####.exr", colorspace=SPACE, working_space=SPACE)[number].rgb
        start = time.perf_counter()
        alpha, foreground = method(rgb, plate, number)
        seconds = time.perf_counter() - start
        errors = alpha_errors(alpha, true_alpha)
        rows.append({**errors, "foreground": foreground_error(foreground, truth, true_alpha), "seconds": seconds})
    means = {column: statistics.mean(row[column] for row in rows) for column in rows[0]}
    return {"method": name, **means}


def _sheets(plate: Sequence, methods: dict[str, Method]) -> None:
    """Contact sheets: the sample shot, the real clip and the real photograph."""
    rows = []
    for number in (1001, 1012):
        rgb = plate[number].rgb
        true = vfxgen.read(SHOT / "truth" / "alpha.####.exr")[number].alpha
        results = {name: method(rgb, plate, number) for name, method in methods.items() if "clean" not in name}
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
        keyed = vfxgen.Key(source, screen="green")
        sized = vfxgen.Reformat(background, format=f"{rgb.shape[1]}x{rgb.shape[0]}", resize="fill", crop=True)
        comp = vfxgen.Merge(sized, keyed)[number]
        naive_alpha, naive = difference_key(rgb)
        behind = sized[number].rgb
        row = [
            ("plate", displayed(rgb)),
            ("alpha: key", in_grey(keyed[number].alpha)),
            ("comp: key", displayed(comp.rgb)),
        ]
        row.append(("comp: difference key", displayed(naive * naive_alpha + (1 - naive_alpha) * behind)))
        rows.append(row)
    write_sheet(rows, str(RESULTS / "key_quality_real.png"))


def _over(alpha: Pixels, foreground: Pixels) -> Pixels:
    return foreground * alpha + (1 - alpha) * np.float32(_GREY)


if __name__ == "__main__":
    main()
