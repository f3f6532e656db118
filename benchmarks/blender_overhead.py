"""What a node of Blender's compositor costs over the same render by the command line."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.plates import write_plates
from benchmarks.results import REPOSITORY, publish
from plugins.build_blender import build
from vfxgen.hosts.client import Client
from vfxgen.hosts.worker_process import clean_environment

BLENDER = REPOSITORY / ".venv-bpy" / "bin" / "python"
SPACE = "lin_rec709_scene"
RUNS = 3


@dataclass(frozen=True)
class Shot:
    """Frames and what is done to them."""

    operator: str
    plate: str
    count: int
    size: str
    is_exported: bool
    parameters: dict[str, float | str] = field(default_factory=dict)

    @property
    def for_node(self) -> dict[str, Any]:
        """As `in_blender` takes it."""
        facts = {name: getattr(self, name) for name in ("operator", "count", "is_exported", "parameters")}
        return {**facts, "first": 1, "plate": self.plate.replace("####", "0001")}

    def for_worker(self, out: str) -> dict[str, Any]:
        """The same frames, made without Blender."""
        return {
            "operator": self.operator,
            "inputs": {"plate": {"path": self.plate, "colorspace": SPACE, "working_space": SPACE}},
            "parameters": self.parameters,
            "output": {"path": f"{out}/{self.operator}.####.exr", "type": "float", "compression": "zip"},
            "frames": f"1-{self.count}",
            "force": True,
        }

    def command(self, out: str, plate: str) -> float:
        """Seconds of the whole `vfxgen` command on a plate."""
        given = [f"--{name}={value}" for name, value in self.parameters.items()]
        spaces = ["--colorspace", SPACE, "--working-space", SPACE, "--type", "float", "--compression", "zip"]
        paths = ["--plate", plate, "--out", f"{out}/{self.operator}.####.exr", "--frames", f"1-{self.count}"]
        command = [sys.executable, "-m", "vfxgen", self.operator, *paths, *spaces, *given, "--force"]
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - start


class Node:
    """Blender in a process of its own, with a worker of its own that stays warm."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def render(self, shot: Shot) -> dict[str, Any]:
        """What a render of a node took."""
        return self._ask(shot.for_node)

    def export(self, shot: Shot, out: str) -> dict[str, Any]:
        """What a render by Blender itself took of what would feed the node, to ``out/plate.####.exr``."""
        return self._ask({**shot.for_node, "out": out})

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("measured: "):
                measured: dict[str, Any] = json.loads(line.removeprefix("measured: "))
                return measured
        raise RuntimeError(f"Blender ended with exit code {self._process.wait()}")


def main() -> None:
    """Two sizes, a cheap operator and a costly one, from files and by an export of Blender's, in turns."""
    if not BLENDER.exists():
        print("blender_overhead: there is no Blender; run: make bpy")
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        client = Client(sys.executable, host="benchmark")
        warm_up = Shot("grade", write_plates(_made(folder, "small"), 2, 64, 48), 2, "64x48", True)
        with _blender(folder) as node:
            node.render(warm_up), _by_worker(client, warm_up, folder)
            for width, height, count in ((960, 540, 24), (1920, 1080, 10)):
                plate = write_plates(_made(folder, str(height)), count, width, height)
                for operator, parameters in NODES.items():
                    for is_exported in (False, True):
                        shot = Shot(operator, plate, count, f"{width}x{height}", is_exported, parameters)
                        rows.append(_measured(shot, node, client, folder))
                        print(rows[-1], file=sys.stderr, flush=True)
        client.close()
    publish("blender_overhead", "A node of Blender's compositor beside the command line", rows, NOTES)


NODES: dict[str, dict[str, float | str]] = {"grade": {"saturation": 0.9}, "key": {"method": "mixture"}}
NOTES = [
    "node: median seconds a frame of the node in Blender; worker: of the same request to a warm worker without "
    "Blender; by hand: of the whole `vfxgen` command, start and imports included. All in turns, all write float EXR.",
    "fed by: an Image node on EXR files, which the worker reads itself; or one with an Exposure node after it, which "
    "Blender computes and exports. By hand that is Blender's own render by a File Output node, of the same kind of "
    "EXR, and then the command; the worker, in its column, reads the files before the Exposure node.",
    "ratio, over: median of node / by hand, and of the seconds a frame by which the node takes longer. cpu ratio: the "
    "same in processor time of all that is at work.",
    "blender cpu: seconds of processor time a frame in Blender itself, of which most is the export.",
    "first: milliseconds from Render to the first progress; block: the longest step but for exports, in milliseconds "
    "of processor time of Blender's main thread, as are export, the longest export of a frame.",
    f"Runs: {RUNS}.",
]


def _measured(shot: Shot, node: Node, client: Client, folder: str) -> dict[str, object]:
    nodes, workers, hands = [], [], []
    for _ in range(RUNS):
        nodes.append(node.render(shot))
        workers.append(_by_worker(client, shot, folder))
        hands.append(_by_hand(node, shot, folder))
    pairs = list(zip(nodes, hands, strict=True))
    return {
        "render": f"{shot.operator}, {shot.count} x {shot.size}",
        "fed by": "export" if shot.is_exported else "files",
        "node s": statistics.median(one["seconds"] for one in nodes) / shot.count,
        "worker s": statistics.median(workers) / shot.count,
        "by hand s": statistics.median(hand[0] for hand in hands) / shot.count,
        "ratio": statistics.median(one["seconds"] / hand[0] for one, hand in pairs),
        "cpu ratio": statistics.median(sum(one["cpu"]) / hand[1] for one, hand in pairs),
        "over s": statistics.median(one["seconds"] - hand[0] for one, hand in pairs) / shot.count,
        "blender cpu s": statistics.median(one["cpu"][0] for one in nodes) / shot.count,
        "first ms": 1000 * statistics.median(one["first"] for one in nodes),
        "block ms": 1000 * max(one["block"] for one in nodes),
        "export ms": 1000 * max(one["export"] for one in nodes),
    }


def _by_worker(client: Client, shot: Shot, folder: str) -> float:
    """Seconds."""
    client.call("hello", {"protocol": 1, "host": "benchmark"})
    start = time.perf_counter()
    client.call("render", shot.for_worker(folder), timeout=None)
    return time.perf_counter() - start


def _by_hand(node: Node, shot: Shot, folder: str) -> tuple[float, float]:
    """Seconds, and seconds of processor time."""
    seconds = cpu = 0.0
    with tempfile.TemporaryDirectory(dir=folder) as exports:
        if shot.is_exported:
            exported = node.export(shot, exports)
            seconds, cpu = exported["seconds"], exported["cpu"][0]
        children = os.times()
        seconds += shot.command(folder, f"{exports}/plate.####.exr" if shot.is_exported else shot.plate)
    done = os.times()
    return seconds, cpu + done.children_user + done.children_system - children.children_user - children.children_system


def _made(folder: str, name: str) -> str:
    path = Path(folder, name)
    path.mkdir()
    return str(path)


@contextmanager
def _blender(folder: str) -> Iterator[Node]:
    extension = Path(folder, "vfxgen.zip")
    build(extension)
    more = {"BLENDER_USER_RESOURCES": f"{folder}/user", "VFXGEN_ENVIRONMENT": sys.prefix}
    process = subprocess.Popen(
        [str(BLENDER), str(Path(__file__).parent / "scenarios" / "in_blender.py"), folder, str(extension)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environment(os.environ, more),
    )
    assert process.stdin
    try:
        yield Node(process)
        process.stdin.close()
        process.wait(30)
    finally:
        process.kill()


if __name__ == "__main__":
    main()
