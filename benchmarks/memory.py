"""Peak memory over a thousand frames: it must not grow with the shot."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import vfxgen
from benchmarks.plates import write_plates
from benchmarks.results import publish
from vfxgen.output import Output
from vfxgen.render import Job, render

SHOTS = {
    "1000 frames 960x540": (1000, 960, 540, (50, 250, 500, 750, 1000)),
    "60 frames 4096x2160": (60, 4096, 2160, (20, 40, 60)),
}


def main() -> None:
    """Render a long shot and a large one in processes of their own, and watch the resident memory."""
    rows: list[dict[str, object]] = []
    for name in SHOTS:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory", name], capture_output=True, text=True, check=True
        )
        rows += json.loads(done.stdout)
    notes = [
        "resident: after the frame; peak: the most until then. The budget for waiting frames is the default, 4 GiB."
    ]
    publish("memory", "Memory of key and grade", rows, notes)


def measure(name: str) -> list[dict[str, object]]:
    """Render one of `SHOTS`."""
    frames, width, height, marks = SHOTS[name]
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        plates = write_plates(folder, frames, width, height)
        graded = vfxgen.Grade(vfxgen.Key(vfxgen.read(plates), screen="green", method="mixture"), slope=1.1)
        output = Output(path=str(Path(folder, "k.####.exr")), compression="none")
        for done, event in enumerate(render([Job(graded, output)], list(range(1, frames + 1))), 1):
            assert event.status == "rendered", event.error
            Path(event.paths[0]).unlink()
            if done in marks:
                now, peak = resident()
                rows.append({"shot": name, "frames done": done, "resident MiB": now, "peak MiB": peak})
    return rows


def resident() -> tuple[float, float]:
    """Memory of this process, now and at most so far, MiB."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return tuple(int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        main()
