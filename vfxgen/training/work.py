"""The folder of a run: what a bare machine needs to train, and where training leaves what it has.

`run.json` says which net, objective and schedule; `cache/` has the data; `start.pt` weights to start from, if any.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Any

import torch
from torch import nn

from vfxgen.architectures import build
from vfxgen.errors import TrainingError
from vfxgen.media.publish import published
from vfxgen.training.cached import CachedObjective, objective_class
from vfxgen.training.loop import Fitted, Progress, fit
from vfxgen.training.schedule import Schedule

FILE_NAME, CACHE, START = "run.json", "cache", "start.pt"


@dataclass(frozen=True)
class Data:
    """A set that was cached: its name, how many files, and a hash over their names and contents."""

    name: str
    files: int
    sha256: str


@dataclass(frozen=True)
class Work:
    """A prepared run.

    Attributes
    ----------
    name
        Of the net.
    task, settings
        Of the objective.
    start_from
        Name and hash of the weights it starts from, or empty.
    held_out
        Name and hash of the pictures for validation, or empty; None where an older vfxgen prepared it and did not say.
    """

    name: str
    architecture: str
    hyperparameters: dict[str, Any]
    task: str
    settings: dict[str, Any]
    schedule: dict[str, Any]
    start_from: str
    data: list[Data]
    held_out: str | None = None

    @property
    def identity(self) -> str:
        """A hash of all that a checkpoint depends on; the schedule may be prolonged."""
        said = {name: value for name, value in asdict(self).items() if name not in ("name", "schedule")}
        if not self.held_out:
            del said["held_out"]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def write(self, folder: Path) -> None:
        """Into `folder`, as the sign that everything else is there."""
        with published(str(folder / FILE_NAME)) as temporary:
            Path(temporary).write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")

    def objective(self, folder: Path) -> CachedObjective:
        """What is to be learned, from the cache in `folder`; a critic is as it is before the first step."""
        kind = objective_class(self.task)
        with torch.random.fork_rng([]):
            torch.manual_seed(Schedule(**self.schedule).seed)
            return kind(self.hyperparameters, kind.settings_type(**self.settings), folder / CACHE)

    def net(self, folder: Path) -> nn.Module:
        """The net as it is before the first step."""
        schedule = Schedule(**self.schedule)
        with torch.random.fork_rng([]):
            torch.manual_seed(schedule.seed)
            net = build(self.architecture, **self.hyperparameters)
        if self.start_from:
            theirs = torch.load(folder / START, map_location="cpu", weights_only=True)
            mine = net.state_dict()
            taken = {n: t for n, t in theirs.items() if n in mine and mine[n].shape == t.shape}
            net.load_state_dict(taken, strict=False)
        return net

    def train(
        self,
        folder: Path,
        device: str,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Event | None = None,
    ) -> Fitted:
        """From where the checkpoint in `folder` stands to the end; raises as `vfxgen.training.loop.fit`."""
        net, schedule = self.net(folder), Schedule(**self.schedule)
        words: dict[str, Any] = {"device": device, "identity": self.identity}
        return fit(net, self.objective(folder), schedule, folder, progress=progress, cancelled=cancelled, **words)


def load_work(folder: str | os.PathLike[str]) -> Work:
    """What `vfxgen train --prepare` left in `folder`.

    Raises
    ------
    TrainingError
        Nothing is prepared there, or by another vfxgen.
    """
    path = Path(folder, FILE_NAME)
    try:
        contents = json.loads(path.read_text("utf-8"))
        data = [Data(**part) for part in contents.pop("data")]
        return Work(data=data, **contents)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TrainingError(f"{path}: is no prepared run ({error}); make it with vfxgen train --prepare") from None
