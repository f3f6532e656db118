"""Declarations as data: what hosts build nodes from, what the command line and the documentation say."""

from __future__ import annotations

import inspect
import re
from typing import Any

from vfxgen.errors import NetError
from vfxgen.operator import Operator, Parameter, allowed
from vfxgen.version import __version__
from vfxgen.zoo import registry

SCHEMA = 1


def summary(operator: type[Operator]) -> str:
    """The first line of its documentation."""
    return (inspect.getdoc(operator) or "").split("\n", 1)[0]


def schema(operator: type[Operator]) -> dict[str, Any]:
    """One operator as plain data: inputs, parameters with type, default, range, unit and help, channels written.

    A parameter of type ``net`` takes the name of a net whose task is among the words of its ``task``; `catalogue` lists
    them.

    Examples
    --------
    >>> import vfxgen
    >>> schema(vfxgen.Grade)["inputs"][0]
    {'name': 'plate', 'label': 'Plate', 'help': 'Frames to grade.', 'kind': 'image', 'channels': ['R', 'G', 'B'], \
'optional': False, 'sparse': False}
    """
    return {
        "name": operator.name,
        "class": operator.__name__,
        "label": re.sub(r"(?<=[a-z])(?=[A-Z])", " ", operator.__name__),
        "help": summary(operator),
        "inputs": [
            {
                "name": i.name,
                "label": _label(i.name),
                "help": i.help,
                "kind": i.kind,
                "channels": list(i.channels),
                "optional": i.optional,
                "sparse": i.sparse,
            }
            for i in operator.declared_inputs.values()
        ],
        "parameters": [_parameter(p) for p in operator.declared_parameters.values()],
        "writes": list(operator.writes),
    }


def _parameter(declared: Parameter) -> dict[str, Any]:
    default = declared.default
    return {
        "name": declared.name,
        "label": _label(declared.name),
        "type": declared.kind,
        "required": declared.required,
        "default": None if declared.required else list(default) if isinstance(default, tuple) else default,
        "minimum": declared.minimum,
        "maximum": declared.maximum,
        "choices": list(declared.choices),
        "task": declared.net_task,
        "unit": declared.unit,
        "help": declared.help,
    }


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def catalogue(operators: dict[str, type[Operator]]) -> dict[str, Any]:
    """Every operator's schema and the nets they can be given, with the versions that say how to read it."""
    return {
        "schema": SCHEMA,
        "vfxgen": __version__,
        "operators": [schema(o) for o in operators.values()],
        "nets": [_net(entry) for entry in registry.nets().values()],
        "broken_nets": {name: str(error) for name, error in registry.broken().items()},
    }


def _net(entry: registry.Entry) -> dict[str, Any]:
    card = entry.card
    return {
        "name": card.name,
        "task": card.task,
        "summary": card.summary,
        "scale": card.scale,
        "use": card.use,
        "licences": {part: {"name": licence.name, "use": licence.use} for part, licence in card.licences},
        "missing": _missing(entry),
    }


def _missing(entry: registry.Entry) -> str:
    try:
        registry.weights_path(entry)
    except NetError as error:
        return str(error)
    return ""


def page(operator: type[Operator]) -> str:
    """The documentation page of one operator, in Markdown."""
    lines = [f"# {operator.name}", "", inspect.getdoc(operator) or "", ""]
    if operator.declared_inputs:
        lines += ["## Inputs", "", "| input | channels | what it is |", "|---|---|---|"]
        for source in operator.declared_inputs.values():
            name = f"`{source.name}`" + (" (optional)" if source.optional else "")
            lines.append(f"| {name} | {' '.join(source.channels) or 'any'} | {source.help} |")
        lines.append("")
    lines += ["## Parameters", "", "| parameter | takes | default | unit | what it does |", "|---|---|---|---|---|"]
    for declared in operator.declared_parameters.values():
        takes = allowed(declared).replace("|", "\\|")
        lines.append(f"| `{declared.name}` | {takes} | {shown(declared)} | {declared.unit} | {declared.help} |")
    if operator.writes:
        lines += ["", f"Writes the channels {' '.join(operator.writes)}; every other one passes through untouched."]
    return "\n".join(lines) + "\n"


def shown(declared: Parameter) -> str:
    """A parameter's default, as a person writes it."""
    if declared.required:
        return "required"
    if isinstance(declared.default, tuple):
        return ",".join(f"{value:g}" for value in declared.default)
    if declared.default is None or declared.default == "":
        return "automatic"
    return f"{declared.default:g}" if isinstance(declared.default, float) else str(declared.default).lower()
