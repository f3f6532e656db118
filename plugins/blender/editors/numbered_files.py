"""Image sequences on disk, counted as Blender does."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

from .. import plain
from ..problem import Problem


def number_of(path: str) -> int:
    """The number in a file's name; 1 where it has none."""
    return int(plain.numbered(Path(path).name)[1] or 1)


def of_number(path: str, number: int) -> Path:
    """The file of a sequence with another number in its name; the file itself where its name has none."""
    before, digits, after = plain.numbered(Path(path).name)
    return Path(path).with_name(f"{before}{number:0{len(digits)}d}{after}") if digits else Path(path)


def on_disk(path: str) -> list[int]:
    """The numbers of the files of a sequence, by the path of one of them.

    Raises
    ------
    Problem
        There are none.
    """
    before, digits, after = plain.numbered(Path(path).name)
    folder = Path(path).parent
    if digits:
        named = re.compile(rf"{re.escape(before)}(\d{{{len(digits)},}}){re.escape(after)}")
        files = folder.iterdir() if folder.is_dir() else []
        numbers = sorted(int(match[1]) for file in files if (match := named.fullmatch(file.name)))
    else:
        numbers = [1] if Path(path).is_file() else []
    if not numbers:
        raise Problem(f"{path}: no such file")
    return numbers


def size_of_file(path: str) -> tuple[int, int]:
    """Width and height in pixels, zeros where there is no picture: an image that is a sequence does not know."""
    with _clip(path) as clip:
        return tuple(clip.size) if clip else (0, 0)


def length_of_movie(path: str) -> int:
    """How many pictures it has; 0 where there is none."""
    with _clip(path) as clip:
        return clip.frame_duration if clip else 0


@contextmanager
def _clip(path: str) -> Iterator[bpy.types.MovieClip | None]:
    try:
        clip = bpy.data.movieclips.load(path, check_existing=False)
    except RuntimeError:
        yield None
        return
    try:
        yield clip
    finally:
        bpy.data.movieclips.remove(clip)
