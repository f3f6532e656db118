"""Operator: a sequence declared once, by inputs and parameters; everything else is generated from the declaration."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import numbers
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

import pydantic
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from vfxgen.errors import FrameError, RequestError, VfxgenError
from vfxgen.frame import Frame
from vfxgen.sequence import Sequence
from vfxgen.version import __version__

REQUIRED: Any = object()
_TAKES = {
    "color": "red,green,blue",
    "float": "a number",
    "int": "a whole number",
    "bool": "true | false",
    "str": "text",
    "net": "the name of a net",
}


def _three(value: object) -> object:
    """`"0.1,0.6,0.2"` as a command line gives it, or one number for all three."""
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        value = [float(value)]
    if isinstance(value, (list, tuple)) and len(value) == 1:
        return tuple(value) * 3
    return tuple(value) if isinstance(value, list) else value


Color = Annotated[tuple[float, float, float], BeforeValidator(_three)]
"""Red, green, blue; one number stands for all three."""


@dataclass(frozen=True)
class Input:
    """What an operator declares about one input."""

    help: str
    channels: tuple[str, ...] = ()
    optional: bool = False
    name: str = ""
    kind: Literal["image", "matte"] = "image"
    sparse: bool = False


@dataclass(frozen=True)
class Parameter:
    """What an operator declares about one parameter."""

    default: Any
    help: str
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    name: str = ""
    annotation: Any = None
    net_task: str = ""

    @property
    def kind(self) -> str:
        """``float int bool str choice color net``: what a host draws a widget from."""
        if self.net_task:
            return "net"
        inner = _without_none(self.annotation)
        if get_origin(inner) is Literal:
            return "choice"
        if get_origin(inner) is Annotated or get_origin(inner) is tuple:
            return "color"
        return str(inner.__name__)

    @property
    def choices(self) -> tuple[str, ...]:
        """What is allowed where `kind` is ``choice``."""
        return get_args(_without_none(self.annotation)) if self.kind == "choice" else ()

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is REQUIRED


def image_input(help: str, *, channels: str = "", optional: bool = False) -> Any:
    """Declare an input: one line of help, and the channels it must have (``"R G B"``)."""
    return Input(help, tuple(channels.split()), optional)


def matte_input(help: str, *, optional: bool = True, sparse: bool = False) -> Any:
    """Declare an input whose frames are a matte, 0 to 1 (`Frame.matte`): its A, else Y, else R.

    A sparse one has frames of its own choice: a host must offer to give a few of them.
    """
    return Input(help, optional=optional, kind="matte", sparse=sparse)


def parameter(
    default: Any = REQUIRED,
    help: str = "",
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    unit: str = "",
    net_task: str = "",
) -> Any:
    """Declare a parameter: its default, one line of help, its range and unit; type and choices are its annotation.

    One that names a net says which tasks the net can be for (`net_task`, in words), so that a host can offer the nets
    there are.
    """
    return Parameter(default, help, minimum, maximum, unit, net_task=net_task)


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return next(arg for arg in get_args(annotation) if arg is not type(None))
    return annotation


class Operator(Sequence):
    """A sequence whose frames are made from its inputs' frames.

    A subclass is a declaration and one method::

        class Exposure(Operator):
            \"\"\"Brighten or darken by stops.\"\"\"

            plate: Sequence = image_input("Frames to change.", channels="R G B")
            stops: float = parameter(0.0, "How much.", minimum=-20, maximum=20, unit="stops")

            def frame(self, number: int) -> Frame:
                plate = self.plate[number]
                return plate.with_pixels(RGB, plate.rgb * 2.0**self.stops)

    The first line of its docstring is its help. Numerics that two operators share live in `vfxgen.image`; what is
    slow to import is imported inside `frame`.

    Attributes
    ----------
    writes
        Channels the operator writes; every other one passes through untouched.
    draws_noise
        Whether a frame depends on its number beside its inputs, as drawn noise does: then so does its key.
    """

    name: ClassVar[str] = ""
    draws_noise: ClassVar[bool] = False
    writes: ClassVar[tuple[str, ...]] = ()
    declared_inputs: ClassVar[dict[str, Input]] = {}
    declared_parameters: ClassVar[dict[str, Parameter]] = {}
    _model: ClassVar[type[BaseModel]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.name = cls.__name__.lower()
        hints = typing.get_type_hints(cls, include_extras=True)
        cls.declared_inputs, cls.declared_parameters = dict(cls.declared_inputs), dict(cls.declared_parameters)
        for field, declared in list(vars(cls).items()):
            if isinstance(declared, Input):
                cls.declared_inputs[field] = replace(declared, name=field)
            elif isinstance(declared, Parameter):
                cls.declared_parameters[field] = replace(declared, name=field, annotation=hints[field])
        fields: dict[str, Any] = {p.name: _model_field(p) for p in cls.declared_parameters.values()}
        cls._model = pydantic.create_model(cls.__name__, __config__=ConfigDict(extra="forbid"), **fields)
        cls.__signature__ = _signature(cls)  # type: ignore[attr-defined]

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__()
        names = [*self.declared_inputs, *self.declared_parameters]
        if len(args) > len(names):
            raise RequestError(f"{self.name}: {len(args)} values given, it takes {len(names)}: {', '.join(names)}")
        placed = dict(zip(names, args, strict=False))
        if twice := [name for name in placed if name in values]:
            raise RequestError(f"{self.name}: {', '.join(twice)} given twice, by place and by name")
        values = placed | values
        self._inputs: dict[str, Sequence] = {}
        for declared in self.declared_inputs.values():
            given = values.pop(declared.name, None)
            if given is None and not declared.optional:
                raise RequestError(f"{self.name}: the input '{declared.name}' is missing: {declared.help}")
            if given is not None and not isinstance(given, Sequence):
                raise RequestError(
                    f"{self.name}: the input '{declared.name}' must be a sequence, such as vfxgen.read(...), "
                    f"not {type(given).__name__}"
                )
            setattr(self, declared.name, given)
            if given is not None:
                self._inputs[declared.name] = given
        self.parameters = self.validated(values)
        for field, value in self.parameters.items():
            setattr(self, field, value)

    @classmethod
    def validated(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Every parameter by name, checked and with defaults filled in.

        Raises
        ------
        RequestError
            An unknown name, a wrong type or a value out of range: the message says what is allowed.
        """
        try:
            model = cls._model.model_validate(dict(values))
        except pydantic.ValidationError as error:
            raise RequestError(_explain(cls, values, error)) from None
        return {field: getattr(model, field) for field in cls.declared_parameters}

    @property
    def inputs(self) -> Mapping[str, Sequence]:
        """The inputs that are connected."""
        return self._inputs

    @property
    def nets(self) -> Mapping[str, Any]:
        """The nets (`vfxgen.zoo.registry.Entry`) its frames are made with, by folder; none for most."""
        return {}

    def check(self) -> None:
        """Refuse what no frame could be made with here; a render asks once, before the first.

        Raises
        ------
        RequestError
            The message says what is not there, and what to do.
        """

    # Kept, or a graph of stills in which every node has two inputs would take twice as long with every node.
    @cached_property
    def range(self) -> list[int] | None:
        """The frames of the main input; for an operator with none, those of its first input that has some."""
        return next((there for source in self._inputs.values() if (there := source.range) is not None), None)

    @cached_property
    def present(self) -> list[int] | None:
        """As `range`, without gaps."""
        return next((there for source in self._inputs.values() if (there := source.present) is not None), None)

    def forget(self) -> None:
        super().forget()
        self.__dict__.pop("range", None)
        self.__dict__.pop("present", None)

    def make_key(self, number: int) -> str:
        """See `Sequence.key`: the operator, its parameters, its inputs' keys and the version."""
        inputs = {
            name: [self._inputs[name].key(needed) for needed in numbers] for name, numbers in self.needs(number).items()
        }
        nets = {entry.name: entry.card.computation for entry in self.nets.values()}
        made_with: dict[str, Any] = {"nets": nets} if nets else {}
        if self.draws_noise:
            made_with["frame"] = number
        # What a net computes is in the key: the folder it lies in decides no pixel.
        parameters = {
            name: os.path.basename(value.rstrip("/")) if self.declared_parameters[name].net_task else value
            for name, value in self.parameters.items()
        }
        return digest(operator=self.name, parameters=parameters, inputs=inputs, version=__version__, **made_with)

    def __getitem__(self, number: int) -> Frame:
        try:
            return super().__getitem__(number)
        except VfxgenError:
            raise
        except Exception as error:
            raise FrameError(f"{self.name}: frame {number}: {type(error).__name__}: {error}") from error

    def input_frame(self, name: str, number: int) -> Frame:
        """Frame `number` of the input `name`, with the channels its declaration asks for."""
        frame, channels = self._inputs[name][number], self.declared_inputs[name].channels
        try:
            frame.require(*channels)
        except FrameError as error:
            raise FrameError(f"{self.name}: input '{name}': {error}{frame.way_to(*channels)}") from None
        return frame

    def __repr__(self) -> str:
        given = [*self._inputs, *(f"{k}={v!r}" for k, v in self.parameters.items())]
        return f"{type(self).__name__}({', '.join(given)})"


