"""A matte and a retouch learned from a few painted frames of the sample shot, against truth on all the others."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import vfxgen
from benchmarks.pictures import SPACE, displayed, in_grey
from benchmarks.results import REPOSITORY, publish
from vfxgen import color
from vfxgen.frame import Pixels
from vfxgen.image.flow import flow
from vfxgen.image.warp import warped
from vfxgen.report.sheet import write_sheet
from vfxgen.report.truth import alpha_errors
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures
from vfxgen.training.curves import HEIGHT, draw_curves
from vfxgen.training.record import write_png

SHOT = REPOSITORY / "shots" / "greenscreen"
PICTURES = REPOSITORY / "docs" / "pictures"
NUMBERS = range(1001, 1025)
PAINTED = {
    1: (1012,),
    3: (1001, 1012, 1024),
    5: (1001, 1007, 1012, 1018, 1024),
    9: (1001, 1004, 1007, 1010, 1013, 1016, 1019, 1022, 1024),
}
CURVE = (80, 240, 720)
SHORT, RETOUCH = 240, 720
"""Steps."""
SHOWN = (1004, 1015, 1021)
MARKED = (550, 168)
"""Where the marker is on frame 1012, x and y; the flow carries it to the other frames."""

Mattes = Mapping[int, Pixels]


def main() -> None:
    """Both halves."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VFXGEN_CACHE"] = folder
        retouch(Path(folder))
        mattes(Path(folder))


def mattes(folder: Path) -> None:
    """Mattes from 1, 3, 5 and 9 frames; from 5 for several lengths of training."""
    plans = [*((steps, 5) for steps in CURVE), *((SHORT, count) for count in PAINTED if count != 5)]
    rows, made = learned(folder, plans)
    show(rows, made)


def learned(folder: Path, plans: Iterable[tuple[int, int]]) -> tuple[list[dict[str, Any]], dict[str, Mattes]]:
    """A row for each plan of (steps, painted frames), key and flow beside it; and every matte of the nets."""
    plate, truth = _read("plate/greenscreen.####.exr"), _truth()
    keyed = {n: vfxgen.Key(plate, screen="green", method="mixture")[n].alpha for n in NUMBERS}
    rows, made = list[dict[str, Any]](), dict[str, Mattes]()
    for steps, count in plans:
        painted, name = PAINTED[count], _name(count, steps)
        spent = time.process_time()
        target = Pictures({n: truth[n] for n in painted}, "A")
        net = vfxgen.train("matte", plate, target, painted, out=folder / f"m{count}-{steps}", steps=steps)
        spent = time.process_time() - spent
        made[name] = {n: vfxgen.Apply(plate, net=str(net.folder))[n].alpha for n in NUMBERS}
        facts = {"steps": net.card.training.steps, "wall s": net.card.training.seconds, "processor s": spent}
        rows.append({"method": name, **_errors(made[name], truth, painted), **facts})
        print(rows[-1], flush=True)
        others = {"key": keyed, "flow from the nearest": carried(plate, truth, painted)}
        for method, mattes in others.items():
            label = f"{method}, same frames as {count}"
            if label not in {row["method"] for row in rows}:
                rows.append({"method": label, **_errors(mattes, truth, painted), **_NONE})
    return rows, made


def show(rows: list[dict[str, Any]], made: Mapping[str, Mattes]) -> None:
    """Table, JSON, curve and contact sheet."""
    notes = [
        "mean over the frames of shots/greenscreen that were not painted; SAD in thousands over the whole frame; "
        "temporal: dtSSD of Erofeev et al. 2015 in thousandths, over all 24 frames.",
        "key: vfxgen.Key with default parameters; flow: the alpha of the nearest painted frame, warped along dense "
        "inverse search flow between the plates.",
        "wall: on two cores busy with other work; processor: of all threads, with reading and writing.",
    ]
    publish("shot_training_matte", "A matte from painted frames", rows, notes)
    points = sorted((row["processor s"], row["SAD"]) for row in rows if row["method"].startswith("net, 5"))
    history = [{"step": seconds, "figures": {"SAD over processor seconds": sad}} for seconds, sad in points]
    write_png(PICTURES / "shot_training_curve.png", draw_curves(history)[-HEIGHT:])
    plate, truth = _read("plate/greenscreen.####.exr"), _truth()
    alphas = {
        "truth": truth,
        _name(5, CURVE[-1]): made[_name(5, CURVE[-1])],
        "key": {n: vfxgen.Key(plate, screen="green", method="mixture")[n].alpha for n in SHOWN},
        "flow from the nearest of 5": carried(plate, truth, PAINTED[5]),
    }
    sheet = [
        [(f"plate {n}", displayed(plate[n].rgb)), *((name, in_grey(a[n])) for name, a in alphas.items())] for n in SHOWN
    ]
    write_sheet(sheet, str(PICTURES / "shot_training_matte.jpg"), 400)


def _truth() -> dict[int, Pixels]:
    return {n: _read("truth/alpha.####.exr")[n].alpha for n in NUMBERS}


def _name(count: int, steps: int) -> str:
    return f"net, {count} frame{'s' if count > 1 else ''}, {steps} steps"


_NONE = {"steps": 0, "wall s": 0.0, "processor s": 0.0}


