"""Foreign weights of architectures that spandrel knows, without the clamp to 0..1 that spandrel puts around them."""

from __future__ import annotations

import importlib
import os
import pickle
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

import torch
from torch import Tensor, nn

from vfxgen.backends.net import Precision
from vfxgen.backends.torch_net import TorchNet, read_safetensors
from vfxgen.errors import NetError, RequestError
from vfxgen.log import log

if TYPE_CHECKING:
    from vfxgen.zoo.card import Card

INSTALL = "pip install 'vfxgen[nets]'"
TORCHVISION = (
    "install the torchvision that belongs to this torch (for a CPU torch: "
    "pip install torchvision --index-url https://download.pytorch.org/whl/cpu)"
)


def load_spandrel(card: Card, path: Path, device: str, precision: Precision) -> TorchNet:
    """A net that spandrel recognises by its weights alone.

    Raises
    ------
    NetError
        spandrel is not installed, the file is unsafe or damaged, or its architecture is not known.
    RequestError
        The architecture does not work at the precision asked for.
    """
    spandrel = import_spandrel()
    weights = _read(card, path)
    try:
        descriptor = spandrel.ModelLoader("cpu").load_from_state_dict(spandrel.canonicalize_state_dict(weights))
    except spandrel.UnsupportedModelError:
        raise NetError(f"net '{card.name}': {path}: its weights are of no architecture that spandrel knows") from None
    except (RuntimeError, KeyError, ValueError, AssertionError) as error:
        raise NetError(f"net '{card.name}': {path}: its weights do not fit together ({error})") from None
    name = descriptor.architecture.name
    if (precision, True) in (("fp16", not descriptor.supports_half), ("bf16", not descriptor.supports_bfloat16)):
        raise RequestError(f"net '{card.name}': {name} does not work at {precision}; ask for --precision fp32")
    found = {"scale": getattr(descriptor, "scale", 1), "channels": descriptor.output_channels}
    said = {"scale": card.scale, "channels": len(card.outputs[0].channel_names) or found["channels"]}
    if found != said:
        raise NetError(f"net '{card.name}': {path} is {name} with {_pairs(found)}; its card says {_pairs(said)}")
    size = descriptor.size_requirements
    if size.square or size.minimum > card.size_multiple or card.size_multiple % size.multiple_of:
        wanted = [side for port in card.inputs for side in port.size]
        if not wanted or min(wanted) < size.minimum or any(side % size.multiple_of for side in wanted):
            raise NetError(
                f"net '{card.name}': {path}: {name} wants at least {size.minimum} pixels, in multiples of "
                f"{size.multiple_of}{', square' * size.square}; write size_multiple (or a fixed size) in its card"
            )
    return TorchNet(card, path, device, precision, Unclamped(descriptor))


class Unclamped(nn.Module):
    """A net as spandrel calls it, less the clamp to 0..1: code values above 1 are highlights."""

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        self.model = descriptor.model
        # Some architectures give several pictures, or another range; this is spandrel's knowledge of which and what.
        self._call = descriptor._call_fn

    def forward(self, *inputs: Tensor) -> Tensor:
        """Picture (B, C, H, W), for inpainting also mask (B, 1, H, W) -> (B, C, scale H, scale W)."""
        made: Tensor = self._call(self.model, *inputs)
        return made


def import_spandrel() -> Any:
    """The spandrel package, which wants torchvision for three names of which two architectures use two.

    torchvision has no wheel for some builds of torch, and one for another build fails to import. There the three names
    are stood in for while spandrel is imported; what LaMa with a learned rotation needs then says how to get it.

    Raises
    ------
    NetError
        spandrel is not installed.
    """
    if "spandrel" in sys.modules:
        return sys.modules["spandrel"]
    try:
        importlib.import_module("torchvision.transforms.functional")
        return _import()
    except (ImportError, RuntimeError) as error:
        log.info("spandrel is imported without torchvision (%s)", error)
    with _without_torchvision():
        return _import()


def _import() -> Any:
    try:
        return importlib.import_module("spandrel")
    except ModuleNotFoundError as error:
        if error.name != "spandrel":
            raise
        raise NetError(f"foreign nets need spandrel: {INSTALL}") from None


@contextmanager
def _without_torchvision() -> Iterator[None]:
    functional = ModuleType("torchvision.transforms.functional")
    functional.__dict__.update(InterpolationMode=_Interpolation, rotate=_rotate, normalize=_normalize)
    names = ("torchvision", "torchvision.transforms", functional.__name__)
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "torchvision"}
    for name in before:
        del sys.modules[name]
    sys.modules.update(zip(names, (ModuleType(names[0]), ModuleType(names[1]), functional), strict=True))
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
        sys.modules.update(before)


class _Interpolation:
    BILINEAR = "bilinear"


def _rotate(*arguments: Any, **keywords: Any) -> NoReturn:
    raise NetError(f"this net rotates its features with torchvision: {TORCHVISION}")


def _normalize(tensor: Tensor, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Tensor:
    shift = torch.tensor(mean, dtype=tensor.dtype, device=tensor.device)[:, None, None]
    scale = torch.tensor(std, dtype=tensor.dtype, device=tensor.device)[:, None, None]
    return tensor.sub_(shift).div_(scale) if inplace else (tensor - shift) / scale


def _read(card: Card, path: Path) -> dict[str, Tensor]:
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".safetensors":
        return read_safetensors(card, path)
    if suffix not in (".pth", ".pt", ".ckpt"):
        raise NetError(f"net '{card.name}': {path}: spandrel reads .pth, .pt, .ckpt and .safetensors")
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise NetError(
            f"net '{card.name}': {path} holds more than weights, so it was not opened: a pickle can run any code "
            f"({str(error).strip().splitlines()[0]}). Ask its author for a .safetensors file"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise NetError(f"net '{card.name}': {path} is cut short or no torch file ({said})") from None
    if not isinstance(weights, dict):
        raise NetError(f"net '{card.name}': {path} holds a {type(weights).__name__}, not weights by name")
    return weights


def _pairs(values: dict[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
