"""`upscale` x2 of 960x540 EXR frames end to end, beside its bare net, naive tiles of the same net, and FSRCNN."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

import vfxgen
from benchmarks.fsrcnn import FOLDER, Fsrcnn
from benchmarks.plates import write_plates
from benchmarks.results import SHARED, publish
from vfxgen.backends import tiles
from vfxgen.backends.net import Net, load
from vfxgen.backends.torch_net import load_safetensors
from vfxgen.encoding import Encoding
from vfxgen.image.tensor import to_tensor
from vfxgen.zoo import registry

NET, FRAMES, ROUNDS = "upscale-x2", 8, 3
WIDTH, HEIGHT = 960, 540
NAIVE_TILE, NAIVE_PAD = 256, 10


def main() -> None:
    """Every way in turns, several rounds; seconds a frame are medians."""
    entry = registry.find(NET)
    net = load(entry, device="cpu")
    plain = load_safetensors(entry.card, registry.verify(entry), "cpu", "fp32").module
    plain = plain.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    with tempfile.TemporaryDirectory() as folder:
        plates = write_plates(folder, FRAMES, WIDTH, HEIGHT)
        light = to_tensor(vfxgen.read(plates)[1].rgb)
        ways = _ways(net, plain, plates, Path(folder), Encoding(net.card.inputs[0].encoding).encode(light))
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, (frames, work) in ways.items():
                start, used = time.perf_counter(), time.process_time()
                work()
                seconds = time.perf_counter() - start, time.process_time() - used
                taken[name].append((seconds[0] / frames, seconds[1] / frames))
    wall, cpu = ({name: statistics.median(t[i] for t in both) for name, both in taken.items()} for i in (0, 1))
    bare = "bare net, our tiles"
    rows = [
        {
            "way": name,
            "wall s": wall[name],
            "CPU s": cpu[name],
            "wall / bare": wall[name] / wall[bare],
            "CPU / bare": cpu[name] / cpu[bare],
        }
        for name in ways
    ]
    notes = [
        f"{FRAMES} frames {WIDTH}x{HEIGHT} half EXR -> x2 half EXR (zip), {torch.get_num_threads()} threads, median of "
        f"{ROUNDS} rounds in turns. Only `upscale` reads, encodes, holds to the plate and writes.",
        f"naive: tiles of {NAIVE_TILE} with {NAIVE_PAD} pixels around, plain torch, as common runners do.",
    ]
    publish("upscale_speed", "Upscaling end to end", rows, notes)


def _ways(
    net: Net, plain: nn.Module, plates: str, folder: Path, code: Tensor
) -> dict[str, tuple[int, Callable[[], object]]]:
    def end_to_end() -> None:
        large = vfxgen.Upscale(vfxgen.read(plates), device="cpu")
        vfxgen.write(large, str(folder / "large.####.exr"), frames=f"1-{FRAMES}", force=True)

    found: dict[str, tuple[int, Callable[[], object]]] = {
        "upscale": (FRAMES, end_to_end),
        "bare net, our tiles": (1, lambda: tiles.run(net, code)),
        "bare net, whole frame": (1, lambda: net.run(code)),
        "naive tiles": (1, lambda: _naive(plain, code)),
    }
    if (SHARED / FOLDER).exists():
        fsrcnn, display = Fsrcnn(SHARED, 2), (code[0].movedim(0, -1).clamp(0, 1) * 255).byte().numpy()
        found["FSRCNN, OpenCV dnn, 8 bit"] = (1, lambda: fsrcnn(np.ascontiguousarray(display)))
    for _, work in found.values():
        work()
    return found


def _naive(net: nn.Module, code: Tensor) -> Tensor:
    scale, (height, width) = 2, code.shape[-2:]
    made = torch.zeros(1, 3, scale * height, scale * width)
    with torch.no_grad():
        for top in range(0, height, NAIVE_TILE):
            for left in range(0, width, NAIVE_TILE):
                bottom, right = min(top + NAIVE_TILE, height), min(left + NAIVE_TILE, width)
                above, before = max(0, top - NAIVE_PAD), max(0, left - NAIVE_PAD)
                given = code[..., above : bottom + NAIVE_PAD, before : right + NAIVE_PAD]
                tile = cast(Tensor, net(given.contiguous()))
                y, x = scale * (top - above), scale * (left - before)
                part = tile[..., y : y + scale * (bottom - top), x : x + scale * (right - left)]
                made[..., scale * top : scale * bottom, scale * left : scale * right] = part
    return made


if __name__ == "__main__":
    main()
