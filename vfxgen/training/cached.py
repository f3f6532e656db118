"""Objectives of recipes: each makes a cache of its data once, and learns from that alone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from vfxgen.errors import RequestError
from vfxgen.training.objective import Objective

OBJECTIVES = {
    "inpaint": ("vfxgen.training.inpainting", "Inpainting"),
    "key": ("vfxgen.training.keying", "Keying"),
    "matte": ("vfxgen.training.matting", "Matting"),
    "matte-mask": ("vfxgen.training.matting", "CoarseMatting"),
    "restore": ("vfxgen.training.restoring", "Restoring"),
    "upscale": ("vfxgen.training.upscaling", "Upscaling"),
}
"""The module and the class of each task's objective."""


@dataclass(frozen=True)
class Measure:
    """What a figure of `validate` is, for the card."""

    measure: str
    unit: str = ""
    note: str = ""


class CachedObjective(Objective):
    """An objective that a recipe names.

    Attributes
    ----------
    settings_type
        A frozen dataclass of plain values with defaults: the table ``[objective]`` of a recipe, less ``task``.
    inputs, outputs
        Ports of the net, as a card has them.
    measures
        Of the figures of `validate`, by name.
    """

    settings_type: ClassVar[type]
    inputs: ClassVar[list[dict[str, Any]]]
    outputs: ClassVar[list[dict[str, Any]]]
    measures: ClassVar[dict[str, Measure]]

    @classmethod
    @abstractmethod
    def prepare(
        cls, files: Sequence[Path], held_out: Path | None, net: dict[str, Any], settings: Any, cache: Path
    ) -> None:
        """Decode `files`, and what is in the folder `held_out` for validation, into the folder `cache`.

        `net` are the hyper-parameters of the architecture. What is decoded here is all that `__init__` is given.
        """

    @abstractmethod
    def __init__(self, net: dict[str, Any], settings: Any, cache: Path) -> None:
        """Learn from the folder `cache`."""


def objective_class(task: str) -> type[CachedObjective]:
    """The objective of a task.

    Raises
    ------
    RequestError
        No recipe can be made for it.
    """
    if task not in OBJECTIVES:
        raise RequestError(f"objective: task = '{task}': there are recipes for {', '.join(sorted(OBJECTIVES))}")
    module, name = OBJECTIVES[task]
    found: type[CachedObjective] = getattr(import_module(module), name)
    return found
