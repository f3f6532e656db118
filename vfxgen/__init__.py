"""vfxgen: operators for film frames, scene-linear and float, from plate to published frame.

Every operator is a name here (`vfxgen.Key`, `vfxgen.Merge`), beside `read`, `write`, `train` and `Sequence`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vfxgen.version import __version__

if TYPE_CHECKING:
    from vfxgen.operators.grade import Grade as Grade
    from vfxgen.operators.read import Read as Read
    from vfxgen.operators.read import read as read
    from vfxgen.render import write as write
    from vfxgen.sequence import Sequence as Sequence
    from vfxgen.training.shot import train as train

__all__ = ["Sequence", "__version__", "read", "train", "write"]


def __getattr__(name: str) -> Any:
    if name == "Sequence":
        from vfxgen.sequence import Sequence

        return Sequence
    if name == "read":
        from vfxgen.operators.read import read

        return read
    if name == "write":
        from vfxgen.render import write

        return write
    if name == "train":
        from vfxgen.training.shot import train

        return train
    # A module that is asked for while it is imported ends here too, and must not have every operator imported.
    if name[:1].isupper():
        from vfxgen.operators import operators

        for operator in operators().values():
            if operator.__name__ == name:
                return operator
    raise AttributeError(f"module 'vfxgen' has no attribute '{name}'")
