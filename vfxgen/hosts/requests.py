"""What a host asks to render, as it comes over the line and as jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vfxgen import graph
from vfxgen.errors import GraphError, RequestError
from vfxgen.graph import Document, Nodes, ShotOutput
from vfxgen.hosts.rpc import INVALID_PARAMS, Fault, Request
from vfxgen.media.pattern import parse_frames
from vfxgen.output import Output, output_of
from vfxgen.render import MEMORY_BUDGET, Job, frame_numbers


class _Common(BaseModel):
    model_config = ConfigDict(extra="forbid")

    frames: str = ""
    folder: str = ""
    force: bool = False
    on_error: Literal["stop", "skip"] = "stop"
    memory: float = Field(default=MEMORY_BUDGET / 1024**3, ge=0.1, le=1e6, allow_inf_nan=False)

    @property
    def options(self) -> dict[str, Any]:
        """How to render, as `vfxgen.render.render` takes it."""
        return {"force": self.force, "on_error": self.on_error, "memory": int(self.memory * 1024**3)}


class GraphRequest(_Common):
    """Outputs of a graph document.

    Parameters
    ----------
    graph
        The document: ``{"schema": 1, "nodes": {...}}``.
    outputs
        Name -> ``node`` and the fields of `vfxgen.output.Output`.
    frames
        ``1001-1100``; empty: all that the first output's node has.
    folder
        Relative paths begin here; empty: where the worker was started.
    force
        Make current frames again.
    on_error
        ``stop`` after the first frame that fails, or ``skip`` it.
    memory
        GiB that waiting frames may take.
    """

    graph: Document
    outputs: dict[str, ShotOutput]


class OperatorRequest(_Common):
    """One operator over files; the other fields are those of `GraphRequest`.

    Parameters
    ----------
    operator
        Its name.
    inputs
        Name of an input -> a pattern, or the parameters of `vfxgen.Read`.
    parameters
        Of the operator, by name.
    output
        The fields of `vfxgen.output.Output`.
    """

    operator: str
    inputs: dict[str, str | dict[str, Any]] = {}
    parameters: dict[str, Any] = {}
    output: dict[str, Any]

    @property
    def nodes(self) -> Nodes:
        """The nodes that the command line would make of it."""
        read = {
            name: {**({"path": source} if isinstance(source, str) else source), "operator": "read"}
            for name, source in self.inputs.items()
        }
        return {**read, self.operator: {**self.parameters, **{name: name for name in read}, "operator": self.operator}}


@dataclass(frozen=True)
class Work:
    """What `vfxgen.render.render` is given."""

    jobs: dict[str, Job]
    frames: list[int]
    options: dict[str, Any]


def work_of(asked: Request) -> Work:
    """The jobs that a request's params ask for.

    Raises
    ------
    Fault
        The params do not have the form of a request.
    RequestError
        They have, but what they ask for is wrong: a node, a parameter, an output, a frame range.
    """
    method, params = asked.method, asked.params
    if not isinstance(params, dict):
        raise Fault(INVALID_PARAMS, f"{method} takes its params by name, in an object")
    try:
        if "operator" in params:
            one = graph.validated(OperatorRequest, params, method)
        else:
            several = graph.validated(GraphRequest, params, method)
    except GraphError as error:
        raise Fault(INVALID_PARAMS, str(error)) from None
    return _work_of_operator(one) if "operator" in params else _work_of_graph(several, method)


def _work_of_operator(request: OperatorRequest) -> Work:
    sequence = graph.build(request.nodes, request.folder, "")[request.operator]
    fields = dict(request.output)
    path = fields.pop("path", None)
    if not isinstance(path, str):
        raise RequestError(f"{request.operator}: output.path is missing: a pattern such as comp.####.exr, or a movie")
    output = output_of(graph.located(path, request.folder), **fields)
    return Work(
        {request.operator: Job(sequence, output)}, frame_numbers(sequence, request.frames, output), request.options
    )


def _work_of_graph(request: GraphRequest, method: str) -> Work:
    sequences = graph.build(request.graph.nodes, request.folder, method)
    jobs: dict[str, Job] = {}
    for name, made in request.outputs.items():
        if made.node not in sequences:
            known = ", ".join(sequences) or "none"
            raise GraphError(f"{method}: outputs.{name}.node = '{made.node}': no such node; there are {known}")
        fields = made.model_dump(exclude={"node"}) | {"path": graph.located(made.path, request.folder)}
        jobs[name] = Job(sequences[made.node], Output(**fields), name)
    if not jobs:
        raise GraphError(f"{method}: outputs is empty: name -> node and path")
    first = next(iter(jobs.values()))
    frames = parse_frames(request.frames) if request.frames else frame_numbers(first.sequence, "", first.output)
    return Work(jobs, frames, request.options)
