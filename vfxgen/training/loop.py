"""The training loop: one for every net, on CPU or CUDA, exact through any kill.

Torch, numpy and OpenCV are all it needs.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import torch
from torch import nn

from vfxgen.errors import TrainingError
from vfxgen.training import checkpoint
from vfxgen.training.best import Best
from vfxgen.training.learner import Learner
from vfxgen.training.objective import Batch as Batch
from vfxgen.training.objective import Forward as Forward
from vfxgen.training.objective import Objective, Picture
from vfxgen.training.readers import read_ahead
from vfxgen.training.record import Record
from vfxgen.training.schedule import Schedule as Schedule

LOG_STEPS = 50
"""Steps between lines of the log, which are the only places where the CPU waits for the GPU."""
EARLY_LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Progress:
    """Where a training stands; given to the callback of `fit` after every step.

    Attributes
    ----------
    step, seconds
        Over all runs that shared the folder.
    done, seconds_left
        Share of the schedule, 0 .. 1, and what is left of it at this pace.
    losses
        Terms by name and their sum ``loss``: means over the last `LOG_STEPS`; empty at first.
    figures
        Of the last validation; empty before it.
    picture
        Before, result and truth, display-referred (H, W, 3), 0 .. 1, when a new one was made at this step, else None.
    """

    step: int
    seconds: float
    done: float
    seconds_left: float
    losses: dict[str, float]
    figures: dict[str, float]
    picture: Picture | None


@dataclass(frozen=True)
class Fitted:
    """What a training came to.

    Attributes
    ----------
    net
        Averaged weights, float32, on the CPU, in inference mode: the last ones, or with patience the best.
    step, figures
        Of `net`.
    steps, seconds
        Of the training, over all its runs.
    ended
        ``steps``, ``minutes``, ``patience`` or ``cancelled``.
    device
        Its name.
    history
        What the log says: one dictionary a line.
    """

    net: nn.Module
    step: int
    figures: dict[str, float]
    steps: int
    seconds: float
    ended: str
    device: str
    history: list[dict[str, Any]]


@contextmanager
def _without_denormals() -> Iterator[None]:
    """What is nearer to 0 than 1e-38 is 0 on this thread.

    Products of small gradients come there once a net has gates that hardly open, and a processor takes a hundred times
    as long for a matrix of them.
    """
    tiny = torch.tensor(1e-39)
    was_so = bool(tiny * 1 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(was_so)


def fit(
    net: nn.Module,
    objective: Objective,
    schedule: Schedule,
    folder: str | os.PathLike[str],
    *,
    device: str | torch.device = "cpu",
    identity: str = "",
    progress: Callable[[Progress], None] | None = None,
    cancelled: Event | None = None,
) -> Fitted:
    """Train `net` (in place), or go on where the checkpoint in `folder` stands.

    With a schedule of steps, a run that was killed at any moment and started again ends with the same weights, bit
    for bit, on the same device with as many threads (on CUDA: where the net's kernels are deterministic).

    Parameters
    ----------
    net
        Freshly initialised, or with weights to start from.
    objective
        What it is to learn.
    schedule
        How long and how fast.
    folder
        Gets `checkpoint.pt`, `log.jsonl`, `curves.png`, `samples.png` and `samples/STEP.png`.
    device
        ``cpu``, ``cuda``, ``cuda:1``.
    identity
        What a checkpoint must have been made from to be taken up, such as a hash of data, net and objective.
    progress
        Called after every step, from the calling thread.
    cancelled
        When it is set, from any thread, training ends after the step it is at, keeping what it has.

    Raises
    ------
    TrainingError
        The loss is not a number; the checkpoint is damaged or of another training.
    MediaError
        The folder cannot be written, or the disk is full. The last checkpoint stays.
    """
    device = torch.device(device)
    generators = [device] if device.type == "cuda" else []
    kernels = torch.backends.cudnn.flags(benchmark=False, deterministic=True)
    with torch.random.fork_rng(generators), kernels, _without_denormals():
        run = _Run(net, objective, schedule, Path(folder), device, identity)
        return run.until(progress or (lambda _: None), cancelled or Event())


class _Run:
    """One training: a learner, what it is judged by, and the folder where both are kept."""

    def __init__(
        self,
        net: nn.Module,
        objective: Objective,
        schedule: Schedule,
        folder: Path,
        device: torch.device,
        identity: str,
    ) -> None:
        checkpoint.check_writable(folder)
        self.objective, self.schedule, self.identity = objective, schedule, identity
        self.path = folder / checkpoint.FILE_NAME
        self.learner = Learner(net, objective, schedule, device)
        self.best = Best(objective.lower_is_better)
        self.seconds, self.figures, self.validated = 0.0, dict[str, float](), 0
        state = checkpoint.load(self.path, identity)
        if state is not None:
            self._go_on(state)
        self.looked = state is not None
        self.record = Record(folder, json.loads(state["history"]) if state else [])

    def until(self, progress: Callable[[Progress], None], cancelled: Event) -> Fitted:
        """Step by step to the end."""
        saved, begun = self.seconds, time.monotonic() - self.seconds
        ended = self._end()
        learner, schedule = self.learner, self.schedule
        with read_ahead(self.objective.batch, learner.step, schedule.steps, learner.device) as batches:
            while not ended:
                learner.learn(next(batches), schedule.done(learner.step, self.seconds))
                self.seconds = time.monotonic() - begun
                picture = self._look()
                ended = self._end()
                progress(self._progress(picture))
                if cancelled.is_set():
                    ended = ended or "cancelled"
                elif self.seconds - saved > 60 * schedule.checkpoint_minutes:
                    self._save()
                    saved = self.seconds
        if ended != "cancelled" and self.validated < learner.step:
            self._validate()
        self._save()
        return self._fitted(ended)

    def _end(self) -> str:
        if self.schedule.patience and self.best.stale >= self.schedule.patience:
            return "patience"
        over = self.schedule.done(self.learner.step, self.seconds) >= 1
        return "" if not over else "steps" if self.schedule.steps else "minutes"

    def _look(self) -> Picture | None:
        """Validation, log and pictures where they are due at this step."""
        step, every = self.learner.step, self.schedule.validate_every
        if every and step % every == 0:
            return self._validate()
        if step % LOG_STEPS == 0:
            self._log()
        if self.looked or self.seconds < EARLY_LOOK_SECONDS:
            return None
        self._log()
        return self._show()

    def _validate(self) -> Picture | None:
        losses = self.learner.mean_losses()
        with torch.inference_mode():
            self.figures = self.objective.validate(self.learner.average)
        self.validated = self.learner.step
        if self.schedule.patience:
            self.best.offer(self.figures, self.learner.step, self.learner.average)
        self.record.add(self._line(losses) | {"figures": self.figures})
        return self._show()

    def _log(self) -> None:
        if losses := self.learner.mean_losses():
            self.record.add(self._line(losses))

    def _line(self, losses: dict[str, float]) -> dict[str, Any]:
        return {"step": self.learner.step, "seconds": round(self.seconds, 3), "losses": losses}

    def _show(self) -> Picture | None:
        self.looked = True
        with torch.inference_mode():
            picture = self.objective.samples(self.learner.average)
        self.record.show(self.learner.step, picture)
        return picture

    def _progress(self, picture: Picture | None) -> Progress:
        step, done = self.learner.step, min(1.0, self.schedule.done(self.learner.step, self.seconds))
        left = self.seconds / done * (1 - done) if done else float("inf")
        return Progress(step, self.seconds, done, left, self.record.losses, self.figures, picture)

    def _save(self) -> None:
        self.learner.mean_losses(forget=False)  # raises where weights may be spoilt
        state = {"learner": self.learner.state(), "best": self.best.state(), "figures": self.figures}
        facts = {"validated": self.validated, "seconds": self.seconds, "identity": self.identity}
        checkpoint.save(self.path, state | facts | {"history": json.dumps(self.record.history)})

    def _go_on(self, state: dict[str, Any]) -> None:
        try:
            self.learner.load(state["learner"])
        except (RuntimeError, ValueError) as error:
            raise TrainingError(
                f"{self.path}: holds another net than this one ({str(error).splitlines()[0]}); "
                f"take it away to start anew, or choose another folder"
            ) from None
        self.best.load(state["best"])
        self.figures, self.validated, self.seconds = state["figures"], state["validated"], state["seconds"]

    def _fitted(self, ended: str) -> Fitted:
        learner, best = self.learner, self.best
        step, figures = learner.step, self.figures if self.validated == learner.step else {}
        if self.schedule.patience and best.weights is not None:
            learner.average.load_state_dict(best.weights)
            step, figures = best.step, best.figures
        net = learner.average.cpu().to(memory_format=torch.contiguous_format)
        name = device_name(learner.device)
        return Fitted(net, step, figures, learner.step, self.seconds, ended, name, self.record.history)


def device_name(device: torch.device) -> str:
    """For cards: the GPU, or the processor and how many threads work on it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"
