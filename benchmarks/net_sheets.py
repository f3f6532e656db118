"""Keys and mattes by nets to look at: input, result and truth, from our own shots; written into the documentation."""

from __future__ import annotations

import numpy as np

import vfxgen
from benchmarks.pictures import SPACE, displayed, in_grey
from benchmarks.results import REPOSITORY
from vfxgen.frame import Pixels
from vfxgen.image.trimap import trimap_of
from vfxgen.report.sheet import write_sheet
from vfxgen.testing import Pictures
from vfxgen.training.guides import random_mask

SHOTS, PICTURES = REPOSITORY / "shots", REPOSITORY / "docs" / "pictures"
KEYED = ((1001, 300, 90), (1012, 380, 60))
MATTED = ((1006, 300, 60), (1018, 330, 90))
"""Frame, and the corner of the crop that is shown."""
SIDE, WIDTH = 300, 8.0
GREY = np.float32(0.18)

Cell = tuple[str, Pixels]


def main() -> None:
    """One sheet for each net."""
    write_sheet([row for number, x, y in KEYED for row in key_rows(number, x, y)], str(PICTURES / "net_key.jpg"), SIDE)
    write_sheet([matte_row("trimap", *place) for place in MATTED], str(PICTURES / "net_matte_trimap.jpg"), SIDE)
    write_sheet([matte_row("rough", *place) for place in MATTED], str(PICTURES / "net_matte_coarse.jpg"), SIDE)


def key_rows(number: int, x: int, y: int) -> list[list[Cell]]:
    """Plate, alpha and colour over grey of the classical key, of the net, and of truth."""
    words = {"colorspace": SPACE, "working_space": SPACE}
    folder = SHOTS / "greenscreen"
    plate = vfxgen.read(folder / "plate" / "greenscreen.####.exr", **words)
    keys = [vfxgen.Key(plate, foreground=True, **w)[number] for w in ({}, {"method": "net"})]
    results = [(key.alpha, key.pixels("fg.R", "fg.G", "fg.B")) for key in keys]
    alpha = vfxgen.read(folder / "truth" / "alpha.####.exr")[number].alpha
    results.append((alpha, vfxgen.read(folder / "truth" / "foreground.####.exr", **words)[number].rgb))
    part = np.s_[y : y + SIDE, x : x + SIDE]
    names = ("key", "key, net", "truth")
    mattes = [(name, in_grey(a[part])) for name, (a, _) in zip(names, results, strict=True)]
    over = [(name, displayed((a * f + (1 - a) * GREY)[part])) for name, (a, f) in zip(names, results, strict=True)]
    errors = [
        (f"error x 4: {n}", in_grey(4 * np.abs(a - alpha)[part])) for n, (a, _) in zip(names, results, strict=True)
    ]
    return [[("plate", displayed(plate[number].rgb[part])), *mattes], [errors[0], *over]]


def matte_row(guide: str, number: int, x: int, y: int) -> list[Cell]:
    """Plate, guide, alpha of the net, of ``mixture``, and truth."""
    folder = SHOTS / "hair"
    plate = vfxgen.read(folder / "plate" / "hair.####.exr", colorspace=SPACE, working_space=SPACE)[number].rgb
    truth = vfxgen.read(folder / "truth" / "alpha.####.exr")[number].alpha
    told = (
        trimap_of(truth[..., 0], WIDTH) if guide == "trimap" else random_mask(truth[..., 0], np.random.default_rng(8))
    )
    said: dict[str, vfxgen.Sequence] = {guide: Pictures(told[..., None], "A")}
    made = [vfxgen.Matte(Pictures(plate), **said, method=m)[1].alpha for m in ("net", "mixture")]
    part = np.s_[y : y + SIDE, x : x + SIDE]
    cells = [("plate", displayed(plate[part])), (guide, in_grey(told[part]))]
    return [
        *cells,
        ("net", in_grey(made[0][part])),
        ("mixture", in_grey(made[1][part])),
        ("truth", in_grey(truth[part])),
    ]


if __name__ == "__main__":
    main()
