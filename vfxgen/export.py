"""Nets leave as ONNX or TorchScript: checked against torch before the file appears, with card and licences inside."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vfxgen.errors import NetError, RequestError
from vfxgen.media.publish import published
from vfxgen.version import __version__

if TYPE_CHECKING:
    from torch import Tensor, nn

    from vfxgen.backends.torch_net import TorchNet
    from vfxgen.zoo.card import Card
    from vfxgen.zoo.registry import Entry

TOLERANCE = 1e-4
"""Largest difference from torch, in code values, that a float32 file may show."""

HALF_TOLERANCE = 0.05
"""The same for fp16: enough to tell rounding from a net that is broken at half precision."""

INSTALL = "pip install 'vfxgen[onnx]' (onnx, onnxscript and onnxruntime)"


@dataclass(frozen=True)
class Parity:
    """One comparison of the exported file with torch."""

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


def export(
    entry: Entry,
    out: str | os.PathLike[str],
    to: Literal["onnx", "torchscript"] = "onnx",
    *,
    opset: int = 20,
    fp16: bool = False,
    static: tuple[int, int] | None = None,
    card: bool = False,
) -> Exported:
    """Write a net as a file that other programs run.

    Parameters
    ----------
    entry
        A net that torch runs.
    out
        The file. With TorchScript, a Nuke script that makes the ``.cat`` appears beside it, with the suffix ``.nk``.
    to
        ``onnx`` or ``torchscript``.
    opset
        Of ONNX.
    fp16
        Convolutions in half precision; resampling and the last sum, with inputs and outputs, stay float32. ONNX only.
    static
        (height, width) where the file is to take one size alone. ONNX only.
    card
        Write ``card.toml`` beside the file: the folder is then a net that vfxgen runs.

    Returns
    -------
    Exported
        Printed, it is a table of the differences.

    Raises
    ------
    NetError
        An extra is not installed, the net cannot be exported, or the file differs from torch. No file is left then.
    RequestError
        Options that do not go together, or a net that is not torch's.
    """
    from vfxgen.backends.net import load
    from vfxgen.backends.torch_net import TorchNet

    if to not in ("onnx", "torchscript"):
        raise RequestError(f"--to {to}: must be onnx or torchscript")
    if to == "torchscript" and (fp16 or static):
        raise RequestError("--fp16 and --static are of ONNX; a TorchScript takes any size, and its host halves it")
    net = load(entry, device="cpu", precision="fp32")
    if not isinstance(net, TorchNet):
        raise RequestError(f"net '{net.card.name}' is {net.card.format} already; copy {net.path}")
    if static and any(side % net.card.size_multiple for side in static):
        raise RequestError(f"--static {static[0]}x{static[1]}: must be multiples of {net.card.size_multiple}")
    out = Path(out)
    made = _exported_card(net.card, to, out.name, fp16, static)
    content = _onnx_bytes(net, made, opset, fp16, static) if to == "onnx" else _torchscript_bytes(net)
    run = _onnx_runner(net, content) if to == "onnx" else _torchscript_runner(content)
    tolerance = HALF_TOLERANCE if fp16 else TOLERANCE
    report = Exported(out, [_compared(net, run, *case) for case in _cases(net.card, static)], tolerance)
    if not max(row.largest for row in report.parity) < tolerance:
        raise NetError(f"net '{net.card.name}': the exported file differs from torch, so it was not written:\n{report}")
    _publish(out, content)
    if to == "torchscript":
        _publish(out.with_suffix(".nk"), nuke_script(net.card, out).encode())
    if card:
        _publish(out.parent / "card.toml", _card_text(made, content))
    return report


def nuke_script(card: Card, torchscript: Path) -> str:
    """The text of a Nuke script whose CatFileCreator node makes the ``.cat`` of an Inference node from a TorchScript.

    Nuke's Inference node converts no colour and pads nothing: the script's note says what the net wants.
    """
    if len(card.inputs) > 1 or len(card.outputs) > 1:
        raise RequestError(f"net '{card.name}' has several inputs or outputs; Nuke's Inference node takes one of each")
    given, made = card.inputs[0], card.outputs[0]
    multiple = f", height and width multiples of {card.size_multiple}" if card.size_multiple > 1 else ""
    note = f"encoding in: {given.encoding}, out: {made.encoding}{multiple}. Press Create, then load it in Inference."
    knobs = {
        "torchScriptFile": torchscript.as_posix(),
        "catFile": torchscript.with_suffix(".cat").as_posix(),
        "channelsIn": ", ".join(_nuke_channel(name) for name in given.channel_names),
        "channelsOut": ", ".join(_nuke_channel(name) for name in made.channel_names),
        "modelId": card.name,
        "outputScale": str(card.scale),
        "label": note,
        "name": "CatFileCreator1",
    }
    lines = [f" {name} {_tcl(value)}" for name, value in knobs.items()]
    return "\n".join(["CatFileCreator {", " inputs 0", *lines, "}", ""])


def _nuke_channel(name: str) -> str:
    return {"R": "rgba.red", "G": "rgba.green", "B": "rgba.blue"}.get(name, "rgba.alpha")


def _tcl(value: str) -> str:
    escaped = "".join(f"\\{letter}" if letter in '\\"[]${}' else letter for letter in value)
    return f'"{escaped}"'


def _onnx_bytes(net: TorchNet, card: Card, opset: int, fp16: bool, static: tuple[int, int] | None) -> bytes:
    import torch

    onnx = _needed("onnx")
    _needed("onnxscript")
    example = _example(net.card, *(static or (32, 48)), batch=1 if static else 2)
    names = [port.name for port in net.card.inputs]
    dynamic = None
    if not static:
        m = net.card.size_multiple
        sides = (torch.export.Dim("h", max=2**16), torch.export.Dim("w", max=2**16))
        axes = {
            0: torch.export.Dim("batch"),
            2: m * sides[0] if m > 1 else sides[0],
            3: m * sides[1] if m > 1 else sides[1],
        }
        dynamic = (tuple(axes for _ in names),) if fp16 else tuple(axes for _ in names)
    try:
        # The exporter talks of torchvision and of versions it converts from; what matters is checked below.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                _in_half(net.module) if fp16 else net.module,
                tuple(example),
                dynamo=True,
                opset_version=opset,
                dynamic_shapes=dynamic,
                input_names=names,
                output_names=[port.name for port in net.card.outputs],
                verbose=False,
            )
    except Exception as error:
        raise NetError(f"net '{net.card.name}': cannot be exported to ONNX ({str(error).strip()[:400]})") from error
    assert program is not None
    model = program.model_proto
    metadata = {
        "vfxgen.card": _text(card),
        "vfxgen.licences": json.dumps(card.licences.model_dump()),
        "vfxgen.encoding": json.dumps({port.name: port.encoding for port in [*card.inputs, *card.outputs]}),
        "vfxgen.precision": card.precision,
        "vfxgen.version": __version__,
    }
    onnx.helper.set_model_props(model, metadata)
    try:
        onnx.checker.check_model(model, full_check=True)
        onnx.shape_inference.infer_shapes(model, strict_mode=True)
    except Exception as error:
        raise NetError(
            f"net '{net.card.name}': ONNX's checker refuses the export ({str(error).strip()[:400]})"
        ) from None
    content: bytes = model.SerializeToString()
    return content


def _in_half(module: nn.Module) -> nn.Module:
    """The module with its convolutions and matrix products in half, all else in float32, as `Net` runs it at fp16."""
    import torch

    class Half(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, *inputs: Tensor) -> Any:
            with torch.autocast("cpu", torch.float16):
                made = self.module(*inputs)
            several = isinstance(made, (tuple, list))
            return tuple(one.float() for one in made) if several else made.float()

    return Half().eval()


def _onnx_runner(net: TorchNet, content: bytes) -> Callable[[Sequence[Tensor]], list[Tensor]]:
    import torch

    runtime = _needed("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [port.name for port in net.card.inputs]
    return lambda inputs: [
        torch.from_numpy(made)
        for made in session.run(None, {name: given.numpy() for name, given in zip(names, inputs, strict=True)})
    ]


def _torchscript_bytes(net: TorchNet) -> bytes:
    import torch

    example = _example(net.card, 32, 48)
    buffer = io.BytesIO()
    # Traced, not scripted: a script would name functions that the torch inside Nuke has not got (research: 2.1.1).
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            traced = torch.jit.trace(net.module, tuple(example), check_trace=False)  # type: ignore[no-untyped-call]
            torch.jit.save(traced, buffer, _extra_files={"vfxgen.card": _text(net.card)})
        except RuntimeError as error:
            raise NetError(f"net '{net.card.name}': cannot be traced ({str(error).strip()[:400]})") from None
    return buffer.getvalue()


def _torchscript_runner(content: bytes) -> Callable[[Sequence[Tensor]], list[Tensor]]:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module: nn.Module = torch.jit.load(io.BytesIO(content))  # type: ignore[no-untyped-call]

    def run(inputs: Sequence[Tensor]) -> list[Tensor]:
        with torch.no_grad():
            made = module(*inputs)
        return list(made) if isinstance(made, (tuple, list)) else [made]

    return run


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


def _compared(
    net: TorchNet, run: Callable[[Sequence[Tensor]], list[Tensor]], values: str, batch: int, height: int, width: int
) -> Parity:
    import torch

    inputs = _example(net.card, height, width, batch, values)
    differences = [
        (expected.float() - got.float()).abs() for expected, got in zip(net.forward(inputs), run(inputs), strict=True)
    ]
    largest = max(float(torch.nan_to_num(d, torch.inf).max()) for d in differences)
    typical = max(float(d.median()) for d in differences)
    return Parity(values, tuple(inputs[0].shape), largest, typical)


def _example(card: Card, height: int, width: int, batch: int = 1, values: str = "random") -> list[Tensor]:
    """Inputs as the net sees them: random 0..1; HDR to the ends of the encoding, with hard edges; black."""
    import torch

    from vfxgen.encoding import Encoding

    generator = torch.Generator().manual_seed(height * width)
    made = []
    for port in card.inputs:
        code = torch.rand(batch, len(port.channel_names), height, width, generator=generator)
        if values == "black":
            code = torch.zeros_like(code)
        elif values == "HDR" and port.encoding in ("log", "srgb"):
            light = torch.where(code > 0.7, 2 ** (16 * code), code * code - 0.1)
            code = Encoding(port.encoding).encode(light)
        made.append(code)
    return made


def _exported_card(card: Card, to: str, file: str, fp16: bool, static: tuple[int, int] | None) -> Card:
    weights = card.weights.model_copy(update={"file": file, "url": ""})
    inputs, outputs = card.inputs, card.outputs
    if static:
        inputs = [port.model_copy(update={"size": list(static)}) for port in inputs]
        outputs = [port.model_copy(update={"size": [card.scale * side for side in static]}) for port in outputs]
    precision = "fp16" if fp16 else "fp32"
    changed = {"format": to, "architecture": "", "hyperparameters": {}, "weights": weights, "precision": precision}
    return card.model_copy(update={**changed, "inputs": inputs, "outputs": outputs})


def _card_text(card: Card, content: bytes) -> bytes:
    known = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return _text(card.model_copy(update={"weights": card.weights.model_copy(update=known)})).encode()


def _text(card: Card) -> str:
    from vfxgen.zoo.card import dumps

    return dumps(card)


def _publish(path: Path, content: bytes) -> None:
    with published(str(path)) as temporary:
        Path(temporary).write_bytes(content)


def _needed(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise NetError(f"exporting needs {error.name or package}: {INSTALL}") from None
