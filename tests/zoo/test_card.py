"""A card: read, checked, written; whoever wrote it wrong is told which file, which field, and what is allowed."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from netcards import card, licences, write_net

from vfxgen.errors import CardError
from vfxgen.zoo.card import Card, dumps, load_card, loads, open_questions


def read(**changed: Any) -> Card:
    return loads(tomli_w.dumps(card(**changed)), "nets/sharp/card.toml")


def fault(**changed: Any) -> str:
    with pytest.raises(CardError) as caught:
        read(**changed)
    assert "nets/sharp/card.toml" in str(caught.value)
    return str(caught.value)


def without(field: str) -> str:
    contents = card()
    *path, last = field.split(".")
    inner = contents
    for step in path:
        inner = inner[step]
    inner = inner.copy() if not path else inner
    del inner[last]
    with pytest.raises(CardError) as caught:
        loads(tomli_w.dumps(inner if not path else contents), "card.toml")
    return str(caught.value)


class TestReading:
    def test_a_card_is_what_its_file_says(self, tmp_path: Path) -> None:
        found = load_card(write_net(tmp_path))
        assert (found.schema_version, found.name, found.task, found.scale) == (1, "sharp", "upscale", 2)
        assert found.inputs[0].channel_names == ("R", "G", "B")
        assert found.inputs[0].std == [1 / 255] * 3
        assert (found.size_multiple, found.precision, found.receptive_field) == (1, "fp32", 9)

    def test_a_field_that_is_not_bounded_is_none(self) -> None:
        contents = card()
        del contents["receptive_field"]
        assert loads(tomli_w.dumps(contents), "").receptive_field is None

    def test_a_card_does_not_change(self) -> None:
        with pytest.raises(ValueError, match="frozen"):
            read().scale = 3


class TestRoundTrip:
    def test_everything_comes_back(self) -> None:
        whole = read(
            hyperparameters={
                "scale": 2,
                "deep": True,
                "rate": 1.0,
                "widths": [8, 16],
                "kind": 'a "b"\n\\c',
                "w": [0.5],
            },
            training={
                "data": [{"name": "photos", "licence": "CC0-1.0", "files": 25, "sha256": "ab"}],
                "recipe": "train.toml",
                "device": "one H200",
                "steps": 1000,
                "seconds": 12.5,
                "note": "größer",
            },
            quality=[{"measure": "PSNR Y", "data": "Set5", "value": 32.2, "unit": "dB", "note": ""}],
        )
        back = loads(dumps(whole), "")
        assert back == whole
        assert [type(value) for value in back.hyperparameters.values()] == [int, bool, float, list, str, list]
        assert dumps(back) == dumps(whole)

    @settings(max_examples=60, deadline=None)
    @given(
        st.dictionaries(
            st.text(max_size=8),
            st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        ),
        st.text(),
    )
    def test_any_text_and_number_comes_back(self, hyperparameters: dict[str, Any], summary: str) -> None:
        if "?" in (summary, *hyperparameters.values()):
            return
        whole = Card.model_validate(card(hyperparameters=hyperparameters, summary=summary))
        back = loads(dumps(whole), "")
        assert back == whole
        assert {k: repr(v) for k, v in back.hyperparameters.items()} == {k: repr(v) for k, v in hyperparameters.items()}


class TestUse:
    def test_three_free_licences_allow_a_film(self) -> None:
        assert read().use == "commercial"

    @pytest.mark.parametrize("part", ["code", "weights", "data"])
    @pytest.mark.parametrize("use", ["research", "unknown"])
    def test_the_strictest_decides_and_unknown_is_no_permission(self, part: str, use: str) -> None:
        assert read(licences=licences(**{part: use})).use == "research"

    def test_a_use_that_does_not_exist_is_refused_with_those_that_do(self) -> None:
        said = fault(licences=licences(data="free-for-all"))
        assert "licences.data.use = 'free-for-all': must be commercial | research | unknown" in said


class TestWrongCards:
    @pytest.mark.parametrize(
        ("field", "words"),
        [
            ("name", "letters, digits"),
            ("task", "upscale | key | matte"),
            ("format", "safetensors | onnx"),
            ("weights", "file, sha256, bytes"),
            ("weights.sha256", "64 hexadecimal digits"),
            ("weights.bytes", "size of the file"),
            ("inputs", "name, channels"),
            ("licences", "code, weights and data"),
            ("licences.code", "of the code"),
            ("licences.data", "of what it was trained on"),
            ("licences.weights.use", "commercial | research | unknown"),
        ],
    )
    def test_a_missing_field_is_named_with_what_belongs_there(self, field: str, words: str) -> None:
        said = without(field)
        assert f"card.toml: {field} is missing" in said
        assert words in said

    def test_a_card_without_schema_is_told_to_write_one(self) -> None:
        assert "schema is missing: write schema = 1" in without("schema")

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"schema": 2}, "schema = 2: this vfxgen reads schema 1"),
            ({"task": "enlarge"}, "task = 'enlarge': must be upscale | key"),
            ({"format": "pickle"}, "format = 'pickle': must be safetensors | onnx"),
            ({"name": "../etc"}, "name = '../etc': must be letters, digits"),
            ({"scale": 0}, "scale = 0"),
            ({"scale": "2"}, "scale = '2'"),
            ({"scale": True}, "scale = True"),
            ({"speed": 3}, "speed: unknown field; known: schema, name, task"),
            ({"inputs": []}, "inputs = []"),
            ({"licences": "MIT"}, "licences must be a table"),
            ({"format": "safetensors"}, "needs architecture"),
            ({"outputs": [{"name": "y"}, {"name": "y"}]}, "outputs: a name is given twice"),
            ({"inputs": [{"name": "x", "encoding": "linear"}]}, "must be log | srgb | srgb-clipped"),
            ({"inputs": [{"name": "x", "colour": "R"}]}, "inputs.0.colour: unknown field; known: name, channels"),
            ({"inputs": [{"name": "x", "channels": "R G B", "mean": [0.5]}]}, "mean has 1 numbers for 3 channels"),
            ({"inputs": [{"name": "x", "channels": "A", "std": [0.0]}]}, "std must not be 0"),
            ({"inputs": [{"name": "x", "size": [320]}]}, "must be [height, width]"),
            ({"quality": [{"measure": "m", "data": "d", "value": float("nan")}]}, "quality.0.value = nan"),
        ],
    )
    def test_a_wrong_value_is_named_with_what_is_allowed(self, changed: dict[str, Any], words: str) -> None:
        assert words in fault(**changed)

    @pytest.mark.parametrize("file", ["../other/net.onnx", "/etc/passwd", "a\\b.onnx", ""])
    def test_weights_stay_in_the_nets_folder(self, file: str) -> None:
        assert "weights.file" in fault(weights={**card()["weights"], "file": file})

    @pytest.mark.parametrize("sha256", ["", "abc", "Z" * 64, "A" * 64])
    def test_a_hash_is_64_digits(self, sha256: str) -> None:
        assert "weights.sha256" in fault(weights={**card()["weights"], "sha256": sha256})

    def test_every_fault_is_said_at_once(self) -> None:
        said = fault(task="enlarge", scale=0)
        assert "task" in said and "scale" in said

    def test_open_questions_are_named(self) -> None:
        said = fault(summary="?", inputs=[{"name": "x", "encoding": "?"}])
        assert "still to be answered: summary, inputs.0.encoding" in said
        assert open_questions(card()) == []

    @pytest.mark.parametrize("content", [b"schema = ", b"\xff\xfe\x00", b"a = " + b"[" * 5000])
    def test_what_is_no_card_is_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "card.toml").write_bytes(content)
        with pytest.raises(CardError, match=r"card\.toml"):
            load_card(tmp_path)

    def test_a_folder_without_card_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(CardError, match=r"card\.toml: cannot be read"):
            load_card(tmp_path)


def test_what_is_written_is_toml_a_person_reads() -> None:
    text = dumps(read())
    assert tomllib.loads(text)["licences"]["code"] == {"name": "MIT", "use": "commercial"}
    assert text.startswith("schema = 1\nname = ")


def test_the_card_in_the_documentation_is_right() -> None:
    page = (Path(__file__).parents[2] / "docs" / "nets.md").read_text()
    shown = loads(page.split("```toml\n")[1].split("```")[0], "docs/nets.md")
    assert shown.use == "research"
    assert loads(dumps(shown), "") == shown
    missing = set(Card.model_fields) - shown.model_fields_set - {"schema_version", "architecture", "hyperparameters"}
    assert not missing
