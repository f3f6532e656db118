"""Which settings each frame of a node was made with, in a small file beside the frames."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .problem import Problem

NAME, SCHEMA = "vfxgen.json", 1
INPUTS_CHANGED = "inputs changed"


def digest(scene: str, operator: str, parameters: dict[str, Any], inputs: Iterable[str]) -> str:
    """The settings of a node as one word: scene, operator, parameters, which inputs are linked."""
    said = json.dumps([scene, operator, parameters, sorted(inputs)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def read(folder: Path) -> dict[int, str]:
    """Frame -> digest of the settings it was made with; empty where nothing has been recorded."""
    try:
        kept = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return {int(number): made for number, made in kept["frames"].items()} if kept["schema"] == SCHEMA else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def add(folder: Path, frames: dict[int, str]) -> None:
    """Record frames; those that have been recorded and are not named stay as they are.

    Raises
    ------
    Problem
        The folder cannot be written to.
    """
    if not frames:
        return
    kept = {**read(folder), **frames}
    text = json.dumps({"schema": SCHEMA, "frames": {str(number): kept[number] for number in sorted(kept)}}, indent=0)
    unfinished = folder / f".{NAME}.{os.getpid()}.tmp"
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(folder / NAME)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise Problem(f"{folder}: {error.strerror}; choose another output folder in the node's panel") from None
