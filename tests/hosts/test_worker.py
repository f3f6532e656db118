"""The worker line by line: what is asked wrong is answered, and it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from footage import write_mask, write_plate
from worker_lines import Lines

from vfxgen import errors
from vfxgen.describe import catalogue
from vfxgen.hosts import rpc
from vfxgen.operators import operators
from vfxgen.version import __version__


@pytest.fixture(scope="module")
def lines() -> Iterator[Lines]:
    made = Lines()
    yield made
    assert made.end() == 0


class TestHello:
    def test_nothing_is_answered_before_it(self, lines: Lines) -> None:
        error = lines.ask("describe")["error"]
        assert (error["code"], error["message"]) == (
            rpc.PROTOCOL_DIFFERS, "describe: say hello first, with the protocol you speak",
        )  # fmt: skip

    @pytest.mark.parametrize("protocol", [0, 2, "1", None])
    def test_another_protocol_is_refused(self, lines: Lines, protocol: object) -> None:
        error = lines.ask("hello", {"protocol": protocol, "host": "Blender 9"})["error"]
        assert error["code"] == rpc.PROTOCOL_DIFFERS
        assert f"vfxgen {__version__} speaks protocol 1, Blender 9 speaks {protocol!r}" in error["message"]
        assert "error" in lines.ask("describe")

    def test_it_says_what_it_is(self, lines: Lines) -> None:
        said = lines.ask("hello", {"protocol": 1})["result"]
        assert (said["protocol"], said["vfxgen"], said["pid"]) == (1, __version__, lines.process.pid)
        assert said["methods"] == [
            "hello", "describe", "doctor", "needs", "check", "analyse", "render", "cancel", "shutdown",
        ]  # fmt: skip


@pytest.fixture
def greeted(lines: Lines) -> Lines:
    lines.ask("hello", {"protocol": 1})
    return lines


class TestGarbage:
    @pytest.mark.parametrize(
        ("line", "code"),
        [
            (b"render please", rpc.PARSE_ERROR),
            (b"\xff\xfe\x00", rpc.PARSE_ERROR),
            (b'{"jsonrpc": "2.0", "id": 1, "method": "describe"', rpc.PARSE_ERROR),
            (b'{"jsonrpc": "2.0", "id": NaN, "method": "describe"}', rpc.PARSE_ERROR),
            (b"[" * 100_000, rpc.PARSE_ERROR),
            (b"[]", rpc.INVALID_REQUEST),
            (b"{}", rpc.INVALID_REQUEST),
            (b'{"jsonrpc": "1.0", "id": 1, "method": "describe"}', rpc.INVALID_REQUEST),
            (b'{"jsonrpc": "2.0", "id": 1, "method": 7}', rpc.INVALID_REQUEST),
            (b'{"jsonrpc": "2.0", "id": {}, "method": "describe"}', rpc.INVALID_REQUEST),
        ],
    )
    def test_is_answered_and_survived(self, greeted: Lines, line: bytes, code: int) -> None:
        greeted.write(line)
        said = greeted.answer()
        assert (said["id"], said["error"]["code"]) == (None, code)
        assert greeted.ask("cancel", {"id": 0})["result"] == {"cancelled": False}

    def test_empty_lines_and_answers_to_nobody_are_passed_over(self, greeted: Lines) -> None:
        greeted.write(b"\n  \r")
        greeted.write(b'{"jsonrpc": "2.0", "method": "no such method"}')
        assert greeted.ask("cancel", {"id": 0}, id="last")["id"] == "last"


class TestWrongRequests:
    @pytest.mark.parametrize(
        ("method", "params", "code", "said"),
        [
            ("rendr", {}, rpc.METHOD_NOT_FOUND, "there is no method 'rendr'; there are hello, describe"),
            ("describe", [1], rpc.INVALID_PARAMS, "describe takes no params"),
            ("doctor", {"text": 1}, rpc.INVALID_PARAMS, "it does not know 'text'"),
            ("cancel", {"job": 1}, rpc.INVALID_PARAMS, "cancel takes id"),
            ("render", [], rpc.INVALID_PARAMS, "render: graph is missing"),
            ("render", [1], rpc.INVALID_PARAMS, "takes its params by name"),
            ("render", {"operator": "key"}, rpc.INVALID_PARAMS, "render: output is missing"),
            ("render", {"operator": "key", "output": {}, "frame": "1"}, rpc.INVALID_PARAMS, "render: frame: unknown"),
            ("check", {"graph": {"schema": 2}, "outputs": {}}, rpc.INVALID_PARAMS, "this vfxgen reads schema 1"),
            ("render", {"operator": "keyy", "output": {"path": "x"}}, 3, "there is no operator 'keyy'; there are"),
            ("render", {"operator": "key", "output": {"path": "x"}}, 3, "the input 'plate' is missing"),
            ("render", {"graph": {"schema": 1}, "outputs": {}}, 3, "outputs is empty"),
            ("render", {"graph": {"schema": 1}, "outputs": {"a": {"node": "k", "path": "x"}}}, 3, "outputs.a.node"),
        ],
    )
    def test_each_is_a_sentence_with_a_code(
        self, greeted: Lines, method: str, params: Any, code: int, said: str
    ) -> None:
        error = greeted.ask(method, params)["error"]
        assert (error["code"], "Traceback" in error["message"]) == (code, False)
        assert said in error["message"]

    @pytest.mark.parametrize(
        ("changed", "code", "said"),
        [
            ({"parameters": {"slope": -1}}, 3, "grade.slope = -1: must be red,green,blue, 0 or more"),
            ({"frames": "a-b"}, 2, "'a-b' is no frame range"),
            ({"inputs": {"plate": "gone/p.####.exr"}}, 7, "gone/p.####.exr: the folder cannot be listed"),
            ({"output": {"path": "o.####.xyz"}}, 2, "cannot write '.xyz'"),
            ({"output": {"path": "plate.####.exr"}}, 2, "would overwrite its own input"),
            ({"output": {"path": "o.####.exr", "colorspace": "nope"}}, 4, "colour space 'nope'"),
            ({"output": {"frames": 1}}, 2, "output.path is missing"),
        ],
    )
    def test_the_words_are_those_of_the_command_line(
        self, greeted: Lines, tmp_path: Path, changed: dict[str, Any], code: int, said: str
    ) -> None:
        write_plate(tmp_path, [1])
        request = {
            "operator": "grade",
            "inputs": {"plate": "plate.####.exr"},
            "output": {"path": "o.####.exr"},
            "folder": str(tmp_path),
        }
        error = greeted.ask("render", request | changed)["error"]
        assert (error["code"], said in error["message"]) == (code, True), error
        assert [path.name for path in tmp_path.iterdir()] == ["plate.0001.exr"]

    def test_a_net_for_research_is_refused_by_its_licence(self) -> None:
        assert rpc.as_fault(errors.LicenceError("no")).data == {"kind": "LicenceError"}

    def test_every_error_of_vfxgen_has_a_code(self) -> None:
        classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.VfxgenError)]
        assert all(0 < rpc.as_fault(made("words")).code < rpc.CANCELLED for made in classes)
        assert len(set(rpc.CODES.values())) == len(rpc.CODES)


class TestAnswers:
    def test_describe_is_the_catalogue(self, greeted: Lines) -> None:
        assert greeted.ask("describe")["result"] == json.loads(json.dumps(catalogue(operators())))

    def test_nothing_is_to_be_analysed(self, greeted: Lines, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1])
        request = {"operator": "grade", "inputs": {"plate": plate}, "output": {"path": str(tmp_path / "o.exr")}}
        assert greeted.ask("analyse", request)["error"]["message"] == "grade: has nothing to analyse; render it"

    def test_a_render_says_when_it_begins_and_who_waits(self, greeted: Lines, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1])
        request = {"operator": "grade", "inputs": {"plate": plate}, "output": {"path": str(tmp_path / "o.####.exr")}}
        assert greeted.ask("render", request, id="shot 1")["result"]["rendered"] == 1
        queues = [m["params"] for m in greeted.said if m["method"] == "queue"]
        assert queues[:2] == [{"running": None, "waiting": ["shot 1"]}, {"running": "shot 1", "waiting": []}]
        begun, frame = [m["params"] for m in greeted.said if m["method"] == "progress"]
        assert begun == {"id": "shot 1", "done": 0, "total": 1, "seconds_left": None}
        assert (frame["frame"], frame["status"], frame["done"]) == (1, "rendered", 1)

    def test_what_is_logged_is_told_again_at_each_render(self, greeted: Lines, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1])
        small = write_mask(tmp_path, size=(9, 9))
        request = {
            "operator": "grade", "inputs": {"plate": plate, "mask": small}, "parameters": {"slope": 2},
            "output": {"path": str(tmp_path / "o.####.exr")}, "force": True,
        }  # fmt: skip
        for _ in range(2):
            greeted.ask("render", request)
            (said,) = [m["params"] for m in greeted.said if m["method"] == "log"]
            assert said["level"] == "warning" and "a matte of 17x9+0+0 on a plate of" in said["message"]

    def test_doctor_says_what_the_command_says(self, greeted: Lines) -> None:
        said = greeted.ask("doctor")["result"]
        assert said["text"].startswith(f"vfxgen {__version__}, Python")
        assert said["found"]["vfxgen"] == __version__


def test_shutdown_ends_it_with_an_answer_to_everything() -> None:
    made = Lines()
    made.ask("hello", {"protocol": 1})
    assert made.ask("shutdown", id=9) == {"jsonrpc": "2.0", "id": 9, "result": {}}
    assert made.process.wait(20) == 0
    made.end()
