"""A recipe, `train.toml`: what makes a net's weights; read, checked, and explained where it is wrong."""

from __future__ import annotations

import dataclasses
import json
import os
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeVar

import pydantic
from pydantic import Field, TypeAdapter

from vfxgen.errors import CardError, LicenceError, RequestError
from vfxgen.explain import explained, reworded
from vfxgen.training.cached import CachedObjective, objective_class
from vfxgen.training.schedule import Schedule
from vfxgen.zoo.card import Hyperparameter, Task
from vfxgen.zoo.parts import Licence, Part, Words

SCHEMA = 1
FILE_NAME = "train.toml"

Table = TypeVar("Table")


class DataSet(Part):
    """A folder of pictures that a net may learn from, and by whose leave."""

    name: Words = Field(description="what the set is called")
    folder: Words = Field(description="relative to the folder that --data names")
    licence: Words = Field(description="SPDX id (CC0-1.0, CC-BY-4.0 ...) or the words of its owner")
    licence_class: Literal["A", "B", "C"] = Field(
        alias="class",
        description="A (a clear permissive statement) | B (a usable statement, second-hand) | "
        "C (no usable statement: never trained on)",
    )
    use: Literal["commercial", "research"] = Field(description="commercial | research")
    source: str = ""
    note: str = ""

    @pydantic.field_validator("folder")
    @classmethod
    def _is_relative(cls, folder: str) -> str:
        return _relative(folder)


class NetPart(Part):
    """Which net learns."""

    architecture: Words = Field(description="a name in vfxgen.architectures")
    hyperparameters: dict[str, Hyperparameter] = Field(default={})
    start_from: str = Field(default="", description="a net whose weights of equal name and shape are taken over")
    learned: float = Field(
        default=1.0, gt=0, le=1, description="the share of what was learned since start_from that the result has"
    )

    @pydantic.model_validator(mode="after")
    def _has_a_start(self) -> NetPart:
        if self.learned < 1 and not self.start_from:
            raise ValueError(f"net.learned = {self.learned:g} needs net.start_from")
        return self


class Validation(Part):
    """Pictures that training looks at and never learns from."""

    name: Words = Field(description="what the set is called")
    folder: Words = Field(description="relative to the folder that --data names")

    @pydantic.field_validator("folder")
    @classmethod
    def _is_relative(cls, folder: str) -> str:
        return _relative(folder)


class Recipe(Part):
    """A recipe as it is written; `load_recipe` reads one.

    Attributes
    ----------
    task
        Of the net, as on its card.
    licence
        Of the weights that the recipe makes.
    objective
        ``task``, a name in `vfxgen.training.cached.OBJECTIVES`, and its settings.
    schedule
        See `vfxgen.training.schedule.Schedule`.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema", description="write schema = 1")
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="letters, digits, . _ and -")
    task: Task = Field(description="what the net is for, as on its card")
    summary: str = ""
    version: Words = "1"
    note: str = ""
    licence: Licence = Field(description="a table: of the weights that the recipe makes")
    data: list[DataSet] = Field(min_length=1, description="a list of tables: name, folder, licence, class, use")
    net: NetPart = Field(description="a table: architecture, hyperparameters, start_from")
    objective: dict[str, Any] = Field(description="a table: task, and its settings")
    schedule: dict[str, Any] = Field(description="a table: steps or minutes, rate ...")
    validation: Validation | None = Field(default=None, description="a table: name, folder")

    @property
    def objective_class(self) -> type[CachedObjective]:
        """What learns."""
        return objective_class(self.objective.get("task", ""))

    @property
    def settings(self) -> Any:
        """The objective's settings, checked."""
        given = {name: value for name, value in self.objective.items() if name != "task"}
        return _table(self.objective_class.settings_type, given, "objective")

    @property
    def timing(self) -> Schedule:
        """The schedule, checked."""
        return _table(Schedule, self.schedule, "schedule")


def load_recipe(path: str | os.PathLike[str]) -> Recipe:
    """The recipe in the file `path`.

    Raises
    ------
    CardError
        It cannot be read, or is wrong: the message names the file, the field and what is allowed.
    LicenceError
        It names data that may not be learned from.
    """
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        raise CardError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise CardError(f"{path}: is not a text file") from None
    return loads(text, str(path))


def loads(text: str, where: str) -> Recipe:
    """A recipe from its text; `where` stands in messages. Raises as `load_recipe`.

    Examples
    --------
    >>> loads("schema = 2", "train.toml")
    Traceback (most recent call last):
    vfxgen.errors.CardError: train.toml: schema = 2: this vfxgen reads schema 1
    """
    try:
        contents = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CardError(f"{where}: {error}") from None
    if contents.get("schema") != SCHEMA:
        raise CardError(f"{where}: schema = {contents.get('schema')!r}: this vfxgen reads schema {SCHEMA}")
    try:
        recipe = Recipe.model_validate(contents)
        _ = recipe.settings, recipe.timing
    except pydantic.ValidationError as error:
        raise CardError("; ".join(explained(Recipe, error, where))) from None
    except RequestError as error:
        raise CardError(f"{where}: {error}") from None
    _check_licences(recipe, where)
    return recipe


def _check_licences(recipe: Recipe, where: str) -> None:
    for data in recipe.data:
        if data.licence_class == "C":
            raise LicenceError(
                f"{where}: data '{data.name}' is of class C: nobody has said that it may be used, so no net may learn "
                f"from it; take it out, or state its licence and class with the evidence"
            )


def _table(kind: type[Table], given: dict[str, Any], field: str) -> Table:
    """A plain dataclass from a table of a document, types strictly as declared."""
    known = [f.name for f in dataclasses.fields(kind)]  # type: ignore[arg-type]
    if unknown := [name for name in given if name not in known]:
        raise RequestError(f"{field}.{unknown[0]}: unknown field; known: {', '.join(known)}")
    try:
        return TypeAdapter(kind).validate_json(json.dumps(given), strict=True)
    except pydantic.ValidationError as error:
        said = [
            f"{field}.{'.'.join(map(str, f['loc']))} = {f['input']!r}: {reworded(f['msg'])}" for f in error.errors()
        ]
        raise RequestError("; ".join(said)) from None


def _relative(folder: str) -> str:
    if PurePosixPath(folder).is_absolute() or ".." in PurePosixPath(folder).parts:
        raise ValueError("must be a folder in the one that --data names")
    return folder
