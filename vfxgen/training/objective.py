"""What a net is to learn: where its batches come from, how wrong it is, how good it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

Batch = dict[str, Tensor]
Forward = Callable[[Tensor], Tensor]
Picture = NDArray[np.float32]
"""Display-referred, (H, W, 3), 0 .. 1."""


class Objective(ABC):
    """A task for `vfxgen.training.loop.fit`: data, loss, validation.

    Attributes
    ----------
    lower_is_better
        Of the first figure of `validate`, the one that is watched.
    critic
        A discriminator that learns against the net, or None. `loss` calls it (its weights get no gradient there) and
        may keep what `critic_loss` of the same step needs, such as the net's output, detached.
    """

    lower_is_better: ClassVar[bool] = True
    critic: nn.Module | None = None

    @abstractmethod
    def batch(self, step: int) -> Batch:
        """Named tensors on the CPU, of any types.

        A pure function of the objective's own seed and `step`: called ahead in other threads, several at once, and
        again after a kill. It must not draw from torch's or numpy's global generators.
        """

    @abstractmethod
    def loss(self, net: Forward, batch: Batch) -> dict[str, Tensor]:
        """Named weighted terms; their sum is minimised.

        `batch` is on the device; `net` takes (B, C, H, W) float32, computes in the precision of the schedule and gives
        float32. Draws from torch's global generator are a function of the schedule's seed and the step.
        """

    def critic_loss(self, batch: Batch) -> dict[str, Tensor]:
        """The critic's own terms, after `loss` of the same batch; called where there is a critic.

        Empty at a step at which it does not learn.
        """
        raise NotImplementedError

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Figures by name, the watched one first; empty where there is nothing to validate on.

        `net` is the averaged net, float32, on the device, in inference mode.
        """
        return {}

    def samples(self, net: nn.Module) -> Picture | None:
        """One picture for people: before, result and truth beside one another; None where there is none.

        Called as `validate` is. To be drawn within a second or two: it is the early look, too.
        """
        return None
