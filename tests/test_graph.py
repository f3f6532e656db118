"""Graph and shot documents: exact round trips, errors that name the node and the field, no code."""

from __future__ import annotations

import json
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import small_nets
from footage import bits, write_mask, write_plate
from hypothesis import given
from hypothesis import strategies as st

import vfxgen
from vfxgen import graph
from vfxgen.errors import GraphError, RequestError

SHOT: dict[str, Any] = {
    "schema": 1,
    "name": "sh010",
    "frames": "1-3",
    "plates": {"plate": {"path": "plate.####.exr"}},
    "nodes": {"grade": {"operator": "grade", "plate": "plate", "slope": [1.5, 1.0, 1.0]}},
    "outputs": {"graded": {"node": "grade", "path": "out/g.####.exr"}},
}


def written(folder: Path, document: dict[str, Any], format: str = "json") -> str:
    path = folder / f"shot.{format}"
    path.write_text(graph.dumps(document, "toml" if format == "toml" else "json"))
    return str(path)


class TestRoundTrip:
    @pytest.mark.parametrize("format", ["json", "toml"])
    def test_a_graph_comes_back_exactly(self, tmp_path: Path, format: str) -> None:
        plate, mask = write_plate(tmp_path, [1]), write_mask(tmp_path)
        graded = vfxgen.Grade(vfxgen.read(plate), vfxgen.read(mask), slope=(1.1, 0.2, 3.0), saturation=0.7)
        comp = vfxgen.Merge(graded, vfxgen.Grade(graded, power=2.2), operation="screen")
        document = graph.document(comp)
        path = written(tmp_path, document, format)
        assert graph.load(path) == document
        loaded = graph.load_graph(path)[list(document["nodes"])[-1]]
        assert graph.document(loaded) == document
        assert loaded.key(1) == comp.key(1)

    @given(
        st.tuples(*[st.floats(0, 100, allow_nan=False)] * 3),
        st.floats(0, 16),
        st.sampled_from(["over", "plus", "multiply"]),
    )
    def test_parameters_survive_text(self, slope: tuple[float, float, float], saturation: float, how: str) -> None:
        plate = vfxgen.read("plate.####.exr")
        sequence = vfxgen.Merge(plate, vfxgen.Grade(plate, slope=slope, saturation=saturation), operation=how)
        document = graph.document(sequence)
        for format in ("json", "toml"):
            text = graph.dumps(document, "json" if format == "json" else "toml")
            back = json.loads(text) if format == "json" else tomllib.loads(text)
            assert back == document
            built = graph.build(back["nodes"], "", "test")
            assert graph.document(built[list(back["nodes"])[-1]]) == document

    def test_paths_begin_at_the_documents_folder(self, tmp_path: Path) -> None:
        write_plate(tmp_path, [1])
        shot = graph.load_shot(written(tmp_path, SHOT))
        sequences = graph.build(shot.nodes, str(tmp_path), "shot.json")
        assert sequences["grade"].range == [1]
        assert shot.outputs["graded"].path == str(tmp_path / "out" / "g.####.exr")

    def test_a_nets_folder_begins_there_too_and_is_no_part_of_the_key(self, tmp_path: Path) -> None:
        nodes = {"plate": {"operator": "read", "path": "plate.####.exr"}}
        nodes["retouch"] = {"operator": "apply", "plate": "plate", "net": "nets/retouch"}
        keys = []
        for shot in (tmp_path / "one", tmp_path / "two"):
            net = shot / "nets" / "retouch"
            net.mkdir(parents=True)
            small_nets.built(net, "unet", seed=3, widths=[4, 6])
            write_plate(shot, [1])
            sequence = graph.build(nodes, str(shot), "shot.json")["retouch"]
            assert isinstance(sequence, vfxgen.Apply) and sequence.net == str(net)
            keys.append(sequence.key(1))
        assert keys[0] == keys[1]

    def test_a_nets_name_stays_a_name(self, tmp_path: Path) -> None:
        nodes = {"plate": {"operator": "read", "path": "plate.####.exr"}}
        nodes["upscale"] = {"operator": "upscale", "plate": "plate", "net": "upscale-x2"}
        built = graph.build(nodes, str(tmp_path), "shot.json")["upscale"]
        assert isinstance(built, vfxgen.Upscale) and built.net == "upscale-x2"

    def test_a_shot_may_keep_its_graph_in_a_file_of_its_own(self, tmp_path: Path) -> None:
        (tmp_path / "look.toml").write_text(graph.dumps({"schema": 1, "nodes": SHOT["nodes"]}, "toml"))
        shot = graph.load_shot(written(tmp_path, {**SHOT, "nodes": {}, "graph": "look.toml"}))
        assert set(shot.nodes) == {"plate", "grade"}

    def test_without_a_name_it_is_called_as_its_file(self, tmp_path: Path) -> None:
        path = written(tmp_path, {name: value for name, value in SHOT.items() if name != "name"})
        assert graph.load_shot(path).name == Path(path).stem

    def test_a_movie_has_its_own_frame_rate_or_the_shots(self, tmp_path: Path) -> None:
        outputs = {
            "own": {"node": "grade", "path": "a.mp4", "fps": 25},
            "shots": {"node": "grade", "path": "b.mp4"},
        }
        for said, rate in (({"fps": "24000/1001"}, Fraction(24000, 1001)), ({}, None)):
            shot = graph.load_shot(written(tmp_path, {**SHOT, **said, "outputs": outputs}))
            assert [shot.outputs[name].fps for name in outputs] == [25, rate]


