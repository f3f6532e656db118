"""The Nuke script beside a TorchScript: Tcl that any reader takes, and expressions that are our encodings."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from leaving import left
from small_nets import card

from vfxgen.encoding import Encoding, EncodingName
from vfxgen.errors import RequestError
from vfxgen.export.nuke import decoded, encoded, nuke_script

tkinter = pytest.importorskip("tkinter")

# The channels that Nuke's Inference node knows, of which a card's can be four.
KNOWN = {"rgba.red", "rgba.green", "rgba.blue", "rgba.alpha"}


def nodes(text: str) -> dict[str, dict[str, str]]:
    """Nodes by class and name, read as Nuke reads them: a list of Tcl words."""
    tcl = tkinter.Tcl()
    assert tcl.call("info", "complete", text)
    words = tcl.splitlist(text)
    found = {}
    for kind, body in zip(words[::2], words[1::2], strict=True):
        values = tcl.splitlist(body)
        knobs = dict(zip(values[::2], values[1::2], strict=True))
        assert len(knobs) * 2 == len(values), "a knob is set twice"
        found[f"{kind} {knobs['name']}"] = knobs
    return found


def test_light_goes_through_encode_inference_decode() -> None:
    _, _, report = left("upscaler", "torchscript")
    script = nodes(report.path.with_suffix(".nk").read_text())
    assert list(script) == [
        "Expression Encode", "Inference Inference1", "Expression Decode", "CatFileCreator CatFileCreator1",
    ]  # fmt: skip
    creator, inference = script["CatFileCreator CatFileCreator1"], script["Inference Inference1"]
    assert creator["torchScriptFile"] == report.path.as_posix()
    assert creator["catFile"] == inference["modelFile"] == report.path.with_suffix(".cat").as_posix()
    assert creator["channelsIn"] == creator["channelsOut"] == "rgba.red, rgba.green, rgba.blue"
    assert set(creator["channelsIn"].split(", ")) <= KNOWN and creator["outputScale"] == "2"
    assert [node["inputs"] for node in script.values()] == ["0", "1", "1", "0"]
    assert {"expr0", "expr1", "expr2"} == {k for k in script["Expression Encode"] if k.startswith("expr")}


def test_a_matte_comes_out_in_alpha_and_sizes_are_said() -> None:
    _, _, report = left("unet", "torchscript")
    script = nodes(report.path.with_suffix(".nk").read_text())
    assert script["CatFileCreator CatFileCreator1"]["channelsOut"] == "rgba.alpha"
    assert not [knob for knob in script["Expression Decode"] if knob.startswith("expr")], "coverage is no light"
    assert "multiples of 2" in script["Inference Inference1"]["label"]


def test_the_script_works_from_any_folder() -> None:
    script = nodes(nuke_script(card(), Path("here/net.pt")))
    assert script["Inference Inference1"]["modelFile"] == (Path.cwd() / "here" / "net.cat").as_posix()


def test_a_mask_beside_the_picture_is_not_encoded() -> None:
    _, _, report = left("inpainter", "torchscript")
    script = nodes(report.path.with_suffix(".nk").read_text())
    assert script["CatFileCreator CatFileCreator1"]["channelsIn"].endswith("rgba.blue, rgba.alpha")
    assert "expr2" in script["Expression Encode"] and "expr3" not in script["Expression Encode"]


@pytest.mark.parametrize("path", ['/shows/a [b] $c "d"/net.pt', "/shows/{e}/\\f/net.pt"])
def test_any_path_survives(path: str) -> None:
    script = nodes(nuke_script(card(), Path(path)))
    assert script["CatFileCreator CatFileCreator1"]["torchScriptFile"] == path


def in_tcl(expression: str) -> str:
    """A Nuke expression in r as one of Tcl's, whose operators and functions are the same."""
    return expression.replace("r", "$r")


@pytest.mark.parametrize("encoding", ["log", "srgb", "srgb-clipped", "none"])
def test_expressions_are_the_encoding(encoding: EncodingName) -> None:
    tcl: Any = tkinter.Tcl()
    light = [-20.0, -0.3, -0.003, 0.0, 0.001, 0.0031308, 2.0**-7, 0.18, 0.6, 0.61, 1.0, 40.0, 65504.0]
    for value in light:
        tcl.eval(f"set r {value!r}")
        code = float(Encoding(encoding).encode(torch.tensor(value, dtype=torch.float64)))
        assert float(tcl.eval(f"expr {{{in_tcl(encoded('r', encoding))}}}")) == pytest.approx(code, abs=1e-9)
        tcl.eval(f"set r {code!r}")
        back = float(Encoding(encoding).decode(torch.tensor(code, dtype=torch.float64)))
        assert float(tcl.eval(f"expr {{{in_tcl(decoded('r', encoding))}}}")) == pytest.approx(back, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"inputs": [{"name": "a", "channels": "R G B"}, {"name": "b", "channels": "A"}]}, "several inputs"),
        ({"outputs": [{"name": "a", "channels": "background A"}]}, "no names for the channels 'background A'"),
        ({"outputs": [{"name": "points"}]}, "no names for the channels ''"),
        ({"inputs": [{"name": "a", "channels": "R G B", "mean": [0.5] * 3}]}, "has a mean"),
    ],
)
def test_what_nuke_cannot_run_is_said(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        nuke_script(card(**fields), Path("net.pt"))


def test_the_file_is_written_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from small_nets import built, entry

    from vfxgen.export import export

    built(tmp_path, scale=2, channels=8, blocks=1)
    odd = entry(
        tmp_path, tmp_path / "net.safetensors", hyperparameters={"scale": 2, "channels": 8, "blocks": 1},
        outputs=[{"name": "y", "channels": "X Y Z"}],
    )  # fmt: skip
    with caplog.at_level(logging.WARNING):
        export(odd, tmp_path / "net.pt", "torchscript")
    assert (tmp_path / "net.pt").exists() and not (tmp_path / "net.nk").exists()
    assert "no net.nk is written: " in caplog.text and "X Y Z" in caplog.text
