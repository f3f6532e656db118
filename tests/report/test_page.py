"""The review page: whole, self-contained, and safe whatever a shot is called."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from vfxgen.report.page import write_page


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.outside += [value for name, value in attrs if name in ("src", "href") and value and "//" in value]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def made(tmp_path: Path, title: str = "sh010", nets: dict[str, str] | None = None) -> tuple[str, Page]:
    path = tmp_path / "report.html"
    write_page(
        str(path),
        title=title,
        introduction="before and after",
        notes="notes",
        frames=[1001, 1002],
        layers={"plate": ["p1.jpg", "p2.jpg"], "comp": ["c1.jpg", "c2.jpg"]},
        right="comp",
        figures=[{"alpha MSE": 0.5, "compute s": None}, {"alpha MSE": 0.25, "compute s": 0.1}],
        size=(960, 540),
        fps=24,
        nets=nets,
    )
    text = path.read_text()
    page = Page()
    page.feed(text)
    return text, page


def test_a_row_a_frame_and_the_mean(tmp_path: Path) -> None:
    text, page = made(tmp_path)
    assert page.tags.count("tr") == 4
    assert {"1001", "1002", "0.375", "–"} <= set(page.text)
    assert "{{" not in text and "{%" not in text, "no place is left unfilled"


def test_nets_are_shown_where_there_are_any(tmp_path: Path) -> None:
    nets = {"upscale-x2": "nets/upscale-x2.png", "key-unmix": "nets/key-unmix.png"}
    text, page = made(tmp_path, nets=nets)
    assert page.tags.count("img") == 2 + len(nets) and set(nets) <= set(page.text)
    assert all(f'src="{picture}"' in text for picture in nets.values())
    assert "What the shipped nets do" not in made(tmp_path)[0]


def test_it_needs_nothing_from_outside(tmp_path: Path) -> None:
    text, page = made(tmp_path)
    assert page.outside == []
    assert "http" not in text


def test_the_layers_are_what_the_script_shows(tmp_path: Path) -> None:
    text, _ = made(tmp_path)
    layers = re.search(r"layers = (\{.*?\});", text)
    assert layers
    pictures = json.loads(layers[1])
    assert pictures == {"plate": ["p1.jpg", "p2.jpg"], "comp": ["c1.jpg", "c2.jpg"]}
    assert list(pictures) == ["plate", "comp"], "in the order given: the first is shown on the left"


def test_a_name_cannot_become_markup(tmp_path: Path) -> None:
    text, page = made(tmp_path, title="<script>alert(1)</script>")
    assert page.tags.count("script") == 1
    assert "&lt;script&gt;" in text
