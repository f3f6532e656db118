"""Small nets of every architecture, sent out and taken in again."""

from __future__ import annotations

import atexit
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from small_nets import built
from torch import Tensor

from vfxgen.backends.light import through
from vfxgen.backends.net import load
from vfxgen.export import Exported, export
from vfxgen.zoo.card import load_card
from vfxgen.zoo.registry import Entry

NETS: dict[str, dict[str, Any]] = {
    "upscaler": {"scale": 2, "channels": 8, "blocks": 2},
    "unet": {"in_channels": 3, "out_channels": 1, "widths": [8, 12]},
    "inpainter": {"width": 8, "rounds": 1, "heads": 2},
}
FORMS: dict[str, dict[str, Any]] = {
    "onnx": {},
    "onnx, one size": {"static": (96, 152)},
    "onnx, fp16": {"fp16": True},
    "torchscript": {"to": "torchscript"},
}


def leave(tmp_path: Path, architecture: str = "upscaler", **options: Any) -> tuple[Entry, Exported]:
    """A small net, and what its export to ``tmp_path/theirs`` reported."""
    here, there = tmp_path / "ours", tmp_path / "theirs"
    here.mkdir(exist_ok=True)
    net = built(here, architecture, **NETS[architecture])
    suffix = "pt" if options.get("to") == "torchscript" else "onnx"
    return net, export(net, there / f"net.{suffix}", card=True, **options)


@cache
def left(architecture: str, form: str) -> tuple[Path, Entry, Exported]:
    """As `leave`, once for all tests of a run: the folder, the net, the report."""
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Path(folder.name), *leave(Path(folder.name), architecture, **FORMS[form])


def returned(folder: Path) -> Entry:
    """The net that `leave` wrote."""
    return Entry(load_card(folder / "theirs"), folder / "theirs")


def light(channels: int, batch: int, height: int, width: int) -> Tensor:
    """Scene-linear light with negative values and highlights up to 4000; a fourth channel is a mask."""
    torch.manual_seed(height)
    made = torch.randn(batch, channels, height, width).clamp(max=3).exp() - 0.3
    made[..., 3:7, 5:9] = 4000.0
    if channels == 4:
        made[:, 3:] = 0
        made[:, 3:, height // 4 : height // 2, width // 4 : width // 2] = 1
    return made


def largest_difference(ours: Entry, theirs: Entry, picture: Tensor) -> float:
    """Between what both make of the same light, relative to that light (and to 1 where it is dark)."""
    expected, got = (through(load(net, device="cpu"), picture) for net in (ours, theirs))
    assert isinstance(expected, Tensor) and isinstance(got, Tensor) and expected.shape == got.shape
    return float(((expected - got).abs() / expected.abs().clamp(min=1)).max())
