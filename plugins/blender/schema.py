"""What vfxgen can do: bundled with the extension, so that Blender opens without a worker; refreshed from the worker."""

import json
import os
from pathlib import Path
from typing import Any

import bpy

BUNDLED = Path(__file__).with_name("schema.json")
SCHEMA = 1

_current: dict[str, Any] = {}


def operators() -> dict[str, dict[str, Any]]:
    """Name -> declaration of every operator that becomes a node: those that have an input."""
    return {declared["name"]: declared for declared in _catalogue()["operators"] if declared["inputs"]}


def nets(tasks: str) -> list[dict[str, Any]]:
    """The nets for one of some tasks, given in words."""
    return [net for net in _catalogue()["nets"] if net["task"] in tasks.split()]


def refresh(catalogue: dict[str, Any]) -> None:
    """Take what a worker answered to `describe`, and keep it for the next start of Blender."""
    if catalogue.get("schema") != SCHEMA:
        return
    _current.update(catalogue)
    path = _refreshed()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(catalogue), encoding="utf-8")
    unfinished.replace(path)


def _catalogue() -> dict[str, Any]:
    if not _current:
        bundled = json.loads(BUNDLED.read_text(encoding="utf-8"))
        _current.update(_read_refreshed(bundled["vfxgen"]) or bundled)
    return _current


def _read_refreshed(version: str) -> dict[str, Any] | None:
    """What a worker said earlier; nothing when it was of another release than this extension."""
    try:
        kept = json.loads(_refreshed().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if (kept.get("schema"), kept.get("vfxgen")) == (SCHEMA, version) else None


def _refreshed() -> Path:
    return Path(bpy.utils.extension_path_user(__package__)) / "schema.json"
