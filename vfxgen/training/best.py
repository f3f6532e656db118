"""The best net of a training, and for how long none was better."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn


class Best:
    """Keeps the weights of the best validation; `stale` counts the validations since.

    Parameters
    ----------
    lower_is_better
        Of the first figure, the one that is watched.

    Examples
    --------
    >>> best, net = Best(lower_is_better=True), nn.Linear(1, 1)
    >>> for step, error in enumerate([0.3, 0.2, 0.2, math.nan]):
    ...     best.offer({"error": error}, step, net)
    >>> best.step, best.figures, best.stale
    (1, {'error': 0.2}, 2)
    """

    def __init__(self, lower_is_better: bool) -> None:
        self.sign = 1 if lower_is_better else -1
        self.step, self.stale = 0, 0
        self.figures: dict[str, float] = {}
        self.weights: dict[str, Tensor] | None = None

    def offer(self, figures: dict[str, float], step: int, net: nn.Module) -> None:
        """Take `net` if its first figure is better than any before; what is not a number is not better."""
        if not figures:
            return
        if self._watched(figures) < self._watched(self.figures):
            self.step, self.stale, self.figures = step, 0, figures
            self.weights = {name: tensor.cpu().clone() for name, tensor in net.state_dict().items()}
        else:
            self.stale += 1

    def _watched(self, figures: dict[str, float]) -> float:
        return self.sign * next(iter(figures.values()), self.sign * math.inf)

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"step": self.step, "stale": self.stale, "figures": self.figures, "weights": self.weights}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self.step, self.stale, self.figures = state["step"], state["stale"], state["figures"]
        self.weights = state["weights"]
