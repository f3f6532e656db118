"""Where frames are: results beside the .blend, exports for the worker in a cache."""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bpy

from . import node as nodes
from . import preferences
from .problem import Problem


def output(tree: bpy.types.NodeTree) -> Path:
    """The folder that a node's frames go to; made when it is not there.

    Raises
    ------
    Problem
        The file has no folder yet, or nothing can be written in it.
    """
    beside, chosen = _beside_blend(), bpy.path.abspath(tree.vfxgen.folder)
    return _made(
        Path(chosen) if chosen else beside,
        f"{tree.vfxgen.operator}_{tree.vfxgen.identifier}",
        "choose another output folder in the node's panel",
    )


def beside_blend(operator: str, identifier: str) -> Path:
    """The folder for the frames of an operator outside of the compositor; made when it is not there.

    Raises
    ------
    Problem
        As for `output`.
    """
    return _made(_beside_blend(), f"{operator}_{identifier}", "save the .blend where there is room to write")


def _beside_blend() -> Path:
    if not bpy.data.filepath:
        raise Problem("save the .blend first: frames are kept in a folder beside it")
    file = Path(bpy.data.filepath)
    return file.parent / "vfxgen" / file.stem


def _made(parent: Path, name: str, advice: str) -> Path:
    folder = parent / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Problem(f"{folder}: {error.strerror}; {advice}") from None
    return folder


def shown(tree: bpy.types.NodeTree) -> Path | None:
    """The folder of the frames that a node shows; None while it passes its input."""
    file = nodes.result_file(tree)
    return Path(file).parent if file else None


def frame_file(folder: Path, operator: str, number: int) -> Path:
    """The file of one frame."""
    return folder / f"{operator}.{number:04d}.exr"


def frames(folder: Path, operator: str) -> set[int]:
    """The frames that are in a folder."""
    named = re.compile(rf"{operator}\.(\d{{4,}})\.exr")
    with contextlib.suppress(OSError):
        return {int(found[1]) for file in folder.iterdir() if (found := named.fullmatch(file.name))}
    return set()


@contextlib.contextmanager
def exports() -> Iterator[Path]:
    """A folder for what the worker reads, gone afterwards."""
    cache = preferences.cache()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="export_", dir=cache))
    except OSError as error:
        raise Problem(f"{cache}: {error.strerror}; choose another cache folder in the preferences") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cache_size() -> int:
    """Bytes in the cache folder."""
    return sum(file.lstat().st_size for file in preferences.cache().rglob("*") if file.is_file())


def clean_cache() -> None:
    """Remove what an ended Blender left in the cache folder."""
    for folder in preferences.cache().glob("export_*"):
        shutil.rmtree(folder, ignore_errors=True)
