"""Nets that torch runs: our own architectures from safetensors, and TorchScript."""

from __future__ import annotations

import importlib.util
import os
import shutil
import warnings
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from vfxgen.backends.memory import keep_freed
from vfxgen.backends.net import Net, Precision
from vfxgen.errors import NetError

if TYPE_CHECKING:
    from vfxgen.zoo.card import Card

TYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}


class TorchNet(Net):
    """A torch module in inference mode, channels last.

    fp16 and bf16 go through autocast: convolutions compute in half, while sums, skips and resampling of float32 stay
    float32. At fp32 nothing is rounded to TF32.

    Parameters
    ----------
    module
        Takes the card's inputs, gives a tensor or a tuple or list of them.
    compile
        Through `torch.compile`, anew for each shape of a tile: faster after a first call of up to minutes. On CUDA with
        CUDA graphs, which replay a tile's work in one launch. Its bits are not those of the plain net.
    """

    def __init__(
        self, card: Card, path: Path, device: str, precision: Precision, module: nn.Module, compile: bool = False
    ) -> None:
        super().__init__(card, path, device, precision)
        if compile and (missing := compiler_missing(device)):
            raise NetError(f"{self}: torch-compiled was asked for, but {missing}. Or ask for --backend torch")
        if device == "cpu":
            keep_freed()
        self.module: nn.Module = module.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._graphs = compile and device != "cpu"
        mode = "reduce-overhead" if self._graphs else "default"
        self._call: Callable[..., Any] = torch.compile(self.module, mode=mode) if compile else self.module
        onednn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        self._one_kernel = device == "cpu" and precision == "fp32" and not compile and onednn

    def forward(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode())
            if self.precision != "fp32":
                stack.enter_context(torch.autocast(torch.device(self.device).type, TYPES[self.precision]))
            if self._one_kernel:
                stack.enter_context(OneKernel())
            if self.device != "cpu":
                # Kernels chosen by timing, or TF32 where fp32 was asked for, would change bits from run to run.
                stack.enter_context(
                    torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
                )
            made = self._call(*(tensor.contiguous(memory_format=torch.channels_last) for tensor in inputs))
            results = list(made) if isinstance(made, (tuple, list)) else [made]
            # A CUDA graph writes its next result where this one lies.
            return [result.clone() for result in results] if self._graphs else results

    def peak_bytes(self, inputs: Sequence[Tensor]) -> int:
        if self.device == "cpu":
            with LiveTensors() as live:
                self.forward(inputs)
            peak: int = live.peak
            return peak
        torch.cuda.reset_peak_memory_stats(self.device)
        before = torch.cuda.memory_allocated(self.device)
        self.forward(inputs)
        return int(torch.cuda.max_memory_allocated(self.device) - before)


def compiler_missing(device: str) -> str:
    """Why `torch.compile` cannot make code for a device here, in words; empty where it can."""
    if device != "cpu":
        return "" if importlib.util.find_spec("triton") else "Triton is not there: pip install triton"
    compiler = os.environ.get("CXX", "g++")
    return "" if shutil.which(compiler) else f"there is no C++ compiler: install g++, or name one in $CXX ({compiler})"


class OneKernel(TorchFunctionMode):
    """Convolutions of every size through one library, so that a tile has the bits of the whole frame.

    torch computes a float32 convolution of few values (20480 and less) with another algorithm than a larger one, whose
    sums round differently: small tiles, and deep levels of large ones, would differ from the frame in the last bits.
    """

    def __torch_function__(
        self, function: Any, types: Any, arguments: Sequence[Any] = (), keywords: dict[str, Any] | None = None
    ) -> Any:
        if function is torch.conv2d:
            return _convolution(*arguments, **(keywords or {}))
        return function(*arguments, **(keywords or {}))


def _convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    if isinstance(padding, str) or input.ndim != 4 or input.dtype != torch.float32:
        return torch.conv2d(input, weight, bias, stride, padding, dilation, groups)
    pairs = [[value] * 2 if isinstance(value, int) else list(value) for value in (padding, stride, dilation)]
    through_onednn: Callable[..., Tensor] = torch.mkldnn_convolution
    return through_onednn(input, weight, bias, *pairs, groups)