def digest(**facts: Any) -> str:
    """SHA-256 of facts, whatever order they are given in."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _model_field(declared: Parameter) -> tuple[Any, Any]:
    annotation, bounds = declared.annotation, dict[str, Any]()
    if declared.kind in ("float", "int"):
        bounds = {"ge": declared.minimum, "le": declared.maximum}
    if declared.kind == "float":
        bounds["allow_inf_nan"] = False
    if declared.kind == "color":
        annotation = Annotated[annotation, AfterValidator(partial(_color_within, declared))]
    default = ... if declared.required else declared.default
    return annotation, Field(default, description=declared.help, json_schema_extra={"unit": declared.unit}, **bounds)


def _color_within(declared: Parameter, value: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
    low = -math.inf if declared.minimum is None else declared.minimum
    high = math.inf if declared.maximum is None else declared.maximum
    if value is not None and not all(math.isfinite(v) and low <= v <= high for v in value):
        raise ValueError("out of range")
    return value


def _signature(cls: type[Operator]) -> inspect.Signature:
    empty = inspect.Parameter.empty
    declared = [(i.name, None if i.optional else empty, Sequence) for i in cls.declared_inputs.values()]
    declared += [(p.name, empty if p.required else p.default, p.annotation) for p in cls.declared_parameters.values()]
    fields: list[inspect.Parameter] = []
    by_name = False
    for name, default, annotation in declared:
        # Python allows no required one after an optional one, but by name.
        by_name = by_name or (default is empty and any(field.default is not empty for field in fields))
        kind = inspect.Parameter.KEYWORD_ONLY if by_name else inspect.Parameter.POSITIONAL_OR_KEYWORD
        fields.append(inspect.Parameter(name, kind, default=default, annotation=annotation))
    return inspect.Signature(fields)


def allowed(declared: Parameter) -> str:
    """What a parameter takes, in words: `0 .. 1`, `green | blue`, `red,green,blue`."""
    if declared.choices:
        return " | ".join(str(choice) for choice in declared.choices)
    words = _TAKES[declared.kind]
    low, high = declared.minimum, declared.maximum
    if low is not None and high is not None:
        return f"{words}, {low:g} .. {high:g}"
    if low is not None:
        return f"{words}, {low:g} or more"
    return f"{words}, {high:g} or less" if high is not None else words


def _explain(cls: type[Operator], given: Mapping[str, Any], error: pydantic.ValidationError) -> str:
    said = []
    for fault in error.errors():
        field = str(fault["loc"][0]) if fault["loc"] else "?"
        declared = cls.declared_parameters.get(field)
        if declared is None:
            known = ", ".join([*cls.declared_inputs, *cls.declared_parameters])
            said.append(f"{cls.name}: has no parameter '{field}'; it has {known}")
        elif fault["type"] == "missing" and len(fault["loc"]) == 1:
            said.append(f"{cls.name}.{field} is missing: {declared.help} ({allowed(declared)})")
        else:
            said.append(f"{cls.name}.{field} = {given[field]!r}: must be {allowed(declared)}")
    return "; ".join(dict.fromkeys(said))
