"""The operators, one file each; a new file here is a new operator everywhere."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from vfxgen.errors import RequestError
from vfxgen.operator import Operator


@cache
def operators() -> dict[str, type[Operator]]:
    """Every operator class by its name (`key`, `merge`), found by looking through this folder."""
    found: dict[str, type[Operator]] = {}
    for module in pkgutil.iter_modules(__path__):
        contents = vars(importlib.import_module(f"{__name__}.{module.name}"))
        for value in contents.values():
            if isinstance(value, type) and issubclass(value, Operator) and value.__module__.endswith(f".{module.name}"):
                found[value.name] = value
    return found


def operator_class(name: str) -> type[Operator]:
    """The operator called `name`.

    Raises
    ------
    RequestError
        There is none; the message lists those that are.
    """
    try:
        return operators()[name]
    except KeyError:
        raise RequestError(f"there is no operator '{name}'; there are {', '.join(sorted(operators()))}") from None
