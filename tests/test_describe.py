"""Declarations as data and as pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from netcards import write_net

import vfxgen
from vfxgen.describe import catalogue, page, schema, summary
from vfxgen.operator import Operator
from vfxgen.operators import operators


@pytest.mark.parametrize("operator", operators().values(), ids=operators().keys())
class TestEveryOperator:
    def test_its_schema_is_plain_data(self, operator: type[Operator]) -> None:
        described = schema(operator)
        assert json.loads(json.dumps(described)) == described

    def test_its_first_line_and_every_help_is_a_sentence(self, operator: type[Operator]) -> None:
        assert summary(operator).endswith(".") and len(summary(operator)) < 120
        helps = {name: declared.help for name, declared in operator.declared_inputs.items()}
        helps |= {name: declared.help for name, declared in operator.declared_parameters.items()}
        for field, help in helps.items():
            assert help.endswith((".", ")")), field

    def test_its_defaults_are_allowed(self, operator: type[Operator]) -> None:
        required = {p.name: "plate.####.exr" for p in operator.declared_parameters.values() if p.required}
        values = operator.validated(required)
        assert list(values) == list(operator.declared_parameters)

    def test_its_main_input_is_called_plate(self, operator: type[Operator]) -> None:
        if operator.declared_inputs:
            assert next(iter(operator.declared_inputs)) == "plate"

    def test_its_page_names_every_field(self, operator: type[Operator]) -> None:
        text = page(operator)
        for field in [*operator.declared_inputs, *operator.declared_parameters]:
            assert f"`{field}`" in text


def test_an_input_with_frames_of_its_own_choice_says_so() -> None:
    sparse = {i["name"]: i["sparse"] for i in schema(vfxgen.Matte)["inputs"]}
    assert [name for name, is_sparse in sparse.items() if is_sparse] == ["keyframes"]


def test_a_net_may_be_for_one_of_several_tasks() -> None:
    net = next(p for p in schema(vfxgen.Apply)["parameters"] if p["name"] == "net")
    assert net["task"].split() == ["image-to-image", "key", "matte"]


def test_a_parameter_is_described_with_all_a_widget_needs() -> None:
    saturation = next(p for p in schema(vfxgen.Grade)["parameters"] if p["name"] == "saturation")
    assert saturation == {
        "name": "saturation",
        "label": "Saturation",
        "type": "float",
        "required": False,
        "default": 1.0,
        "minimum": 0.0,
        "maximum": 16.0,
        "choices": [],
        "task": "",
        "unit": "",
        "help": "0 is grey, 1 leaves it.",
    }


def test_the_catalogue_says_its_schema() -> None:
    assert catalogue(operators())["schema"] == 1


def test_an_input_says_whether_it_is_a_picture_or_a_matte() -> None:
    kinds = {i["name"]: i["kind"] for i in schema(vfxgen.Key)["inputs"]}
    assert kinds == {"plate": "image", "clean": "image", "holdout": "matte", "garbage": "matte"}


class TestNets:
    def test_a_parameter_that_takes_a_net_says_for_which_task(self) -> None:
        net = next(p for p in schema(vfxgen.Upscale)["parameters"] if p["name"] == "net")
        assert (net["type"], net["task"]) == ("net", "upscale")
        offered = [n for n in catalogue(operators())["nets"] if n["task"] == net["task"]]
        assert "upscale-x2" in [n["name"] for n in offered]

    def test_a_net_comes_with_its_licences_and_what_they_allow(self) -> None:
        net = next(n for n in catalogue(operators())["nets"] if n["name"] == "upscale-x2")
        assert net["use"] == "commercial" and net["missing"] == ""
        assert set(net["licences"]) == {"code", "weights", "data"}
        assert all(licence["name"] and licence["use"] for licence in net["licences"].values())

    def test_one_without_weights_says_how_to_get_them(self, studio: Path) -> None:
        write_net(studio, "far", weights=None)
        net = next(n for n in catalogue(operators())["nets"] if n["name"] == "far")
        assert "its weights net.onnx are not here" in net["missing"]

    def test_one_with_a_wrong_card_is_named(self, studio: Path) -> None:
        (studio / "odd").mkdir()
        (studio / "odd" / "card.toml").write_text("schema = 2")
        assert "this vfxgen reads schema 1" in catalogue(operators())["broken_nets"]["odd"]
