"""A net with its means and deviations inside: what leaves takes code values and gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from vfxgen.backends.torch_net import TorchNet

if TYPE_CHECKING:
    from vfxgen.zoo.card import Card
    from vfxgen.zoo.parts import Port


def on_code_values(net: TorchNet) -> TorchNet:
    """A net whose module applies what the card of `net` has of means and deviations, and whose own card has none."""
    card = net.card
    if not any(port.mean or port.std for port in (*card.inputs, *card.outputs)):
        return net
    ports = {"inputs": _without(card.inputs), "outputs": _without(card.outputs)}
    return TorchNet(card.model_copy(update=ports), net.path, net.device, net.precision, _OnCodeValues(net.module, card))


def _without(ports: list[Port]) -> list[Port]:
    return [port.model_copy(update={"mean": [], "std": []}) for port in ports]


class _OnCodeValues(nn.Module):
    """The arithmetic of `vfxgen.backends.contract` on constants: no operator that old torch was not seen to run."""

    def __init__(self, module: nn.Module, card: Card) -> None:
        super().__init__()
        self.module = module
        self._given, self._made = ([_mean_and_deviation(port) for port in p] for p in (card.inputs, card.outputs))

    def forward(self, *codes: Tensor) -> Any:
        made = self.module(*((code - mean) / std for code, (mean, std) in zip(codes, self._given, strict=True)))
        if not isinstance(made, (tuple, list)):
            ((mean, std),) = self._made
            return made * std + mean
        return tuple(value * std + mean for value, (mean, std) in zip(made, self._made, strict=True))


def _mean_and_deviation(port: Port) -> tuple[Tensor | float, Tensor | float]:
    mean = torch.tensor(port.mean)[:, None, None] if port.mean else 0.0
    return mean, torch.tensor(port.std)[:, None, None] if port.std else 1.0
