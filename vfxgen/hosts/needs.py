"""Which frames of its inputs an operator needs: what a host has to export before it asks for a render."""

from __future__ import annotations

from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict

from vfxgen import graph
from vfxgen.errors import FrameError, GraphError
from vfxgen.hosts.rpc import INVALID_PARAMS, Fault
from vfxgen.media.pattern import format_frames, parse_frames
from vfxgen.operators import operator_class
from vfxgen.sequence import Sequence, leaves


class NeedsRequest(BaseModel):
    """An operator and the frames that there would be.

    Parameters
    ----------
    operator, parameters
        As in `vfxgen.hosts.requests.OperatorRequest`.
    inputs
        Name of an input -> the frames it has, ``1001-1100``; empty: a still.
    frames
        The frames that are to be rendered.
    """

    model_config = ConfigDict(extra="forbid")

    operator: str
    parameters: dict[str, Any] = {}
    inputs: dict[str, str]
    frames: str


class _Planned(Sequence):
    """Frames that are not there yet."""

    def __init__(self, numbers: list[int] | None) -> None:
        super().__init__()
        self._numbers = numbers

    @property
    def range(self) -> list[int] | None:
        return self._numbers

    def frame(self, number: int) -> NoReturn:
        raise FrameError(f"frame {number} is not there yet")

    def make_key(self, number: int) -> NoReturn:
        raise FrameError(f"frame {number} is not there yet")


def needed(params: Any) -> dict[str, Any]:
    """``inputs``: name -> the frames of it that are needed; ``frame_by_frame``: whether each frame needs its own alone.

    Raises
    ------
    Fault
        The params do not have the form of a request.
    RequestError
        An unknown operator, a wrong parameter or frame range.

    Examples
    --------
    >>> needed({"operator": "grade", "inputs": {"plate": "1-100", "mask": ""}, "frames": "8,12"})
    {'inputs': {'plate': '8,12', 'mask': '8,12'}, 'frame_by_frame': True}
    """
    try:
        request = graph.validated(NeedsRequest, params, "needs")
    except GraphError as error:
        raise Fault(INVALID_PARAMS, str(error)) from None
    inputs = {name: _Planned(parse_frames(has) if has else None) for name, has in request.inputs.items()}
    sequence = operator_class(request.operator)(**inputs, **request.parameters)
    asked: dict[int, set[int]] = {id(source): set() for source in inputs.values()}
    is_local = True
    for number in parse_frames(request.frames):
        for leaf, wanted in leaves(sequence, number):
            asked[id(leaf)].add(wanted)
            is_local = is_local and wanted == number
    frames = {name: format_frames(numbers) if (numbers := asked[id(source)]) else "" for name, source in inputs.items()}
    return {"inputs": frames, "frame_by_frame": is_local}
