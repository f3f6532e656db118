"""ONNX nets: their card is held against the file, providers are those asked for."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
from small_nets import built, entry
from torch import Tensor

from vfxgen.backends.net import load
from vfxgen.backends.onnx_net import providers
from vfxgen.backends.tile_plan import bytes_per_pixel
from vfxgen.backends.tiles import run
from vfxgen.errors import NetError, RequestError
from vfxgen.export import export
from vfxgen.zoo.card import load_card
from vfxgen.zoo.registry import Entry

pytest.importorskip("onnxruntime")
RGB = "R G B"


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


def test_a_file_for_one_picture_takes_several_one_by_one(tmp_path: Path) -> None:
    ours = built(tmp_path, scale=2, channels=8, blocks=2)
    export(ours, tmp_path / "onnx" / "net.onnx", static=(64, 64), card=True)
    net = load(Entry(load_card(tmp_path / "onnx"), tmp_path / "onnx"), device="cpu")
    pictures = torch.rand(3, 3, 64, 64)
    made, alone = net.run(pictures), net.run(pictures[1:2])
    assert isinstance(made, Tensor) and isinstance(alone, Tensor)
    assert made.shape == (3, 3, 128, 128) and torch.equal(made[1:2], alone)


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
        (
            {"outputs": [{"name": "picture_out", "channels": "A"}]},
            "output 'picture_out' has 3 channels, its card says 'A'; name each, such as 'background A'",
        ),
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


def test_weights_in_a_second_file_which_no_hash_covers_are_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    _, theirs = exported(tmp_path)
    file = tmp_path / "two" / "net.onnx"
    file.parent.mkdir()
    onnx.save(onnx.load(theirs.folder / "net.onnx"), str(file), save_as_external_data=True, size_threshold=0)
    two = entry(file.parent, file, **theirs.card.model_dump(by_alias=True, exclude={"weights"}))
    with pytest.raises(NetError, match=r"net.onnx: keeps its weights in a second file"):
        load(two, device="cpu")


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
