"""What is wrong with a document or a call, in sentences that name the file, the field and what is allowed."""

from __future__ import annotations

import typing
from typing import Any, Literal, get_args, get_origin

import pydantic
from pydantic import BaseModel
from pydantic.fields import FieldInfo

Step = str | int


def explained(model: type[BaseModel], error: pydantic.ValidationError, where: str) -> list[str]:
    """One sentence a fault, no sentence twice.

    Parameters
    ----------
    model
        What the document was validated against; the descriptions of its fields say what is allowed.
    error
        As pydantic raised it.
    where
        The document, for messages.

    Examples
    --------
    >>> class Movie(BaseModel, extra="forbid"):
    ...     codec: Literal["", "h264", "prores"] = ""
    >>> try:
    ...     Movie.model_validate({"codec": "vp9", "fsp": 24})
    ... except pydantic.ValidationError as error:
    ...     print(*explained(Movie, error, "shot.toml"), sep="\\n")
    shot.toml: codec = 'vp9': must be h264 | prores
    shot.toml: fsp: unknown field; known: codec
    """
    return list(dict.fromkeys(_sentence(model, dict(fault), where) for fault in error.errors()))


def declared(model: type[BaseModel], location: typing.Sequence[Step]) -> tuple[type[BaseModel], FieldInfo | None]:
    """The model that a location such as ``("inputs", 0, "encoding")`` ends in, and the field there, if it has one."""
    owner, inner, info = model, model, None
    named = False
    for step in location:
        if isinstance(step, int) or named:
            named = False
            continue
        fields = {info.alias or name: info for name, info in inner.model_fields.items()}
        owner, info = inner, fields.get(step)
        if info is None or (found := _model_in(info.annotation)) is None:
            break
        inner = found
        # The next step is a name that the document gives: outputs.review.path.
        named = get_origin(info.annotation) is dict
    return owner, info


def _sentence(model: type[BaseModel], fault: dict[str, Any], where: str) -> str:
    location, kind = fault["loc"], fault["type"]
    field = ".".join(str(step) for step in location)
    owner, info = declared(model, location)
    allowed = info.description if info is not None and info.description else ""
    if kind == "extra_forbidden":
        known = ", ".join(info.alias or name for name, info in owner.model_fields.items())
        return f"{where}: {field}: unknown field; known: {known}"
    if kind == "missing":
        return f"{where}: {field} is missing" + (f": {allowed}" if allowed else "")
    if kind == "model_type":
        return f"{where}: {field} must be a table" + (f": {allowed.removeprefix('a table: ')}" if allowed else "")
    said = reworded(fault["msg"])
    if isinstance(fault["input"], (dict, BaseModel)):
        return f"{where}: {field}: {said}" if field else f"{where}: {said}"
    choices = get_args(info.annotation) if info is not None and get_origin(info.annotation) is Literal else ()
    if choices and location[-1] == "schema":
        said = f"this vfxgen reads schema {choices[0]}"
    elif allowed and kind in ("literal_error", "string_pattern_mismatch", "string_too_short"):
        said = f"must be {allowed}"
    elif choices:
        said = "must be " + " | ".join(str(choice) for choice in choices if choice != "")
    return f"{where}: {field} = {fault['input']!r}: {said}"


def reworded(message: str) -> str:
    """A message of pydantic in the words of the others.

    Examples
    --------
    >>> reworded("Input should be a valid integer")
    'must be a valid integer'
    """
    said = message.removeprefix("Value error, ").replace("Input should be", "must be", 1)
    return said[:1].lower() + said[1:]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    for part in (annotation, *typing.get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None
