"""A Nuke script for a TorchScript: the node that makes its .cat, and scene-linear light through the Inference node."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vfxgen.encoding import KNEE, KNEE_CODE, LOG_CUT, LOG_CUT_CODE, LOG_STOPS, LOG_TOE_SLOPE, LOG_TOP, SHOULDER
from vfxgen.errors import RequestError

if TYPE_CHECKING:
    from vfxgen.encoding import EncodingName
    from vfxgen.zoo.card import Card, Port

RGBA = ("rgba.red", "rgba.green", "rgba.blue", "rgba.alpha")
CHANNELS = {**dict(zip("RGBA", RGBA, strict=True)), "M": "rgba.alpha"}
"""What Nuke calls the channels of a card."""


def nuke_script(card: Card, torchscript: Path) -> str:
    """The text of a Nuke script that runs a TorchScript.

    Nuke's Inference node neither converts colour nor pads, so Expression nodes before and after it encode and decode
    the light; a CatFileCreator beside them makes the ``.cat`` that Inference reads, once, in NukeX.

    Parameters
    ----------
    card
        Of the net.
    torchscript
        The file; the ``.cat`` goes beside it.

    Raises
    ------
    RequestError
        Nuke cannot run such a net: several inputs or outputs, channels it has no name for, a mean or deviation.
    """
    if len(card.inputs) > 1 or len(card.outputs) > 1:
        raise RequestError(f"net '{card.name}' has several inputs or outputs; Nuke's Inference node takes one of each")
    given, made = card.inputs[0], card.outputs[0]
    channels_in, channels_out = (_channels(card, port) for port in (given, made))
    multiple = f"\nHeight and width: multiples of {card.size_multiple}" if card.size_multiple > 1 else ""
    torchscript = torchscript.absolute()
    cat = torchscript.with_suffix(".cat").as_posix()
    inference = {"modelFile": cat, "name": "Inference1", "label": f"{card.name}{multiple}"}
    creator = {
        "torchScriptFile": torchscript.as_posix(),
        "catFile": cat,
        "channelsIn": ", ".join(channels_in),
        "channelsOut": ", ".join(channels_out),
        "modelId": card.name,
        "outputScale": str(card.scale),
        "name": "CatFileCreator1",
        "label": f"Press Create once, then reload {Path(cat).name} in Inference1",
    }
    return "".join(
        [
            _node("Expression", 0, _expressions("Encode", given.encoding, channels_in, encoded)),
            _node("Inference", 1, inference),
            _node("Expression", 1, _expressions("Decode", made.encoding, channels_out, decoded)),
            _node("CatFileCreator", 0, creator),
        ]
    )


def encoded(value: str, encoding: EncodingName) -> str:
    """A Nuke expression for `vfxgen.encoding.Encoding.encode` of `value`, itself an expression.

    Examples
    --------
    >>> encoded("r", "none")
    'r'
    """
    if encoding == "none":
        return value
    if encoding == "log":
        curve = f"(log(max({value}, {LOG_CUT!r})) / {math.log(2)!r} - {LOG_TOP!r}) / {LOG_STOPS!r} + 1"
        return f"{value} > {LOG_CUT!r} ? {curve} : ({value} - {LOG_CUT!r}) * {LOG_TOE_SLOPE!r} + {LOG_CUT_CODE!r}"
    size = f"abs({value})"
    curve = f"{size} <= {KNEE!r} ? 1.055 * pow({size}, {1 / 2.4!r}) - 0.055"
    shoulder = f"{KNEE_CODE!r} + {SHOULDER!r} * log(max({size}, {KNEE!r}) / {KNEE!r})"
    code = f"({value} < 0 ? -1 : 1) * ({size} <= 0.0031308 ? {size} * 12.92 : {curve} : {shoulder})"
    return f"min(max({code}, 0), 1)" if encoding == "srgb-clipped" else code


def decoded(value: str, encoding: EncodingName) -> str:
    """A Nuke expression for `vfxgen.encoding.Encoding.decode` of `value`, itself an expression."""
    if encoding == "none":
        return value
    if encoding == "log":
        curve = f"pow(2, (max({value}, {LOG_CUT_CODE!r}) - 1) * {LOG_STOPS!r} + {LOG_TOP!r})"
        return f"{value} > {LOG_CUT_CODE!r} ? {curve} : ({value} - {LOG_CUT_CODE!r}) / {LOG_TOE_SLOPE!r} + {LOG_CUT!r}"
    size = f"abs({value})"
    curve = f"{size} <= {KNEE_CODE!r} ? pow(({size} + 0.055) / 1.055, 2.4)"
    shoulder = f"{KNEE!r} * exp((max({size}, {KNEE_CODE!r}) - {KNEE_CODE!r}) / {SHOULDER!r})"
    return f"({value} < 0 ? -1 : 1) * ({size} <= 0.04045 ? {size} / 12.92 : {curve} : {shoulder})"


def _channels(card: Card, port: Port) -> list[str]:
    known = [CHANNELS.get(name, "") for name in port.channel_names]
    if not all(known) or len(set(known)) < len(known) or not known:
        raise RequestError(
            f"net '{card.name}': Nuke has no names for the channels '{port.channels}' of '{port.name}'; it takes "
            f"{' '.join(CHANNELS)}"
        )
    if port.mean or port.std:
        raise RequestError(f"net '{card.name}': '{port.name}' has a mean or deviation, which Nuke does not apply")
    return known


def _expressions(
    name: str, encoding: EncodingName, channels: list[str], expression: Callable[[str, EncodingName], str]
) -> dict[str, str]:
    # Alpha is coverage, whatever encodes the colours beside it.
    formulas = {
        f"expr{number}": expression(letter, encoding)
        for number, (letter, channel) in enumerate(zip("rgb", RGBA[:3], strict=True))
        if channel in channels
    }
    return {**formulas, "name": name, "label": f"encoding: {encoding}"}


def _node(kind: str, inputs: int, knobs: dict[str, str]) -> str:
    lines = [f" {knob} {_tcl(value)}\n" for knob, value in knobs.items()]
    return "".join([f"{kind} {{\n inputs {inputs}\n", *lines, "}\n"])


def _tcl(value: str) -> str:
    escaped = "".join(f"\\{letter}" if letter in '\\"[]${}' else letter for letter in value)
    return '"' + escaped.replace("\n", "\\n") + '"'
