"""Sequence: something that can be asked for frame 1017."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from numbers import Integral

from vfxgen.cancel import stop_if_cancelled
from vfxgen.errors import RequestError
from vfxgen.frame import Frame


class Sequence(ABC):
    """Frames by number, made when asked for: a plate on disk, an operator, a chain of operators.

    `sequence[1017]` gives a frame and keeps it for whoever asks next, and ``for frame in sequence`` gives those of its
    range; `frame(1017)`, which a subclass writes, makes one. A frame is a function of its number and of the sequence's
    inputs alone, never of what was asked before.
    """

    def __init__(self) -> None:
        self._frames: OrderedDict[int, Future[Frame]] = OrderedDict()
        self._keys: dict[int, str] = {}
        self._lock = threading.Lock()
        self.keep = 1

    @abstractmethod
    def frame(self, number: int) -> Frame:
        """Make frame `number`."""

    @abstractmethod
    def make_key(self, number: int) -> str:
        """SHA-256 of all that decides the pixels of frame `number`; see `key`."""

    @property
    def inputs(self) -> Mapping[str, Sequence]:
        """The sequences this one asks for frames, by the name of the input."""
        return {}

    @property
    def intermediates(self) -> tuple[Sequence, ...]:
        """The sequences it makes of its inputs and asks for frames too, as they are no inputs themselves."""
        return ()

    @property
    def range(self) -> list[int] | None:
        """Frame numbers that exist, ascending; None where every number does (a still)."""
        return None

    @property
    def present(self) -> list[int] | None:
        """`range` without its gaps: the frames that are there themselves."""
        return self.range

    def needs(self, number: int) -> Mapping[str, tuple[int, ...]]:
        """Which frames of which input frame `number` asks for."""
        return dict.fromkeys(self.inputs, (number,))

    def key(self, number: int) -> str:
        """SHA-256 of all that decides the pixels of frame `number`: two equal keys mean equal pixels."""
        if number not in self._keys:
            stop_if_cancelled()
            self._keys[number] = self.make_key(number)
        return self._keys[number]

    def reset(self) -> None:
        """Forget every frame and key, here and in the inputs: files on disk may have changed."""
        for node in every_sequence(self, intermediates=True):
            node.forget()

    def forget(self) -> None:
        """Forget every frame and key here; `reset` asks each sequence for it once."""
        with self._lock:
            self._frames.clear()
            self._keys.clear()

    def __iter__(self) -> Iterator[Frame]:
        if self.range is None:
            raise RequestError("a still has every frame there is: ask for one by its number, sequence[1001]")
        for number in self.range:
            yield self[number]

    def __getitem__(self, number: int) -> Frame:
        number = frame_number(number)
        stop_if_cancelled()
        with self._lock:
            future = self._frames.get(number)
            if mine := future is None:
                future = self._frames[number] = Future()
            else:
                self._frames.move_to_end(number)
        if mine:
            try:
                future.set_result(self.frame(number))
            except BaseException as error:
                with self._lock:
                    if self._frames.get(number) is future:
                        del self._frames[number]
                future.set_exception(error)
            self._forget_beyond(self.keep)
        return future.result()

    def _forget_beyond(self, count: int) -> None:
        """Let the oldest frames go; one that is still being made stays, or another thread would make it too."""
        with self._lock:
            made = [number for number, frame in self._frames.items() if frame.done()]
            for number in made[: max(0, len(self._frames) - count)]:
                del self._frames[number]


def frame_number(number: object) -> int:
    """`number`, where it can be the number of a frame: any whole one, numpy's too.

    Raises
    ------
    RequestError
        It is text, a fraction, a slice ...
    """
    if not isinstance(number, Integral):
        raise RequestError(f"{number!r} is no frame number: ask for frames one by one, by whole numbers such as 1001")
    return int(number)


def every_sequence(sequence: Sequence, *, intermediates: bool = False) -> list[Sequence]:
    """`sequence` and all it rests on, inputs first, each once; with their `intermediates` where asked."""
    found: dict[int, Sequence] = {}

    def walk(node: Sequence) -> None:
        if id(node) not in found:
            for source in (*node.inputs.values(), *(node.intermediates if intermediates else ())):
                walk(source)
            found[id(node)] = node

    walk(sequence)
    return list(found.values())


def leaves(sequence: Sequence, number: int) -> list[tuple[Sequence, int]]:
    """The frames without inputs (files, mostly) that frame `number` rests on, each once, in the order of use."""
    found: dict[tuple[int, int], tuple[Sequence, int]] = {}
    walked: set[tuple[int, int]] = set()

    def walk(node: Sequence, wanted: int) -> None:
        # A node used twice is walked once, or a chain of such nodes would take twice as long with every link.
        if (id(node), wanted) in walked:
            return
        walked.add((id(node), wanted))
        if not node.inputs:
            found[id(node), wanted] = (node, wanted)
        for name, numbers in node.needs(wanted).items():
            for needed in numbers:
                walk(node.inputs[name], needed)

    walk(sequence, number)
    return list(found.values())
