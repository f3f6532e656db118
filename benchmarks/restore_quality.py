"""Upscaling of soft, noisy and compressed photographs: Lanczos, the faithful net, the one that invents; by statistics.

python -m benchmarks restore_quality [--full] [--net FOLDER]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from benchmarks.natural_statistics import energy_difference, naturalness
from benchmarks.results import RESULTS, SHARED, publish
from benchmarks.super_resolution import Codes, enlarged, luma, read_picture, score, to_codes
from vfxgen.backends import tiles
from vfxgen.backends.net import load
from vfxgen.frame import Pixels
from vfxgen.image.tensor import to_pixels, to_tensor
from vfxgen.report.sheet import write_sheet
from vfxgen.training.degradation import degraded
from vfxgen.zoo import registry

SCALE, SIDE = 4, 256
# Another one than that of any recipe.
SEED = 11
ENLARGE, SHOWN = 2, 128


def main() -> None:
    """Measure Lanczos and every net of scale 4, and show them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help=f"whole pictures in place of squares of {SIDE} pixels")
    parser.add_argument("--net", default="upscale-x4-gan", help="a net that restores, beside upscale-x4")
    options, _ = parser.parse_known_args()
    names = [name for name in ("upscale-x4", options.net) if name in registry.nets() or "/" in name]
    ways = {"Lanczos": lambda small: enlarged(small, SCALE, "lanczos3"), **{name: _through(name) for name in names}}
    found = photographs(0 if options.full else SIDE)
    small = [degraded(photo, SCALE, np.random.default_rng((SEED, n))) for n, photo in enumerate(found)]
    rows, shown = [], list[list[Codes]]()
    for name, enlarge in ways.items():
        start = time.process_time()
        made = [enlarge(picture) for picture in small]
        seconds = (time.process_time() - start) / len(made)
        rows.append({"method": name, **measured(made, found), "CPU s": seconds})
        shown.append(made)
    rows.append({"method": "truth", **measured(found, found), "CPU s": 0.0})
    notes = [
        f"{len(found)} photographs (Kodak 1 .. 12), degraded as in training (`vfxgen.training.degradation`) by a seed "
        "of their own, x4; means. PSNR and SSIM of Y: what invents detail loses there.",
        "energy: mean difference of the energies of oriented filters, 3 octaves, 4 directions, dB; detail: of the "
        "shortest waves, below 0 is too soft; naturalness: shape of codes less local mean over local deviation.",
    ]
    publish("restore_quality", "Upscaling of degraded pictures", rows, notes)
    sheet = [
        [("given", _part(picture.repeat(SCALE, 0).repeat(SCALE, 1))), *columns, ("truth", _part(truth))]
        for n, (picture, truth) in enumerate(zip(small, found, strict=True))
        for columns in [[(name, _part(made[n])) for name, made in zip(ways, shown, strict=True)]]
    ]
    write_sheet(sheet, str(RESULTS / "restore.png"), ENLARGE * SHOWN)


def photographs(side: int) -> list[Codes]:
    """Kodak's, or the square of `side` pixels in the middle of each."""
    found = [read_picture(path) for path in sorted((SHARED / "sr_test/Kodak12").glob("*.png"))]
    if not found:
        raise FileNotFoundError(f"{SHARED / 'sr_test/Kodak12'}: no pictures")
    if not side:
        return found
    corners = [((p.shape[0] - side) // 2, (p.shape[1] - side) // 2) for p in found]
    return [np.ascontiguousarray(p[y : y + side, x : x + side]) for p, (y, x) in zip(found, corners, strict=True)]


def measured(made: list[Codes], truths: list[Codes]) -> dict[str, float]:
    """Means over the pictures; PSNR of the truth itself is infinite."""
    rows = []
    for picture, truth in zip(made, truths, strict=True):
        ours, theirs = luma(picture) / 255, luma(truth) / 255
        same = score(picture, truth, SCALE)
        rows.append((*same, *energy_difference(ours, theirs), naturalness(ours)))
    names = ("PSNR dB", "SSIM", "energy dB", "detail dB", "naturalness")
    return dict(zip(names, map(float, np.mean(rows, axis=0)), strict=True))


def _through(name: str) -> Callable[[Codes], Codes]:
    net = load(registry.find(name))

    def enlarge(small: Codes) -> Codes:
        made = tiles.run(net, to_tensor(small.astype(np.float32) / np.float32(255)))
        assert not isinstance(made, tuple)
        return to_codes(to_pixels(made))

    return enlarge


def _part(picture: Codes) -> Pixels:
    y, x = ((size - SHOWN) // 2 for size in picture.shape[:2])
    crop = picture[y : y + SHOWN, x : x + SHOWN].astype(np.float32) / np.float32(255)
    return np.asarray(crop.repeat(ENLARGE, 0).repeat(ENLARGE, 1), np.float32)


if __name__ == "__main__":
    main()
