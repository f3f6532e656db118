"""Graph and shot documents: sequences as JSON or TOML, and back, exactly."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal, TypeVar

import pydantic
import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from vfxgen.errors import GraphError, RequestError
from vfxgen.explain import explained
from vfxgen.media.pattern import parse_frames
from vfxgen.operator import Operator
from vfxgen.operators import operator_class
from vfxgen.output import FrameRate, Output
from vfxgen.sequence import Sequence, every_sequence

SCHEMA = 1
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

Nodes = dict[str, dict[str, Any]]
Model = TypeVar("Model", bound=BaseModel)


class Document(BaseModel):
    """A graph document: name -> ``operator``, inputs by node name, parameters."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schema_version: Literal[1] = Field(alias="schema")
    nodes: Nodes = {}


class ShotOutput(Output):
    """An output of a shot: where the frames of which node go."""

    node: str


class Shot(Document):
    """A shot file: what comes in, what is done to it, what goes out.

    Parameters
    ----------
    name
        Of the shot; empty: as its file is called.
    frames
        Frame range, ``1001-1100x2,1150``.
    fps
        Frames a second of its movies, ``24`` or ``24000/1001``; empty: see `vfxgen.output.Output`.
    working_space
        Colour space of every plate's sequence; empty: the configuration's scene_linear role.
    plates
        Name -> the parameters of `vfxgen.Read`: ``path``, ``colorspace``, ``missing`` ...
    nodes
        Name -> ``operator``, its inputs (names of plates and nodes) and parameters.
    graph
        A graph document beside the shot file, whose nodes join `nodes`.
    outputs
        Name -> ``node``, and the fields of `vfxgen.output.Output`.
    truth
        Name -> the parameters of `vfxgen.Read`: what the results are measured against, where it is known.
    """

    name: str = ""
    frames: str
    fps: FrameRate | None = None
    working_space: str = ""
    plates: Nodes = {}
    graph: str = ""
    outputs: dict[str, ShotOutput] = {}
    truth: Nodes = {}


def load(path: str) -> dict[str, Any]:
    """The contents of a `.toml` or `.json` document.

    Raises
    ------
    GraphError
        It is missing, not text, or no valid TOML or JSON: the message names the line.
    """
    try:
        with open(path, "rb") as file:
            text = file.read().decode()
        loaded = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except OSError as error:
        raise GraphError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise GraphError(f"{path}: is not a text file") from None
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise GraphError(f"{path}: {error}") from None
    except RecursionError:
        raise GraphError(f"{path}: nested too deeply") from None
    if not isinstance(loaded, dict):
        raise GraphError(f"{path}: must hold a table of nodes, not {type(loaded).__name__}")
    return loaded


def dumps(document: Mapping[str, Any], format: Literal["json", "toml"]) -> str:
    """A document as text.

    Examples
    --------
    >>> print(dumps({"schema": 1, "nodes": {}}, "toml"))
    schema = 1
    <BLANKLINE>
    [nodes]
    <BLANKLINE>
    """
    return json.dumps(document, indent=2) + "\n" if format == "json" else tomli_w.dumps(document)


def load_graph(path: str) -> dict[str, Sequence]:
    """Every node of a graph document as a sequence; relative paths begin at the document's folder.

    Raises
    ------
    GraphError
        The document is wrong: the message names the node and the field.
    """
    document = validated(Document, load(path), path)
    return build(document.nodes, os.path.dirname(path), path)


def load_shot(path: str) -> Shot:
    """A shot file, checked, with the nodes of its graph document joined in; relative paths begin at its folder.

    Raises
    ------
    GraphError
        The file is wrong: the message names the field and what is allowed.
    """
    shot = validated(Shot, load(path), path)
    folder, file = os.path.split(path)
    shot.name = shot.name or os.path.splitext(file)[0]
    if shot.graph:
        graph_path = os.path.join(folder, shot.graph)
        joined = validated(Document, load(graph_path), graph_path)
        if twice := sorted(set(joined.nodes) & set(shot.nodes)):
            raise GraphError(f"{path}: the node {twice[0]} is in {shot.graph} too")
        shot.nodes = {**joined.nodes, **shot.nodes}
    for name, plate in shot.plates.items():
        if name in shot.nodes:
            raise GraphError(f"{path}: '{name}' is a plate and a node; rename one")
        if "operator" in plate:
            raise GraphError(f"{path}: plates.{name}.operator: a plate is read from files; put operators under nodes")
        shot.nodes[name] = {"operator": "read", "working_space": shot.working_space, **plate}
    try:
        parse_frames(shot.frames)
    except RequestError as error:
        raise GraphError(f"{path}: frames: {error}") from None
    for name, output in shot.outputs.items():
        if output.node not in shot.nodes:
            raise GraphError(f"{path}: outputs.{name}.node = '{output.node}': no such node; {_known(shot.nodes)}")
        update = {"path": located(output.path, folder)}
        if output.is_movie and "fps" not in output.model_fields_set:
            update["fps"] = shot.fps  # type: ignore[assignment]
        shot.outputs[name] = output.model_copy(update=update)
    return shot


