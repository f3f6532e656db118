"""ONNX nets: their card is held against the file, and real ones find faces and people in real pictures."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from small_nets import built, entry
from torch import Tensor

from vfxgen.backends.net import load
from vfxgen.backends.onnx_net import is_memory, providers
from vfxgen.backends.tiles import bytes_per_pixel, run
from vfxgen.errors import NetError, RequestError
from vfxgen.export import export
from vfxgen.zoo.card import load_card
from vfxgen.zoo.registry import Entry

pytest.importorskip("onnxruntime")
RGB = "R G B"


def real(shared_data: Path, tmp_path: Path, file: str, task: str, inputs: Any, outputs: Any) -> Any:
    path = shared_data / "weights" / file
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    net = entry(tmp_path, copy, format="onnx", task=task, architecture="", scale=1, inputs=[inputs], outputs=outputs)
    return load(net, device="cpu")


def portrait(shared_data: Path, size: int) -> Tensor:
    """A portrait as code values 0..1, RGB."""
    path = next(iter(sorted((shared_data / "faces").rglob("*.jpg"))), None)
    if path is None:
        pytest.skip("no portrait in the shared data")
    picture = cv2.resize(cv2.imread(str(path)), (size, size), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(picture[..., ::-1].astype(np.float32) / 255).permute(2, 0, 1)[None]


def exported(tmp_path: Path, **hyperparameters: Any) -> tuple[Entry, Entry]:
    pytest.importorskip("onnxscript")
    ours = built(tmp_path, **{"scale": 2, "channels": 8, "blocks": 2, **hyperparameters})
    export(ours, tmp_path / "onnx" / "net.onnx", card=True)
    return ours, Entry(load_card(tmp_path / "onnx"), tmp_path / "onnx")


def test_a_net_in_tiles_has_the_bits_of_the_whole_frame(tmp_path: Path) -> None:
    _, theirs = exported(tmp_path)
    net, frame = load(theirs, device="cpu"), torch.rand(1, 3, 131, 217)
    whole = net.run(frame)
    assert isinstance(whole, Tensor) and torch.equal(run(net, frame, tile=81), whole)  # type: ignore[arg-type]


def test_its_memory_is_measured(tmp_path: Path) -> None:
    _, theirs = exported(tmp_path)
    assert 64 <= bytes_per_pixel(load(theirs, device="cpu")) < 20000


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"inputs": [{"name": "image", "channels": RGB}]}, "has the inputs picture, its card says image"),
        (
            {"inputs": [{"name": "picture", "channels": "A"}]},
            r"input 'picture' has the shape \[.*3.*\], its card says channels 'A'",
        ),
        ({"outputs": [{"name": "alpha", "channels": "A"}]}, "has no output alpha; it has picture_out"),
    ],
)
def test_a_card_that_says_other_than_the_file_is_refused(tmp_path: Path, fields: Any, message: str) -> None:
    _, theirs = exported(tmp_path)
    wrong = theirs.card.model_validate({**theirs.card.model_dump(by_alias=True), **fields})
    with pytest.raises(NetError, match=r"net 'small' \(.*net.onnx\): " + message):
        load(Entry(wrong, theirs.folder), device="cpu")


def test_a_file_that_is_no_onnx_is_named(tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(NetError, match=r"net 'small': .*net.onnx is no ONNX file that runs here"):
        load(entry(tmp_path, file, format="onnx"), device="cpu")


@pytest.mark.parametrize(
    ("device", "backend", "named"),
    [
        ("cuda:0", "onnxruntime", "CUDAExecutionProvider"),
        ("cuda:1", "tensorrt", "TensorrtExecutionProvider, CUDAExecutionProvider"),
        ("cpu", "openvino", "OpenVINOExecutionProvider"),
    ],
)
def test_a_provider_that_is_not_installed_is_an_error(device: str, backend: str, named: str) -> None:
    runtime = importlib.import_module("onnxruntime")
    if named.split(",")[0] in runtime.get_available_providers():
        pytest.skip(f"{named} is installed")
    with pytest.raises(RequestError, match=f"{backend} on {device} was asked for, but .* has no {named}"):
        providers(device, backend, "net 'x'")


@pytest.mark.parametrize(("device", "backend"), [("cpu", "tensorrt"), ("cuda:0", "openvino")])
def test_a_backend_on_a_device_it_does_not_know_is_refused(device: str, backend: str) -> None:
    with pytest.raises(RequestError, match=f"the backend {backend} does not run on {device}"):
        providers(device, backend, "net 'x'")


def test_a_float32_file_is_not_halved_in_silence(tmp_path: Path) -> None:
    _, theirs = exported(tmp_path)
    with pytest.raises(RequestError, match="computes in fp32, fp16 was asked for"):
        load(theirs, device="cpu", precision="fp16")


def test_words_of_libraries_about_memory_are_known() -> None:
    assert is_memory(RuntimeError("[ONNXRuntimeError] : 6 : Failed to allocate memory for requested buffer of size 9"))
    assert is_memory(RuntimeError("std::bad_alloc")) and not is_memory(RuntimeError("memory format is wrong"))


def test_a_person_is_told_from_the_background(shared_data: Path, tmp_path: Path) -> None:
    port = {"name": "input_3", "channels": RGB, "encoding": "srgb-clipped", "size": [256, 256]}
    matte = {"name": "permute_2", "channels": "A", "size": [256, 256]}
    net = real(shared_data, tmp_path, "portrait_seg/prisma_nchw.onnx", "segment", port, [matte])
    alpha = net.run(portrait(shared_data, 256))[0, 0]
    assert alpha[100:200, 96:160].mean() > 0.8 and alpha[:12, :12].mean() < 0.3


def test_a_second_net_finds_the_same_person(shared_data: Path, tmp_path: Path) -> None:
    mean, std = [102.890434, 111.25247, 126.91212], [62.93292, 62.82138, 66.355705]
    port = {
        "name": "data", "channels": "B G R", "encoding": "srgb-clipped", "size": [320, 320],
        "mean": [value / 255 for value in mean], "std": std,
    }  # fmt: skip
    out = {"name": "Softmax/1", "channels": "background A", "size": [320, 320]}
    net = real(shared_data, tmp_path, "portrait_seg/SINet_Softmax.onnx", "segment", port, [out])
    alpha = net.run(portrait(shared_data, 320).flip(1))[0, 1]
    assert alpha[130:250, 130:190].mean() > 0.8 and alpha[:12, :12].mean() < 0.3


def test_a_face_is_found(shared_data: Path, tmp_path: Path) -> None:
    port = {
        "name": "input", "channels": "B G R", "encoding": "srgb-clipped", "size": [320, 320], "std": [1 / 255] * 3,
    }  # fmt: skip
    names = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in (8, 16, 32)]
    outputs = [{"name": name} for name in names]
    net = real(shared_data, tmp_path, "yunet/yunet_n_320_320.onnx", "detect-face", port, outputs)
    made = dict(zip(names, net.run(portrait(shared_data, 320).flip(1)), strict=True))
    best = max((float((made[f"cls_{s}"] * made[f"obj_{s}"]).max()), s) for s in (8, 16, 32))
    assert best[0] > 0.6


def test_points_lie_on_the_face(shared_data: Path, tmp_path: Path) -> None:
    port = {"name": "image", "channels": RGB, "encoding": "srgb-clipped", "size": [192, 192]}
    outputs = [{"name": "score"}, {"name": "points"}]
    net = real(shared_data, tmp_path, "facemesh/facemesh468_192.onnx", "face-mesh", port, outputs)
    score, points = net.run(portrait(shared_data, 192))
    assert score.shape == (1, 1) and points.shape == (1, 468, 3) and bool(points.isfinite().all())
