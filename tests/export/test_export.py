"""A net that leaves makes the same picture elsewhere: every architecture, every form, HDR, odd sizes, batches."""

from __future__ import annotations

import importlib
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from leaving import FORMS, NETS, largest_difference, leave, left, light, returned
from small_nets import card, entry, wrapped
from torch import Tensor, nn

import vfxgen.export as exporting
from vfxgen.architectures import architectures
from vfxgen.backends.inpainting import through_net
from vfxgen.backends.net import load
from vfxgen.encoding import Encoding
from vfxgen.errors import NetError, RequestError
from vfxgen.export import export
from vfxgen.export.parity import example
from vfxgen.zoo.add import add
from vfxgen.zoo.card import load_card

pytest.importorskip("onnxscript")


def test_no_architecture_is_left_out() -> None:
    assert set(NETS) == set(architectures())


@pytest.mark.parametrize("architecture", list(NETS))
@pytest.mark.parametrize("form", list(FORMS))
def test_every_architecture_leaves_and_comes_back_as_a_net(architecture: str, form: str) -> None:
    folder, ours, report = left(architecture, form)
    assert max(row.largest for row in report.parity) < report.tolerance
    assert {"random", "HDR", "black"} == {row.values for row in report.parity}
    theirs, channels = returned(folder), len(ours.card.inputs[0].channel_names)
    half = "fp16" in form
    sizes = [(1, 96, 152)] if "one size" in form else [(1, 93, 151), (2, 40, 56)]
    for size in sizes:
        # A code value of the log encoding is 24 stops, of light thus 24 ln 2 times its own size.
        assert largest_difference(ours, theirs, light(channels, *size)) < (0.3 if half else 1e-4 * 17)
    assert load(theirs, device="cpu").precision == ("fp16" if half else "fp32")


def test_the_table_says_how_near_it_is() -> None:
    _, _, report = left("upscaler", "torchscript")
    lines = str(report).splitlines()
    assert len(lines) == 7 and "largest" in lines[0] and "HDR" in str(report) and "allowed 0.0001" in lines[-1]
    shapes = [row.shape for row in report.parity]
    assert any(batch > 1 for batch, *_ in shapes) and any(height % 2 and width % 2 for *_, height, width in shapes)


def test_hdr_is_compared_far_above_white() -> None:
    (code,) = example(card(), 64, 64, values="HDR")
    decoded = Encoding("log").decode(code)
    assert decoded.max() > 50000 and decoded.min() < -0.05


def test_a_file_that_differs_from_torch_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "TOLERANCE", 0.0)
    with pytest.raises(NetError, match=r"differs from torch, so it was not written:\nvalues"):
        leave(tmp_path, to="torchscript")
    assert not (tmp_path / "theirs").exists()


class Remembering(nn.Module):
    """A net that tracing gets wrong: it takes another way for wide pictures."""

    def forward(self, picture: Tensor) -> Tensor:
        return picture * (2 if picture.shape[-1] > 60 else 1)


def test_a_net_that_tracing_gets_wrong_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = wrapped(Remembering(), scale=1)
    monkeypatch.setattr("vfxgen.backends.net.load", lambda *_, **__: net)
    with pytest.raises(NetError, match="differs from torch"):
        export(entry(tmp_path, Path(__file__)), tmp_path / "there" / "net.pt", "torchscript")


@pytest.mark.parametrize(("name", "to"), [("net.foo", "onnx"), ("net.pt", "onnx"), ("net.onnx", "torchscript")])
def test_a_file_is_named_as_what_it_is(tmp_path: Path, name: str, to: Any) -> None:
    with pytest.raises(RequestError, match=rf"{name}: a net that leaves as {to} is a file \.(onnx|pt or \.pth)$"):
        export(entry(tmp_path, Path(__file__)), tmp_path / "there" / name, to)
    assert not (tmp_path / "there").exists()


def test_a_file_that_left_is_taken_in_without_a_question(tmp_path: Path) -> None:
    for form in ("onnx", "torchscript"):
        _, ours, report = left("upscaler", form)
        folder, questions = add(report.path, "upscale", f"mine-{form}", tmp_path / "studio")
        taken = load_card(folder)
        assert questions == [] and taken.scale == 2 and taken.inputs == ours.card.inputs
        assert taken.receptive_field == ours.card.receptive_field and taken.licences == ours.card.licences


def test_a_missing_extra_is_named_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str, package: str | None = None) -> Any:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(NetError, match=r"needs onnx: pip install 'vfxgen\[onnx\]'"):
        leave(tmp_path)


@pytest.mark.parametrize("form", ["onnx", "torchscript"])
def test_an_inpainter_that_left_fills_holes_as_it_did(form: str) -> None:
    folder, ours, _ = left("inpainter", form)
    picture = (light(3, 1, 96, 112)[0] * 0.01).permute(1, 2, 0).numpy()
    hole = np.zeros(picture.shape[:2], np.bool_)
    hole[24:80, 30:90] = True
    expected, got = (through_net(load(net, device="cpu"), picture, hole) for net in (ours, returned(folder)))
    # A code value of the log encoding is 24 stops, and each size gives its differences to the next.
    np.testing.assert_allclose(got, expected, rtol=0.02, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "tensorflow"}, "must be onnx or torchscript"),
        ({"to": "torchscript", "fp16": True}, "are of ONNX"),
        ({"architecture": "unet", "static": (33, 64)}, "multiples of 2"),
        ({"static": (0, 64)}, "multiples of 1"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        leave(tmp_path, **options)


def test_a_net_that_left_already_is_copied_not_exported(tmp_path: Path) -> None:
    folder, _, _ = left("upscaler", "onnx")
    with pytest.raises(RequestError, match=r"is onnx already; copy .*net.onnx"):
        export(returned(folder), tmp_path / "again.onnx")


def test_the_card_of_another_net_is_not_written_over(tmp_path: Path) -> None:
    ours, _ = leave(tmp_path, to="torchscript")
    export(ours, tmp_path / "theirs" / "net.pt", "torchscript", card=True)
    before = {path.name: path.read_bytes() for path in ours.folder.iterdir()}
    for out in (ours.folder / "net.pt", tmp_path / "theirs" / "other.pt"):
        with pytest.raises(RequestError, match=r"card\.toml: is the card of net 'small' in net\..*a folder of its own"):
            export(ours, out, "torchscript", card=True)
        assert not (out.parent / "other.pt").exists()
    assert {path.name: path.read_bytes() for path in ours.folder.iterdir()} == before


def test_torch_does_not_talk_of_what_is_not_installed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        leave(tmp_path)
    assert [record.getMessage() for record in caplog.records] == []
    assert torch.is_grad_enabled()
