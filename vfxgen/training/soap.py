"""An optimizer for nets of convolutions: Adam where a kernel's gradients do not hang together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

BETA = 0.95
"""Of the means of the gradient, of its square and of its covariances."""
SMALLEST = 1e-8
BASIS_STEPS = 10
"""Steps from one basis to the next."""
LONGEST_SIDE = 1024
"""Of a matrix, in rows or columns: a longer side is not turned, which would cost more than the net."""


class Soap(torch.optim.Optimizer):
    """Adam in the eigenbasis of the gradients' covariance, as Shampoo finds it, for every kernel by itself.

    A kernel (outputs, inputs, height, width) is taken as the matrix (outputs, inputs x height x width). Biases and
    other parameters of one dimension learn by plain Adam. The first gradient gives the first bases and moves nothing.

    Parameters
    ----------
    parameters
        Of the net, float32.
    rate
        Learning rate: about Adam's.

    References
    ----------
    Vyas et al., "SOAP: improving and stabilizing Shampoo using Adam", ICLR 2025. Adam: Kingma and Ba, ICLR 2015.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.tensor([[3.0, 1.0], [-1.0, 2.0]]))
    >>> optimizer = Soap([weight], rate=0.02)
    >>> for _ in range(300):
    ...     weight.grad = 2 * weight.detach()
    ...     optimizer.step()
    >>> bool(weight.abs().max() < 0.1)
    True
    """

    def __init__(self, parameters: Iterable[nn.Parameter], rate: float) -> None:
        super().__init__(list(parameters), {"lr": rate})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step along the gradients that are there; `closure` is not used."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                gradient, state = parameter.grad.flatten(1 if parameter.ndim > 1 else 0), self.state[parameter]
                if not state:
                    _begin(gradient, state)
                    continue
                direction = _direction(gradient, state)
                _follow(gradient, state)
                parameter.sub_(direction.reshape(parameter.shape), alpha=group["lr"])


def _begin(gradient: Tensor, state: dict[str, Any]) -> None:
    state |= {"step": 0, "mean": torch.zeros_like(gradient), "square": torch.zeros_like(gradient)}
    for side, view in _sides(gradient).items():
        covariance = view @ view.T
        # A gradient that is not a number must reach the loss, which is watched; eigh would stop at it.
        basis = torch.linalg.eigh(covariance.nan_to_num(0, 0, 0))[1].flip(1)
        state[side] = {"covariance": covariance, "basis": basis}


def _direction(gradient: Tensor, state: dict[str, Any]) -> Tensor:
    state["step"] += 1
    state["mean"].lerp_(gradient, 1 - BETA)
    state["square"].lerp_(_turned(gradient, state).square(), 1 - BETA)
    bias = 1 - BETA ** state["step"]
    spread = (state["square"] / bias).sqrt() + SMALLEST
    return _turned_back(_turned(state["mean"], state) / bias / spread, state)


def _follow(gradient: Tensor, state: dict[str, Any]) -> None:
    for side, view in _sides(gradient).items():
        covariance = state[side]["covariance"].lerp_(view @ view.T, 1 - BETA)
        if state["step"] % BASIS_STEPS == 0:
            state[side]["basis"] = torch.linalg.qr(covariance @ state[side]["basis"])[0]


def _sides(gradient: Tensor) -> dict[str, Tensor]:
    sides = {"rows": gradient, "columns": gradient.T} if gradient.ndim > 1 else {}
    return {side: view for side, view in sides.items() if len(view) <= LONGEST_SIDE}


def _turned(matrix: Tensor, state: dict[str, Any]) -> Tensor:
    if "rows" in state:
        matrix = state["rows"]["basis"].T @ matrix
    return matrix @ state["columns"]["basis"] if "columns" in state else matrix


def _turned_back(matrix: Tensor, state: dict[str, Any]) -> Tensor:
    if "rows" in state:
        matrix = state["rows"]["basis"] @ matrix
    return matrix @ state["columns"]["basis"].T if "columns" in state else matrix
