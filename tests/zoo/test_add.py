"""A weights file becomes a net: what it says is known, what it does not say is asked, nothing in it is run."""

from __future__ import annotations

import json
import os
import pickle
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
from netcards import card
from safetensors.torch import save_file
from torch import nn

from vfxgen.architectures.unet import UNet
from vfxgen.architectures.upscaler import Upscaler
from vfxgen.errors import CardError, NetError, RequestError
from vfxgen.zoo import registry
from vfxgen.zoo.add import add, meaning, skeleton, text
from vfxgen.zoo.card import METADATA_KEY, Card, dumps, load_card, open_questions

onnx = pytest.importorskip("onnx")
LICENCE_QUESTIONS = [f"licences.{part}.{field}" for part in ("code", "weights", "data") for field in ("name", "use")]


pytestmark = pytest.mark.usefixtures("studio")


def write_onnx(
    path: Path, scale: int = 2, side: int | str = "side", kind: int = 1, card: str = "", channels: int = 3
) -> Path:
    """A net that repeats pixels."""
    helper = onnx.helper
    large = side * scale if isinstance(side, int) else "large"
    nodes = [helper.make_node("Resize", ["picture", "", "scales"], ["enlarged"], mode="nearest")]
    scales = helper.make_tensor("scales", 1, [4], [1.0, 1.0, float(scale), float(scale)])
    ports = [
        helper.make_tensor_value_info(name, kind, ["batch", channels, length, length])
        for name, length in (("picture", side), ("enlarged", large))
    ]
    graph = helper.make_graph(nodes, "net", ports[:1], ports[1:], [scales])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if card:
        helper.set_model_props(model, {METADATA_KEY: card})
    onnx.save(model, str(path))
    return path


