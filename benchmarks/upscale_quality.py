"""Quality of the upscaling nets: published test sets, scene-linear light, highlights, exposure; and pictures.

    python -m benchmarks upscale_quality

First the protocol must give figures that others published; where it does not, the run ends there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import vfxgen
from benchmarks import upscale_light, upscale_sheets
from benchmarks.fsrcnn import Fsrcnn
from benchmarks.results import REPOSITORY, SHARED, publish
from benchmarks.super_resolution import (
    DISPLAY,
    LINEAR,
    Codes,
    Score,
    as_light,
    bicubic,
    check_anchors,
    enlarged,
    mean_score,
    pairs,
    psnr,
    score,
    to_codes,
)
from vfxgen import color
from vfxgen.backends import tiles
from vfxgen.backends.net import load
from vfxgen.image.tensor import to_pixels, to_tensor
from vfxgen.testing import Pictures
from vfxgen.zoo import registry

SETS = ("Set5", "Kodak")
# PSNR on Set5 that a net trained on a processor, and one trained on a GPU, should reach.
TARGETS = {2: "37.4 / 37.9", 4: "31.3 / 32.1"}


def main() -> None:
    """Measure every shipped net, and make the pictures."""
    anchors = check_anchors(SHARED)
    nets = shipped_nets()
    notes = [
        "8-bit pictures, Y of BT.601 studio range, border = scale left out, mean over pictures; small pictures: Set5's "
        "published ones, Kodak's (1 .. 12) by the same MATLAB bicubic. Targets: trained on a processor / on a GPU.",
        "net: display code into the bare net. FSRCNN: OpenCV's files, which learned from other small pictures.",
        *(f"reproduced: {line}" for line in anchors),
    ]
    rows = [row for name in SETS for entry in nets for row in published_protocol(name, entry)]
    publish("upscale_quality", "Upscaling, published protocol", rows, notes)
    notes = [
        f"display code decoded to light and {upscale_light.REDUCTION_NOTE} Enlarged by `vfxgen.Upscale`; PSNR and SSIM "
        "of the display picture as above; light: PSNR of R G B, scene-linear, peak 1."
    ]
    ways = upscale_light.REDUCTIONS
    rows = [row for name in SETS for entry in nets for way in ways for row in through_operator(name, entry, way)]
    publish("upscale_operator", "Upscaling of scene-linear frames", rows, notes)
    upscale_light.main(nets)
    upscale_sheets.main(nets)


def shipped_nets() -> list[registry.Entry]:
    """Faithful upscalers of this repository, the smaller scale first; `restore_quality` has the others."""
    own = [e for e in registry.nets().values() if e.folder.parent == REPOSITORY / "nets" and e.card.task == "upscale"]
    own = [e for e in own if e.name == f"upscale-x{e.card.scale}"]
    return sorted(own, key=lambda entry: (entry.card.scale, entry.name))


def published_protocol(name: str, entry: registry.Entry) -> list[dict[str, object]]:
    """A net on display code, beside filters and FSRCNN."""
    scale, net = int(entry.card.scale), load(entry)

    def bare(small: Codes) -> Codes:
        made = tiles.run(net, to_tensor(small.astype(np.float32) / np.float32(255)))
        assert not isinstance(made, tuple)
        return to_codes(to_pixels(made))

    methods: dict[str, Callable[[Codes], Codes]] = {
        "bicubic": lambda small: bicubic(small, scale),
        "lanczos": lambda small: enlarged(small, scale, "lanczos3"),
        "FSRCNN": Fsrcnn(SHARED, scale),
        entry.name: bare,
    }
    found = pairs(SHARED, name, scale)
    rows = []
    for method, upscale in methods.items():
        mean = mean_score([score(upscale(pair.small), pair.truth, scale) for pair in found])
        target = TARGETS.get(scale, "") if name == "Set5" and method == entry.name else ""
        rows.append({"set": f"{name} x{scale}", "method": method, **mean._asdict(), "target": target})
    return rows


def through_operator(name: str, entry: registry.Entry, way: str) -> list[dict[str, object]]:
    """`vfxgen.Upscale` on scene-linear light, by the net and by Lanczos."""
    scale = int(entry.card.scale)
    found = [(pair.truth, as_light(pair.truth)) for pair in pairs(SHARED, name, scale)]
    rows = []
    for method, values in {"lanczos": {"method": "lanczos"}, entry.name: {"net": entry.name}}.items():
        shown: list[Score] = []
        linear: list[float] = []
        for truth, light in found:
            small, _ = upscale_light.reduced(light, scale, way)
            made = vfxgen.Upscale(Pictures(small), scale=scale, **values)[1].rgb
            shown.append(score(to_codes(color.convert(made, LINEAR, DISPLAY)), truth, scale))
            inside = (slice(scale, -scale), slice(scale, -scale))
            linear.append(psnr(made[inside], light[inside], 1))
        row = {"set": f"{name} x{scale}", "by": way, "method": method, **mean_score(shown)._asdict()}
        rows.append({**row, "light": float(np.mean(linear))})
    return rows


if __name__ == "__main__":
    main()
