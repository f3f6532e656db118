"""What every architecture must show: its stated reach is its measured reach, and it leaves as ONNX and TorchScript."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn


def shaken(net: nn.Module, seed: int = 7) -> nn.Module:
    """The net with every weight moved, so that branches which start at zero take part."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            size = 0.5 * float(parameter[0].numel()) ** -0.5 if parameter.ndim > 1 else 0.05
            parameter.add_(size * torch.randn(parameter.shape, generator=random))
    return net.eval()


def changed(net: nn.Module, channels: int, side: int, at: tuple[int, int]) -> tuple[np.ndarray, int]:
    """Where the output changes (boolean, (H, W)) when one input pixel does, in float64; and output pixels per input."""
    net = net.double()
    picture = torch.rand(1, channels, side, side, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    other = picture.clone()
    other[..., at[0], at[1]] += 1000.0
    with torch.inference_mode():
        before, after = net(picture), net(other)
    return (before != after).any(1)[0].numpy(), before.shape[-1] // side


def measured_reach(net: nn.Module, channels: int, side: int, phases: int) -> int:
    """The farthest output change, in input pixels, over all phases of the changed pixel around the middle."""
    far = 0
    for phase in range(phases):
        at = side // 2 + phase
        where, scale = changed(net, channels, side, (at, at))
        rows = np.flatnonzero(where.any(1)) // scale
        far = max(far, int(rows.max()) - at, at - int(rows.min()))
    return far


def onnx_difference(net: nn.Module, example: Tensor, other: Tensor, folder: Path) -> float:
    """Export with free batch, height and width, and run at another size: largest difference from torch."""
    for module in ("onnx", "onnxscript"):
        pytest.importorskip(module)
    runtime = pytest.importorskip("onnxruntime")
    path = folder / "net.onnx"
    multiple = int(net.size_multiple)  # type: ignore[arg-type]
    height, width = (multiple * torch.export.Dim(n, min=2) for n in ("rows", "columns"))
    shapes = ({0: torch.export.Dim("batch"), 2: height, 3: width},)
    program = torch.onnx.export(net, (example,), dynamo=True, opset_version=20, dynamic_shapes=shapes, verbose=False)
    assert program is not None
    program.save(path)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (result,) = session.run(None, {session.get_inputs()[0].name: other.numpy()})
    with torch.inference_mode():
        return float((net(other) - torch.from_numpy(result)).abs().max())


def traced_difference(net: nn.Module, example: Tensor, other: Tensor) -> float:
    """`torch.jit.trace` at one size, run at another: largest difference."""
    with torch.inference_mode():
        return float((torch.jit.trace(net, example)(other) - net(other)).abs().max())  # type: ignore[no-untyped-call]
