"""`vfxgen nets`, as a wrangler calls it."""

from __future__ import annotations

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import torch
from netcards import card, licences, write_net
from small_nets import scripted
from typer.testing import CliRunner, Result

from vfxgen.backends.net import load
from vfxgen.cli_nets import app
from vfxgen.errors import RequestError
from vfxgen.zoo.fetch import fetch
from vfxgen.zoo.registry import find, verify

onnx = pytest.importorskip("onnx")


pytestmark = pytest.mark.usefixtures("studio")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def doubling_net() -> bytes:
    """An ONNX net that takes x and gives y, twice the size."""
    helper = onnx.helper
    scales = helper.make_tensor("scales", 1, [4], [1.0, 1.0, 2.0, 2.0])
    ports = [helper.make_tensor_value_info(name, 1, ["b", 3, f"h{name}", f"w{name}"]) for name in ("x", "y")]
    node = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="nearest")
    graph = helper.make_graph([node], "net", ports[:1], ports[1:], [scales])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def write_card(folder: Path, content: bytes, url: str = "") -> None:
    contents = card(folder.name, content, weights={**card(content=content)["weights"], "url": url})
    (folder / "card.toml").write_text(tomli_w.dumps(contents))


class TestList:
    def test_a_net_a_line_and_the_broken_ones_after(self, studio: Path) -> None:
        write_net(studio)
        write_net(studio, "fine-print", licences=licences(data="unknown"))
        write_net(studio, "bad", scale=0)
        lines = run("list").stdout.splitlines()
        assert lines[0].split() == ["name", "task", "format", "scale", "use", "where"]
        said = {line.split()[0]: line for line in lines[1:]}
        assert said["sharp"].split() == ["sharp", "upscale", "onnx", "2", "commercial", str(studio / "sharp")]
        assert " research " in said["fine-print"]
        assert "scale = 0" in said["bad:"] and lines[-1] == said["bad:"]

    def test_json(self, studio: Path) -> None:
        write_net(studio)
        write_net(studio, "bad", scale=0)
        rows = {row["name"]: row for row in json.loads(run("list", "--json").stdout)}
        assert rows["sharp"]["use"] == "commercial" and "scale = 0" in rows["bad"]["broken"]


class TestInfo:
    def test_it_says_what_the_card_says(self, studio: Path) -> None:
        trained = {"steps": 200, "seconds": 120.0, "device": "one H200"}
        write_net(
            studio,
            licences=licences(data="research"),
            training={"data": [{"name": "photos", "files": 25, "licence": "CC0-1.0"}], **trained},
            quality=[{"measure": "PSNR Y", "data": "Set5", "value": 32.2, "unit": "dB", "note": "as the paper"}],
        )
        said = run("info", "sharp").stdout
        for words in (
            "Twice the size.",
            "x: R G B, encoding srgb, mean [0.5, 0.5, 0.5]",
            "9 pixels around each",
            "of its data: data terms (research): https://example.org/data",
            "use        research",
            "photos, 25 files, CC0-1.0",
            "PSNR Y on Set5: 32.2 dB (as the paper)",
            "200 steps; 2 minutes; one H200",
            str(studio / "sharp" / "net.onnx"),
        ):
            assert words in said

    def test_json_is_the_card(self, studio: Path) -> None:
        write_net(studio)
        said = json.loads(run("info", "sharp", "--json").stdout)
        assert said["weights"] == card()["weights"] | {"url": ""} and said["schema"] == 1

    def test_an_unknown_net_is_a_wrong_request(self, studio: Path) -> None:
        write_net(studio)
        done = run("info", "shrap")
        assert done.exit_code == 2
        assert "vfxgen: there is no net 'shrap'; near: sharp" in done.stderr


class TestCheck:
    def test_a_right_net_loads(self, studio: Path) -> None:
        content = doubling_net()
        path = write_net(studio, "double", weights=content)
        write_card(path, content)
        done = run("check", "double")
        assert done.exit_code == 0, done.stderr
        assert done.stdout == f"double: {path / 'net.onnx'} is what its card says, and loads; for upscale\n"

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"task": "matte", "outputs": [{"name": "y", "channels": "A"}]}, "for matte, apply\n"),
            (
                {
                    "task": "matte",
                    "inputs": [{"name": "x", "channels": "B G R", "size": [48, 64]}],
                    "outputs": [{"name": "y", "channels": "background A"}],
                },
                "for matte, apply, on frames of 64x48 alone: reformat them to it\n",
            ),
            ({"task": "segment", "outputs": [{"name": "y", "channels": "A"}]}, "for apply\n"),
            (
                {"task": "detect-face", "outputs": [{"name": "y", "channels": "boxes"}]},
                "no operator runs it: apply: net 'net' takes R G B and gives boxes; apply runs nets that",
            ),
            (
                {"task": "key", "outputs": [{"name": "y", "channels": "boxes"}]},
                "no operator runs it: key: net 'net' takes R G B and gives boxes; key runs nets that",
            ),
        ],
    )
    def test_what_runs_a_net_is_said(self, studio: Path, fields: dict[str, Any], said: str) -> None:
        ports = {"inputs": [{"name": "x", "channels": "R G B"}]}
        scripted(studio, "net", torch.nn.Identity(), **{**ports, "receptive_field": None, **fields})
        assert said in run("check", "net").stdout

    def test_a_wrong_hash_and_a_cut_file_fail(self, studio: Path) -> None:
        write_net(studio, "changed", weights=b"w" * 512)
        write_net(studio, "cut", weights=b"w")
        for name, words in (("changed", "sha256 is"), ("cut", "is cut short: 1 bytes")):
            done = run("check", name)
            assert done.exit_code == 1 and words in done.stderr and name in done.stderr
        write_net(studio, "bad", task="enlarge")
        done = run("check")
        assert done.exit_code == 1
        assert [line.split(": ")[1] for line in done.stdout.splitlines() if "studio" in line] == ["WRONG"] * 3

    def test_weights_that_are_no_net_fail(self, studio: Path) -> None:
        write_net(studio)
        done = run("check", "sharp")
        assert done.exit_code == 1 and "net 'sharp'" in done.stderr and "net.onnx" in done.stderr


