"""What changes at a step: weights, their average, the optimizer's memory, and those of a critic."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vfxgen.errors import TrainingError
from vfxgen.training.objective import Batch, Objective
from vfxgen.training.schedule import Schedule
from vfxgen.training.soap import Soap

BETAS = (0.9, 0.99)


class Learner:
    """A net, its exponential moving average and its optimizer, one step at a time.

    The optimizer is Adam (Kingma and Ba, ICLR 2015) or `Soap`, as the schedule says.
    """

    def __init__(self, net: nn.Module, objective: Objective, schedule: Schedule, device: torch.device) -> None:
        self.objective, self.schedule, self.device = objective, schedule, device
        self.net = net.to(device).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.net).requires_grad_(False).eval()
        self.optimizer = self._optimizer(self.net)
        self.critic = objective.critic
        if self.critic is not None:
            self.critic.to(device).train()
            self.critic_optimizer = self._optimizer(self.critic)
        self.type = schedule.type_on(device)
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.type == torch.float16)
        self.step = 0
        self._sums: dict[str, Tensor] = {}
        self._summed = 0

    def learn(self, batch: Batch, done: float) -> None:
        """One step on `batch`, at `done` of the schedule."""
        # No state of a generator needs to be kept: what is drawn at a step depends on the step alone.
        # Seed and step are mixed: of a seed torch takes 32 bits alone on the processor.
        torch.manual_seed(int(np.random.SeedSequence((self.schedule.seed, self.step)).generate_state(1)[0]))
        rate = self.schedule.rate_at(self.step, done)
        batch = {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}
        if self.critic is not None:
            self.critic.requires_grad_(False)
        terms = self.objective.loss(self._forward, batch)
        self._descend(self.net, self.optimizer, self.scaler, terms, rate)
        if self.critic is not None:
            self.critic.requires_grad_(True)
            of_critic = self.objective.critic_loss(batch)
            if of_critic:
                plain = torch.amp.GradScaler(self.device.type, enabled=False)
                self._descend(self.critic, self.critic_optimizer, plain, of_critic, rate)
            terms = terms | {f"critic {name}": value for name, value in of_critic.items()}
        self.step += 1
        self._follow()
        self._count(terms)

    def mean_losses(self, *, forget: bool = True) -> dict[str, float]:
        """Means of the terms since they were last forgotten, and their sum ``loss``; empty where there was no step.

        Raises
        ------
        TrainingError
            A term is not a number. Where it began is not known: all that follows is none either.
        """
        if not self._summed:
            return {}
        means = {name: value.item() / self._summed for name, value in self._sums.items()}
        first = self.step - self._summed + 1
        if forget:
            self._sums, self._summed = {}, 0
        if not all(map(math.isfinite, means.values())):
            raise TrainingError(
                f"the loss is not a number (steps {first} to {self.step}): the data hold NaN or infinity, or the rate "
                f"{self.schedule.rate:g} is too high for this net; the last checkpoint stays"
            )
        return {"loss": sum(value for name, value in means.items() if not name.startswith("critic ")), **means}

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        state = {"net": self.net.state_dict(), "average": self.average.state_dict(), "step": self.step}
        state |= {"optimizer": self.optimizer.state_dict(), "scaler": self.scaler.state_dict()}
        state["optimizer_name"] = self.schedule.optimizer
        if self.critic is not None:
            state |= {"critic": self.critic.state_dict(), "critic_optimizer": self.critic_optimizer.state_dict()}
        return state

    def load(self, state: dict[str, Any]) -> None:
        """Go on from `state`; RuntimeError or ValueError where it is of another net or optimizer."""
        name = state.get("optimizer_name", "adam")
        if name != self.schedule.optimizer:
            raise ValueError(f"it learned by {name}, the schedule says {self.schedule.optimizer}")
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.step = state["step"]
        if self.critic is not None:
            self.critic.load_state_dict(state["critic"])
            self.critic_optimizer.load_state_dict(state["critic_optimizer"])

    def _optimizer(self, net: nn.Module) -> torch.optim.Optimizer:
        if self.schedule.optimizer == "soap":
            return Soap(net.parameters(), self.schedule.rate)
        return torch.optim.Adam(net.parameters(), self.schedule.rate, betas=BETAS, fused=True)

    def _forward(self, given: Tensor) -> Tensor:
        with torch.autocast(self.device.type, self.type, enabled=self.type != torch.float32):
            result: Tensor = self.net(given.contiguous(memory_format=torch.channels_last))
        return result.float()

    def _descend(
        self,
        net: nn.Module,
        optimizer: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
        terms: dict[str, Tensor],
        rate: float,
    ) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(torch.stack([term.float() for term in terms.values()]).sum()).backward()  # type: ignore[no-untyped-call]
        if self.schedule.clip:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(net.parameters(), self.schedule.clip)
        scaler.step(optimizer)
        scaler.update()

    @torch.no_grad()
    def _follow(self) -> None:
        weight = 1 - self.schedule.decay_at(self.step)
        torch._foreach_lerp_(list(self.average.parameters()), list(self.net.parameters()), weight)
        for mine, theirs in zip(self.average.buffers(), self.net.buffers(), strict=True):
            mine.copy_(theirs)

    def _count(self, terms: dict[str, Tensor]) -> None:
        for name, term in terms.items():
            value = term.detach().float()
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._summed += 1