def answered(contents: dict[str, Any]) -> str:
    """A skeleton with every question answered as a person would."""
    answers = {"channels": "R G B", "encoding": "srgb-clipped", "mean": [], "std": [], "use": "research", "scale": 2}

    def answer(value: Any, field: str = "") -> Any:
        if isinstance(value, dict):
            return {key: answer(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [answer(inner) for inner in value]
        return answers.get(field, "words") if value == "?" else value

    return text(answer(contents))


class TestOnnx:
    @pytest.mark.parametrize("side", ["side", 48])
    @pytest.mark.parametrize("scale", [2, 4])
    def test_ports_sizes_and_scale_are_read(self, tmp_path: Path, scale: int, side: int | str) -> None:
        found = skeleton(write_onnx(tmp_path / "My net (v2).onnx", scale, side), "upscale")
        assert (found["name"], found["format"], found["scale"]) == ("My-net-v2", "onnx", scale)
        assert found["inputs"][0]["name"] == "picture" and found["outputs"][0]["name"] == "enlarged"
        assert found["inputs"][0].get("size") == ([48, 48] if side == 48 else None)
        assert open_questions(found) == [
            "summary",
            *(f"{port}.0.{field}" for port in ("inputs", "outputs") for field in ("channels", "encoding")),
            *LICENCE_QUESTIONS,
        ]

    def test_an_upscaler_that_does_not_enlarge_is_asked_about(self, tmp_path: Path) -> None:
        assert skeleton(write_onnx(tmp_path / "net.onnx", 1), "upscale")["scale"] == "?"
        assert skeleton(write_onnx(tmp_path / "net.onnx", 1), "inpaint")["scale"] == 1

    def test_the_matte_of_a_net_is_its_alpha(self, tmp_path: Path) -> None:
        found = skeleton(write_onnx(tmp_path / "net.onnx", 1, channels=1), "matte")
        assert found["outputs"] == [{"name": "enlarged", "channels": "A", "encoding": "none"}]

    def test_half_precision_is_seen(self, tmp_path: Path) -> None:
        assert skeleton(write_onnx(tmp_path / "net.onnx", kind=10), "upscale")["precision"] == "fp16"

    def test_whole_numbers_are_noted(self, tmp_path: Path) -> None:
        write_onnx(tmp_path / "net.onnx", kind=2)
        folder, _ = add(tmp_path / "net.onnx", "upscale")
        assert "# Seen in the file: the input picture is uint8" in (folder / "card.toml").read_text()

    @pytest.mark.parametrize("content", [b"", b"no net at all", b"\x08\x08\x12"])
    def test_a_damaged_file_is_named(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "net.onnx").write_bytes(content)
        with pytest.raises(NetError, match=r"net\.onnx: "):
            skeleton(tmp_path / "net.onnx", "upscale")

    def test_weights_in_a_second_file_are_refused(self, tmp_path: Path) -> None:
        file = write_onnx(tmp_path / "net.onnx")
        model, helper = onnx.load(file), onnx.numpy_helper
        (scales,) = model.graph.initializer
        scales.CopyFrom(helper.from_array(helper.to_array(scales), scales.name))
        onnx.save(model, str(file), save_as_external_data=True, location="net.data", size_threshold=0)
        assert (tmp_path / "net.data").exists()
        with pytest.raises(NetError, match=r"net.onnx: keeps its weights in a second file.*external_data=False"):
            skeleton(file, "upscale")

    def test_without_onnx_runtime_it_says_how_to_get_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        with pytest.raises(NetError, match="ONNX Runtime: pip install"):
            skeleton(write_onnx(tmp_path / "net.onnx"), "upscale")

    @pytest.mark.parametrize(
        ("file", "task", "inputs", "outputs", "size"),
        [
            ("yunet/yunet_n_320_320.onnx", "detect-face", 1, 12, [320, 320]),
            ("yunet/yunet_n_dynamic.onnx", "detect-face", 1, 12, None),
            ("ultralight_face/version-RFB-320.onnx", "detect-face", 1, 2, [240, 320]),
            ("facemesh/facemesh468_192.onnx", "face-mesh", 1, 2, [192, 192]),
            ("portrait_seg/SINet_Softmax.onnx", "segment", 1, 1, [320, 320]),
            ("portrait_seg/prisma_nchw.onnx", "segment", 1, 1, [256, 256]),
        ],
    )
    def test_real_nets(
        self, shared_data: Path, file: str, task: str, inputs: int, outputs: int, size: list[int] | None
    ) -> None:
        found = skeleton(shared_data / "weights" / file, task)
        assert (len(found["inputs"]), len(found["outputs"])) == (inputs, outputs)
        assert found["inputs"][0].get("size") == size and found["scale"] == 1
        assert {"inputs.0.channels", "inputs.0.encoding", "inputs.0.mean", "inputs.0.std"} < set(open_questions(found))
        Card.model_validate(tomllib.loads(answered(found)))


class TestSafetensors:
    def test_a_net_of_ours_says_nearly_all(self, tmp_path: Path) -> None:
        net = Upscaler(scale=2, channels=8, blocks=2).collapsed()
        metadata = {"architecture": "upscaler", "hyperparameters": json.dumps(net.hyperparameters)}
        save_file(net.state_dict(), tmp_path / "x2.safetensors", metadata)
        found = skeleton(tmp_path / "x2.safetensors", "upscale")
        assert (found["format"], found["architecture"], found["scale"]) == ("safetensors", "upscaler", 2)
        assert found["hyperparameters"] == net.hyperparameters
        assert (found["receptive_field"], found["size_multiple"]) == (net.receptive_field, 1)
        Card.model_validate(tomllib.loads(answered(found)))

    @pytest.mark.parametrize(
        ("metadata", "words"),
        [
            ({"architecture": "nonsense"}, "names no architecture"),
            ({"architecture": "upscaler", "hyperparameters": "{"}, "names no architecture"),
            ({"architecture": "upscaler", "hyperparameters": '{"scale": 4}'}, "is not the upscaler its metadata says"),
        ],
    )
    def test_metadata_that_does_not_fit(self, tmp_path: Path, metadata: dict[str, str], words: str) -> None:
        save_file(
            Upscaler(scale=2, channels=8, blocks=1).collapsed().state_dict(), tmp_path / "n.safetensors", metadata
        )
        with pytest.raises(NetError, match=words):
            skeleton(tmp_path / "n.safetensors", "upscale")

    def test_ports_of_many_channels_are_asked_about_too(self, tmp_path: Path) -> None:
        net = UNet(in_channels=10, out_channels=4, widths=[8, 12], fold=2)
        metadata = {"architecture": "unet", "hyperparameters": json.dumps(net.hyperparameters)}
        save_file(net.state_dict(), tmp_path / "ours.safetensors", metadata)
        state = {"first.weight": torch.zeros(64, 12, 3, 3), "last.weight": torch.zeros(3, 64, 3, 3)}
        save_file(state, tmp_path / "unshuffled.safetensors")
        write_onnx(tmp_path / "many.onnx", channels=21)
        for file in ("ours.safetensors", "unshuffled.safetensors", "many.onnx"):
            asked = {f"{port}.0.{field}" for port in ("inputs", "outputs") for field in ("channels", "encoding")}
            assert asked < set(open_questions(skeleton(tmp_path / file, "upscale")))

    def test_a_strangers_file_is_for_spandrel(self, tmp_path: Path) -> None:
        state = {"body.0.weight": torch.zeros(64, 3, 3, 3), "body.9.weight": torch.zeros(48, 64, 3, 3)}
        save_file(state, tmp_path / "compact.safetensors")
        found = skeleton(tmp_path / "compact.safetensors", "upscale")
        assert (found["format"], found["scale"]) == ("spandrel", 4)

    def test_cut_short(self, tmp_path: Path) -> None:
        save_file({"weight": torch.zeros(64)}, tmp_path / "net.safetensors")
        whole = (tmp_path / "net.safetensors").read_bytes()
        (tmp_path / "net.safetensors").write_bytes(whole[:-8])
        with pytest.raises(NetError, match="is no whole safetensors file"):
            skeleton(tmp_path / "net.safetensors", "upscale")


class Code:
    """What a stranger hides in a pickle."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


class TestPickles:
    @pytest.mark.parametrize("kind", ["pickle", "torch", "torch within a state dict"])
    def test_code_in_a_pickle_does_not_run(self, tmp_path: Path, kind: str) -> None:
        proof, path = tmp_path / "it_ran", tmp_path / "net.pth"
        code = Code(f"touch {proof}")
        if kind == "pickle":
            path.write_bytes(pickle.dumps(code))
        else:
            torch.save(code if kind == "torch" else {"weight": torch.zeros(2), "extra": code}, path)
        with pytest.raises(NetError, match=r"net\.pth: is a pickle that .* and was not loaded") as caught:
            skeleton(path, "upscale")
        assert not proof.exists()
        assert "weights_only" not in str(caught.value) and ("system" in str(caught.value)) == (kind != "pickle")
        torch.load(path, weights_only=False) if kind != "pickle" else pickle.loads(path.read_bytes())
        assert proof.exists(), "the test is no test if the code would not have run"

    @pytest.mark.parametrize("wrapper", ["", "params_ema", "state_dict"])
    def test_a_state_dict_is_read(self, tmp_path: Path, wrapper: str) -> None:
        state = {"conv.weight": torch.zeros(64, 3, 3, 3), "up.weight": torch.zeros(12, 64, 3, 3)}
        torch.save({wrapper: state} if wrapper else state, tmp_path / "net.pth")
        found = skeleton(tmp_path / "net.pth", "upscale")
        assert (found["format"], found["scale"]) == ("spandrel", 2)

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04torn", b"hello"])
    def test_a_damaged_file(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "net.pth").write_bytes(content)
        with pytest.raises(NetError, match=r"net\.pth"):
            skeleton(tmp_path / "net.pth", "upscale")

    def test_no_tensors(self, tmp_path: Path) -> None:
        torch.save({"epoch": 3}, tmp_path / "net.pth")
        with pytest.raises(NetError, match="holds no weights"):
            skeleton(tmp_path / "net.pth", "upscale")

    def test_torchscript_is_not_opened(self, tmp_path: Path) -> None:
        torch.jit.save(torch.jit.script(nn.Conv2d(3, 3, 3)), str(tmp_path / "net.pt"))
        found = skeleton(tmp_path / "net.pt", "inpaint")
        assert found["format"] == "torchscript" and found["inputs"][0]["name"] == "?"


class TestCarriedCard:
    def carried(self, **changed: Any) -> str:
        ports: dict[str, Any] = {"inputs": [{"name": "picture"}], "outputs": [{"name": "enlarged"}]}
        return dumps(Card.model_validate(card(**ports, **changed)))

    def test_an_exported_net_drops_back_in_with_no_question(self, tmp_path: Path) -> None:
        write_onnx(tmp_path / "out.onnx", card=self.carried())
        folder, questions = add(tmp_path / "out.onnx", "upscale", "again")
        assert questions == []
        entry = registry.find("again")
        assert entry.folder == folder and entry.card.receptive_field == 9 and entry.card.use == "commercial"
        assert registry.verify(entry) == folder / "out.onnx"

    def test_torchscript_carries_its_card_as_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "net.pt"
        torch.jit.save(torch.jit.script(nn.Conv2d(3, 3, 3)), str(path), _extra_files={METADATA_KEY: self.carried()})
        assert (skeleton(path, "upscale")["format"], open_questions(skeleton(path, "upscale"))) == ("torchscript", [])

    def test_a_card_of_other_ports_is_refused(self, tmp_path: Path) -> None:
        write_onnx(tmp_path / "out.onnx", card=dumps(Card.model_validate(card())))
        with pytest.raises(RequestError, match="inputs are picture; the card it carries says x"):
            skeleton(tmp_path / "out.onnx", "upscale")

    def test_a_card_that_is_wrong_or_of_another_task_is_refused(self, tmp_path: Path) -> None:
        write_onnx(tmp_path / "out.onnx", card="schema = 7")
        with pytest.raises(CardError, match=r"the card it carries.*schema = 7"):
            skeleton(tmp_path / "out.onnx", "upscale")
        write_onnx(tmp_path / "out.onnx", card=self.carried())
        with pytest.raises(RequestError, match="says upscale"):
            skeleton(tmp_path / "out.onnx", "inpaint")


class TestFolder:
    def test_a_net_is_its_file_and_a_card_with_questions(self, tmp_path: Path, studio: Path) -> None:
        folder, questions = add(write_onnx(tmp_path / "net.onnx"), "upscale", "mine")
        assert folder == studio / "mine"
        assert sorted(path.name for path in folder.iterdir()) == ["card.toml", "net.onnx"]
        written = (folder / "card.toml").read_text()
        for question in questions:
            assert f"#   {question}: {meaning(question)}" in written
        with pytest.raises(CardError, match=r"still to be answered: summary, inputs\.0\.channels"):
            registry.find("mine")

    def test_with_its_questions_answered_it_is_a_net(self, tmp_path: Path) -> None:
        path = write_onnx(tmp_path / "net.onnx")
        folder, _ = add(path, "upscale")
        (folder / "card.toml").write_text(answered(skeleton(path, "upscale")))
        assert load_card(folder).use == "research"
        assert registry.verify(registry.find("net")) == folder / "net.onnx"

    def test_a_file_that_is_there_already_gets_its_card(self, studio: Path) -> None:
        (studio / "mine").mkdir()
        folder, _ = add(write_onnx(studio / "mine" / "net.onnx"), "upscale", "mine")
        assert sorted(path.name for path in folder.iterdir()) == ["card.toml", "net.onnx"]

    def test_no_net_is_written_over(self, tmp_path: Path) -> None:
        path = write_onnx(tmp_path / "net.onnx")
        add(path, "upscale")
        with pytest.raises(RequestError, match="there is a net 'net' already"):
            add(path, "upscale")
        with pytest.raises(RequestError, match="already"):
            add(path, "upscale", to=tmp_path / "elsewhere")

    def test_it_wants_to_know_where(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("VFXGEN_NETS")
        with pytest.raises(RequestError, match="where to"):
            add(write_onnx(tmp_path / "net.onnx"), "upscale")

    @pytest.mark.parametrize(
        ("file", "options", "words"),
        [
            ("net.onnx", {"task": "enlarge"}, "--task enlarge: must be upscale"),
            ("net.onnx", {"task": "upscale", "name": "a/b"}, "--name a/b: must be letters"),
            ("net.pb", {"task": "upscale"}, r"a net is a file \.ckpt \.onnx"),
        ],
    )
    def test_wrong_requests(self, tmp_path: Path, file: str, options: dict[str, str], words: str) -> None:
        path = write_onnx(tmp_path / file)
        with pytest.raises(RequestError, match=words):
            add(path, **options)

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(NetError, match="is not there"):
            add(tmp_path / "gone.onnx", "upscale")
