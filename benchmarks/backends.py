"""Our nets on the processor, one thread, in every library that runs them: time beside plain torch, and error.

OpenVINO and ncnn take part where ``pip install openvino ncnn pnnx`` put them.
"""

from __future__ import annotations

import copy
import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from benchmarks.results import publish
from vfxgen.architectures import build
from vfxgen.backends.memory import keep_freed
from vfxgen.backends.torch_net import OneKernel, read_safetensors
from vfxgen.zoo import registry

NETS = ("upscale-x2", "upscale-x4", "unet", "inpainter")
SIDE, RUNS = 256, 5

Runner = Callable[[Tensor], Tensor]


def main() -> None:
    """Measure every net in a process of its own."""
    rows: list[dict[str, object]] = []
    for name in NETS:
        rows += _in_child(name)
    notes = [
        f"one thread, {SIDE}x{SIDE} pixels, float32, median of {RUNS} runs in turns; unet, inpainter: random weights.",
        "CPU: process time / that of torch as it comes. Given back, kept: what becomes of memory that a layer frees "
        "(vfxgen.backends.memory). vfxgen runs the row 'vfxgen', kept.",
        "error: largest difference from the same net in float64, over its largest output.",
    ]
    publish("backends", "Backends on the processor", rows, notes)


def _in_child(name: str) -> list[dict[str, object]]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.backends", name]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return cast(list[dict[str, object]], json.loads(done.stdout.splitlines()[-1]))


def measure(name: str) -> list[dict[str, object]]:
    """One of `NETS` in every library."""
    torch.set_num_threads(1)
    net = _net(name)
    picture = torch.rand(1, net.get_parameter(_first_weight(net)).shape[1], SIDE, SIDE)
    with torch.inference_mode():
        truth = copy.deepcopy(net).double()(picture.double())
    with tempfile.TemporaryDirectory() as folder:
        runners = _runners(name, net, picture, Path(folder))
        given_back = _seconds(runners, picture)
        keep_freed()
        kept = _seconds(runners, picture)
        base = given_back["torch"]
        return [
            {
                "net": name,
                "backend": backend,
                "CPU, given back": given_back[backend] / base,
                "CPU, kept": kept[backend] / base,
                "error": float((run(picture).double() - truth).abs().max() / truth.abs().max()),
            }
            for backend, run in runners.items()
        ]


def _net(name: str) -> nn.Module:
    if name in ("unet", "inpainter"):
        torch.manual_seed(0)
        net = build(name)
        for parameter in net.parameters():
            parameter.data.add_(0.02 * torch.randn_like(parameter))
        return net.eval().requires_grad_(False)
    entry = registry.find(name)
    net = build(entry.card.architecture, **entry.card.hyperparameters)  # type: ignore[arg-type]
    net.load_state_dict(read_safetensors(entry.card, registry.verify(entry)))
    return net.eval().requires_grad_(False)


def _first_weight(net: nn.Module) -> str:
    return next(name for name, parameter in net.named_parameters() if parameter.ndim == 4)


def _runners(name: str, net: nn.Module, picture: Tensor, folder: Path) -> dict[str, Runner]:
    last = copy.deepcopy(net).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    compiled = torch.compile(last)

    def ours(given: Tensor) -> Tensor:
        with torch.inference_mode(), OneKernel():
            return cast(Tensor, last(given.contiguous(memory_format=torch.channels_last)))

    def inductor(given: Tensor) -> Tensor:
        with torch.inference_mode():
            return cast(Tensor, compiled(given.contiguous(memory_format=torch.channels_last)))  # type: ignore[no-untyped-call]

    content = _onnx(net, picture)
    found: dict[str, Runner] = {"torch": net, "vfxgen": ours, "torch.compile": inductor}
    found["ONNX Runtime"] = _onnx_runtime(content)
    if _there("openvino"):
        found["OpenVINO"] = _openvino(content)
    # pnnx cannot convert the attention of the inpainter.
    if _there("ncnn") and _there("pnnx") and name != "inpainter":
        _to_ncnn(net, picture, folder)
        found["ncnn, Winograd"] = _ncnn(folder, winograd=True)
        found["ncnn, no Winograd"] = _ncnn(folder, winograd=False)
    return found


def _seconds(runners: dict[str, Runner], picture: Tensor) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in runners}
    for run in runners.values():
        run(picture)
    for _ in range(RUNS):
        for name, run in runners.items():
            start = time.process_time()
            run(picture)
            taken[name].append(time.process_time() - start)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _there(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _onnx(net: nn.Module, picture: Tensor) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(net, (picture,), dynamo=True, opset_version=20, input_names=["x"], verbose=False)
    assert program is not None
    content: bytes = program.model_proto.SerializeToString()
    return content


def _onnx_runtime(content: bytes) -> Runner:
    runtime: Any = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda given: torch.from_numpy(session.run(None, {"x": given.numpy()})[0])


def _openvino(content: bytes) -> Runner:
    core: Any = importlib.import_module("openvino").Core()
    # Left alone, it computes in bfloat16 where the processor has it.
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(core.read_model(content), "CPU", settings).create_infer_request()
    return lambda given: torch.from_numpy(next(iter(request.infer([given.numpy()]).values())).copy())


def _to_ncnn(net: nn.Module, picture: Tensor, folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(net, picture, check_trace=False), str(folder / "net.pt"))  # type: ignore[no-untyped-call]
    shape = f"inputshape=[{','.join(map(str, picture.shape))}]"
    program = Path(sys.executable).parent / "pnnx"
    subprocess.run([program, "net.pt", shape, "fp16=0"], cwd=folder, stdout=subprocess.DEVNULL, check=True)


def _ncnn(folder: Path, winograd: bool) -> Runner:
    ncnn: Any = importlib.import_module("ncnn")
    numpy: Any = importlib.import_module("numpy")
    loaded = ncnn.Net()
    loaded.opt.num_threads = 1
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
        setattr(loaded.opt, option, False)
    loaded.opt.use_winograd_convolution = winograd
    loaded.load_param(str(folder / "net.ncnn.param"))
    loaded.load_model(str(folder / "net.ncnn.bin"))

    def run(given: Tensor) -> Tensor:
        extractor = loaded.create_extractor()
        extractor.input("in0", ncnn.Mat(given[0].numpy()))
        return torch.from_numpy(numpy.array(extractor.extract("out0")[1]))[None]

    return run


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        main()
