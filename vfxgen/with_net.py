"""What operators that run a net share: the parameters that say how, and the net itself, warm."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from vfxgen.log import NEWS, say_once
from vfxgen.operator import parameter
from vfxgen.zoo import registry
from vfxgen.zoo.card import Card
from vfxgen.zoo.registry import Entry

if TYPE_CHECKING:
    from vfxgen.backends.net import Net

Use = Literal["commercial", "research"]
Precision = Literal["auto", "fp32", "fp16", "bf16"]
Backend = Literal["auto", "torch", "torch-compiled", "onnxruntime", "openvino", "tensorrt"]

USE: Any = parameter("commercial", "What the frames are for: nets it forbids are refused.")
DEVICE: Any = parameter("auto", "cpu, cuda:0 ..., or auto: the first GPU there is, else the processor.")
PRECISION: Any = parameter("auto", "What the net computes in; auto: by its card.")
BACKEND: Any = parameter("auto", "What runs the net; auto: torch, or ONNX Runtime for an ONNX file.")
TILE: Any = parameter(0, "Side of a tile; 0: planned from memory.", minimum=0, maximum=8192, unit="pixels")


class WithNet:
    """Beside `vfxgen.operator.Operator`: the net it chose is in its keys and headers, and loaded once when needed.

    A subclass declares ``use``, ``device``, ``precision`` and ``backend`` as above, says which nets it runs
    (`check_card`) and sets `_entry`.
    """

    _entry: Entry | None
    use: Use
    device: str
    precision: Precision
    backend: Backend

    @classmethod
    @abstractmethod
    def check_card(cls, card: Card) -> None:
        """Pass a net that the operator runs.

        Raises
        ------
        RequestError
            It is for another task, or takes or gives what the operator does not: the message says what it should.
        """

    def _usable(self, name: str) -> Entry:
        """The net of that name or folder.

        Raises
        ------
        RequestError, CardError, LicenceError
            There is none, its licences forbid the use, or the operator does not run it.
        """
        entry = registry.find(name)
        registry.check_use(entry.card, self.use)
        self.check_card(entry.card)
        return entry

    @property
    def nets(self) -> Mapping[str, Entry]:
        """The net its frames are made with, by its folder."""
        return {str(self._entry.folder): self._entry} if self._entry else {}

    def check(self) -> None:
        """Refuse a device that is not there, and a backend that does not run the net."""
        from vfxgen.backends.net import check

        if self._entry:
            check(self._entry, self.device, self.backend)

    @cached_property
    def _net(self) -> Net:
        from vfxgen.backends.net import load

        assert self._entry is not None
        return load(self._entry, device=self.device, precision=self.precision, backend=self.backend)


def mends(doing: str, net: str) -> bool:
    """Whether the shipped `net` is there to mend what ``mixture`` found; says once which of them work."""
    there = net in registry.nets()
    if there:
        say_once(f"{doing} by mixture, and mended by the net {net}", NEWS)
    else:
        say_once(f"{doing} by mixture alone: the net {net} is not installed")
    return there
