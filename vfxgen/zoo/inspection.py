"""What a weights file says of itself: ports, sizes, scale, architecture. Nothing is unpickled or executed but ONNX."""

from __future__ import annotations

import importlib
import json
import mmap
import pickle
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vfxgen.errors import NetError, RequestError
from vfxgen.zoo.card import METADATA_KEY

Shape = tuple[int | str, ...]
PROBE = 64
# TensorProto.external_data (field 13) with the key that names a file, as protobuf writes it.
_ELSEWHERE = re.compile(rb"j.{1,2}\n\x08location\x12", re.DOTALL)
_WRAPPERS = ("params_ema", "params", "state_dict", "model", "net", "generator", "g_ema")


@dataclass(frozen=True)
class Tensor:
    """An input or output: its name, its shape with words where a size is free, and its type."""

    name: str
    shape: Shape
    type: str = "float32"

    @property
    def channels(self) -> int:
        """How many, where it looks like a picture (B, C, H, W); else 0."""
        looks = len(self.shape) == 4 and isinstance(self.shape[1], int) and 1 <= self.shape[1] <= 4
        return int(self.shape[1]) if looks else 0

    @property
    def size(self) -> list[int]:
        """``[height, width]`` of a picture, where they are fixed."""
        return [side for side in self.shape[2:] if isinstance(side, int)] if self.is_fixed else []

    @property
    def is_fixed(self) -> bool:
        """Whether it is a picture of one size alone."""
        return self.channels > 0 and all(isinstance(side, int) for side in self.shape[2:])


@dataclass(frozen=True)
class Findings:
    """What could be found out; what is None or empty could not."""

    format: str
    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    scale: int | None = None
    card: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def inspect(file: Path) -> Findings:
    """Look into a weights file.

    Raises
    ------
    RequestError
        It is a folder, or no format of nets that vfxgen knows.
    NetError
        It cannot be read, is damaged, or wants to run code when it is loaded.
    """
    readers: dict[str, Callable[[Path], Findings]] = {".onnx": _onnx, ".safetensors": _safetensors}
    readers |= dict.fromkeys((".pth", ".pt", ".ckpt"), _torch)
    if file.is_dir():
        raise RequestError(f"{file}: is a folder; give a weights file (diffusers folders are not run by this version)")
    if file.suffix.lower() not in readers:
        raise RequestError(
            f"{file}: a net is a file {' '.join(sorted(readers))}, not '{file.suffix}'; export it to ONNX"
        )
    if not file.is_file():
        raise NetError(f"{file}: is not there; give a weights file")
    return readers[file.suffix.lower()](file)


def check_one_file(file: Path) -> None:
    """Pass, or say that an ONNX file keeps its weights in another: a card's hash would vouch for the graph alone.

    Raises
    ------
    NetError
        It does.
    """
    with open(file, "rb") as opened:
        # An empty file cannot be mapped; ONNX Runtime says what it is.
        if not file.stat().st_size:
            return
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            elsewhere = _ELSEWHERE.search(content)
    if elsewhere:
        raise NetError(
            f"{file}: keeps its weights in a second file, which no card's hash covers; save it as one file: "
            "torch.onnx.export(..., external_data=False)"
        )


def _onnx(file: Path) -> Findings:
    check_one_file(file)
    try:
        onnxruntime = importlib.import_module("onnxruntime")
    except ImportError:
        raise NetError(f"{file}: to look into an ONNX file takes ONNX Runtime: pip install 'vfxgen[onnx]'") from None
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise NetError(f"{file}: ONNX Runtime cannot load it: {_first_line(error)}") from None
    inputs, outputs = ([_tensor(value) for value in values] for values in (session.get_inputs(), session.get_outputs()))
    notes = [f"the input {port.name} is {port.type}: vfxgen gives float" for port in inputs if "float" not in port.type]
    notes += [
        f"{port.name} is {list(port.shape)}, channels last: vfxgen gives (B, C, H, W), export it anew"
        for port in (*inputs, *outputs)
        if len(port.shape) == 4 and port.shape[3] in (1, 3, 4) and not port.channels
    ]
    card = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "")
    half = {"precision": "fp16"} if any(port.type == "float16" for port in inputs) else {}
    return Findings("onnx", inputs, outputs, _scale_of_run(session, inputs, outputs), card, half, notes)


def _tensor(value: Any) -> Tensor:
    shape = tuple(side if isinstance(side, int) else str(side) for side in value.shape)
    type = value.type.removeprefix("tensor(").removesuffix(")")
    return Tensor(value.name, shape, {"float": "float32"}.get(type, type))


