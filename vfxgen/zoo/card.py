"""A net's card: what it takes and gives, where its weights are, and who may use it for what."""

from __future__ import annotations

import os
import tomllib
from typing import Any, Literal, get_args

import pydantic
import tomli_w
from pydantic import Field, FiniteFloat

from vfxgen.errors import CardError
from vfxgen.explain import explained
from vfxgen.zoo.parts import Licence as Licence
from vfxgen.zoo.parts import Licences as Licences
from vfxgen.zoo.parts import Part, Words
from vfxgen.zoo.parts import Port as Port
from vfxgen.zoo.parts import Quality as Quality
from vfxgen.zoo.parts import Training as Training
from vfxgen.zoo.parts import TrainingData as TrainingData
from vfxgen.zoo.parts import Weights as Weights

SCHEMA = 1
FILE_NAME = "card.toml"
QUESTION = "?"
METADATA_KEY = "vfxgen.card"
"""Under this name an exported file carries its card's text in its own metadata."""

Task = Literal[
    "upscale", "key", "matte", "inpaint", "image-to-image", "segment", "detect-face", "face-mesh", "restore-face"
]
Format = Literal["safetensors", "onnx", "torchscript", "spandrel", "diffusers"]
Use = Literal["commercial", "research"]
Hyperparameter = bool | int | FiniteFloat | str | list[int] | list[FiniteFloat]


class Card(Part):
    """A net as data; `load_card` reads one, `dumps` writes one.

    Attributes
    ----------
    architecture, hyperparameters
        Of `vfxgen.architectures`: the format safetensors is built from them, and a file that was exported keeps them,
        for operators run some architectures in their own way.
    scale
        Output height and width over those of the input.
    receptive_field
        Radius in input pixels beyond which nothing changes an output pixel; None where there is no bound.
    size_multiple
        Height and width of the input must be multiples of it.
    precision
        What the precision ``auto`` means for this net.

    Examples
    --------
    >>> free = {"name": "MIT", "use": "commercial"}
    >>> card = Card(
    ...     name="sharp-x2", task="upscale", format="onnx",
    ...     weights={"file": "net.onnx", "sha256": "0" * 64, "bytes": 9},
    ...     inputs=[{"name": "x", "channels": "R G B"}], outputs=[{"name": "y", "channels": "R G B"}],
    ...     licences={"code": free, "weights": free, "data": {"name": "not stated", "use": "unknown"}},
    ... )
    >>> card.use, loads(dumps(card), "card.toml") == card
    ('research', True)
    """

    schema_version: Literal[1] = Field(default=1, alias="schema", description="write schema = 1")
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="letters, digits, . _ and -")
    task: Task = Field(description=" | ".join(get_args(Task)))
    summary: str = Field(default="", description="one line that a compositor understands")
    version: Words = "1"
    format: Format = Field(description=" | ".join(get_args(Format)))
    architecture: str = Field(default="", description="a name in vfxgen.architectures")
    hyperparameters: dict[str, Hyperparameter] = Field(default={})
    scale: int = Field(default=1, ge=1, description="output height over input height")
    receptive_field: int | None = Field(default=None, ge=0)
    size_multiple: int = Field(default=1, ge=1)
    precision: Literal["fp32", "fp16", "bf16"] = "fp32"
    weights: Weights = Field(description="a table: file, sha256, bytes, url")
    inputs: list[Port] = Field(min_length=1, description="a list of tables: name, channels, encoding ...")
    outputs: list[Port] = Field(min_length=1, description="a list of tables: name, channels, encoding ...")
    licences: Licences = Field(description="tables code, weights and data, each with name and use")
    training: Training = Training()
    quality: list[Quality] = Field(default=[])

    @property
    def use(self) -> Use:
        """What the strictest of the three licences allows.

        A licence that nobody knows counts as research: it is no permission to sell a film.
        """
        return "commercial" if all(licence.use == "commercial" for _, licence in self.licences) else "research"

    @property
    def whole_frame(self) -> tuple[int, int] | None:
        """Width and height of the only frames it takes; None where any frame can be cut into tiles for it."""
        size = self.inputs[0].size
        return (size[1], size[0]) if size and self.receptive_field is None else None

    @property
    def computation(self) -> dict[str, Any]:
        """What decides the pixels it makes: weights, form and ports; not names, licences or how it came to be."""
        parts = {"format", "architecture", "hyperparameters", "scale", "receptive_field", "size_multiple", "precision"}
        said = self.model_dump(mode="json", include=parts | {"inputs", "outputs"})
        return {**said, "weights": self.weights.sha256}

    @pydantic.model_validator(mode="after")
    def _fits_together(self) -> Card:
        if self.format == "safetensors" and not self.architecture:
            raise ValueError(
                "format = 'safetensors' needs architecture, a name in vfxgen.architectures "
                "(for the file of a foreign architecture: format = 'spandrel')"
            )
        for field, ports in (("inputs", self.inputs), ("outputs", self.outputs)):
            names = [port.name for port in ports]
            if len(set(names)) < len(names):
                raise ValueError(f"{field}: a name is given twice: {', '.join(names)}")
        return self


def load_card(folder: str | os.PathLike[str]) -> Card:
    """The card of the net in `folder`.

    Raises
    ------
    CardError
        There is none, or it is wrong: the message names the file, the field and what is allowed.
    """
    path = os.path.join(folder, FILE_NAME)
    try:
        with open(path, encoding="utf-8", newline="") as file:
            text = file.read()
    except OSError as error:
        raise CardError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise CardError(f"{path}: is not a text file") from None
    return loads(text, path)


def loads(text: str, where: str) -> Card:
    """A card from its text; `where` stands in messages.

    Raises
    ------
    CardError
        It is no TOML, a field is missing, unknown or wrong, or a question of `vfxgen nets add` is still open.

    Examples
    --------
    >>> loads("schema = 2", "nets/mine/card.toml")
    Traceback (most recent call last):
    vfxgen.errors.CardError: nets/mine/card.toml: schema = 2: this vfxgen reads schema 1
    """
    try:
        contents = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CardError(f"{where}: {error}") from None
    except RecursionError:
        raise CardError(f"{where}: nested too deeply") from None
    if "schema" not in contents:
        raise CardError(f"{where}: schema is missing: write schema = {SCHEMA}")
    if contents["schema"] != SCHEMA:
        raise CardError(f"{where}: schema = {contents['schema']!r}: this vfxgen reads schema {SCHEMA}")
    if unanswered := open_questions(contents):
        raise CardError(f"{where}: still to be answered: {', '.join(unanswered)}; what belongs there is at its top")
    try:
        return Card.model_validate(contents)
    except pydantic.ValidationError as error:
        raise CardError("; ".join(explained(Card, error, where))) from None


def dumps(card: Card) -> str:
    """A card as TOML; `loads` of it is the same card."""
    return tomli_w.dumps({"schema": SCHEMA, **card.model_dump(by_alias=True, exclude_defaults=True)})


def open_questions(contents: Any, field: str = "") -> list[str]:
    """Fields whose value is still ``?``, in the order of the file.

    Examples
    --------
    >>> open_questions({"scale": 2, "inputs": [{"name": "x", "encoding": "?"}]})
    ['inputs.0.encoding']
    """
    if contents == QUESTION:
        return [field]
    pairs = (
        contents.items() if isinstance(contents, dict) else enumerate(contents) if isinstance(contents, list) else ()
    )
    return [found for step, value in pairs for found in open_questions(value, f"{field}.{step}".lstrip("."))]