def carried(plate: Sequence, truth: Mattes, painted: Iterable[int]) -> dict[int, Pixels]:
    """The nearest painted alpha, moved to each frame by optical flow."""
    made = {}
    for number in NUMBERS:
        nearest = min(painted, key=lambda n: abs(n - number))
        moved, _ = warped(truth[nearest], flow(plate[number].rgb, plate[nearest].rgb), "bilinear")
        made[number] = truth[number] if number == nearest else moved
    return made


def _errors(made: Mattes, truth: Mattes, painted: Iterable[int]) -> dict[str, float]:
    others = [alpha_errors(made[n], truth[n]) for n in NUMBERS if n not in painted]
    steps = [(made[n + 1] - made[n]) - (truth[n + 1] - truth[n]) for n in list(NUMBERS)[:-1]]
    temporal = statistics.mean(float(np.sqrt(np.mean(step.astype(np.float64) ** 2))) for step in steps)
    means = {name: statistics.mean(error[name] for error in others) for name in ("sad", "mse")}
    return {"SAD": means["sad"], "MSE / 1000": 1000 * means["mse"], "temporal": 1000 * temporal}


def retouch(folder: Path) -> None:
    """A tracking marker on the forehead, painted out on three frames."""
    clean = _read("plate/greenscreen.####.exr")
    pictures = {n: clean[n].rgb for n in NUMBERS}
    masks = _markers(pictures)
    light = np.array([0.55, 0.06, 0.03], np.float32)
    marked = {n: pictures[n] * (1 - masks[n]) + light * masks[n] for n in NUMBERS}
    painted = PAINTED[3]
    plate, target = Pictures(marked), Pictures({n: pictures[n] for n in painted})
    spent = time.process_time()
    net = vfxgen.train("retouch", plate, target, painted, out=folder / "retouch", steps=RETOUCH)
    spent = time.process_time() - spent
    made = {n: vfxgen.Apply(plate, net=str(net.folder))[n].rgb for n in NUMBERS}
    methods: dict[str, Callable[[int], Pixels]] = {
        "marker left in": lambda n: marked[n],
        "Telea, true mask given": lambda n: _telea(marked[n], masks[n]),
        _name(3, RETOUCH): lambda n: made[n],
    }
    others = [n for n in NUMBERS if n not in painted]
    rows = []
    for name, method in methods.items():
        inside = [_difference(method(n), pictures[n], masks[n] > 0) for n in others]
        outside = [_difference(method(n), pictures[n], masks[n] == 0) for n in others]
        ours = name.startswith("net")
        facts = {"steps": net.card.training.steps, "wall s": net.card.training.seconds, "processor s": spent}
        errors = {"on the marker": statistics.mean(inside), "elsewhere": statistics.mean(outside)}
        rows.append({"method": name, **errors, **(facts if ours else _NONE)})
    notes = [
        "mean absolute error in display code (sRGB, 0 .. 1) over the 21 frames that were not painted. The marker, 15 "
        "pixels across, is laid over our own plate and carried by its flow; truth is the plate without it."
    ]
    publish("shot_training_retouch", "A marker painted out on three frames", rows, notes)
    shown = []
    for n in SHOWN:
        y, x = (int(v) for v in np.argwhere(masks[n][..., 0] > 0.5).mean(0))
        part = np.s_[max(0, y - 60) : y + 60, max(0, x - 80) : x + 80]
        pairs = [(f"plate {n}", marked[n]), ("net", made[n]), ("truth", pictures[n])]
        shown.append([(caption, displayed(np.ascontiguousarray(pixels[part]))) for caption, pixels in pairs])
    write_sheet(shown, str(PICTURES / "shot_training_retouch.jpg"), 320)


def _markers(pictures: Mapping[int, Pixels]) -> dict[int, Pixels]:
    """A soft dot of 15 pixels that moves with the picture, (H, W, 1) a frame."""
    at = {1012: np.array(MARKED, np.float32)}
    for numbers, step in ((range(1012, 1024), 1), (range(1012, 1001, -1), -1)):
        for n in numbers:
            motion = cv2.GaussianBlur(flow(pictures[n], pictures[n + step]), (0, 0), 6)
            x, y = at[n].round().astype(int)
            at[n + step] = at[n] + motion[y, x]
    rows, columns = np.mgrid[: pictures[1012].shape[0], : pictures[1012].shape[1]].astype(np.float32)
    return {
        n: np.clip(7.5 - np.hypot(columns - x, rows - y), 0, 1)[..., None].astype(np.float32)
        for n, (x, y) in at.items()
    }


def _telea(light: Pixels, mask: Pixels) -> Pixels:
    code = (np.clip(color.convert(light, SPACE, "srgb_rec709_scene"), 0, 1) * 255).round().astype(np.uint8)
    filled = cv2.inpaint(code, (mask[..., 0] > 0).astype(np.uint8), 5, cv2.INPAINT_TELEA).astype(np.float32) / 255
    return np.where(mask > 0, color.convert(filled, "srgb_rec709_scene", SPACE), light)


def _difference(made: Pixels, truth: Pixels, where: NDArray[np.bool_]) -> float:
    codes = [np.clip(color.convert(light, SPACE, "srgb_rec709_scene"), 0, 1) for light in (made, truth)]
    return float(np.abs(codes[0] - codes[1])[where[..., 0]].mean())


def _read(path: str) -> Sequence:
    return vfxgen.read(SHOT / path, colorspace=SPACE, working_space=SPACE)


if __name__ == "__main__":
    main()
