"""A net with a mean and a deviation leaves as one that takes code values, in every form, and Nuke can run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from leaving import FORMS, NETS, largest_difference
from small_nets import built, entry

from vfxgen.backends.light import encoded
from vfxgen.backends.net import load
from vfxgen.backends.torch_net import TorchNet
from vfxgen.export import export
from vfxgen.export.code_values import on_code_values
from vfxgen.zoo.card import load_card
from vfxgen.zoo.registry import Entry

pytest.importorskip("onnxscript")


def scaled(folder: Path, architecture: str) -> Entry:
    """A small net whose card has a mean and a deviation for what it takes, and a deviation for colour it gives."""
    plain = built(folder, architecture, **NETS[architecture]).card
    given, made = plain.inputs[0].model_dump(), plain.outputs[0].model_dump()
    given |= {"mean": [0.4, 0.5, 0.3], "std": [0.1, 0.2, 0.3]}
    made |= {"std": [0.5] * len(plain.outputs[0].channel_names)}
    said: dict[str, Any] = plain.model_dump(include={"architecture", "hyperparameters", "scale", "size_multiple"})
    return entry(folder, folder / plain.weights.file, **said, inputs=[given], outputs=[made])


@pytest.mark.parametrize("architecture", ["unet", "upscaler"])
@pytest.mark.parametrize("form", list(FORMS))
def test_what_leaves_takes_code_values(
    tmp_path: Path, architecture: str, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    ours, options = scaled(tmp_path, architecture), FORMS[form]
    file = tmp_path / "theirs" / ("net.pt" if "to" in options else "net.onnx")
    export(ours, file, card=True, **options)
    card = load_card(file.parent)
    assert not any(port.mean or port.std for port in (*card.inputs, *card.outputs))
    light = torch.rand(1, 3, 96, 152)
    assert largest_difference(ours, Entry(card, file.parent), light) < (0.3 if "fp16" in form else 1e-4 * 17)
    code = encoded(light, card.inputs[0])
    bare = load(Entry(card, file.parent), device="cpu").forward([code])[0]
    expected = load(ours, device="cpu").run(code)
    assert isinstance(expected, torch.Tensor)
    assert torch.allclose(bare, expected, atol=0.02 if "fp16" in form else 1e-4)
    if "to" in options:
        assert file.with_suffix(".nk").exists() and not caplog.records


def test_a_net_without_either_leaves_as_it_is(tmp_path: Path) -> None:
    net = load(built(tmp_path, scale=2, channels=4, blocks=1), device="cpu")
    assert isinstance(net, TorchNet) and on_code_values(net) is net
