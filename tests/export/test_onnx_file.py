"""An exported ONNX file: whole, checked, of free or fixed size, with card, licences and precision inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from leaving import FORMS, NETS, leave, left, returned
from torch import Tensor

from vfxgen.backends.net import load
from vfxgen.errors import NetError, RequestError
from vfxgen.zoo.card import load_card, loads

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")


def shape_of(port: Any) -> list[int | str]:
    return [side.dim_param or side.dim_value for side in port.type.tensor_type.shape.dim]


@pytest.mark.parametrize("architecture", list(NETS))
@pytest.mark.parametrize("form", [form for form in FORMS if form.startswith("onnx")])
def test_onnx_finds_nothing_wrong_and_knows_every_shape(architecture: str, form: str) -> None:
    _, ours, report = left(architecture, form)
    onnx.checker.check_model(str(report.path), full_check=True)
    model = onnx.shape_inference.infer_shapes(onnx.load(report.path), strict_mode=True, data_prop=True)
    (given,), (made,) = model.graph.input, model.graph.output
    (here,), (there,) = ours.card.inputs, ours.card.outputs
    if "one size" in form:
        scale = ours.card.scale
        assert shape_of(given) == [1, len(here.channel_names), 96, 152]
        assert shape_of(made) == [1, len(there.channel_names), 96 * scale, 152 * scale]
    else:
        assert [type(side) for side in shape_of(given)] == [str, int, str, str]
        assert shape_of(made)[1] == len(there.channel_names)
    for port in (given, made):
        assert port.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    kinds = {tensor.data_type for tensor in model.graph.initializer}
    assert (onnx.TensorProto.FLOAT16 in kinds) == ("fp16" in form)


def test_card_and_licences_are_inside_the_file() -> None:
    _, ours, report = left("upscaler", "onnx")
    model = onnx.load(report.path)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert loads(said["vfxgen.card"], "inside").licences == ours.card.licences
    assert json.loads(said["vfxgen.licences"])["weights"]["name"] == "CC0-1.0"
    assert json.loads(said["vfxgen.encoding"]) == {"picture": "log", "picture_out": "log"}
    assert said["vfxgen.precision"] == "fp32"
    assert model.opset_import[0].version == 20


def test_the_opset_is_the_one_asked_for(tmp_path: Path) -> None:
    _, report = leave(tmp_path, opset=18)
    assert onnx.load(report.path).opset_import[0].version == 18


def test_half_precision_is_stated_and_keeps_highlights() -> None:
    folder, _, report = left("upscaler", "onnx, fp16")
    assert 1e-6 < max(row.largest for row in report.parity) < report.tolerance == 0.02
    assert load_card(folder / "theirs").precision == "fp16"
    with pytest.raises(RequestError, match="computes in fp16, fp32 was asked for"):
        load(returned(folder), device="cpu", precision="fp32")


def test_a_static_file_takes_one_size() -> None:
    folder, _, report = left("upscaler", "onnx, one size")
    card = load_card(folder / "theirs")
    assert card.inputs[0].size == [96, 152] and card.outputs[0].size == [192, 304] and len(report.parity) == 3
    net = load(returned(folder), device="cpu")
    assert isinstance(net.run(torch.rand(1, 3, 96, 152)), Tensor)
    with pytest.raises(NetError, match="is 96x152 always, got 64x64"):
        net.run(torch.rand(1, 3, 64, 64))