def set_value(nodes: Nodes, assignment: str) -> None:
    """Apply ``node.parameter=value`` to `nodes`.

    Raises
    ------
    RequestError
        It is no assignment, or there is no such node. Whether the value fits shows when the graph is built.

    Examples
    --------
    >>> nodes = {"key": {"operator": "key"}}
    >>> set_value(nodes, "key.screen=blue")
    >>> nodes["key"]["screen"]
    'blue'
    """
    target, equals, value = assignment.partition("=")
    node, dot, field = target.strip().partition(".")
    if not (equals and dot and node and field):
        raise RequestError(f"--set {assignment}: write node.parameter=value")
    if node not in nodes:
        raise RequestError(f"--set {assignment}: there is no node '{node}'; {_known(nodes)}")
    nodes[node][field] = value.strip()


def build(nodes: Nodes, folder: str, where: str) -> dict[str, Sequence]:
    """Sequences by node name.

    Parameters
    ----------
    nodes
        Name -> ``operator``, inputs by node name, parameters.
    folder
        Relative paths begin here.
    where
        The document, for messages; empty for one operator and its inputs, which need no document to be found in.

    Raises
    ------
    GraphError
        An unknown operator, node or field, a wrong value, a circle: the message names the node and the field, of every
        node that is wrong.
    """
    built: dict[str, Sequence] = {}
    place, inside = (f"{where}: ", f"{where}: nodes.") if where else ("", "")
    wrong: dict[str, GraphError] = {}

    def made(name: str, asked_by: tuple[str, ...]) -> Sequence:
        if name not in built and name not in wrong:
            try:
                built[name] = make(name, asked_by)
            except GraphError as error:
                wrong[name] = error
        if name in wrong:
            raise wrong[name]
        return built[name]

    def make(name: str, asked_by: tuple[str, ...]) -> Sequence:
        if not _NAME.fullmatch(name):
            raise GraphError(f"{place}node '{name}': a name is letters, digits, _ and -, and begins with a letter")
        if name in asked_by:
            circle = " -> ".join([*asked_by[asked_by.index(name) :], name])
            raise GraphError(f"{place}nodes form a circle: {circle}")
        operator, fields = _operator_of(name, nodes[name], inside)
        values: dict[str, Any] = {}
        for field, value in fields.items():
            if field not in operator.declared_inputs:
                values[field] = value
            elif not isinstance(value, str) or value not in nodes:
                raise GraphError(f"{inside}{name}.{field} = {value!r}: no such node; {_known(nodes)}")
            else:
                values[field] = made(value, (*asked_by, name))
        for field in [field for field, value in values.items() if _is_path(operator, field, value)]:
            values[field] = located(values[field], folder)
        try:
            return operator(**values)
        except RequestError as error:
            # The words of an operator begin with its name.
            alone = not where and name == operator.name
            raise GraphError(str(error) if alone else f"{inside}{name}: {error}") from None

    for name in nodes:
        with suppress(GraphError):
            made(name, ())
    if wrong:
        raise GraphError("; ".join(dict.fromkeys(map(str, wrong.values()))))
    return built


def _operator_of(name: str, fields: Any, inside: str) -> tuple[type[Operator], dict[str, Any]]:
    if not isinstance(fields, dict) or not isinstance(fields.get("operator"), str):
        raise GraphError(f"{inside}{name}.operator is missing: the name of an operator")
    try:
        operator = operator_class(fields["operator"])
    except RequestError as error:
        raise GraphError(f"{inside}{name}.operator: {error}") from None
    return operator, {field: value for field, value in fields.items() if field != "operator"}


def _is_path(operator: type[Operator], field: str, value: Any) -> bool:
    """Whether a parameter says where files are: a plate's, or the folder of a net that goes by no name."""
    if not isinstance(value, str) or field not in operator.declared_parameters:
        return False
    names_a_net = bool(operator.declared_parameters[field].net_task)
    return (operator.name, field) == ("read", "path") or (names_a_net and "/" in value and not value.startswith("~"))


def document(sequence: Sequence) -> dict[str, Any]:
    """The graph that makes `sequence`, as a document: `build` of its nodes gives the same frames and keys.

    Examples
    --------
    >>> import vfxgen
    >>> document(vfxgen.read("plate.####.exr"))["nodes"]["read"]["path"]
    'plate.####.exr'
    """
    names: dict[int, str] = {}
    nodes: Nodes = {}
    for node in every_sequence(sequence):
        kind = node.name if isinstance(node, Operator) else type(node).__name__.lower()
        same = sum(1 for name in nodes if name.rpartition("_")[0] == kind or name == kind)
        names[id(node)] = name = kind if not same else f"{kind}_{same + 1}"
        fields: dict[str, Any] = {"operator": kind}
        fields |= {field: names[id(source)] for field, source in node.inputs.items()}
        if isinstance(node, Operator):
            given = {k: v for k, v in node.parameters.items() if v is not None}
            fields |= {k: list(v) if isinstance(v, tuple) else v for k, v in given.items()}
        nodes[name] = fields
    return {"schema": SCHEMA, "nodes": nodes}


def located(path: str, folder: str) -> str:
    """`path`, beginning at `folder` where it is relative."""
    return path if os.path.isabs(path) else os.path.join(folder, path)


def _known(nodes: Nodes) -> str:
    return f"there are {', '.join(nodes)}" if nodes else "there are no nodes"


def validated(model: type[Model], contents: Mapping[str, Any], path: str) -> Model:
    """`contents` as a `model`; `path` stands in messages.

    Raises
    ------
    GraphError
        A field is missing, unknown or wrong: the message names it and what is allowed.
    """
    try:
        return model.model_validate(contents)
    except pydantic.ValidationError as error:
        raise GraphError("; ".join(explained(model, error, path))) from None
