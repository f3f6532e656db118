"""An operator's parameters as Blender properties, and back as what the worker takes."""

import os
import zlib
from typing import Any

import bpy
import numpy

from . import frames, schema
from .problem import Problem

FROM_PREFERENCES = ("device", "precision", "use")
"""Parameters that are the machine's or the studio's, not the node's."""

_WHOLE = 2**31 - 1
STILL: set[str] = set()
"""Options of a property that cannot be animated: a node is rendered with one set of values."""


def property_group(declared: dict[str, Any]) -> type[bpy.types.PropertyGroup]:
    """A class with one property a parameter; one that may be left out also has a switch, `use_NAME`."""
    annotations: dict[str, Any] = {}
    for parameter in shown(declared):
        annotations[parameter["name"]] = _property(parameter)
        if _is_automatic(parameter):
            label = f"Set {parameter['label'].lower()}"
            annotations[f"use_{parameter['name']}"] = bpy.props.BoolProperty(
                name=label, description="Off: automatic", options=STILL
            )
    for source in _sparse(declared):
        annotations[frames_of(source["name"])] = bpy.props.StringProperty(
            name=source["label"],
            description="Frames that have one, such as 1,12,20-24. Empty: every frame",
            options=STILL,
        )
    name = f"VFXGEN_PG_{declared['name']}"
    return type(name, (bpy.types.PropertyGroup,), {"__annotations__": annotations, "__doc__": declared["help"]})


def shown(declared: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters that a node has."""
    return [parameter for parameter in declared["parameters"] if parameter["name"] not in FROM_PREFERENCES]


def values(declared: dict[str, Any], group: bpy.types.PropertyGroup) -> dict[str, Any]:
    """What a node's properties say, by the names and in the types of the worker."""
    return {
        parameter["name"]: _plain(getattr(group, parameter["name"]), parameter)
        for parameter in shown(declared)
        if not _is_automatic(parameter) or getattr(group, f"use_{parameter['name']}")
    }


def painted(declared: dict[str, Any], group: bpy.types.PropertyGroup) -> dict[str, list[int]]:
    """Input -> the frames it has, where a node says that it has but some.

    Raises
    ------
    Problem
        What it says are no frames.
    """
    found = {}
    for source in _sparse(declared):
        said = getattr(group, frames_of(source["name"])).strip()
        try:
            numbers = frames.numbers(said)
        except ValueError:
            numbers = []
        if said and not numbers:
            raise Problem(f"{source['label']}: {said!r} is no list of frames such as 1,12,20-24")
        if numbers:
            found[source["name"]] = sorted(set(numbers))
    return found


def frames_of(name: str) -> str:
    """The property with the frames of an input that has but some."""
    return f"{name}_frames"


def located(declared: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Values with the folder of a net in full: in a node it begins at the .blend, which may move."""
    nets = {parameter["name"] for parameter in declared["parameters"] if parameter["type"] == "net"}
    return {name: _located(value) if name in nets and "/" in value else value for name, value in given.items()}


def draw(layout: bpy.types.UILayout, declared: dict[str, Any], group: bpy.types.PropertyGroup) -> None:
    """Every parameter with its widget."""
    for parameter in shown(declared):
        name = parameter["name"]
        if _is_automatic(parameter):
            row = layout.row(heading=parameter["label"])
            row.prop(group, f"use_{name}", text="")
            row = row.row()
            row.enabled = getattr(group, f"use_{name}")
            row.prop(group, name, text="")
        else:
            layout.prop(group, name)
        if parameter["type"] == "net":
            layout.label(text=_about_net(parameter, getattr(group, name)))
    for source in _sparse(declared):
        row = layout.row(align=True)
        row.prop(group, frames_of(source["name"]))
        row.operator("vfxgen.keyframe", text="", icon="KEYFRAME").input = source["name"]


def _sparse(declared: dict[str, Any]) -> list[dict[str, Any]]:
    return [source for source in declared["inputs"] if source.get("sparse")]


def _located(net: str) -> str:
    is_whole = net.startswith(("//", "~")) or os.path.isabs(net)
    return bpy.path.abspath(net if is_whole else f"//{net}")


def _is_automatic(parameter: dict[str, Any]) -> bool:
    return parameter["default"] is None and parameter["type"] not in ("net", "str")


def _property(parameter: dict[str, Any]) -> Any:
    said = {"name": parameter["label"], "description": _description(parameter), "options": STILL}
    default, kind = parameter["default"], parameter["type"]
    if kind == "bool":
        return bpy.props.BoolProperty(default=bool(default), **said)
    if kind == "choice":
        # By a number of its own: files keep numbers, and another release has other choices before it.
        items = [
            (one, one.replace("_", " ").capitalize(), "", zlib.crc32(one.encode()) >> 1) for one in parameter["choices"]
        ]
        return bpy.props.EnumProperty(items=items, default=default or parameter["choices"][0], **said)
    if kind == "net":
        return bpy.props.StringProperty(default=default or "", search=_search(parameter["task"]), **said)
    if kind == "str":
        return bpy.props.StringProperty(default=default or "", **said)
    limits = {"min": parameter["minimum"], "max": parameter["maximum"]}
    limits = {limit: value for limit, value in limits.items() if value is not None}
    if kind == "color":
        return bpy.props.FloatVectorProperty(
            size=3, subtype="COLOR", default=default or (0.0, 0.0, 0.0), soft_max=1.0, precision=3, **limits, **said
        )
    subtype = "PIXEL" if parameter["unit"] == "pixels" else "NONE"
    if kind == "int":
        whole = {limit: max(-_WHOLE, min(_WHOLE, int(value))) for limit, value in limits.items()}
        return bpy.props.IntProperty(default=default or 0, subtype=subtype, **whole, **said)
    return bpy.props.FloatProperty(default=default or 0.0, subtype=subtype, precision=3, **limits, **said)


def _description(parameter: dict[str, Any]) -> str:
    """Help, range and unit; Blender sets the last full stop itself."""
    low, high = parameter["minimum"], parameter["maximum"]
    allowed = [f"{low:g} to {high:g}"] if low is not None and high is not None else []
    unit = [parameter["unit"]] if parameter["unit"] else []
    more = " ".join(allowed + unit)
    return parameter["help"].rstrip(".") + (f" ({more})" if more else "")


def _plain(value: Any, parameter: dict[str, Any]) -> Any:
    if parameter["type"] == "color":
        return [_decimal(channel) for channel in value]
    return _decimal(value) if parameter["type"] == "float" else value


def _decimal(value: float) -> float:
    """The number that was typed: properties are float32, and 0.7 must not arrive as 0.699999988."""
    return float(str(numpy.float32(value)))


def _search(task: str) -> Any:
    def found(group: Any, context: Any, text: str) -> list[tuple[str, str]]:
        return [(net["name"], net["use"]) for net in schema.nets(task) if text.lower() in net["name"].lower()]

    return found


def _about_net(parameter: dict[str, Any], name: str) -> str:
    if not name:
        return "Choose a net" if parameter["required"] else "Net: chosen by vfxgen"
    if "/" in name:
        return "A net in a folder of its own"
    net = next((net for net in schema.nets(parameter["task"]) if net["name"] == name), None)
    if net is None:
        return f"{name}: not among the nets known here; Test in the preferences looks again"
    licences = ", ".join(f"{part} {licence['name']}" for part, licence in net["licences"].items())
    return net["missing"] or f"{net['use']} use; {licences}"
