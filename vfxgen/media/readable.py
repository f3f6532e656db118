"""What must hold of any file before a library opens it, so that the error is ours and clear."""

from __future__ import annotations

import os

from vfxgen.errors import MediaError


def require_readable(path: str, kind: str) -> None:
    """Raise `MediaError` when `path` is missing, a folder, empty, or may not be read; `kind` is what it should be."""
    try:
        if os.path.isdir(path):
            raise MediaError(f"{path}: is a folder, not {kind}")
        if os.stat(path).st_size == 0:
            raise MediaError(f"{path}: is empty (0 bytes)")
        with open(path, "rb"):
            pass
    except (OSError, ValueError) as error:
        raise MediaError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
