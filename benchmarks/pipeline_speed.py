"""`key` end to end at 1920x1080, half EXR in and out: frames a second, and how well the stages overlap."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import vfxgen
from benchmarks.plates import write_plates
from benchmarks.results import publish
from vfxgen.output import Output
from vfxgen.provenance import Provenance
from vfxgen.render import READERS, WRITERS, Job, render

FRAMES = 24
WIDTH, HEIGHT = 1920, 1080
AT_ONCE = {"read": READERS, "compute": 1, "write": WRITERS}


def main() -> None:
    """Render key and grade over the same plates; stages alone, then overlapped."""
    with tempfile.TemporaryDirectory() as folder:
        plates = write_plates(folder, FRAMES, WIDTH, HEIGHT)
        rows = [_measured(name, plates, folder) for name in ("key", "grade")]
    notes = [
        "read, compute, write: seconds of work a frame while all stages run, divided by how many frames a stage has in "
        "work at once; efficiency: the slowest of them / wall a frame. 1 hides the other stages wholly.",
        "alone: the same stages one after the other, nothing else running; serial: their sum / wall.",
    ]
    publish("pipeline_speed", f"{FRAMES} frames {WIDTH}x{HEIGHT}, half EXR ZIP in and out", rows, notes)


def _sequence(name: str, plates: str) -> vfxgen.Sequence:
    plate = vfxgen.read(plates)
    return (
        vfxgen.Key(plate, screen="green", method="mixture")
        if name == "key"
        else vfxgen.Grade(plate, slope=1.1, saturation=0.9)
    )


def _measured(name: str, plates: str, folder: str) -> dict[str, object]:
    numbers = list(range(1, FRAMES + 1))
    read, compute, write = _alone(name, plates, folder)
    output = Output(path=str(Path(folder, f"{name}.####.exr")))
    start, seconds = time.perf_counter(), []
    for event in render([Job(_sequence(name, plates), output)], numbers, force=True):
        assert event.status == "rendered", event.error
        seconds.append(event.seconds)
    wall = (time.perf_counter() - start) / FRAMES
    stages = {s: statistics.mean(e[s] for e in seconds) / AT_ONCE[s] for s in ("read", "compute", "write")}
    return {
        "operator": name,
        "frames/s": 1 / wall,
        "wall s": wall,
        **{f"{stage} s": value for stage, value in stages.items()},
        "efficiency": max(stages.values()) / wall,
        "read alone": read,
        "compute alone": compute,
        "write alone": write,
        "serial": (read + compute + write) / wall,
    }


def _alone(name: str, plates: str, folder: str) -> tuple[float, float, float]:
    """Seconds of reading, computing and writing one frame, nothing else running."""
    sequence = _sequence(name, plates)
    output = Output(path=str(Path(folder, "alone.####.exr")))
    stages: list[tuple[float, float, float]] = []
    for number in range(1, 9):
        start = time.perf_counter()
        sequence.key(number)
        plate = sequence.inputs["plate"][number]
        read = time.perf_counter()
        frame = sequence[number]
        computed = time.perf_counter()
        output.publish(frame, number, "0" * 64, Provenance("{}"))
        stages.append((read - start, computed - read, time.perf_counter() - computed))
        del plate
    read_s, compute_s, write_s = (statistics.median(stage[i] for stage in stages[1:]) for i in range(3))
    return read_s, compute_s, write_s


if __name__ == "__main__":
    main()
