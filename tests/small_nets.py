"""Small nets in folders of their own, made by tests: a card beside weights, as a studio would drop them."""

from __future__ import annotations

import hashlib
import itertools
import warnings
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from vfxgen.architectures import build
from vfxgen.backends.net import Net, Precision
from vfxgen.backends.torch_net import TorchNet
from vfxgen.zoo.card import Card, dumps
from vfxgen.zoo.registry import Entry

FREE = {"name": "CC0-1.0", "use": "commercial"}


def card(name: str = "small", **fields: Any) -> Card:
    """A card of an x2 upscaler, less what `fields` say otherwise."""
    contents = {
        "name": name,
        "task": "upscale",
        "format": "safetensors",
        "architecture": "upscaler",
        "scale": 2,
        "weights": {"file": "net.safetensors", "sha256": "0" * 64, "bytes": 1},
        "inputs": [{"name": "picture", "channels": "R G B", "encoding": "log"}],
        "outputs": [{"name": "picture_out", "channels": "R G B", "encoding": "log"}],
        "licences": {"code": FREE, "weights": FREE, "data": FREE},
    }
    return Card.model_validate({**contents, **fields})


def entry(folder: Path, file: Path, **fields: Any) -> Entry:
    """The net whose weights are `file`, in `folder`, with its card written beside it."""
    content = file.read_bytes()
    weights = {"file": file.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    made = card(**{"weights": weights, **fields})
    (folder / "card.toml").write_text(dumps(made))
    return Entry(made, folder)


def built(folder: Path, architecture: str = "upscaler", seed: int = 0, **hyperparameters: Any) -> Entry:
    """A net of ours with random weights (no layer left at its zero start) and the card that belongs to it."""
    torch.manual_seed(seed)
    module = build(architecture, **hyperparameters)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    file = folder / "net.safetensors"
    safetensors.torch.save_file({k: v.contiguous() for k, v in module.state_dict().items()}, file)
    collapse = getattr(module, "collapsed", None)
    shape: Any = collapse() if callable(collapse) else module
    ports = {
        "upscaler": ("R G B", "R G B"),
        "unet": ("R G B", "A"),
        "inpainter": ("R G B M", "R G B"),
    }[architecture]
    return entry(
        folder,
        file,
        architecture=architecture,
        hyperparameters=hyperparameters,
        scale=hyperparameters.get("scale", 1),
        receptive_field=shape.receptive_field,
        size_multiple=shape.size_multiple,
        inputs=[{"name": "picture", "channels": ports[0], "encoding": "log"}],
        outputs=[{"name": "picture_out", "channels": ports[1], "encoding": "log"}],
    )


def scripted(folder: Path, name: str, module: nn.Module, **fields: Any) -> str:
    """The name of a net that is `module` as TorchScript, in a new folder beneath `folder`; scale 1, whole frames."""
    (folder / name).mkdir()
    file = folder / name / "net.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(module), str(file))
    form = {"name": name, "format": "torchscript", "architecture": "", "scale": 1, "receptive_field": 0}
    entry(file.parent, file, **{**form, **fields})
    return name


def wrapped(module: nn.Module, precision: Precision = "fp32", device: str = "cpu", **fields: Any) -> Net:
    """Any module as a net, with no file behind it."""
    return TorchNet(card(**fields), Path("small.safetensors"), device, precision, module)


class Convolutions(nn.Module):
    """`depth` convolutions of kernel size 3 with random weights, then pixel shuffle: reaches `depth` pixels."""

    def __init__(self, depth: int, scale: int = 1, width: int = 8) -> None:
        super().__init__()
        torch.manual_seed(depth)
        widths = [3, *[width] * (depth - 1)]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in itertools.pairwise(widths))
        self.last = nn.Conv2d(widths[-1], 3 * scale**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, picture: Tensor) -> Tensor:
        features = picture
        for layer in self.layers:
            features = torch.nn.functional.leaky_relu(layer(features), 0.1)
        made: Tensor = self.shuffle(self.last(features))
        return made
