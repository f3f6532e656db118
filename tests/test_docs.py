"""The documentation: generated pages are up to date, and links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vfxgen.describe import page
from vfxgen.operators import operators

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")])


@pytest.mark.parametrize("name", operators())
def test_the_page_of_an_operator_is_what_its_declaration_says(name: str) -> None:
    written = (REPOSITORY / "docs" / "operators" / f"{name}.md").read_text()
    assert written == page(operators()[name]), "run `make docs`"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_and_pictures_are_there(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name}: {target}"
