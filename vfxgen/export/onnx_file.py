"""A net as an ONNX file: any batch and size, or one; float32 or half; checked by ONNX and carrying its card."""

from __future__ import annotations

import importlib
import inspect
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from vfxgen.errors import NetError
from vfxgen.export.parity import example
from vfxgen.version import __version__
from vfxgen.zoo.card import METADATA_KEY, dumps

if TYPE_CHECKING:
    from vfxgen.backends.torch_net import TorchNet
    from vfxgen.zoo.card import Card

INSTALL = "pip install 'vfxgen[onnx]' (onnx, onnxscript and onnxruntime)"


def written(net: TorchNet, card: Card, opset: int, fp16: bool, static: tuple[int, int] | None) -> bytes:
    """The contents of the ONNX file of `net`, with `card` in its metadata.

    Raises
    ------
    NetError
        An extra is not installed, torch cannot export the net, or ONNX's checker refuses what it made.
    """
    onnx = _needed("onnx")
    _needed("onnxscript")
    module = _Half(net.module).eval() if fp16 else net.module
    try:
        with _quiet():
            program = torch.onnx.export(
                module,
                tuple(example(net.card, *(static or _free_example(net.card)), batch=1 if static else 2)),
                dynamo=True,
                opset_version=opset,
                dynamic_shapes=None if static else _free_sizes(net.card, module),
                input_names=[port.name for port in net.card.inputs],
                output_names=[port.name for port in net.card.outputs],
                verbose=False,
            )
    except Exception as error:
        raise NetError(f"net '{net.card.name}': cannot be exported to ONNX ({str(error).strip()[:400]})") from error
    assert program is not None
    model = program.model_proto
    onnx.helper.set_model_props(model, _metadata(card))
    try:
        onnx.checker.check_model(model, full_check=True)
        onnx.shape_inference.infer_shapes(model, strict_mode=True)
    except Exception as error:
        raise NetError(
            f"net '{net.card.name}': ONNX's checker refuses the export ({str(error).strip()[:400]})"
        ) from None
    content: bytes = model.SerializeToString()
    return content


def runner(net: TorchNet, content: bytes) -> Callable[[Sequence[Tensor]], list[Tensor]]:
    """What runs the file on the processor with ONNX Runtime."""
    runtime = _needed("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [port.name for port in net.card.inputs]
    return lambda inputs: [
        torch.from_numpy(made)
        for made in session.run(None, {name: given.numpy() for name, given in zip(names, inputs, strict=True)})
    ]


class _Half(nn.Module):
    """A net with its convolutions and matrix products in half, all else in float32, as `Net` runs it at fp16."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Any:
        with torch.autocast("cpu", torch.float16):
            made = self.module(*inputs)
        several = isinstance(made, (tuple, list))
        return tuple(one.float() for one in made) if several else made.float()


def _free_example(card: Card) -> tuple[int, int]:
    """A height and a width that are no special case: 1 block would be taken for all that there can be."""
    return max(32, 2 * card.size_multiple), max(48, 3 * card.size_multiple)


def _free_sizes(card: Card, module: nn.Module) -> Any:
    multiple = card.size_multiple
    height, width = (torch.export.Dim(name, max=2**16) for name in ("h", "w"))
    axes = {
        0: torch.export.Dim("batch"),
        2: multiple * height if multiple > 1 else height,
        3: multiple * width if multiple > 1 else width,
    }
    each = tuple(axes for _ in card.inputs)
    # ``forward(*inputs)`` takes them as one tuple.
    parameters = inspect.signature(module.forward).parameters.values()
    return (each,) if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters) else each


def _metadata(card: Card) -> dict[str, str]:
    return {
        METADATA_KEY: dumps(card),
        "vfxgen.licences": json.dumps(card.licences.model_dump()),
        "vfxgen.encoding": json.dumps({port.name: port.encoding for port in [*card.inputs, *card.outputs]}),
        "vfxgen.precision": card.precision,
        "vfxgen.version": __version__,
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """torch's exporter talks of torchvision and of versions it converts from; what matters is checked afterwards."""
    speaker = logging.getLogger("torch.onnx._internal.exporter")
    before = speaker.level
    speaker.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        speaker.setLevel(before)


def _needed(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise NetError(f"exporting needs {error.name or package}: {INSTALL}") from None
