"""What a host pays for the worker: a render through it beside one without, and how soon it says something."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.plates import write_plates
from benchmarks.results import REPOSITORY, paired, publish
from vfxgen import graph, render
from vfxgen.hosts.client import Client, Request
from vfxgen.media.pattern import format_frames
from vfxgen.output import Output

SAMPLE = REPOSITORY / "shots" / "greenscreen" / "plate" / "greenscreen.####.exr"
RUNS, LATENCIES = 3, 5


@dataclass(frozen=True)
class Shot:
    """A render, as each of the ways asks for it."""

    operator: str
    plate: str
    frames: range
    size: str
    out: str
    parameters: dict[str, float | str] = field(default_factory=dict)

    @property
    def request(self) -> dict[str, Any]:
        """For the worker."""
        return {
            "operator": self.operator,
            "inputs": {"plate": self.plate},
            "parameters": self.parameters,
            "output": {"path": self.out},
            "frames": format_frames(self.frames),
            "force": True,
        }

    def render(self) -> None:
        """In this process: what the command line does, without its start."""
        nodes: graph.Nodes = {
            "plate": {"operator": "read", "path": self.plate},
            self.operator: {"operator": self.operator, "plate": "plate", **self.parameters},
        }
        job = render.Job(graph.build(nodes, "", "benchmark")[self.operator], Output(path=self.out))
        assert all(event.status == "rendered" for event in render.render([job], self.frames, force=True))

    def command(self) -> None:
        """By the command line."""
        given = [f"--{name}={value}" for name, value in self.parameters.items()]
        command = [sys.executable, "-m", "vfxgen", self.operator, "--plate", self.plate, "--out", self.out, "--force"]
        subprocess.run([*command, "--frames", format_frames(self.frames), *given], check=True, capture_output=True)


def main() -> None:
    """Two shots, each through a warm worker and through `vfxgen.render` in this process, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        large = write_plates(folder, 8, 1920, 1080)
        client = Client(sys.executable, host="benchmark")
        shots = [
            Shot("key", str(SAMPLE), range(1001, 1009), "960x540", f"{folder}/key.####.exr", {"method": "mixture"}),
            Shot("grade", large, range(1, 9), "1920x1080", f"{folder}/grade.####.exr", {"saturation": 0.9}),
        ]
        rows = [_measured(client, shot) for shot in shots]
        client.close()
    notes = [
        "worker, render: median seconds a frame through a warm worker, and through the same code without one; ratio: "
        "median of the pairs, run in turns; cpu ratio: the same of processor time, host and worker together.",
        "command: seconds a frame of the whole `vfxgen` command, start and imports included, once.",
        "begins, first frame: milliseconds from the request to its first progress, and to that of its first frame.",
    ]
    publish("host_overhead", "A render through the worker beside one without", rows, notes)


def _measured(client: Client, shot: Shot) -> dict[str, object]:
    count = len(shot.frames)
    cpu: dict[str, list[float]] = {"worker": [], "render": []}

    def by_worker() -> None:
        before = _cpu(client.about["pid"]) + _cpu(os.getpid()) if client.about else 0.0
        client.call("render", shot.request, timeout=None)
        cpu["worker"].append(_cpu(client.about["pid"]) + _cpu(os.getpid()) - before)

    def by_render() -> None:
        before = _cpu(os.getpid())
        shot.render()
        cpu["render"].append(_cpu(os.getpid()) - before)

    worker, plain, ratio = paired(by_worker, by_render, runs=RUNS)
    latencies = [_latency(client, shot) for _ in range(LATENCIES)]
    start = time.perf_counter()
    shot.command()
    command = time.perf_counter() - start
    return {
        "render": f"{shot.operator}, {count} x {shot.size}",
        "worker s": worker / count,
        "render s": plain / count,
        "ratio": ratio,
        # The first of each is the warm-up.
        "cpu ratio": statistics.median(a / b for a, b in zip(cpu["worker"][1:], cpu["render"][1:], strict=True)),
        "command s": command / count,
        "begins ms": 1000 * statistics.median(begins for begins, _ in latencies),
        "first frame ms": 1000 * statistics.median(first for _, first in latencies),
    }


def _cpu(process: int) -> float:
    """Seconds of processor time that a process has taken."""
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _latency(client: Client, shot: Shot) -> tuple[float, float]:
    """Seconds to the first progress of a render, and to that of its first frame."""
    start = time.perf_counter()
    asked = client.send("render", shot.request)
    begins = _until(client, asked, 0, start)
    first = _until(client, asked, 1, start)
    client.cancel(asked)
    while not asked.is_over:
        client.poll(0.1)
    return begins, first


def _until(client: Client, asked: Request, done: int, start: float) -> float:
    while asked.progress.get("done", -1) < done:
        assert asked.error is None, asked.error
        client.poll(0.1)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
