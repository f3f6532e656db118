"""A weights file becomes a net: a folder with a card that knows what the file says, and asks for the rest."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any, get_args

import tomli_w

from vfxgen.errors import RequestError
from vfxgen.explain import declared
from vfxgen.media.publish import content_hash, published
from vfxgen.zoo.card import FILE_NAME, QUESTION, SCHEMA, Card, Task, loads, open_questions
from vfxgen.zoo.inspection import Findings, Tensor, inspect
from vfxgen.zoo.registry import VARIABLE, broken, nets

_ALPHA_TASKS = ("key", "matte", "segment")
_PICTURE_TASKS = ("upscale", "inpaint", "image-to-image", "restore-face")


def skeleton(file: str | os.PathLike[str], task: str, name: str = "") -> dict[str, Any]:
    """A card's contents, with ``?`` for what the file does not say; a file that carries its card asks nothing.

    Parameters
    ----------
    file
        ``.onnx``, ``.safetensors``, ``.pth``, ``.pt`` or ``.ckpt``. A pickle is read with ``weights_only``; one that
        wants more is refused.
    task
        What the net is for.
    name
        Of the net; empty: of the file.

    Raises
    ------
    RequestError
        An unknown task, or no format of nets.
    NetError
        The file is damaged or wants to run code.
    """
    path = Path(file)
    _check(task, name)
    return _contents(path, task, name, inspect(path))


def _check(task: str, name: str) -> None:
    if task not in get_args(Task):
        raise RequestError(f"--task {task}: must be {' | '.join(get_args(Task))}")
    if name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise RequestError(f"--name {name}: must be {meaning('name')}")


def _contents(path: Path, task: str, name: str, found: Findings) -> dict[str, Any]:
    name = name or re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-._") or "net"
    weights = {"file": path.name, "sha256": content_hash(str(path)), "bytes": path.stat().st_size}
    if found.card:
        carried = loads(found.card, f"{path} (the card it carries)")
        if carried.task != task:
            raise RequestError(f"--task {task}: the card that {path} carries says {carried.task}")
        contents = carried.model_dump(by_alias=True, exclude_defaults=True)
        _must_fit(path, carried, found)
        return {"schema": SCHEMA, **contents, "format": found.format, "name": name, "weights": weights}
    inputs = [_port(tensor, task, is_input=True) for tensor in found.inputs] or [_unknown_port()]
    outputs = [_port(tensor, task, is_input=False) for tensor in found.outputs] or [_unknown_port()]
    scale = QUESTION if task == "upscale" and found.scale in (None, 1) else found.scale or 1
    facts = {field: value for field, value in found.facts.items() if value is not None}
    licence = {"name": QUESTION, "use": QUESTION}
    return {
        "schema": SCHEMA,
        "name": name,
        "task": task,
        "summary": QUESTION,
        "format": found.format,
        "scale": scale,
        **facts,
        "weights": weights,
        "inputs": inputs,
        "outputs": outputs,
        "licences": {part: dict(licence) for part in ("code", "weights", "data")},
    }


def _port(tensor: Tensor, task: str, *, is_input: bool) -> dict[str, Any]:
    port: dict[str, Any] = {"name": tensor.name}
    if len(tensor.shape) != 4:
        return port
    if tensor.size:
        port["size"] = tensor.size
    if not is_input and tensor.channels == 1 and task in _ALPHA_TASKS:
        return {**port, "channels": "A", "encoding": "none"}
    port |= {"channels": QUESTION, "encoding": QUESTION}
    # Nets that look rather than paint were nearly always trained on pictures with their mean taken off.
    return {**port, "mean": QUESTION, "std": QUESTION} if is_input and task not in _PICTURE_TASKS else port


def _unknown_port() -> dict[str, Any]:
    return {"name": QUESTION, "channels": QUESTION, "encoding": QUESTION}


def text(contents: dict[str, Any], notes: list[str] | None = None) -> str:
    """A skeleton as TOML, its open questions explained at the top."""
    questions = open_questions(contents)
    lines = [f"# Seen in the file: {note}." for note in notes or []]
    if questions:
        lines += ['# Put an answer in place of every "?"; `vfxgen nets check` says what is left.', "#"]
        lines += [f"#   {question}: {meaning(question)}" for question in questions]
        if "receptive_field" not in contents:
            lines += ["#", "# If it is known, add receptive_field = PIXELS: tiles are then exact."]
    return "\n".join([*lines, "", ""] if lines else []) + tomli_w.dumps(contents)


def meaning(question: str) -> str:
    """What belongs in a field, in words.

    Examples
    --------
    >>> meaning("licences.weights.use")
    'commercial | research | unknown'
    """
    _, info = declared(Card, [int(step) if step.isdigit() else step for step in question.split(".")])
    return (info.description if info else "") or "see docs/nets.md"


def add(
    file: str | os.PathLike[str], task: str, name: str = "", to: str | os.PathLike[str] = ""
) -> tuple[Path, list[str]]:
    """Make a net's folder from a weights file: a copy of the file, and its card.

    Parameters
    ----------
    file, task, name
        See `skeleton`.
    to
        A folder of nets; empty: the first of ``$VFXGEN_NETS``.

    Returns
    -------
    The net's folder, and the fields that are still questions.

    Raises
    ------
    RequestError
        As `skeleton`; or there is a net of this name, or no folder to put it in.
    """
    first = next(filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)), "")
    if not (to or first):
        raise RequestError(f"where to? Give --to FOLDER, or set ${VARIABLE} to a folder of nets")
    path = Path(file)
    _check(task, name)
    found = inspect(path)
    contents = _contents(path, task, name, found)
    name = contents["name"]
    folder = Path(to or first).expanduser() / name
    if name in nets() or name in broken() or (folder / FILE_NAME).exists():
        raise RequestError(f"there is a net '{name}' already; give --name, or take the other away")
    if path.resolve() != (folder / path.name).resolve():
        with published(str(folder / path.name)) as temporary:
            shutil.copyfile(path, temporary)
    with published(str(folder / FILE_NAME)) as temporary:
        Path(temporary).write_text(text(contents, found.notes), "utf-8")
    return folder, open_questions(contents)


def _must_fit(path: Path, carried: Card, found: Findings) -> None:
    for kind, ports, tensors in (("inputs", carried.inputs, found.inputs), ("outputs", carried.outputs, found.outputs)):
        said, has = [port.name for port in ports], [tensor.name for tensor in tensors]
        if found.format == "onnx" and said != has:
            raise RequestError(f"{path}: {kind} are {', '.join(has)}; the card it carries says {', '.join(said)}")
