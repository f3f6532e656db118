"""Build the Blender extension: ``python plugins/build_blender.py OUT.zip``."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

from vfxgen import describe
from vfxgen.operators import operators

HERE = Path(__file__).resolve().parent
CLIENT = HERE.parent / "vfxgen" / "hosts"


def build(out: Path) -> None:
    """Write the zip: the extension, the client it talks to a worker with, and what the nodes are made from."""
    extension = HERE / "blender"
    own = [path for path in extension.rglob("*") if path.is_file() and path.suffix in (".py", ".toml")]
    files = {path.relative_to(extension).as_posix(): path.read_bytes() for path in own}
    files |= {name: (CLIENT / name).read_bytes() for name in ("client.py", "worker_process.py")}
    files["schema.json"] = json.dumps(describe.catalogue(operators()), indent=1).encode()
    files["LICENSE"] = (HERE.parent / "LICENSE").read_bytes()
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            # One date for every file: the same source gives the same zip.
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
