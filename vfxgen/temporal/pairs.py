"""Pairs: sequences whose frame n is about frames n and n + 1 of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from vfxgen.operator import digest
from vfxgen.sequence import Sequence
from vfxgen.version import __version__


class Pairs(Sequence):
    """What is between each frame of `plate` and the next: a function of the two frames alone.

    Attributes
    ----------
    relation
        What it is, in the keys of its frames.
    """

    relation: ClassVar[str]

    def __init__(self, plate: Sequence) -> None:
        super().__init__()
        self.plate = plate

    @property
    def inputs(self) -> Mapping[str, Sequence]:
        return {"plate": self.plate}

    @property
    def range(self) -> list[int] | None:
        """Frames whose next one is there too."""
        numbers = self.plate.range
        return None if numbers is None else sorted(set(numbers) & {number - 1 for number in numbers})

    def needs(self, number: int) -> Mapping[str, tuple[int, ...]]:
        return {"plate": (number, number + 1)}

    def make_key(self, number: int) -> str:
        frames = [self.plate.key(needed) for needed in self.needs(number)["plate"]]
        return digest(sequence=self.relation, frames=frames, version=__version__)