class TestErrorsNameNodeAndField:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"schema": 2}, "schema = 2: this vfxgen reads schema 1"),
            ({"colour": "red"}, "colour: unknown field; known: schema, nodes, name"),
            ({"frames": "ten"}, "frames: 'ten' is no frame range"),
            ({"name": 7}, "name = 7"),
            ({"fps": 0}, "fps = 0: must be frames a second, above 0 and at most 1000"),
            ({"fps": -24}, "fps = -24: "),
            (
                {"fps": "abc"},
                "fps = 'abc': must be frames a second, above 0 and at most 1000, such as 24",
            ),
            ({"nodes": {"g": {"operator": "grde"}}}, "nodes.g.operator: there is no operator 'grde'; there are"),
            ({"nodes": {"g": {"plate": "plate"}}}, "nodes.g.operator is missing"),
            ({"nodes": {"g": {"operator": "grade"}}}, "nodes.g: grade: the input 'plate' is missing"),
            (
                {"nodes": {"g": {"operator": "grade", "plate": "plat"}}},
                "nodes.g.plate = 'plat': no such node; there are g",
            ),
            ({"nodes": {"g": {"operator": "grade", "plate": "plate", "slop": 1}}}, "grade: has no parameter 'slop'"),
            ({"nodes": {"g": {"operator": "grade", "plate": "plate", "slope": -1}}}, "grade.slope = -1: must be"),
            (
                {"nodes": {"g": {"operator": "grade", "plate": "plate", "slope": [1, 2]}}},
                "grade.slope = [1, 2]: must be",
            ),
            ({"nodes": {"g": {"operator": "grade", "plate": "plate", "saturation": "x"}}}, "grade.saturation = 'x'"),
            ({"nodes": {"g": {"operator": "grade", "plate": "g"}}}, "nodes form a circle: g -> g"),
            ({"nodes": {"a b": {"operator": "grade", "plate": "plate"}}}, "node 'a b': a name is letters"),
            ({"nodes": {"plate": {"operator": "grade", "plate": "plate"}}}, "'plate' is a plate and a node"),
            (
                {"plates": {"plate": {"path": "p.####.exr", "missing": "ignore"}}},
                "read.missing = 'ignore': must be error |",
            ),
            ({"plates": {"plate": {"path": "p.####.exr", "colorspace": "ACESgc"}}}, "near: ACEScg"),
            ({"plates": {"plate": {}}}, "read.path is missing"),
            ({"outputs": {"o": {"node": "nodé", "path": "o.exr"}}}, "outputs.o.node = 'nodé': no such node"),
            ({"outputs": {"o": {"node": "grade"}}}, "outputs.o.path is missing"),
            (
                {"outputs": {"o": {"node": "grade", "path": "o.exr", "typ": 1}}},
                "outputs.o.typ: unknown field; known: path",
            ),
            (
                {"outputs": {"o": {"node": "grade", "path": "o.exr", "type": "int8"}}},
                "outputs.o.type = 'int8': must be half | float | uint8 | uint10 | uint12 | uint16",
            ),
        ],
    )
    def test_wrong_shot(self, tmp_path: Path, change: dict[str, Any], said: str) -> None:
        path = written(tmp_path, {**SHOT, "outputs": {}, **change})
        with pytest.raises(GraphError) as caught:
            shot = graph.load_shot(path)
            graph.build(shot.nodes, str(tmp_path), path)
        assert said in str(caught.value)
        assert path in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_every_node_that_is_wrong_is_told_at_once_and_once(self) -> None:
        nodes: graph.Nodes = {
            "plate": {"operator": "read", "path": "p.exr", "colour": 1},
            "one": {"operator": "grade", "plate": "plate"},
            "two": {"operator": "grade", "plate": "plat"},
            "three": {"operator": "grde"},
        }
        with pytest.raises(GraphError) as caught:
            graph.build(nodes, "", "look.toml")
        said = str(caught.value)
        assert said.count("look.toml: ") == 3
        assert said.index("nodes.plate: read: has no") < said.index("nodes.two.plate = 'plat'") < said.index("'grde'")

    def test_a_circle_of_three_is_shown(self) -> None:
        nodes = {name: {"operator": "grade", "plate": source} for name, source in (("a", "b"), ("b", "c"), ("c", "a"))}
        with pytest.raises(GraphError, match="a -> b -> c -> a"):
            graph.build(nodes, "", "test")

    @pytest.mark.parametrize(
        ("text", "said"),
        [("{", "line 1"), ("[1, 2]", "must hold a table"), ("[" * 100000, "nested too deeply"), ("", "line 1")],
    )
    def test_not_a_document(self, tmp_path: Path, text: str, said: str) -> None:
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(GraphError, match=said):
            graph.load(str(tmp_path / "bad.json"))

    def test_not_text(self, tmp_path: Path) -> None:
        (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(GraphError, match="not a text file"):
            graph.load(str(tmp_path / "bad.toml"))
        with pytest.raises(GraphError, match="No such file"):
            graph.load(str(tmp_path / "none.toml"))


class TestNoCode:
    @pytest.mark.parametrize(
        "value", ["__import__('os').system('touch pwned')", "!!python/object:os.system", "${HOME}"]
    )
    def test_a_value_is_only_a_value(self, tmp_path: Path, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        nodes = {"g": {"operator": "grade", "plate": "plate", "saturation": value}}
        with pytest.raises(GraphError):
            shot = graph.load_shot(written(tmp_path, {**SHOT, "nodes": nodes, "outputs": {}}))
            graph.build(shot.nodes, "", "test")
        assert [path.name for path in tmp_path.iterdir()] == ["shot.json"]

    @pytest.mark.parametrize("name", ["os", "vfxgen.cli", "__init__", "../evil", "read.__class__"])
    def test_an_operator_is_one_of_the_declared_ones(self, name: str) -> None:
        with pytest.raises(GraphError, match="there is no operator"):
            graph.build({"n": {"operator": name}}, "", "test")


class TestSetValue:
    def test_it_changes_the_frames(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1])
        nodes: graph.Nodes = {
            "plate": {"operator": "read", "path": plate},
            "g": {"operator": "grade", "plate": "plate"},
        }
        graph.set_value(nodes, "g.slope=2,1,1")
        built = graph.build(nodes, "", "test")
        vfxgen.write(built["g"], tmp_path / "o.exr", frames="1")
        assert bits(tmp_path / "o.exr")["R"] != bits(tmp_path / "plate.0001.exr")["R"]

    @pytest.mark.parametrize("wrong", ["g.slope", "slope=1", "=1", "h.slope=1", "g.=1"])
    def test_wrong_assignments(self, wrong: str) -> None:
        with pytest.raises(RequestError, match="--set"):
            graph.set_value({"g": {"operator": "grade"}}, wrong)
