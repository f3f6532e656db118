"""Checkpoints: whole or absent, loaded without running anything in them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from vfxgen.errors import MediaError, TrainingError
from vfxgen.media.publish import published, sweep_temporaries

FILE_NAME = "checkpoint.pt"
FORMAT = 1


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state` (tensors, numbers, strings, lists and dictionaries of them) to `path` in one step.

    Raises
    ------
    MediaError
        The disk is full, or the folder cannot be written. The checkpoint that was there is still there.
    """
    memory = io.BytesIO()
    torch.save({"format": FORMAT, **state}, memory)
    with published(str(path)) as temporary:
        Path(temporary).write_bytes(memory.getbuffer())


def load(path: Path, identity: str = "") -> dict[str, Any] | None:
    """The state at `path` on the CPU, or None where there is none; what a killed `save` left is swept away.

    Raises
    ------
    TrainingError
        It is no checkpoint, or one of another training than `identity`.
    """
    sweep_temporaries([str(path)])
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its unpickler met
        raise TrainingError(f"{path}: is no checkpoint ({_first_line(error)}); take it away to start anew") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT or "identity" not in state:
        raise TrainingError(f"{path}: is no checkpoint of this vfxgen; take it away to start anew")
    if state["identity"] != identity:
        raise TrainingError(
            f"{path}: belongs to another training (other data, net or objective); "
            f"take it away to start anew, or choose another folder"
        )
    return state


def check_writable(folder: Path) -> None:
    """Make `folder`, and try to write in it: better now than after an hour.

    Raises
    ------
    MediaError
        It cannot be made or written.
    """
    probe = folder / ".writable"
    with published(str(probe)) as temporary:
        Path(temporary).write_bytes(b"")
    try:
        # A training that began at the same moment beside this one may have taken it away.
        probe.unlink(missing_ok=True)
    except OSError as error:
        raise MediaError(f"{folder}: cannot be written ({error.strerror})") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