def _scale_of_run(session: Any, inputs: list[Tensor], outputs: list[Tensor]) -> int | None:
    """Output height over input height, measured with a small black picture; None where it cannot be."""
    import numpy as np

    if not inputs or not outputs or not inputs[0].channels or not outputs[0].channels:
        return None
    if any(not port.channels or not port.type.startswith("float") for port in inputs):
        return None
    feeds = {}
    for port in inputs:
        height, width = port.size or (PROBE, PROBE)
        kind = np.float16 if port.type == "float16" else np.float32
        feeds[port.name] = np.zeros((1, port.channels, height, width), kind)
    try:
        given = session.run([outputs[0].name], feeds)[0].shape
    except Exception:  # A net that takes no such picture leaves the question open: nothing is hidden by it.
        return None
    height, width = feeds[inputs[0].name].shape[2:]
    scale, rest = divmod(given[2], height)
    return int(scale) if scale >= 1 and not rest and given[3] == width * scale else None


def _safetensors(file: Path) -> Findings:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(file), framework="numpy") as opened:
            metadata = opened.metadata() or {}
            shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise NetError(f"{file}: is no whole safetensors file: {_first_line(error)}") from None
    if "architecture" in metadata:
        return _own(file, metadata, shapes)
    found = _from_shapes(file, shapes)
    return Findings(found.format, found.inputs, found.outputs, found.scale, metadata.get(METADATA_KEY, ""))


def _own(file: Path, metadata: Mapping[str, str], shapes: Mapping[str, Shape]) -> Findings:
    """A net of an architecture of ours, which says of itself what a card needs."""
    from vfxgen.architectures import build

    try:
        hyperparameters = json.loads(metadata.get("hyperparameters", "{}"))
        net = build(metadata["architecture"], **hyperparameters)
    except (ValueError, TypeError, RequestError) as error:
        raise NetError(f"{file}: its metadata names no architecture of this vfxgen: {_first_line(error)}") from None
    expected = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    if odd := sorted(name for name in expected.keys() | shapes.keys() if expected.get(name) != shapes.get(name)):
        raise NetError(f"{file}: is not the {metadata['architecture']} its metadata says: {odd[0]} differs")
    facts = {"architecture": metadata["architecture"], "hyperparameters": hyperparameters}
    facts |= {
        "receptive_field": getattr(net, "receptive_field", None),
        "size_multiple": getattr(net, "size_multiple", 1),
    }
    # In the net's order: that of a file says nothing of what comes first.
    found = _from_shapes(file, expected)
    scale = hyperparameters.get("scale", 1)
    return Findings("safetensors", found.inputs, found.outputs, scale, metadata.get(METADATA_KEY, ""), facts)


def _torch(file: Path) -> Findings:
    archived = _names_in_archive(file)
    if any("/code/" in name for name in archived):
        return _torchscript(file, archived)
    import torch

    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch's own words end in how to load it all the same: they are not passed on.
        asked_for = re.search(r"GLOBAL (\S+)", str(error))
        wants = f"that wants to run {asked_for[1]}" if asked_for else "that is damaged or wants more than tensors"
        raise NetError(f"{file}: is a pickle {wants}, and was not loaded; ask for safetensors or ONNX") from None
    except Exception as error:
        said = f"{type(error).__name__}: {_first_line(error)}"
        raise NetError(f"{file}: is no whole weights file ({said})") from None
    return _from_shapes(file, _shapes(loaded))


def _names_in_archive(file: Path) -> list[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.namelist()
    except zipfile.BadZipFile:
        return []


def _torchscript(file: Path, archived: list[str]) -> Findings:
    """The card is a file of its own in the archive (`_extra_files` of `torch.jit.save`): the rest stays closed."""
    cards = [name for name in archived if name.endswith(f"/extra/{METADATA_KEY}")]
    if not cards:
        return Findings(
            "torchscript", notes=["it is TorchScript, which is not opened here: nothing else of it is known"]
        )
    with zipfile.ZipFile(file) as archive:
        return Findings("torchscript", card=archive.read(cards[0]).decode("utf-8", "replace"))


def _shapes(loaded: Any) -> dict[str, Shape]:
    for wrapper in _WRAPPERS:
        if isinstance(loaded, dict) and isinstance(loaded.get(wrapper), dict):
            loaded = loaded[wrapper]
            break
    pairs = loaded.items() if isinstance(loaded, dict) else ()
    return {str(name): tuple(value.shape) for name, value in pairs if hasattr(value, "shape")}


def _from_shapes(file: Path, shapes: Mapping[str, Shape]) -> Findings:
    """Channels and scale as the first and last convolution suggest them."""
    if not shapes:
        raise NetError(f"{file}: holds no weights")
    kernels = [shape for name, shape in shapes.items() if len(shape) == 4 and name.endswith("weight")]
    notes = ["spandrel runs it if it knows the architecture; else export it to ONNX where it was trained"]
    if not kernels:
        return Findings("spandrel", notes=notes)
    first, last = kernels[0][1], kernels[-1][0]
    # An upscaler's last convolution gives scale x scale colours a pixel, which are then shuffled into place.
    scale, channels = {12: (2, 3), 27: (3, 3), 48: (4, 3)}.get(int(last), (None, int(last)))
    return Findings("spandrel", [_picture("input", int(first))], [_picture("output", channels)], scale, notes=notes)


def _picture(name: str, channels: int) -> Tensor:
    return Tensor(name, ("batch", channels, "height", "width"))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
