"""Run scenarios in a real Blender, as a module in a virtual environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugins.build_blender import build

REPOSITORY = Path(__file__).resolve().parents[3]
SCENARIOS = Path(__file__).parent / "scenarios"
ENVIRONMENTS = {"5.0": ".venv-bpy", "4.5": ".venv-bpy-4.5", "4.2": ".venv-bpy-4.2"}


def installed() -> list[str]:
    """The versions that `make test` and `make test-blender-all` have installed."""
    return [version for version, name in ENVIRONMENTS.items() if (REPOSITORY / name / "bin" / "python").exists()]


@dataclass(frozen=True)
class Run:
    """How a scenario ended."""

    code: int
    facts: dict[str, Any]
    said: str


class Blender:
    """One version of Blender with the extension installed, and settings of its own.

    Parameters
    ----------
    version
        A key of `ENVIRONMENTS`.
    folder
        For the zip and for what Blender keeps of its user.
    """

    def __init__(self, version: str, folder: Path) -> None:
        self.version = version
        self.python = REPOSITORY / ENVIRONMENTS[version] / "bin" / "python"
        self.zip = folder / "vfxgen.zip"
        self.user = folder / "user"

    @property
    def extension_tool(self) -> list[str]:
        """Blender's own command for extensions."""
        found = (self.python.parents[1] / "lib").glob(
            "python3*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/*.py"
        )
        return [str(self.python), *(str(path) for path in found if path.name == "blender_ext.py")]

    def install(self) -> None:
        """Build the extension and install it as a user does."""
        build(self.zip)
        done = self._run("install", self.zip)
        assert done.returncode == 0, done.stdout + done.stderr

    def run(self, scenario: str, folder: Path, *arguments: str | Path, without_extension: bool = False) -> Run:
        """Run a scenario; its facts are empty when it did not come to its end."""
        facts = folder / "facts.json"
        facts.unlink(missing_ok=True)
        done = self._run(scenario, folder, *arguments, user=folder / "nobody" if without_extension else self.user)
        found = json.loads(facts.read_text()) if facts.exists() else {}
        return Run(done.returncode, found, done.stdout + done.stderr)

    def facts(self, scenario: str, folder: Path, *arguments: str | Path, without_extension: bool = False) -> Any:
        """The facts of a scenario that comes to its end."""
        run = self.run(scenario, folder, *arguments, without_extension=without_extension)
        assert run.code == 0, f"{scenario} ended with {run.code}:\n{run.said[-4000:]}"
        return run.facts

    def _run(self, scenario: str, *arguments: str | Path, user: Path | None = None) -> subprocess.CompletedProcess[str]:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))},
            "BLENDER_USER_RESOURCES": str(user or self.user),
            "VFXGEN_ENVIRONMENT": sys.prefix,
        }
        command = [self.python, SCENARIOS / f"{scenario}.py", *arguments]
        # A Blender that ends badly hangs rather than fails.
        return subprocess.run(
            [str(part) for part in command], env=environment, capture_output=True, text=True, timeout=180, check=False
        )
