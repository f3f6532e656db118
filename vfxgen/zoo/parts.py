"""What a net's card is made of: ports, weights, licences, training, measured quality."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from vfxgen.encoding import EncodingName

Words = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    """A table of a card: no field unknown, nothing changed once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Port(Part):
    """One input or output of a net: a tensor (B, C, H, W), and for pictures what its channels and values mean.

    Parameters
    ----------
    name
        As the file names it.
    channels
        In the net's order: ``R G B``, ``B G R``, ``A``, ``background A``; empty where it is no picture. Operators write
        R, G, B and A; what a net gives by another name is left.
    encoding
        What scene-linear light is encoded to on its way in and decoded from on its way out: ``log`` or ``srgb`` (see
        `vfxgen.encoding.Encoding`), ``srgb-clipped`` for a net that knows 0 .. 1 alone, ``none``: values as they are.
        Channels other than R, G, B (A, the mask M) are coverage, and never encoded.
    mean, std
        Per channel, or empty. A net is given ``(code - mean) / std``; what it gives is read as ``value * std + mean``.
        One that wants 0 .. 255 has ``std = 1 / 255``.
    size
        ``[height, width]`` where it is fixed, else empty.
    """

    name: Words = Field(description="as the file names it")
    channels: str = Field(
        default="",
        description="in the net's order, with spaces: R G B, B G R, A, background A ...; empty where it is no picture",
    )
    encoding: EncodingName = Field(
        "none", description="log | srgb | srgb-clipped (a net that knows 0 .. 1 alone) | none"
    )
    mean: list[FiniteFloat] = Field(
        default=[], description="a list, one number a channel, or []: the net is given (code - mean) / std"
    )
    std: list[FiniteFloat] = Field(
        default=[], description="a list, one number a channel, or []; 1/255 = 0.00392157 where it wants 0 .. 255"
    )
    size: list[int] = Field(default=[], description="[height, width] where it is fixed")

    @property
    def channel_names(self) -> tuple[str, ...]:
        """The channels one by one."""
        return tuple(self.channels.split())

    @pydantic.model_validator(mode="after")
    def _fits_together(self) -> Port:
        for field, values in (("mean", self.mean), ("std", self.std)):
            if values and len(values) != len(self.channel_names):
                count = len(self.channel_names)
                raise ValueError(f"{field} has {len(values)} numbers for {count} channels ('{self.channels}')")
        if 0 in self.std:
            raise ValueError("std must not be 0")
        if self.size and (len(self.size) != 2 or min(self.size) < 1):
            raise ValueError(f"size = {self.size} must be [height, width]")
        return self


class Weights(Part):
    """The file that holds what was learned, and how to know that it is the right one."""

    file: Words = Field(description="name of the file in the net's folder")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="64 hexadecimal digits: sha256sum FILE")
    bytes: int = Field(ge=1, description="size of the file")
    url: str = Field(
        default="", description="https://... where `vfxgen nets fetch` gets it; empty where the folder has it"
    )

    @pydantic.field_validator("file")
    @classmethod
    def _stays_in_the_folder(cls, file: str) -> str:
        if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts or "\\" in file or "\0" in file:
            raise ValueError("must be a file in the net's own folder")
        return file


class Licence(Part):
    """What one licence is called, and which use it allows."""

    name: Words = Field(description="SPDX id (MIT, Apache-2.0, CC-BY-4.0 ...) or the words of its owner")
    use: Literal["commercial", "research", "unknown"] = Field(description="commercial | research | unknown")
    source: str = Field(default="", description="URL or path where it is stated")
    note: str = ""


class Licences(Part):
    """The three that rule a net: of its code, of its weights, and of the data it learned from."""

    code: Licence = Field(description="a table: of the code that runs it")
    weights: Licence = Field(description="a table: of the weights file")
    data: Licence = Field(description="a table: of what it was trained on")


class TrainingData(Part):
    """A set of pictures a net learned from."""

    name: Words
    licence: str = ""
    files: int = Field(default=0, ge=0, description="how many")
    sha256: str = ""


class Training(Part):
    """How a net came to be: data, recipe, device, length; `run` is a hash of all of it but the length."""

    data: list[TrainingData] = []
    recipe: str = ""
    run: str = ""
    device: str = ""
    steps: int = Field(default=0, ge=0)
    seconds: FiniteFloat = Field(default=0.0, ge=0)
    note: str = ""


class Quality(Part):
    """One measured figure."""

    measure: Words
    data: Words
    value: FiniteFloat
    unit: str = ""
    note: str = ""
