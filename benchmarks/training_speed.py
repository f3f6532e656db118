"""Steps a second of the training loop beside forward and backward of the same net alone, on a batch that lies ready.

Needs the sample shot; the upscalers' photographs are made up, since only their number of pixels counts.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import torch
from torch import nn

import vfxgen
from benchmarks.results import REPOSITORY, publish
from vfxgen.architectures import build
from vfxgen.training.loop import Progress, device_name, fit
from vfxgen.training.objective import Objective
from vfxgen.training.painted import read_painted
from vfxgen.training.readers import AHEAD
from vfxgen.training.schedule import Precision, Schedule
from vfxgen.training.shot import CROP_ELSE, WIDTHS
from vfxgen.training.shot_objective import ShotObjective
from vfxgen.training.tasks import TASKS
from vfxgen.training.upscaling import Settings, Upscaling
from vfxgen.zoo.parts import Port

TURNS, STEPS = 5, 8
PAINTED = (1001, 1006, 1012, 1018, 1024)


def main() -> None:
    """Measure the upscaler of the recipes and the matte of a shot, in the precisions that the device has."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    precisions: list[Precision] = ["fp32", "bf16"]
    rows = []
    for name, (objective, net) in {"upscale-x2, recipe": _upscaler(), "matte of a shot": _matte(device)}.items():
        rows += [_measured(name, objective, net, precision, device) for precision in precisions]
    notes = [
        f"On {device_name(device)}; medians of {TURNS} turns of {STEPS} steps each, loop and net in turns.",
        "ratio: steps a second of the loop (batches, average, clipping, Adam) over those of forward and backward "
        "alone. CPU ratio: the same of processor seconds, all threads: other work on the machine changes it little.",
        "batch: milliseconds of one thread to make a batch, which the loop does beside the net.",
    ]
    publish("training_speed", "Training loop beside the bare net", rows, notes)


def _upscaler() -> tuple[Objective, Callable[[], nn.Module]]:
    random, settings, net = np.random.default_rng(0), Settings(), {"scale": 2, "channels": 32, "blocks": 12}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(8):
            codes = random.integers(0, 256, (512, 512, 3), dtype=np.uint8)
            cv2.imwrite(f"{folder}/{number}.png", codes)
        Upscaling.prepare(sorted(Path(folder).glob("*.png")), None, net, settings, Path(folder))
        objective = Upscaling(net, settings, Path(folder))
    return objective, lambda: build("upscaler", **net, collapsed=True)


def _matte(device: torch.device) -> tuple[Objective, Callable[[], nn.Module]]:
    shot = REPOSITORY / "shots" / "greenscreen"
    plate, alpha = (vfxgen.read(str(shot / p)) for p in ("plate/greenscreen.####.exr", "truth/alpha.####.exr"))
    painted, batch = read_painted("matte", plate, alpha, PAINTED), 16 if device.type == "cuda" else 4
    ports = Port(name="picture", channels="R G B", encoding="log"), Port(name="result", channels="A", encoding="none")
    objective = ShotObjective(painted, TASKS["matte"], *ports, CROP_ELSE, batch, 0)
    return objective, lambda: build("unet", in_channels=3, out_channels=1, widths=WIDTHS)


class Turns:
    """As the callback of a loop it counts the loop's steps; after some of them it lets the bare net run as many."""

    def __init__(self, bare: Callable[[], None]) -> None:
        self.bare, self.over = bare, Event()
        self.loop: list[tuple[float, float]] = []
        self.net: list[tuple[float, float]] = []
        self.count = 0

    def __call__(self, progress: Progress) -> None:
        self.count += 1
        # The readers were ahead while the bare net ran: those batches cost nothing, and do not count.
        if self.count == AHEAD + 2:
            self.begun = _clocks()
        if self.count < AHEAD + 2 + STEPS:
            return
        self.loop.append(self._since())
        self.begun = _clocks()
        for _ in range(STEPS):
            self.bare()
        self.net.append(self._since())
        self.count = 0
        if len(self.loop) == TURNS + 1:
            self.over.set()

    def _since(self) -> tuple[float, float]:
        return tuple((now - then) / STEPS for now, then in zip(_clocks(), self.begun, strict=True))  # type: ignore[return-value]


def _clocks() -> tuple[float, float]:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter(), time.process_time()


def _measured(
    name: str, objective: Objective, net: Callable[[], nn.Module], precision: Precision, device: torch.device
) -> dict[str, object]:
    turns = Turns(_bare(objective, net(), precision, device))
    schedule = Schedule(steps=10**6, precision=precision, validate_every=0, checkpoint_minutes=1e6)
    with tempfile.TemporaryDirectory() as folder:
        fit(net(), objective, schedule, folder, device=device, progress=turns, cancelled=turns.over)
    loop, bare = turns.loop[1:], turns.net[1:]
    ratios = [[b[clock] / a[clock] for a, b in zip(loop, bare, strict=True)] for clock in (0, 1)]
    return {
        "net": name,
        "precision": precision,
        "loop steps/s": 1 / statistics.median(wall for wall, _ in loop),
        "net steps/s": 1 / statistics.median(wall for wall, _ in bare),
        "ratio": statistics.median(ratios[0]),
        "CPU ratio": statistics.median(ratios[1]),
        "CPU ms a step": 1e3 * statistics.median(cpu for _, cpu in bare),
        "batch ms": _batch_milliseconds(objective),
    }


def _bare(objective: Objective, net: nn.Module, precision: Precision, device: torch.device) -> Callable[[], None]:
    """Forward, loss and backward on one batch that lies on the device."""
    net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    batch = {name: tensor.to(device) for name, tensor in objective.batch(0).items()}
    kind = Schedule(steps=1, precision=precision).type_on(device)

    def forward(given: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device.type, kind, enabled=kind != torch.float32):
            made: torch.Tensor = net(given.contiguous(memory_format=torch.channels_last))
        return made.float()

    def step() -> None:
        net.zero_grad(set_to_none=True)
        sum(objective.loss(forward, batch).values(), torch.zeros((), device=device)).backward()  # type: ignore[no-untyped-call]

    return step


def _batch_milliseconds(objective: Objective) -> float:
    seconds = []
    for step in range(12):
        start = time.thread_time()
        objective.batch(step)
        seconds.append(time.thread_time() - start)
    return 1e3 * statistics.median(seconds)


if __name__ == "__main__":
    main()
