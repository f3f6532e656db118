"""What all tests share: the shared data, quiet defaults."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# As many processes as cores run tests: more threads in each would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from vfxgen.log import forget_what_was_said

# They run in Blender's Python.
collect_ignore = ["plugins/blender/scenarios"]

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_DATA = Path(os.environ.get("VFXGEN_SHARED_DATA") or REPOSITORY.parent / "shared" / "data").resolve()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of images, clips and EXR corpora; a test that needs it is skipped where it is not."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no shared data at {SHARED_DATA}; set VFXGEN_SHARED_DATA")
    return SHARED_DATA


@pytest.fixture(autouse=True)
def _environment_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No studio's configuration leaks into a test, and what is said once a process is said once a test."""
    for name in ("OCIO", "VFXGEN_NETS", "VFXGEN_CACHE"):
        monkeypatch.delenv(name, raising=False)
    forget_what_was_said()
    yield


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A studio's folder of nets, alone; and a cache of its own."""
    root = tmp_path / "studio"
    root.mkdir()
    monkeypatch.setenv("VFXGEN_NETS", str(root))
    monkeypatch.setenv("VFXGEN_CACHE", str(tmp_path / "cache"))
    return root
