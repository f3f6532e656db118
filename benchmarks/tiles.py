"""Tiles of several sizes at 4K and 8K: are they the whole frame, what do they take; a 4K HDR EXR through the CLI."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

import vfxgen
from benchmarks.results import SHARED, publish
from vfxgen.backends import tiles
from vfxgen.backends.memory import give_back, status_bytes
from vfxgen.backends.net import load
from vfxgen.backends.tile_plan import MEMORY, plan
from vfxgen.color import working_space
from vfxgen.frame import RGB, Frame
from vfxgen.media.image import write_image
from vfxgen.zoo import registry

NET = "upscale-x2"
SIZES = {"4K": (2160, 4096), "8K": (4320, 8192)}
WHOLE = 8192
"""As a tile: the frame at once, where memory allows it."""
RUNS = [("4K", WHOLE), ("4K", 128), ("4K", 256), ("4K", 0), ("8K", 256), ("8K", 0)]
DESK = SHARED / "exr" / "openexr-images" / "ScanLines" / "Desk.exr"
MIB = 1024**2


def main() -> None:
    """Each size in a process of its own, so that peaks do not mix."""
    rows = [_in_child(size, str(tile)) for size, tile in RUNS]
    first = {size: next(row["bits"] for row in rows if row["frame"] == size) for size in SIZES}
    for row in rows:
        row["same bits"] = row.pop("bits") == first[str(row["frame"])]
    notes = [
        f"{NET}, {torch.get_num_threads()} threads; peak: beside the process, the frame and its result (budget "
        f"{MEMORY // MIB} MiB). Same bits: as the first row of its frame size; at 4K that is the frame in one piece.",
    ]
    publish("tiles", "A frame in tiles", rows, notes)
    if DESK.exists():
        note = "Desk.exr repeated to 4096x2160 and as bright as a lamp; `vfxgen upscale` to 8192x4320 half EXR."
        publish("tiles_hdr", "A 4K HDR EXR through `vfxgen upscale`", [_command_line()], [note])


def _in_child(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.tiles", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return cast(dict[str, Any], json.loads(done.stdout.splitlines()[-1]))


def measure(size: str, tile: int) -> dict[str, object]:
    """One frame of `SIZES` through the net in tiles of one size; 0: as planned."""
    net = load(registry.find(NET), device="cpu")
    height, width = SIZES[size]
    frame = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))
    chosen = plan(net, (height, width), tile=tile)
    give_back()
    Path("/proc/self/clear_refs").write_text("5")
    before, start, used = status_bytes("VmRSS"), time.perf_counter(), time.process_time()
    made = tiles.run(net, frame, tile=tile)
    assert isinstance(made, torch.Tensor)
    peak = status_bytes("VmHWM") - before - made.nbytes
    named = "whole" if tile == WHOLE else f"{chosen.tile}{'' if tile else ' (planned)'}"
    return {
        "frame": size,
        "tile": named,
        "wall s": time.perf_counter() - start,
        "CPU s": time.process_time() - used,
        "peak MiB": peak / MIB,
        "bits": hashlib.sha256(made.numpy().data).hexdigest(),
    }


def _command_line() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        plate, out = Path(folder, "plate.exr"), Path(folder, "large.exr")
        frame = Frame.from_pixels(_bright_4k(), RGB, number=1, colorspace=working_space(), source="memory")
        write_image(frame, str(plate), format="exr", compression="zip")
        start = time.perf_counter()
        command = [sys.executable, "-m", "vfxgen", "upscale", "--plate", str(plate), "--out", str(out), "--scale", "2"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        given, made = vfxgen.read(str(plate))[1].rgb, vfxgen.read(str(out))[1].rgb
    blocks = made.reshape(made.shape[0] // 2, 2, made.shape[1] // 2, 2, 3).mean((1, 3))
    bright = given > 100
    return {
        "wall s": wall,
        "peak MiB of the process": peak,
        "brightest in": float(given.max()),
        "brightest out": float(made.max()),
        "mean out / in above 100": float(blocks[bright].mean() / given[bright].mean()),
    }


def _bright_4k() -> np.ndarray[Any, np.dtype[np.float32]]:
    desk = vfxgen.read(str(DESK))[1].rgb
    repeats = (-(-2160 // desk.shape[0]), -(-4096 // desk.shape[1]), 1)
    picture = np.tile(desk, repeats)[:2160, :4096]
    return np.ascontiguousarray(picture * np.float32(20000 / picture.max()), np.float32)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
    else:
        main()
