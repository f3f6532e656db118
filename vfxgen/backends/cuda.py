"""A CUDA device as `vfxgen.backends.overlap` uses it: streams, events, pinned memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from vfxgen.backends.overlap import Event, Lanes


class CudaStream:
    """Work on one CUDA stream: kernels and copies that Python's calls put there."""

    def __init__(self, stream: torch.cuda.Stream) -> None:
        self._stream = stream

    def enqueue(self, work: Callable[[], None], after: Event | None = None) -> Event:
        """See `vfxgen.backends.overlap.Stream`; `after` is of a `CudaStream` too."""
        with torch.cuda.stream(self._stream):
            if isinstance(after, torch.cuda.Event):
                self._stream.wait_event(after)
            work()
            # Waiting for it sleeps; torch's own events keep a processor core busy.
            reached: torch.cuda.Event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
            self._stream.record_event(reached)
            return reached


def lanes(device: str) -> Lanes:
    """Copies on streams of their own. The net stays on the current one, where CUDA graphs are recorded."""
    there, back = (torch.cuda.Stream(device) for _ in range(2))  # type: ignore[no-untyped-call]
    return Lanes(
        copy_in=CudaStream(there),
        compute=CudaStream(torch.cuda.current_stream(device)),
        copy_out=CudaStream(back),
        pinned=_pinned,
        drain=partial(torch.cuda.synchronize, device),
    )


def _pinned(like: Tensor) -> Tensor:
    return torch.empty_like(like, device="cpu", pin_memory=True)
