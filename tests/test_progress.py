"""What a render says while it runs."""

from __future__ import annotations

import json

import pytest

from vfxgen.progress import DONE, SOME_FAILED, report
from vfxgen.render import Event

EVENTS = [
    Event(1, "current"),
    Event(2, "rendered", ("o.0002.exr",), {"read": 0.1, "compute": 0.2, "write": 0.3}),
    Event(3, "failed", error="frame 3: broken [not markup]"),
]


def test_json_has_an_object_a_frame_and_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(iter(EVENTS), 3, as_json=True) == SOME_FAILED
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("status") for line in said] == ["current", "rendered", "failed", None]
    assert said[1]["paths"] == ["o.0002.exr"] and said[1]["seconds"]["write"] == 0.3
    assert {"rendered": 1, "current": 1, "failed": 1}.items() <= said[-1].items()


def test_people_read_what_failed_and_what_was_not_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(iter(EVENTS), 5, as_json=False) == SOME_FAILED
    said = capsys.readouterr()
    assert said.out == ""
    assert "broken [not markup]" in said.err
    assert "1 rendered" in said.err and "1 already current" in said.err
    assert "1 failed: 3" in said.err and "2 not tried" in said.err


def test_all_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(iter(EVENTS[:2]), 2, as_json=False) == DONE
    assert "failed" not in capsys.readouterr().err
