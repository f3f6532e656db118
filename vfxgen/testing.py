"""Small sequences to try operators on: in examples, tests and a TD's own experiments."""

from __future__ import annotations

from collections.abc import Sequence as Values

import numpy as np

from vfxgen.color import working_space
from vfxgen.errors import MissingFrameError
from vfxgen.frame import Frame, Pixels
from vfxgen.operator import digest
from vfxgen.sequence import Sequence


class Pictures(Sequence):
    """A sequence of pixels held in memory.

    Parameters
    ----------
    pictures
        Frame number -> (H, W, C) float32 in the working space; one array alone is a still, the same for every number.
    channels
        Their names.
    """

    def __init__(self, pictures: dict[int, Pixels] | Pixels, channels: Values[str] = "RGB") -> None:
        super().__init__()
        self.pictures = pictures
        self.channels = tuple(channels)

    @property
    def range(self) -> list[int] | None:
        return sorted(self.pictures) if isinstance(self.pictures, dict) else None

    def frame(self, number: int) -> Frame:
        pixels = self.pictures.get(number) if isinstance(self.pictures, dict) else self.pictures
        if pixels is None:
            raise MissingFrameError(f"frame {number} does not exist in memory; there are {self.range}")
        return Frame.from_pixels(
            np.asarray(pixels, np.float32),
            self.channels,
            number=number,
            colorspace=working_space(),
            source="memory",
        )

    def make_key(self, number: int) -> str:
        pixels = self.frame(number).pixels(*self.channels)
        return digest(pixels=pixels.tobytes().hex(), shape=pixels.shape, channels=self.channels)


def constant(color: Values[float], size: tuple[int, int] = (4, 6), channels: Values[str] = "RGBA") -> Pictures:
    """A still of one colour, `size` (height, width)."""
    pixels = np.broadcast_to(np.array(color, np.float32), (*size, len(color)))
    return Pictures(np.array(pixels), tuple(channels)[: len(color)])
