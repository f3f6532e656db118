"""Review page: one HTML file with a before/after wipe over the frames, and a table of figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files

from jinja2 import Environment

from vfxgen.media.publish import published


def write_page(
    path: str,
    *,
    title: str,
    introduction: str,
    notes: str,
    frames: Sequence[int],
    layers: Mapping[str, Sequence[str]],
    right: str,
    figures: Sequence[Mapping[str, float | None]],
    size: tuple[int, int],
    fps: float,
    nets: Mapping[str, str] | None = None,
) -> None:
    """Write the page.

    Parameters
    ----------
    path
        Of the HTML file.
    title, introduction, notes
        Plain text: the heading, what stands below it, and what stands below the table.
    frames
        Frame numbers.
    layers
        Name -> a picture a frame, as paths relative to the page; the first is shown on the left.
    right
        The layer shown on the right at first.
    figures
        A row a frame: column name -> figure, None where it was not measured.
    size
        Width and height of the pictures.
    fps
        Of playback.
    nets
        Name of a net -> a picture of what it does, as a path relative to the page; shown below the table.

    Raises
    ------
    MediaError
        The file cannot be written.
    """
    columns = list(figures[0])
    environment = Environment(autoescape=True)
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    page = environment.from_string(files(__package__).joinpath("page.html").read_text("utf-8"))
    text = page.render(
        title=title,
        introduction=introduction,
        notes=notes,
        frames=list(frames),
        layers={name: list(pictures) for name, pictures in layers.items()},
        right=right,
        columns=columns,
        rows=[(n, {name: _shown(row[name]) for name in columns}) for n, row in zip(frames, figures, strict=True)],
        means={name: _shown(_mean([row[name] for row in figures])) for name in columns},
        size=size,
        milliseconds=round(1000 / fps),
        nets=dict(nets or {}),
    )
    with published(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write(text)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
