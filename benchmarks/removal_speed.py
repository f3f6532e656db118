"""What a frame of `cleanplate` and of `matte` costs, stage by stage; and that many frames cost as much each as few."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

import vfxgen
from benchmarks.memory import resident
from benchmarks.pictures import SPACE
from benchmarks.results import REPOSITORY, publish
from benchmarks.stage_clock import StageClock
from vfxgen.frame import Pixels
from vfxgen.operator import Operator
from vfxgen.operators.cleanplate import Cleanplate
from vfxgen.operators.matte import Matte
from vfxgen.testing import Pictures

LARGE, SMALL = (1920, 1080), (96, 64)
LONG, EVERY = 300, 50
KEYFRAMES = 25
# What is asked for before the clock starts, and what is timed: a clean plate looks around once, then goes on frame by
# frame, and makes up what is never seen on one frame in `REACH`; mattes are carried from one keyframe to the next.
TIMED = {"cleanplate": ((1012,), (1013, 1014, 1015, 1016)), "matte": ((), tuple(range(1001, 1008)))}
REACH, WIDTH = 4, 20.0
STAGES = {
    "cleanplate": {
        "registration": ["vfxgen.temporal.registration:registered"],
        "holes spanned": ["vfxgen.temporal.cleaning:Holes.frame"],
        "optical flow": ["vfxgen.image.flow:motion_codes", "vfxgen.image.flow:flow_of_codes"],
        "looking up": ["vfxgen.image.warp:warped"],
        "exposure": ["vfxgen.image.exposure:gain"],
        "smooth surfaces": ["vfxgen.image.harmonic:harmonic", "vfxgen.image.fill:push_pull"],
        "gathering: the rest": ["vfxgen.image.gather:gathered"],
        "making up": ["vfxgen.image.inpainting:inpainted", "vfxgen.operators.denoise:non_local_means"],
        "grain": ["vfxgen.temporal.plate_grain:plate_grain", "vfxgen.operators.cleanplate:Cleanplate._grain"],
    },
    "matte": {
        "optical flow": ["vfxgen.temporal.motion:Motion.frame"],
        "carrying": ["vfxgen.temporal.carried:Carried.frame", "vfxgen.image.carry:together"],
        "trimap": ["vfxgen.image.carry:trimap_between"],
        "solving": ["vfxgen.image.natural_matte:mixture_matte"],
        "steadying": ["vfxgen.operators.matte:Matte._steadied"],
        "foreground": ["vfxgen.image.straight:straight_foreground"],
    },
}
"""Where processor time is counted: to the innermost of these functions that is running."""
WHOLE = ("grain", "making up", "holes spanned", "registration")
"""Stages that hold all that is called within them."""


def main() -> None:
    """Measure each in a process of its own, on one core."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", choices=list(TIMED))
    parser.add_argument("--long", action="store_true")
    options, _ = parser.parse_known_args()
    if options.measure:
        print(json.dumps((_over_time if options.long else _by_stage)(options.measure)))
        return
    stages, long = (
        [row for name in TIMED for row in _in_a_process("--measure", name, *more)] for more in ((), ("--long",))
    )
    notes = [
        "1920x1080, shots/rig and shots/hair at twice their size, held in memory; one core. peak: memory of the "
        "process, those plates included.",
        f"cleanplate: reach = {REACH}, the mask as it is, {REACH} frames in a row, on one of which what is never seen "
        "is made up. matte: two keyframes, 5 frames between, temporal = 1.",
    ]
    publish("removal_speed", "Processor seconds a frame, 1920x1080", stages, notes)
    notes = [f"{SMALL[0]}x{SMALL[1]}, the shots there and back; a keyframe every {KEYFRAMES} frames; reach = {REACH}."]
    publish("removal_long", f"{LONG} frames, one after the other", long, notes)


def _in_a_process(*options: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.removal_speed", *options]
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env={**os.environ, **one})
    if done.returncode:
        raise SystemExit(done.stderr)
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def _by_stage(name: str) -> list[dict[str, Any]]:
    first, timed = TIMED[name]
    operator = _operator(name, LARGE, range(1001, 1025) if name == "cleanplate" else timed)
    for number in first:
        operator[number]
    wall = time.perf_counter()
    with StageClock("the rest", STAGES[name], WHOLE) as clock:
        for number in timed:
            operator[number]
    wall, whole, spent = time.perf_counter() - wall, sum(clock.spent.values()), clock.spent
    rows = [
        {"operator": name, "stage": stage, "processor s": spent[stage] / len(timed), "share": spent[stage] / whole}
        for stage in [*STAGES[name], "the rest"]
    ]
    total = {"operator": name, "stage": "all", "processor s": whole / len(timed), "share": 1.0}
    beside = {"wall s": wall / len(timed), "peak MiB": resident()[1]}
    return [row | dict.fromkeys(beside, "") for row in rows] + [total | beside]


def _over_time(name: str) -> list[dict[str, Any]]:
    operator, rows = _operator(name, SMALL, range(1, LONG + 1)), list[dict[str, Any]]()
    start = time.process_time()
    for number in range(1, LONG + 1):
        operator[number]
        if number % EVERY == 0:
            now = time.process_time()
            memory, peak = resident()
            rows.append({"operator": name, "frames done": number, "processor s": now - start, "resident MiB": memory})
            rows[-1]["peak MiB"] = peak
            start = now
    return rows


def _operator(name: str, size: tuple[int, int], numbers: Sequence[int]) -> Operator:
    """A node over plates and mattes in memory: the sample shot, and beyond its end there and back."""
    cv2.setNumThreads(1)
    shot, matte = ("rig", "mask") if name == "cleanplate" else ("hair", "alpha")
    folder = REPOSITORY / "shots" / shot
    plate = vfxgen.read(folder / "plate" / f"{shot}.####.exr", colorspace=SPACE, working_space=SPACE)
    truth = vfxgen.read(folder / "truth" / f"{matte}.####.exr")
    there = plate.range or []
    if not there:
        raise SystemExit(f"shots/{shot} has no frames: python -m shots.{shot}.make renders them")
    turns = [*there, *there[-2:0:-1]]
    source = {number: number if number in there else turns[(number - 1) % len(turns)] for number in numbers}
    lights = {number: _sized(plate[number].rgb, size) for number in sorted(set(source.values()))}
    mattes = {number: _sized(truth[number].matte, size) for number in lights}
    plates = Pictures({number: lights[of] for number, of in source.items()})
    if name == "cleanplate":
        masks = Pictures({number: mattes[of] for number, of in source.items()}, "A")
        return Cleanplate(plates, masks, reach=REACH, grow=0, feather=1)
    painted = [n for n in numbers if n in (numbers[0], numbers[-1]) or n % KEYFRAMES == 0]
    keyframes = Pictures({number: mattes[source[number]] for number in painted}, "A")
    return Matte(plates, keyframes=keyframes, temporal=1.0, width=WIDTH * size[0] / LARGE[0])


def _sized(picture: Pixels, size: tuple[int, int]) -> Pixels:
    way = cv2.INTER_AREA if size[0] < picture.shape[1] else cv2.INTER_CUBIC
    sized = cv2.resize(picture, size, interpolation=way).reshape(size[1], size[0], -1)
    return np.asarray(sized if sized.shape[-1] == 3 else np.clip(sized, 0, 1), np.float32)


if __name__ == "__main__":
    main()
