"""A net as TorchScript that older torch loads too: Nuke 14 has torch 1.12, Nuke 15.1 and later 2.1."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vfxgen.errors import NetError
from vfxgen.export.parity import example
from vfxgen.log import log
from vfxgen.zoo.card import METADATA_KEY, dumps

if TYPE_CHECKING:
    from vfxgen.backends.torch_net import TorchNet
    from vfxgen.zoo.card import Card

OPERATORS = {
    "aten::Int": 1,
    "aten::_convolution": 13,
    "aten::abs": 1,
    "aten::add": 3,
    "aten::avg_pool2d": 7,
    "aten::cat": 2,
    "aten::chunk": 3,
    "aten::clamp": 3,
    "aten::div": 2,
    "aten::exp": 1,
    "aten::floor_divide": 2,
    "aten::gt": 2,
    "aten::le": 2,
    "aten::leaky_relu": 2,
    "aten::lt": 2,
    "aten::matmul": 2,
    "aten::mul": 2,
    "aten::pad": 4,
    "aten::pixel_shuffle": 2,
    "aten::pow": 2,
    "aten::reshape": 2,
    "aten::rsub": 3,
    "aten::sigmoid": 1,
    "aten::sign": 1,
    "aten::silu": 1,
    "aten::size": 2,
    "aten::slice": 5,
    "aten::softmax": 3,
    "aten::sub": 3,
    "aten::sum": 4,
    "aten::to": 5,
    "aten::transpose": 3,
    "aten::upsample_bilinear2d": 4,
    "aten::upsample_nearest2d": 3,
    "aten::where": 3,
}
"""Operators, and how many arguments each is given, in files that torch 1.12.1 and 2.1.1 were seen to run.

An architecture that needs another: add it after ``tests/export/test_torchscript.py`` passed with ``VFXGEN_OLD_TORCH``.
"""


def written(net: TorchNet, card: Card) -> bytes:
    """The contents of the TorchScript file of `net`, with `card` in it; what old torch may not know is said.

    Traced, not scripted: a script of ``interpolate`` names an operator that torch 2.1 has not got.

    Raises
    ------
    NetError
        torch cannot trace the net.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad(), _PlainAttention():
        warnings.simplefilter("ignore")
        try:
            inputs = tuple(example(net.card, 32, 48))
            traced: Any = torch.jit.trace(net.module, inputs, check_trace=False)  # type: ignore[no-untyped-call]
            torch.jit.save(traced, buffer, _extra_files={METADATA_KEY: dumps(card)})
        except RuntimeError as error:
            raise NetError(f"net '{net.card.name}': cannot be traced ({str(error).strip()[:400]})") from None
    if unproven := unproven_operators(traced):
        log.warning(
            "net '%s': its TorchScript uses %s, not tried in the torch of Nuke 14 and 15: Nuke may not load it",
            net.card.name,
            ", ".join(unproven),
        )
    return buffer.getvalue()


def runner(content: bytes) -> Callable[[Sequence[Tensor]], list[Tensor]]:
    """What runs the file with the torch that is here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module: nn.Module = torch.jit.load(io.BytesIO(content))  # type: ignore[no-untyped-call]

    def run(inputs: Sequence[Tensor]) -> list[Tensor]:
        with torch.no_grad():
            made = module(*inputs)
        return list(made) if isinstance(made, (tuple, list)) else [made]

    return run


def unproven_operators(module: Any) -> list[str]:
    """Operators of a TorchScript module that are not in `OPERATORS`, or are given more arguments than there."""
    return sorted(name for name, count in operators(module).items() if count > OPERATORS.get(name, -1))


def operators(module: Any) -> dict[str, int]:
    """Operators of a TorchScript module, and the most arguments that each is given."""
    used: dict[str, int] = {}
    for node in _nodes(module.inlined_graph):
        if node.kind().startswith("aten::"):
            used[node.kind()] = max(used.get(node.kind(), 0), len(list(node.inputs())))
    return used


def _nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _nodes(inner)


class _PlainAttention(TorchFunctionMode):
    """Attention as matrix products and a softmax: torch before 2.0 has no operator of its own for it."""

    def __torch_function__(
        self, function: Any, types: Any, arguments: Sequence[Any] = (), keywords: dict[str, Any] | None = None
    ) -> Any:
        if function is nn.functional.scaled_dot_product_attention and len(arguments) == 3 and not keywords:
            return _attention(*arguments)
        return function(*arguments, **(keywords or {}))


def _attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    alike = (query * (1 / math.sqrt(int(query.shape[-1])))) @ key.transpose(-2, -1)
    return alike.softmax(-1) @ value
