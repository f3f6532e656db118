"""How long a net learns, how fast, in which precision, and how often the run looks at itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

import torch

from vfxgen.errors import RequestError

Precision = Literal["auto", "fp32", "bf16", "fp16"]
OptimizerName = Literal["adam", "soap"]

LAST_RATE = 0.01
"""Share of the learning rate that is left at the end."""


@dataclass(frozen=True)
class Schedule:
    """Length, learning rate and cadence of a training.

    Parameters
    ----------
    steps, minutes
        One of them: how long. With `steps` a run that was killed and started again ends with the same weights; with
        `minutes` the clock decides how many steps there are.
    rate
        Highest learning rate, reached after `warm_up` steps, falling along a cosine to a hundredth of it.
    average
        Decay of the exponential moving average of the weights, which is the net that results.
    optimizer
        ``adam``, or ``soap``, which goes further a step where most weights are kernels and matrices.
    clip
        Largest norm of the gradient; 0: any.
    precision
        Of the net's forward and backward; losses and weights are always float32. ``auto``: bf16 where the hardware
        computes in it, fp16 with scaled gradients on older GPUs, else fp32.
    validate_every
        Steps between validations and pictures; 0: at the end alone.
    checkpoint_minutes
        Between checkpoints.
    patience
        Validations in a row that may be no better than the best: then training ends, and the best net is the
        result. 0: train to the end, and the last net is the result.
    seed
        Of the first weights and of everything random in the loss, below 2**32. The objective has its own.

    Raises
    ------
    RequestError
        A value out of its range, neither or both of `steps` and `minutes`.

    Examples
    --------
    >>> schedule = Schedule(steps=1000, rate=1e-3, warm_up=100)
    >>> [round(schedule.rate_at(step, step / 1000), 6) for step in (0, 99, 500, 1000)]
    [1e-05, 0.000976, 0.000505, 1e-05]
    """

    steps: int = 0
    minutes: float = 0.0
    rate: float = 1e-3
    warm_up: int = 300
    average: float = 0.999
    optimizer: OptimizerName = "adam"
    clip: float = 0.5
    precision: Precision = "auto"
    validate_every: int = 1000
    checkpoint_minutes: float = 3.0
    patience: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if (self.steps > 0) == (self.minutes > 0):
            raise RequestError(f"schedule: give steps or minutes, one of them (steps {self.steps}, {self.minutes} min)")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in ("optimizer", "precision") and not (math.isfinite(value) and value >= 0):
                raise RequestError(f"schedule: {field.name} = {value} must be a number, 0 or more")
        if self.seed >= 2**32:
            raise RequestError(f"schedule: seed = {self.seed} must be below 2**32 (4294967296)")
        if self.rate == 0 or self.average >= 1:
            raise RequestError(f"schedule: rate = {self.rate} must be above 0 and average = {self.average} below 1")
        if self.precision not in ("auto", "fp32", "bf16", "fp16"):
            raise RequestError(f"schedule: precision = '{self.precision}' must be auto | fp32 | bf16 | fp16")
        if self.optimizer not in ("adam", "soap"):
            raise RequestError(f"schedule: optimizer = '{self.optimizer}' must be adam | soap")

    def done(self, step: int, seconds: float) -> float:
        """How far the run is, 0 .. 1 and beyond."""
        return step / self.steps if self.steps else seconds / 60 / self.minutes

    def rate_at(self, step: int, done: float) -> float:
        """Learning rate of a step: linear warm-up, then cosine (Loshchilov and Hutter, ICLR 2017)."""
        cosine = LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * min(done, 1.0))) / 2
        return self.rate * min(1.0, (step + 1) / max(1, self.warm_up)) * cosine

    def decay_at(self, step: int) -> float:
        """Decay of the average: small at first, so that the first weights are soon forgotten."""
        return min(self.average, (step + 1) / (step + 10))

    def type_on(self, device: torch.device) -> torch.dtype:
        """What the net computes in on `device`."""
        if self.precision != "auto":
            return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[self.precision]
        if device.type == "cuda":
            return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16
        return torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32
