"""Movies to frames and back, through PyAV."""

from __future__ import annotations

from vfxgen.frame import Frame

EXTENSIONS = ("mov", "mp4", "m4v", "mkv", "mxf", "avi", "webm")


def is_movie(path: str) -> bool:
    """Whether a path names a movie, by its extension."""
    return path.rpartition(".")[2].lower() in EXTENSIONS


class Movie:
    length = 0

    def __init__(self, path: str) -> None: ...

    def read(self, index: int, number: int) -> Frame: ...  # type: ignore[empty-body]
