"""How near an exported file is to torch: random, HDR and black pictures of several sizes through both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from vfxgen.backends.torch_net import TorchNet
    from vfxgen.zoo.card import Card

TOLERANCE = 1e-4
"""Largest difference from torch, in code values, that a float32 file may show."""

HALF_TOLERANCE = 0.02
"""The same for fp16, highlights included: enough to tell rounding from a net that is broken at half precision."""


@dataclass(frozen=True)
class Parity:
    """One comparison of the exported file with torch.

    Attributes
    ----------
    values
        ``random`` (0 .. 1), ``HDR`` (to the ends of the encoding, hard edges) or ``black``.
    shape
        (B, C, H, W) of the first input.
    largest, typical
        Largest and median absolute difference, in code values.
    """

    values: str
    shape: tuple[int, ...]
    largest: float
    typical: float


@dataclass(frozen=True)
class Exported:
    """What was written, and how near it is to torch."""

    path: Path
    parity: list[Parity]
    tolerance: float

    def __str__(self) -> str:
        rows = [f"{'values':<10}{'shape':<22}{'largest':>10}{'typical':>10}"]
        rows += [
            f"{p.values:<10}{'x'.join(map(str, p.shape)):<22}{p.largest:>10.1e}{p.typical:>10.1e}" for p in self.parity
        ]
        return "\n".join([*rows, f"difference from torch in code values; allowed {self.tolerance:g}: {self.path}"])


def compared(
    net: TorchNet, run: Callable[[Sequence[Tensor]], list[Tensor]], static: tuple[int, int] | None
) -> list[Parity]:
    """The exported file (`run`) against torch; at the one size `static`, or at several, odd ones and batches too."""
    return [_one(net, run, *case) for case in _cases(net.card, static)]


def example(card: Card, height: int, width: int, batch: int = 1, values: str = "random") -> list[Tensor]:
    """Inputs as the net sees them: random 0..1; HDR to the ends of the encoding, with hard edges; black.

    Channels that are coverage (A, M) stay within 0..1.

    Returns
    -------
    list of Tensor
        One for each input of the card, (B, C, H, W) float32; one that is no picture has a single channel.
    """
    import torch

    from vfxgen.backends.light import encoded
    from vfxgen.frame import RGB

    generator = torch.Generator().manual_seed(height * width)
    made = []
    for port in card.inputs:
        code = torch.rand(batch, len(port.channel_names) or 1, height, width, generator=generator)
        if values == "black":
            code = torch.zeros_like(code)
        elif values == "HDR" and port.encoding in ("log", "srgb"):
            light = torch.where(code > 0.7, 2 ** (16 * code), code * code - 0.1)
            is_light = torch.tensor([name.rpartition(".")[2] in RGB for name in port.channel_names])[:, None, None]
            code = torch.where(is_light, encoded(light, port), code)
        made.append(code)
    return made


def _cases(card: Card, static: tuple[int, int] | None) -> list[tuple[str, int, int, int]]:
    if static:
        return [(values, 1, *static) for values in ("random", "HDR", "black")]
    m = card.size_multiple
    odd = (max(1, 67 // m) * m, max(1, 101 // m) * m)
    return [
        ("random", 1, 8 * m, 12 * m),
        ("random", 3, *odd),
        ("HDR", 1, *odd),
        ("HDR", 2, 5 * m, 33 * m),
        ("black", 1, m, m),
    ]


def _one(
    net: TorchNet, run: Callable[[Sequence[Tensor]], list[Tensor]], values: str, batch: int, height: int, width: int
) -> Parity:
    import torch

    inputs = example(net.card, height, width, batch, values)
    differences = [
        (expected.float() - got.float()).abs() for expected, got in zip(net.forward(inputs), run(inputs), strict=True)
    ]
    largest = max(float(torch.nan_to_num(d, torch.inf).max()) for d in differences)
    typical = max(float(d.median()) for d in differences)
    return Parity(values, tuple(inputs[0].shape), largest, typical)