class LiveTensors(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of tensors made within the block that are alive at one time; `peak` is the most there were.

    Unlike the process's memory this does not depend on what other threads do, so a plan made from it is the same every
    time.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = self._now = 0
        self._sizes: dict[int, int] = {}

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), keywords: Any = None) -> Any:
        made = function(*arguments, **(keywords or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self._sizes:
                    self._sizes[storage._cdata] = storage.nbytes()
                    self._now += storage.nbytes()
                    weakref.finalize(storage, self._freed, storage._cdata)
        self.peak = max(self.peak, self._now)
        return made

    def _freed(self, storage: int) -> None:
        self._now -= self._sizes.pop(storage)


def load_safetensors(card: Card, path: Path, device: str, precision: Precision) -> TorchNet:
    """A net of `vfxgen.architectures` with its weights.

    Raises
    ------
    NetError
        The file is damaged, its tensors are not those of the architecture, or the card says less than the net's reach.
    RequestError
        There is no such architecture.
    """
    from vfxgen.architectures import build

    module = build(card.architecture, **card.hyperparameters)  # type: ignore[arg-type]
    weights = read_safetensors(card, path)
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    if found != expected:
        raise NetError(
            f"net '{card.name}': {path} does not hold the weights of {card.architecture} "
            f"{card.hyperparameters}: {_differences(expected, found)}"
        )
    module.load_state_dict(weights)
    collapse = getattr(module, "collapsed", None)
    module = collapse() if callable(collapse) else module
    _check_reach(card, module)
    return TorchNet(card, path, device, precision, module)


def _check_reach(card: Card, module: Any) -> None:
    """Pass, or raise `NetError` where tiles that are cut as the card says would not be those of the whole frame."""
    reach, multiple = module.receptive_field, module.size_multiple
    bounded = card.receptive_field is not None
    if (bounded and (reach is None or reach > card.receptive_field)) or card.size_multiple % multiple:
        wanted = "no receptive_field" if reach is None else f"receptive_field = {reach}"
        raise NetError(
            f"net '{card.name}': its card says receptive_field = {card.receptive_field} and size_multiple = "
            f"{card.size_multiple}; {card.architecture} {card.hyperparameters} has {wanted} and size_multiple = "
            f"{multiple}: write these into the card"
        )


def read_safetensors(card: Card, path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises
    ------
    NetError
        The file is cut short, damaged, or of another kind.
    """
    import safetensors.torch

    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise NetError(f"net '{card.name}': {path} is no readable safetensors file ({error})") from None


def load_torchscript(card: Card, path: Path, device: str, precision: Precision) -> TorchNet:
    """A TorchScript archive: read by torch's own reader, which runs none of the Python that a pickle may hold.

    Raises
    ------
    NetError
        The file is no TorchScript, or of a newer torch.
    """
    try:
        with warnings.catch_warnings():
            # That torch would rather see another format is no news to who runs a studio's file.
            warnings.simplefilter("ignore", DeprecationWarning)
            module: nn.Module = torch.jit.load(str(path), map_location=device)  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        said = str(error).strip().splitlines()[0]
        raise NetError(f"net '{card.name}': {path} is no TorchScript file that torch can read ({said})") from None
    return TorchNet(card, path, device, precision, module)


def _differences(expected: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]]) -> str:
    def few(names: Iterable[str]) -> str:
        listed = sorted(names)
        return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")

    said = []
    if missing := expected.keys() - found.keys():
        said.append(f"missing {few(missing)}")
    if unknown := found.keys() - expected.keys():
        said.append(f"unknown {few(unknown)}")
    wrong = [name for name in expected.keys() & found.keys() if expected[name] != found[name]]
    if wrong:
        name = min(wrong)
        said.append(f"{name} is {found[name]}, should be {expected[name]} ({len(wrong)} of other shape)")
    return "; ".join(said)
