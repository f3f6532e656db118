"""The nets we train ourselves: one torch module a file, each known by name, built from a few plain hyper-parameters."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Protocol, TypeVar

from torch import nn

from vfxgen.errors import RequestError


class Architecture(Protocol):
    """What every architecture states of itself, so that tiles can be exact and cards can be written."""

    @property
    def hyperparameters(self) -> dict[str, int | bool | list[int]]:
        """What `build` needs to make the same net again: integers, booleans, lists of integers."""

    @property
    def receptive_field(self) -> int | None:
        """Radius in input pixels beyond which an input cannot change an output; None where there is no bound."""

    @property
    def size_multiple(self) -> int:
        """Height and width of the input must be multiples of this."""


Class = TypeVar("Class", bound=type[nn.Module])

_classes: dict[str, type[nn.Module]] = {}


def register(name: str) -> Callable[[Class], Class]:
    """Class decorator: the name under which cards ask for this architecture.

    Raises
    ------
    RequestError
        Another class has the name already.
    """

    def add(cls: Class) -> Class:
        if name in _classes:
            raise RequestError(f"architecture '{name}' is {_classes[name].__qualname__} already; choose another name")
        _classes[name] = cls
        return cls

    return add


def architectures() -> dict[str, type[nn.Module]]:
    """Every architecture by name.

    Examples
    --------
    >>> sorted(architectures())
    ['inpainter', 'unet', 'upscaler']
    """
    for name in ("inpainter", "unet", "upscaler"):
        import_module(f"vfxgen.architectures.{name}")
    return dict(_classes)


def build(name: str, **hyperparameters: int | bool | list[int]) -> nn.Module:
    """A net of this architecture, freshly initialised (seed torch first for the same net twice).

    Raises
    ------
    RequestError
        No such architecture, or it does not take these hyper-parameters; what it takes is said.

    Examples
    --------
    >>> build("upscaler", scale=2, channels=8, blocks=1).receptive_field
    5
    """
    known = architectures()
    if name not in known:
        raise RequestError(f"architecture '{name}' is not known; there are {', '.join(sorted(known))}")
    try:
        return known[name](**hyperparameters)
    except TypeError as error:
        import inspect

        takes = inspect.signature(known[name])
        raise RequestError(f"architecture '{name}' takes {takes}: {error}") from None
