"""Nets as ONNX files, run by ONNX Runtime on the processor, CUDA, TensorRT or OpenVINO."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from vfxgen.backends.memory import give_back, is_exhausted, keep_freed, status_bytes
from vfxgen.backends.net import Net, Precision
from vfxgen.errors import NetError, RequestError
from vfxgen.zoo.inspection import check_one_file

if TYPE_CHECKING:
    from vfxgen.zoo.card import Card

PRECISION_KEY = "vfxgen.precision"
"""Metadata of an exported file: what it computes in, where its inputs do not tell."""

INSTALL = "pip install 'vfxgen[onnx]' (on a machine with CUDA: pip install onnxruntime-gpu)"
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class OnnxNet(Net):
    """An ONNX file in a session of its own.

    Precision is a property of the file: a file of float32 cannot be asked for fp16 (export it with ``--fp16``), nor the
    other way round. No provider takes over from another in silence: the one asked for is there, or there is an error.
    """

    def __init__(self, card: Card, path: Path, device: str, precision: Precision, backend: str) -> None:
        super().__init__(card, path, device, precision)
        self.home = "cpu"
        if device == "cpu":
            keep_freed()
        self._session = _session(card, path, providers(device, backend, f"net '{card.name}'"))
        self._inputs = self._session.get_inputs()
        self._check_card()
        self._check_precision()

    def forward(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        if self._inputs[0].shape[0] != 1 or len(inputs[0]) == 1:
            return self._run(inputs)
        # The file takes one picture at a time.
        one_by_one = [self._run([tensor[i : i + 1] for tensor in inputs]) for i in range(len(inputs[0]))]
        return [torch.cat(made) for made in zip(*one_by_one, strict=True)]

    def _run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        given = {
            port.name: np.ascontiguousarray(tensor.detach().cpu().numpy(), _TYPES[port.type])
            for port, tensor in zip(self._inputs, inputs, strict=True)
        }
        names = [port.name for port in self.card.outputs]
        try:
            return [torch.from_numpy(np.asarray(made)) for made in self._session.run(names, given)]
        except Exception as error:
            if is_exhausted(error):
                raise MemoryError(str(error)) from None
            raise NetError(f"{self}: ONNX Runtime failed: {_first_line(error)}") from None

    def peak_bytes(self, inputs: Sequence[Tensor]) -> int:
        if self.device != "cpu":
            free = torch.cuda.mem_get_info(self.device)[0]
            self.forward(inputs)
            return free - torch.cuda.mem_get_info(self.device)[0]
        # Memory that was freed but not given back would hide what the net takes.
        give_back()
        Path("/proc/self/clear_refs").write_text("5")
        before = status_bytes("VmRSS")
        self.forward(inputs)
        return max(0, status_bytes("VmHWM") - before)

    def _check_card(self) -> None:
        found = {port.name: port.shape for port in self._inputs}
        named = [port.name for port in self.card.inputs]
        if list(found) != named:
            raise NetError(f"{self}: has the inputs {', '.join(found)}, its card says {', '.join(named)}")
        for port in self.card.inputs:
            shape = [side if isinstance(side, int) else None for side in found[port.name]]
            wanted = [None, len(port.channel_names) or None, *(port.size or (None, None))]
            fits = len(shape) == 4 and all(a == b for a, b in zip(shape[1:], wanted[1:], strict=True) if a and b)
            if not fits or (shape[2] and not port.size):
                raise NetError(
                    f"{self}: input '{port.name}' has the shape {found[port.name]}, its card says "
                    f"channels '{port.channels}', size {port.size or 'any'}"
                )
        made = {port.name: port.shape for port in self._session.get_outputs()}
        if absent := [port.name for port in self.card.outputs if port.name not in made]:
            raise NetError(f"{self}: has no output {', '.join(absent)}; it has {', '.join(made)}")
        for port in self.card.outputs:
            shape, count = made[port.name], len(port.channel_names)
            if count and len(shape) == 4 and isinstance(shape[1], int) and shape[1] != count:
                raise NetError(
                    f"{self}: output '{port.name}' has {shape[1]} channels, its card says '{port.channels}'; "
                    "name each, such as 'background A'"
                )
        if odd := [port.name for port in self._inputs if port.type not in _TYPES]:
            raise NetError(f"{self}: input {', '.join(odd)} takes no floats")

    def _check_precision(self) -> None:
        stated = self._session.get_modelmeta().custom_metadata_map.get(PRECISION_KEY)
        half = any(port.type == "tensor(float16)" for port in self._inputs)
        file_has = stated or ("fp16" if half else "fp32")
        if file_has != self.precision:
            raise RequestError(
                f"{self}: this file computes in {file_has}, {self.precision} was asked for; "
                f"export the net again (vfxgen export, with or without --fp16), or ask for --precision {file_has}"
            )


def providers(device: str, backend: str, who: str) -> list[tuple[str, dict[str, Any]]]:
    """ONNX Runtime's providers for a device and a backend, each with the options that keep fp32 exact.

    Raises
    ------
    RequestError
        The installed ONNX Runtime has not got it; the message says how to get it.
    NetError
        ONNX Runtime is not installed.

    Examples
    --------
    >>> providers("cpu", "onnxruntime", "net 'x'")
    [('CPUExecutionProvider', {})]
    """
    available = _runtime().get_available_providers()
    index = int(device.partition(":")[2] or 0)
    cuda = ("CUDAExecutionProvider", {"device_id": index, "use_tf32": 0, "arena_extend_strategy": "kSameAsRequested"})
    cpu: tuple[str, dict[str, Any]] = ("CPUExecutionProvider", {})
    if backend == "openvino" and device == "cpu":
        # Left alone, OpenVINO computes in bfloat16 on processors that have it: an error of 4e-2.
        wanted = [("OpenVINOExecutionProvider", {"device_type": "CPU", "precision": "FP32"}), cpu]
    elif backend == "tensorrt" and device != "cpu":
        wanted = [("TensorrtExecutionProvider", {"device_id": index, "trt_fp16_enable": False}), cuda, cpu]
    elif backend == "onnxruntime":
        wanted = [cpu] if device == "cpu" else [cuda, cpu]
    else:
        raise RequestError(f"{who}: the backend {backend} does not run on {device}")
    if missing := [name for name, _ in wanted if name not in available]:
        raise RequestError(
            f"{who}: {backend} on {device} was asked for, but this ONNX Runtime has no {', '.join(missing)} "
            f"(it has {', '.join(available)}). Install onnxruntime-gpu (CUDA, TensorRT) or onnxruntime-openvino in its "
            f"place, or ask for --device cpu --backend onnxruntime"
        )
    return wanted


def _session(card: Card, path: Path, wanted: list[tuple[str, dict[str, Any]]]) -> Any:
    runtime = _runtime()
    check_one_file(path)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # What old exporters left in a file is no news to who runs it.
    options.log_severity_level = 3
    # The arena would keep the peak of a tile for as long as the net is warm.
    options.enable_cpu_mem_arena = False
    try:
        session = runtime.InferenceSession(str(path), options, providers=wanted)
    except Exception as error:
        raise NetError(f"net '{card.name}': {path} is no ONNX file that runs here ({_first_line(error)})") from None
    session.disable_fallback()
    if session.get_providers()[0] != wanted[0][0]:
        raise NetError(f"net '{card.name}': {wanted[0][0]} was asked for, but does not start; see its messages above")
    return session


def _runtime() -> Any:
    try:
        return importlib.import_module("onnxruntime")
    except ImportError:
        raise NetError(f"ONNX nets need ONNX Runtime: {INSTALL}") from None


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
