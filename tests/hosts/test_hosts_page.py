"""docs/hosts.md: every example on it is what a worker says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from footage import write_plate
from worker_lines import Lines

import vfxgen
from vfxgen.describe import schema
from vfxgen.hosts import rpc

PAGE = (Path(__file__).parents[2] / "docs" / "hosts.md").read_text()
VARYING = {"vfxgen", "python", "pid", "seconds", "seconds_left", "read", "compute", "write"}
"""Fields whose value differs from run to run and from machine to machine: their type is held."""


def assert_like(said: Any, shown: Any, field: str = "") -> None:
    """What was said has the fields and values that are shown."""
    if shown == "...":
        assert said, field
    elif isinstance(shown, dict) and isinstance(said, dict):
        assert said.keys() == shown.keys(), field
        for name, value in shown.items():
            assert_like(said[name], value, f"{field}.{name}")
    elif field.rpartition(".")[2] in VARYING:
        assert type(said) is type(shown), field
    else:
        assert said == shown, field


def test_every_example_is_what_the_worker_says(tmp_path: Path) -> None:
    write_plate(tmp_path, [1, 2])
    lines = Lines(cwd=tmp_path)
    examples = re.findall(r"^(->|<-) (.*)$", PAGE, re.MULTILINE)
    assert len(examples) > 30
    asked = set()
    for who, text in examples:
        if who == "->":
            lines.write(text.encode())
            asked.add(json.loads(text)["method"])
        else:
            assert_like(lines.message(), json.loads(text), text)
    lines.end()
    assert asked == {"hello", "describe", "doctor", "needs", "check", "analyse", "render", "cancel", "shutdown"}


def test_the_declarations_shown_are_those_of_the_key() -> None:
    holdout, clip_black = (json.loads(text) for text in re.findall(r"```json\n(.*)\n```", PAGE))
    described = schema(vfxgen.Key)
    assert holdout in described["inputs"] and clip_black in described["parameters"]


def test_every_code_is_listed() -> None:
    listed = {int(code): kind for code, kind in re.findall(r"^\| (-?\d+) \| (.*) \|$", PAGE, re.MULTILINE)}
    assert all(listed[code] == made.__name__ for made, code in rpc.CODES.items())
    others = {rpc.PARSE_ERROR, rpc.INVALID_REQUEST, rpc.METHOD_NOT_FOUND, rpc.INVALID_PARAMS, rpc.INTERNAL_ERROR}
    assert listed.keys() == {*rpc.CODES.values(), *others, rpc.CANCELLED, rpc.PROTOCOL_DIFFERS}
