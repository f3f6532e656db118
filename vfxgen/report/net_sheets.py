"""What the shipped nets make of our own shots, as rows of pictures: input, the classical method, the net, truth."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vfxgen import color
from vfxgen.frame import Pixels
from vfxgen.image.trimap import trimap_of
from vfxgen.operators.inpaint import Inpaint
from vfxgen.operators.key import FOREGROUND, Key
from vfxgen.operators.matte import Matte
from vfxgen.operators.merge import Merge
from vfxgen.operators.read import read
from vfxgen.operators.resize import Resize
from vfxgen.operators.upscale import Upscale
from vfxgen.report.sheet import write_sheet
from vfxgen.report.shown import displayed, in_grey
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures
from vfxgen.training.guides import random_mask

SHOTS = Path(__file__).parents[2] / "shots"
SIDE = 288
"""Of the square of a frame that is shown, in pixels: whole after a reduction to a half, a third and a quarter."""
BAND = 8.0
"""Pixels to each side of the true edge that a trimap leaves open."""
_GREY, _ERROR_GAIN = np.float32(0.18), 4

Rows = list[list[tuple[str, Pixels]]]

SHEETS: dict[str, Callable[[], Rows]] = {
    "key-unmix": lambda: key_rows(1001, 300, 90),
    "matte-trimap": lambda: matte_rows("trimap", 1006, 300, 60),
    "matte-coarse": lambda: matte_rows("rough", 1018, 330, 90),
    "inpaint-gan": lambda: inpaint_rows(1012, 420, 120),
    "upscale-x2": lambda: upscale_rows("upscale-x2", 2, 1012, 420, 120),
    "upscale-x3": lambda: upscale_rows("upscale-x3", 3, 1012, 420, 120),
    "upscale-x4": lambda: upscale_rows("upscale-x4", 4, 1012, 420, 120),
    "upscale-x4-gan": lambda: upscale_rows("upscale-x4-gan", 4, 1012, 420, 120),
}
"""The rows of each shipped net's sheet."""


def write_net_sheets(folder: str) -> dict[str, str]:
    """A sheet for each net of `SHEETS`, as `NET.png` in `folder`.

    Returns
    -------
    dict[str, str]
        Path of the sheet by name of the net.

    Raises
    ------
    MediaError
        A file of the shots cannot be read, or a sheet cannot be written.
    """
    os.makedirs(folder, exist_ok=True)
    paths = {name: os.path.join(folder, f"{name}.png") for name in SHEETS}
    for name, path in paths.items():
        write_sheet(SHEETS[name](), path, SIDE)
    return paths


def key_rows(number: int, x: int, y: int) -> Rows:
    """Alpha and colour over grey of ``mixture``, of the net and of truth, around (x, y) of the green screen."""
    plate, part = _frames("greenscreen", "plate/greenscreen"), _part(x, y)
    keys = [Key(plate, foreground=True, method=method)[number] for method in ("mixture", "net")]
    results = [(key.alpha, key.pixels(*FOREGROUND)) for key in keys]
    alpha = _frames("greenscreen", "truth/alpha")[number].alpha
    results.append((alpha, _frames("greenscreen", "truth/foreground")[number].rgb))
    names = ("mixture", "net", "truth")
    mattes = [(name, in_grey(a[part])) for name, (a, _) in zip(names, results, strict=True)]
    over = [(name, _shown((a * f + (1 - a) * _GREY)[part])) for name, (a, f) in zip(names, results, strict=True)]
    error = in_grey(_ERROR_GAIN * np.abs(results[1][0] - alpha)[part])
    return [
        [("plate", _shown(plate[number].rgb[part])), *mattes],
        [(f"error x {_ERROR_GAIN}: net", error), *over],
    ]


def matte_rows(guide: str, number: int, x: int, y: int) -> Rows:
    """Plate, guide, alpha of the net, of ``mixture``, and truth, around (x, y) of the hair shot."""
    plate, part = _frames("hair", "plate/hair"), _part(x, y)
    truth = _frames("hair", "truth/alpha")[number].alpha
    told = trimap_of(truth[..., 0], BAND) if guide == "trimap" else random_mask(truth[..., 0], np.random.default_rng(8))
    said: dict[str, Sequence] = {guide: Pictures(told[..., None], "A")}
    made = [(method, Matte(plate, **said, method=method)[number].alpha) for method in ("net", "mixture")]
    coverage = [(guide, told), *made, ("truth", truth)]
    return [[("plate", _shown(plate[number].rgb[part])), *((name, in_grey(alpha[part])) for name, alpha in coverage)]]


def inpaint_rows(number: int, x: int, y: int) -> Rows:
    """The plate with its hole, filled by patches and by the net, and what is behind it, around (x, y) of the rig."""
    part = _part(x, y)
    plate = Pictures(_frames("rig", "plate/rig")[number].rgb[part])
    mask = _frames("rig", "truth/mask")[number].alpha[part]
    filled = [(name, Inpaint(plate, Pictures(mask, "A"), method=name)[1].rgb) for name in ("patch", "net")]
    behind = Merge(_frames("rig", "plate/rig"), _frames("rig", "truth/clean"))[number].rgb[part]
    light = [("plate", plate[1].rgb), ("hole", np.where(mask > 0, _GREY, plate[1].rgb)), *filled, ("truth", behind)]
    return [[(name, _shown(picture)) for name, picture in light]]


def upscale_rows(net: str, scale: int, number: int, x: int, y: int) -> Rows:
    """A square around (x, y) of the rig's plate, reduced, enlarged by Lanczos and by the net, and as it was."""
    truth = Pictures(_frames("rig", "plate/rig")[number].rgb[_part(x, y)])
    small = Resize(truth, scale=1 / scale)
    made = [Upscale(small, scale=float(scale), **words)[1] for words in ({"method": "lanczos"}, {"net": net})]
    pixels = np.repeat(np.repeat(small[1].rgb, scale, 0), scale, 1)
    light = [(f"1/{scale}", pixels), ("lanczos", made[0].rgb), (net, made[1].rgb), ("truth", truth[1].rgb)]
    return [[(name, _shown(picture)) for name, picture in light]]


def _frames(shot: str, name: str) -> Sequence:
    return read(SHOTS / shot / f"{name}.####.exr")


def _part(x: int, y: int) -> tuple[slice, slice]:
    return np.s_[y : y + SIDE, x : x + SIDE]


def _shown(light: Pixels) -> Pixels:
    return displayed(light, color.working_space())
