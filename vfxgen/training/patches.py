"""Pictures of any size in one file, mapped into memory, and the patches cut from them; torch-free, numpy alone."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfxgen.errors import MediaError


def write_pictures(folder: Path, name: str, pictures: Iterable[NDArray[Any]]) -> None:
    """Write pictures of one type, each (H, W, C), one after the other as they come: `NAME.raw`, then `NAME.json`.

    Raises
    ------
    MediaError
        The disk is full, or the folder cannot be written.
    """
    shapes: list[tuple[int, ...]] = []
    kind = "uint8"
    try:
        with open(folder / f"{name}.raw", "wb") as file:
            for picture in pictures:
                kind = picture.dtype.name
                shapes.append(picture.shape)
                file.write(np.ascontiguousarray(picture).data)
        (folder / f"{name}.json").write_text(json.dumps({"type": kind, "shapes": shapes}), "utf-8")
    except OSError as error:
        raise MediaError(f"{folder / name}.raw: cannot be written ({error.strerror})") from None


def read_pictures(folder: Path, name: str) -> list[NDArray[Any]]:
    """What `write_pictures` wrote, as views into the mapped file: nothing is read before it is looked at.

    Raises
    ------
    MediaError
        It is not there, or is cut short.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_pictures(folder, "photos", [np.full((2, 3, 1), 7, np.uint8), np.zeros((1, 1, 1), np.uint8)])
    >>> [photo.shape for photo in read_pictures(folder, "photos")]
    [(2, 3, 1), (1, 1, 1)]
    """
    path = folder / f"{name}.raw"
    try:
        index = json.loads((folder / f"{name}.json").read_text("utf-8"))
        sizes = [math.prod(shape) for shape in index["shapes"]]
        if not sizes:
            return []
        mapped = np.memmap(path, np.dtype(index["type"]), "r", shape=sum(sizes))
    except (OSError, ValueError) as error:
        raise MediaError(f"{path}: is not a whole cache ({error}); make it again with --prepare") from None
    ends = np.cumsum(sizes)
    return [
        mapped[end - size : end].reshape(shape) for end, size, shape in zip(ends, sizes, index["shapes"], strict=True)
    ]


@dataclass(frozen=True)
class Cut:
    """A square of a picture, in one of its eight orientations.

    Examples
    --------
    >>> picture = np.arange(12).reshape(3, 4, 1)
    >>> Cut(y=1, x=2, size=2, turn=0, flip=False).of(picture)[0].tolist()
    [[6, 7], [10, 11]]
    """

    y: int
    x: int
    size: int
    turn: int
    flip: bool

    @staticmethod
    def random(shape: tuple[int, ...], size: int, random: np.random.Generator) -> Cut:
        """Anywhere in a picture of `shape` (H, W, ...)."""
        y, x = (int(random.integers(0, side - size + 1)) for side in shape[:2])
        return Cut(y, x, size, int(random.integers(4)), bool(random.integers(2)))

    def of(self, picture: NDArray[Any], scale: int = 1) -> NDArray[Any]:
        """The patch as (C, size, size), `scale` times as large where `picture` is the enlarged one."""
        patch = picture[self.y * scale : (self.y + self.size) * scale, self.x * scale : (self.x + self.size) * scale]
        return np.rot90(patch[:, ::-1] if self.flip else patch, self.turn).transpose(2, 0, 1)
