"""One net, loaded and warm: what goes in and comes out is held against its card, whichever library runs it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

from vfxgen.errors import RequestError
from vfxgen.log import log

if TYPE_CHECKING:
    from torch import Tensor

    from vfxgen.zoo.card import Card
    from vfxgen.zoo.registry import Entry

Precision = Literal["fp32", "fp16", "bf16"]
BACKENDS = {
    "safetensors": ("torch", "torch-compiled"),
    "torchscript": ("torch",),
    "spandrel": ("torch", "torch-compiled"),
    "onnx": ("onnxruntime", "openvino", "tensorrt"),
}
"""Format -> the backends that run it, the first of them by default."""


class Net(ABC):
    """A net that is ready to run.

    Attributes
    ----------
    card, path
        What it is, and the file its weights came from.
    device
        ``cpu`` or ``cuda:N``.
    home
        Where `forward` wants its tensors: the device, or ``cpu`` for a library that copies for itself.
    precision
        What its convolutions compute in. Inputs and outputs are float32 always.
    bytes_per_pixel, largest_tile
        What `vfxgen.backends.tiles` learned of it: memory for each input pixel, and the side of a tile that fitted when
        a larger one did not. None until it did.
    """

    def __init__(self, card: Card, path: Path, device: str, precision: Precision) -> None:
        self.card = card
        self.path = path
        self.device = self.home = device
        self.precision = precision
        self.bytes_per_pixel: float | None = None
        self.largest_tile: int | None = None

    def __str__(self) -> str:
        return f"net '{self.card.name}' ({self.path})"

    @abstractmethod
    def forward(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        """The bare net, on tensors at its home: no check, no mean and deviation."""

    @abstractmethod
    def peak_bytes(self, inputs: Sequence[Tensor]) -> int:
        """Memory that `forward` takes at its peak, measured by running it once."""

    def run(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Encoded frames through the net.

        Parameters
        ----------
        inputs
            One for each input of the card: (B, C, H, W) float32, channels in the card's order, code values of the
            card's encoding. Mean and deviation of the card are applied here.

        Returns
        -------
        Tensor or tuple of Tensor
            As the card's outputs, on the device of the first input; a tuple where there are several.

        Raises
        ------
        NetError
            The inputs are not what the card says.
        FrameError
            The outputs are not: another number, scale or channels; or NaN or infinity made from finite values.
        """
        from vfxgen.backends.contract import check_finite, check_inputs
        from vfxgen.image.tensor import is_finite

        check_inputs(self, inputs)
        made = self.computed([tensor.to(self.home) for tensor in inputs])
        check_finite(self, inputs, [is_finite(tensor) for tensor in made])
        made = [tensor.to(inputs[0].device) for tensor in made]
        return made[0] if len(made) == 1 else tuple(made)

    def computed(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """What `run` does at the net's home, and nothing that waits for a GPU: whether all is finite is not asked."""
        from vfxgen.backends.contract import check_outputs, normalised, scaled_back

        ports = self.card.inputs, self.card.outputs
        outputs = self.forward([normalised(tensor, port) for tensor, port in zip(inputs, ports[0], strict=True)])
        check_outputs(self, inputs, outputs)
        return [scaled_back(tensor.float(), port) for tensor, port in zip(outputs, ports[1], strict=True)]


def load(entry: Entry, device: str = "auto", precision: str = "auto", backend: str = "auto") -> Net:
    """A net ready to run; the same one again for the same file, device, precision and backend.

    Parameters
    ----------
    entry
        From `vfxgen.zoo.registry.find`. Its file is held against its hash first.
    device
        ``cpu``, ``cuda:N``, or ``auto``: the first CUDA device where there is one, else the processor.
    precision
        ``fp32``, ``fp16``, ``bf16``, or ``auto``: what the card says.
    backend
        ``auto``: by the net's format, ``torch`` or ``onnxruntime``, never by what happens to be installed. Or
        ``torch-compiled`` (minutes for the first tile, with CUDA graphs on a GPU; tiles then match to rounding),
        ``openvino``, ``tensorrt``. Bits differ between backends, in the last digits.

    Raises
    ------
    RequestError
        The device is not there, or the backend does not run nets of this format.
    NetError
        The file is missing, damaged, not what the card says, or of a kind that is not run.

    Examples
    --------
    >>> resolve_device("cpu")
    'cpu'
    """
    from vfxgen.zoo.registry import check_runnable, verify

    card = entry.card
    check_runnable(card)
    backend = _resolve_backend(card, backend)
    device = resolve_device(device, f"net '{card.name}'")
    chosen = _resolve_precision(card, precision)
    path = verify(entry)
    key = (card.model_dump_json(), str(path), device, chosen, backend)
    with _lock:
        if key not in _warm:
            _warm[key] = _load(card, path, device, chosen, backend)
            log.info("net '%s' runs on %s at %s (%s)", card.name, device, _warm[key].precision, backend)
        return _warm[key]


def check(entry: Entry, device: str, backend: str) -> None:
    """Refuse what `load` would for its device, backend or format, without loading anything.

    Raises
    ------
    RequestError
        The device is not there, or the backend does not run nets of this format.
    """
    from vfxgen.zoo.registry import check_runnable

    check_runnable(entry.card)
    _resolve_backend(entry.card, backend)
    # There always is one for auto: torch is not asked.
    if device != "auto":
        resolve_device(device, f"net '{entry.card.name}'")


_warm: dict[tuple[str, ...], Net] = {}
_lock = threading.Lock()


def _load(card: Card, path: Path, device: str, precision: Precision, backend: str) -> Net:
    if card.format == "onnx":
        from vfxgen.backends.onnx_net import OnnxNet

        return OnnxNet(card, path, device, precision, backend)
    from vfxgen.backends.torch_net import TorchNet, load_safetensors, load_torchscript

    if card.format == "torchscript":
        return load_torchscript(card, path, device, precision)
    if card.format == "spandrel":
        from vfxgen.backends.spandrel_net import load_spandrel

        net = load_spandrel(card, path, device, precision)
    else:
        net = load_safetensors(card, path, device, precision)
    if backend == "torch-compiled":
        return TorchNet(card, path, device, precision, net.module, compile=True)
    return net


def resolve_device(device: str, who: str = "this net") -> str:
    """``cpu`` or ``cuda:N`` for what was asked; never another device than the one asked for.

    Raises
    ------
    RequestError
        No such device; the message says why and what to do.
    """
    if device == "cpu":
        return device
    import torch

    kind, _, number = device.partition(":")
    if device != "auto" and (kind != "cuda" or (number and not number.isdecimal()) or device.endswith(":")):
        raise RequestError(f"{who}: device '{device}' must be auto, cpu or cuda:N")
    if torch.cuda.is_available():
        index, count = int(number or 0), torch.cuda.device_count()
        if index < count:
            return f"cuda:{index}"
        raise RequestError(f"{who}: device '{device}' was asked for, but there are {count}: cuda:0 .. cuda:{count - 1}")
    if device == "auto":
        return "cpu"
    why = "this torch is built without CUDA" if torch.version.cuda is None else "no CUDA device can be used here"
    raise RequestError(
        f"{who}: device '{device}' was asked for, but {why}. Ask for --device cpu or auto, or install torch with CUDA "
        f"and a driver for it (vfxgen doctor)"
    )


def _resolve_backend(card: Card, backend: str) -> str:
    able = BACKENDS[card.format]
    if backend == "auto":
        return able[0]
    if backend not in able:
        remedy = ""
        if card.format == "safetensors" and backend in BACKENDS["onnx"]:
            remedy = f". Export it first: vfxgen export {card.name} --to onnx --card"
        raise RequestError(
            f"net '{card.name}' is of the format {card.format}, which runs on {' | '.join(able)}, not on "
            f"'{backend}'{remedy}"
        )
    return backend


def _resolve_precision(card: Card, precision: str) -> Precision:
    if precision == "auto":
        return card.precision
    for known in get_args(Precision):
        if precision == known:
            return cast(Precision, known)
    raise RequestError(f"net '{card.name}': precision '{precision}' must be auto, fp32, fp16 or bf16")
