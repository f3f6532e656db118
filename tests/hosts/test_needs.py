"""Which frames of its inputs an operator needs, before they are there."""

from __future__ import annotations

from typing import Any

import pytest

from vfxgen.errors import RequestError
from vfxgen.hosts.needs import needed
from vfxgen.hosts.rpc import Fault

TEMPORAL = {"operator": "upscale", "parameters": {"temporal": 1.0}, "inputs": {"plate": "1001-1010"}}


@pytest.mark.parametrize(("frames", "plate"), [("1001", "1001-1002"), ("1005", "1004-1006"), ("1010", "1009-1010")])
def test_neighbours_within_the_range(frames: str, plate: str) -> None:
    assert needed({**TEMPORAL, "frames": frames}) == {"inputs": {"plate": plate}, "frame_by_frame": False}


def test_an_operator_of_single_frames_needs_just_these() -> None:
    inputs = {"plate": "1-9", "garbage": "3"}
    answer = needed({"operator": "key", "inputs": inputs, "frames": "2-4"})
    assert answer == {"inputs": {"plate": "2-4", "garbage": "2-4"}, "frame_by_frame": True}


@pytest.mark.parametrize(("frames", "plate", "painted"), [("3", "1-9", "1,9"), ("9-12", "9-12", "9")])
def test_of_a_sparse_input_the_frames_that_are_there(frames: str, plate: str, painted: str) -> None:
    inputs = {"plate": "1-12", "keyframes": "1,9"}
    answer = needed({"operator": "matte", "inputs": inputs, "frames": frames})
    assert answer == {"inputs": {"plate": plate, "keyframes": painted}, "frame_by_frame": False}


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"frames": "a"}, RequestError, "'a' is no frame range"),
        ({"operator": "upscal"}, RequestError, "there is no operator 'upscal'"),
        ({"parameters": {"scale": 0}}, RequestError, "upscale.scale = 0"),
        ({"inputs": {}}, RequestError, "the input 'plate' is missing"),
        ({"inputs": []}, Fault, "needs: inputs"),
        ({"frame": 1}, Fault, "needs: frame: unknown field"),
    ],
)
def test_what_is_wrong_is_said(changed: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        needed({**TEMPORAL, "frames": "1001", **changed})
