"""vfxgen: operators for film frames, scene-linear and float, from plate to published frame.

Every operator is a name here (`vfxgen.Key`, `vfxgen.Merge`), beside `read`, `write`, `train` and `Sequence`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from vfxgen.version import __version__ as __version__

if TYPE_CHECKING:
    from vfxgen.operators.grade import Grade as Grade
    from vfxgen.operators.read import Read as Read
    from vfxgen.operators.read import read as read
    from vfxgen.render import write as write
    from vfxgen.sequence import Sequence as Sequence
    from vfxgen.training.shot import train as train

_PLACES = {
    "Sequence": "vfxgen.sequence",
    "read": "vfxgen.operators.read",
    "train": "vfxgen.training.shot",
    "write": "vfxgen.render",
}
# An operator is called as its file is. None is imported before it is asked for: each brings what it works with.
_OPERATORS = [module.name for module in pkgutil.iter_modules([f"{__path__[0]}/operators"])]
_PLACES |= {name.capitalize(): f"vfxgen.operators.{name}" for name in _OPERATORS}

__all__ = sorted(["__version__", *_PLACES])


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'vfxgen' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
