"""Upscaling to look at: Lanczos, net and truth side by side, from our own shot and from photographs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

import vfxgen
from benchmarks.results import REPOSITORY, RESULTS, SHARED
from benchmarks.super_resolution import DISPLAY, LINEAR, as_light, read_picture
from benchmarks.upscale_light import reduced
from vfxgen import color
from vfxgen.frame import Pixels
from vfxgen.report.sheet import write_sheet
from vfxgen.testing import Pictures
from vfxgen.zoo import registry

SHOT = REPOSITORY / "shots/greenscreen/plate/greenscreen.####.exr"
OWN_PICTURE = REPOSITORY / "docs/pictures/upscale.jpg"
# A crop is shown this many times as large, pixel by pixel.
ENLARGED = 3


class Crop(NamedTuple):
    """Part of a photograph: its file beside `sr_test`, its corner; the size is that of every crop."""

    file: str
    x: int
    y: int


WIDTH, HEIGHT = 160, 112
# What the nets are given beyond the crop of a photograph: more than they see.
AROUND = 96
OWN_CROP = (1024, 432, 152)
PHOTOS = (
    Crop("photo2k/0369d229ba4c9965d5caeb38c359a027a810968eee930b81520b604e76b4df14.jpg", 560, 960),
    Crop("photo2k/1cba10ad9bb4ced57e42f7656c5f2a58d32dc6bad084957d2f8d1c78e0fcd224.jpg", 800, 160),
    Crop("Kodak12/kodim05.png", 320, 180),
    Crop("Kodak12/kodim08.png", 328, 200),
)


def main(nets: Sequence[registry.Entry]) -> None:
    """Our own shot into the documentation, photographs beside the results."""
    number, x, y = OWN_CROP
    plate = vfxgen.read(SHOT, colorspace=LINEAR, working_space=LINEAR)[number].rgb
    write_sheet([side_by_side(plate, x, y, net, view=True) for net in nets], str(OWN_PICTURE), ENLARGED * WIDTH)
    rows = []
    for file, x, y in PHOTOS:
        left, top = max(0, x - AROUND), max(0, y - AROUND)
        part = read_picture(SHARED / "sr_test" / file)[top : y + HEIGHT + AROUND, left : x + WIDTH + AROUND]
        rows += [side_by_side(as_light(part), x - left, y - top, net, view=False) for net in nets]
    write_sheet(rows, str(RESULTS / "upscale_photos.png"), ENLARGED * WIDTH)


def side_by_side(light: Pixels, x: int, y: int, net: registry.Entry, view: bool) -> list[tuple[str, Pixels]]:
    """A frame made smaller as light and enlarged again, then the crop at (x, y): Lanczos, net, truth."""
    scale = int(net.card.scale)
    source = Pictures(reduced(light, scale, "area")[0])
    pictures = {
        f"Lanczos, x{scale}": vfxgen.Upscale(source, scale=scale, method="lanczos")[1].rgb,
        f"{net.name}": vfxgen.Upscale(source, scale=scale, net=net.name)[1].rgb,
        "truth": light,
    }
    return [(name, _shown(rgb[y : y + HEIGHT, x : x + WIDTH], view)) for name, rgb in pictures.items()]


def _shown(crop: Pixels, view: bool) -> Pixels:
    seen = color.to_display(crop, LINEAR) if view else color.convert(crop, LINEAR, DISPLAY)
    return np.clip(seen, 0, 1).astype(np.float32).repeat(ENLARGED, 0).repeat(ENLARGED, 1)
