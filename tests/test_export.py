"""A net that leaves makes the same picture elsewhere, and carries its card and its licences with it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from small_nets import built
from torch import Tensor

from vfxgen import export as exporting
from vfxgen.backends.net import load
from vfxgen.backends.tiles import run
from vfxgen.errors import NetError, RequestError
from vfxgen.export import Exported, export, nuke_script
from vfxgen.zoo.card import load_card, loads
from vfxgen.zoo.registry import Entry

NETS: dict[str, dict[str, Any]] = {
    "upscaler": {"scale": 2, "channels": 8, "blocks": 2},
    "unet": {"in_channels": 3, "out_channels": 1, "widths": [8, 12]},
    "inpainter": {"width": 8, "rounds": 1, "heads": 2},
}


def leave(tmp_path: Path, architecture: str = "upscaler", to: Any = "onnx", **options: Any) -> tuple[Entry, Exported]:
    here, there = tmp_path / "ours", tmp_path / "theirs"
    here.mkdir(exist_ok=True)
    net = built(here, architecture, **NETS[architecture])
    return net, export(net, there / f"net.{'onnx' if to == 'onnx' else 'pt'}", to, card=True, **options)


def same_picture(ours: Entry, folder: Path, tolerance: float) -> None:
    frame = torch.rand(1, len(ours.card.inputs[0].channel_names), 93, 150)
    there = load(Entry(load_card(folder), folder), device="cpu")
    expected, got = run(load(ours, device="cpu"), frame), run(there, frame)
    assert isinstance(expected, Tensor) and isinstance(got, Tensor)
    assert (expected - got).abs().max() < tolerance


@pytest.mark.parametrize("architecture", list(NETS))
@pytest.mark.parametrize("to", ["onnx", "torchscript"])
def test_every_architecture_leaves_and_comes_back_as_a_net(tmp_path: Path, architecture: str, to: str) -> None:
    if to == "onnx":
        pytest.importorskip("onnxscript")
    ours, report = leave(tmp_path, architecture, to)
    assert len(report.parity) == 5 and max(row.largest for row in report.parity) < 1e-4
    assert {"random", "HDR", "black"} == {row.values for row in report.parity}
    same_picture(ours, tmp_path / "theirs", 1e-4)


def test_the_table_says_how_near_it_is(tmp_path: Path) -> None:
    _, report = leave(tmp_path, to="torchscript")
    lines = str(report).splitlines()
    assert len(lines) == 7 and "largest" in lines[0] and "HDR" in str(report) and "allowed 0.0001" in lines[-1]


def test_card_and_licences_are_inside_the_file(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    ours, report = leave(tmp_path)
    model = onnx.load(report.path)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert loads(said["vfxgen.card"], "inside").licences == ours.card.licences
    assert json.loads(said["vfxgen.licences"])["weights"]["name"] == "CC0-1.0"
    assert json.loads(said["vfxgen.encoding"]) == {"picture": "log", "picture_out": "log"}
    assert model.opset_import[0].version == 20
    shape = model.graph.input[0].type.tensor_type.shape.dim
    assert [bool(side.dim_param) for side in shape] == [True, False, True, True]


def test_half_precision_is_stated_and_keeps_highlights(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    ours, report = leave(tmp_path, fp16=True)
    assert 1e-6 < max(row.largest for row in report.parity) < 0.02 and report.tolerance == 0.05
    assert load_card(tmp_path / "theirs").precision == "fp16"
    same_picture(ours, tmp_path / "theirs", 0.02)
    with pytest.raises(RequestError, match="computes in fp16, fp32 was asked for"):
        load(Entry(load_card(tmp_path / "theirs"), tmp_path / "theirs"), device="cpu", precision="fp32")


def test_a_static_file_takes_one_size(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    _, report = leave(tmp_path, static=(48, 64))
    card = load_card(tmp_path / "theirs")
    assert card.inputs[0].size == [48, 64] and card.outputs[0].size == [96, 128] and len(report.parity) == 3
    net = load(Entry(card, tmp_path / "theirs"), device="cpu")
    assert isinstance(net.run(torch.rand(1, 3, 48, 64)), Tensor)
    with pytest.raises(NetError, match="is 48x64 always, got 64x64"):
        net.run(torch.rand(1, 3, 64, 64))


def test_a_file_that_differs_from_torch_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "TOLERANCE", 0.0)
    with pytest.raises(NetError, match=r"differs from torch, so it was not written:\nvalues"):
        leave(tmp_path, to="torchscript")
    assert not (tmp_path / "theirs").exists()


def test_a_missing_extra_is_named_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str, package: str | None = None) -> Any:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(NetError, match=r"needs onnx: pip install 'vfxgen\[onnx\]'"):
        leave(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "tensorflow"}, "must be onnx or torchscript"),
        ({"to": "torchscript", "fp16": True}, "are of ONNX"),
        ({"architecture": "unet", "static": (33, 64)}, "multiples of 2"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        leave(tmp_path, **options)


def test_the_nuke_script_is_tcl_that_names_both_files(tmp_path: Path) -> None:
    tkinter = pytest.importorskip("tkinter")
    net, report = leave(tmp_path, to="torchscript")
    text = report.path.with_suffix(".nk").read_text()
    tcl = tkinter.Tcl()
    node, body = tcl.splitlist(text)
    knobs = tcl.splitlist(body)
    said = dict(zip(knobs[::2], knobs[1::2], strict=True))
    assert node == "CatFileCreator" and tcl.call("info", "complete", text)
    assert said["torchScriptFile"] == report.path.as_posix() and said["catFile"].endswith("net.cat")
    assert said["channelsIn"] == "rgba.red, rgba.green, rgba.blue" and said["outputScale"] == "2"
    assert "encoding in: log" in said["label"]
    odd = nuke_script(net.card.model_copy(update={"name": "x"}), Path('/shows/a [b] $c "d"/net.pt'))
    assert dict(zip(*[iter(tcl.splitlist(tcl.splitlist(odd)[1]))] * 2, strict=True))["torchScriptFile"].startswith(
        "/shows/a"
    )


def test_torchscript_of_any_size(tmp_path: Path) -> None:
    """Traced at one size: the inpainter's attention must not have that size in it."""
    ours, _ = leave(tmp_path, "inpainter", "torchscript")
    same_picture(ours, tmp_path / "theirs", 1e-4)
