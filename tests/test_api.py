"""The public names: a change of them is a decision."""

from __future__ import annotations

import pydoc
import subprocess
import sys

import pytest

import vfxgen

OPERATORS = {
    "Apply",
    "Cleanplate",
    "Denoise",
    "Grade",
    "Grain",
    "Inpaint",
    "Key",
    "Matte",
    "Merge",
    "Read",
    "Reformat",
    "Resize",
    "Upscale",
}


def test_operators() -> None:
    from vfxgen.operators import operators

    assert {operator.__name__ for operator in operators().values()} == OPERATORS
    assert all(getattr(vfxgen, name).__name__ == name for name in OPERATORS)


def test_the_rest() -> None:
    assert set(vfxgen.__all__) == OPERATORS | {"Sequence", "__version__", "read", "train", "write"}
    assert all(hasattr(vfxgen, name) for name in vfxgen.__all__)


def test_completion_and_help_show_the_names_and_nothing_is_imported_for_it() -> None:
    script = "import sys, vfxgen; print(*dir(vfxgen)); print(*{'numpy', 'pydantic', 'torch'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [" ".join(sorted(vfxgen.__all__)), ""]
    helped = pydoc.plain(pydoc.render_doc(vfxgen))
    assert all(f"class {name}(" in helped for name in OPERATORS) and "write(sequence" in helped


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Keyer'"):
        vfxgen.Keyer  # noqa: B018
