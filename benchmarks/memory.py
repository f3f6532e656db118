"""Peak memory over a thousand frames: it must not grow with the shot."""

from __future__ import annotations

import tempfile
from pathlib import Path

import vfxgen
from benchmarks.plates import write_plates
from benchmarks.results import publish
from vfxgen.output import Output
from vfxgen.render import Job, render

FRAMES, WIDTH, HEIGHT = 1000, 1280, 720
MARKS = (50, 250, 500, 750, 1000)


def main() -> None:
    """Render a thousand frames of key and grade and watch the resident memory."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        plates = write_plates(folder, FRAMES, WIDTH, HEIGHT)
        graded = vfxgen.Grade(vfxgen.Key(vfxgen.read(plates), screen="green"), slope=1.1)
        output = Output(path=str(Path(folder, "k.####.exr")), compression="none")
        for done, event in enumerate(render([Job(graded, output)], list(range(1, FRAMES + 1))), 1):
            assert event.status == "rendered", event.error
            Path(event.paths[0]).unlink()
            if done in MARKS:
                now, peak = _resident()
                rows.append({"frames done": done, "resident MiB": now, "peak MiB": peak})
    growth = rows[-1]["peak MiB"] - rows[0]["peak MiB"]
    notes = [f"growth of the peak from frame {MARKS[0]} to {MARKS[-1]}: {growth:.0f} MiB."]
    publish("memory", f"key and grade, {FRAMES} frames {WIDTH}x{HEIGHT}", rows, notes)


def _resident() -> tuple[float, float]:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return tuple(int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]


if __name__ == "__main__":
    main()