class TestDiffusers:
    """A folder in place of a file: not run yet, and every verb says so alike."""

    SENTENCE = "net 'sd' is a diffusers folder, which this version of vfxgen cannot run; choose a net of another format"

    @pytest.fixture(autouse=True)
    def folder(self, studio: Path) -> None:
        path = write_net(studio, "sd", weights=None, format="diffusers")
        (path / "net.onnx").mkdir()
        (path / "net.onnx" / "model_index.json").write_text("{}")

    @pytest.mark.parametrize("verb", ["check", "fetch"])
    def test_a_verb_refuses_it_with_a_sentence(self, verb: str) -> None:
        done = run(verb, "sd")
        assert done.exit_code == 2 and self.SENTENCE in done.stderr

    def test_the_others_are_checked_all_the_same(self, studio: Path) -> None:
        write_card(write_net(studio, "double", weights=doubling_net()), doubling_net())
        done = run("check")
        assert done.exit_code == 1
        assert f"sd: WRONG: {self.SENTENCE}" in done.stdout and "double: " in done.stdout
        assert "and loads" in done.stdout

    def test_it_is_listed_and_described(self, studio: Path) -> None:
        assert "diffusers" in run("list").stdout
        assert str(studio / "sd" / "net.onnx") in run("info", "sd").stdout

    def test_python_is_told_the_same(self) -> None:
        for refuses in (verify, fetch, partial(load, device="cpu")):
            with pytest.raises(RequestError, match=self.SENTENCE):
                refuses(find("sd"))

    def test_a_folder_is_not_added(self, studio: Path) -> None:
        done = run("add", studio / "sd" / "net.onnx", "--task", "upscale", "--name", "mine")
        assert done.exit_code == 2 and "net.onnx: is a folder; give a weights file" in done.stderr


class TestFetch:
    def test_fetched_weights_are_found(self, studio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("http_proxy", raising=False)
        (tmp_path / "www").mkdir()
        (tmp_path / "www" / "net.onnx").write_bytes(doubling_net())
        handler = partial(QuietHandler, directory=str(tmp_path / "www"))
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
            folder = write_net(studio, "double", weights=None)
            write_card(folder, doubling_net(), f"http://127.0.0.1:{server.server_address[1]}/net.onnx")
            assert "run: vfxgen nets fetch double" in run("check", "double").stderr
            done = run("fetch", "double")
            server.shutdown()
        assert done.stdout == f"{tmp_path / 'cache' / 'nets' / 'double' / 'net.onnx'}\n"
        assert run("check", "double").exit_code == 0

    def test_a_net_without_address(self, studio: Path) -> None:
        write_net(studio, weights=None)
        done = run("fetch", "sharp")
        assert done.exit_code == 1 and "has no url" in done.stderr


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


class TestAdd:
    def test_it_says_what_to_fill_in(self, studio: Path, tmp_path: Path) -> None:
        (tmp_path / "net.onnx").write_bytes(doubling_net())
        done = run("add", tmp_path / "net.onnx", "--task", "upscale", "--name", "mine")
        assert done.exit_code == 0, done.stderr
        assert f"{studio / 'mine' / 'card.toml'}: to be answered:" in done.stdout
        assert "licences.data.use: commercial | research | unknown" in done.stdout
        assert "Then: vfxgen nets check mine" in done.stdout
        assert "mine: broken: " in run("list").stdout
        asked = run("check", "mine")
        assert asked.exit_code == 2 and "still to be answered: summary" in asked.stderr

    def test_a_wrong_task(self, tmp_path: Path) -> None:
        done = run("add", tmp_path / "net.onnx", "--task", "enlarge")
        assert done.exit_code == 2 and "--task enlarge: must be upscale" in done.stderr
