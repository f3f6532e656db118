"""The demo: render the sample shot, measure it against truth, show what the nets do, and leave pictures to look at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from rich.console import Console

from vfxgen import color, graph
from vfxgen.errors import RequestError
from vfxgen.frame import FPS, RGB, Frame, Pixels
from vfxgen.media.pattern import parse_frames
from vfxgen.operators.read import read
from vfxgen.output import Output
from vfxgen.progress import DONE, report
from vfxgen.render import Event, Job, events_per_frame, render
from vfxgen.report import net_sheets, page, sheet, truth
from vfxgen.report.shown import displayed, in_grey
from vfxgen.sequence import Sequence

SAMPLE_SHOT = Path(__file__).parents[2] / "shots" / "greenscreen" / "shot.toml"
_ALPHA_GAIN, _GREY = 4.0, 0.18


def run(out: str, shot_path: str = "", frames: str = "") -> int:
    """Render the outputs of a shot into `out`, and write `contact_sheet.png` and `report.html` there.

    With the sample shot, a sheet for each shipped net goes to ``nets/`` and onto the report.

    Parameters
    ----------
    out
        Folder; frames that are current there are left alone.
    shot_path
        A shot with the plates ``plate`` and ``background``, the outputs ``key`` and ``comp``, and truth ``alpha`` and
        ``foreground``; empty: the sample shot of a checkout.
    frames
        Frame range; empty: the shot's.

    Returns
    -------
    int
        0, or 1 when a frame failed.

    Raises
    ------
    RequestError
        There is no such shot.
    """
    path = shot_path or str(SAMPLE_SHOT)
    if not os.path.exists(path):
        raise RequestError(f"{path}: the sample shot is part of a checkout, not of the installed package; give --shot")
    shot = graph.load_shot(path)
    numbers = parse_frames(frames or shot.frames)
    folder = os.path.dirname(path)
    sequences = graph.build(shot.nodes, folder, path)
    outputs = {
        name: Output(**{**made.model_dump(exclude={"node"}), "path": _in(out, made.path, folder)})
        for name, made in shot.outputs.items()
    }
    jobs = [Job(sequences[made.node], outputs[name]) for name, made in shot.outputs.items()]
    events: list[Event] = []
    code = report(_collected(render(jobs, numbers), events), events_per_frame(jobs) * len(numbers), as_json=False)
    if code != DONE:
        return code
    true = graph.build({name: {"operator": "read", **fields} for name, fields in shot.truth.items()}, folder, path)
    nets = {} if shot_path else net_sheets.write_net_sheets(os.path.join(out, "nets"))
    _Review(shot, out, numbers, sequences, outputs, true, events).write(nets)
    console = Console(stderr=True)
    for name in ("contact_sheet.png", "report.html"):
        console.print(os.path.join(out, name), highlight=False, soft_wrap=True)
    for output in outputs.values():
        console.print(output.path, highlight=False, soft_wrap=True)
    return DONE


def _in(out: str, path: str, folder: str) -> str:
    return os.path.join(out, os.path.relpath(path, folder))


def _collected(events: Iterable[Event], into: list[Event]) -> Iterator[Event]:
    for event in events:
        into.append(event)
        yield event


class _Review:
    """Pictures and figures of the rendered frames."""

    def __init__(
        self,
        shot: graph.Shot,
        out: str,
        numbers: list[int],
        sequences: dict[str, Sequence],
        outputs: dict[str, Output],
        true: dict[str, Sequence],
        events: list[Event],
    ) -> None:
        self.shot, self.out, self.numbers, self.true = shot, out, numbers, true
        self.plate = sequences["plate"]
        self.key = read(outputs["key"].path)
        self.comp = read(outputs["comp"].path)
        self.seconds = {event.frame: event.seconds for event in events if "compute" in event.seconds}

    def write(self, nets: dict[str, str]) -> None:
        """Write the contact sheet, and the review page with the sheets of `nets`, paths by name."""
        os.makedirs(os.path.join(self.out, "review"), exist_ok=True)
        chosen = {self.numbers[0], self.numbers[len(self.numbers) // 2], self.numbers[-1]}
        figures, rows, layers = (
            [],
            [],
            {name: list[str]() for name in ("plate", "alpha", "foreground", "comp", "error")},
        )
        size = (0, 0)
        for number in self.numbers:
            pictures = self._pictures(number)
            for name, pixels in pictures.items():
                relative = os.path.join("review", f"{name}.{number:04d}.jpg")
                sheet.write_picture(pixels, os.path.join(self.out, relative))
                layers[name].append(relative)
                size = (pixels.shape[1], pixels.shape[0])
            if number in chosen:
                rows.append([(f"{name} {number}", pixels) for name, pixels in pictures.items()])
            figures.append(self._figures(number))
        sheet.write_sheet(rows, os.path.join(self.out, "contact_sheet.png"))
        page.write_page(
            os.path.join(self.out, "report.html"),
            title=f"{self.shot.name}: key, grade, comp",
            introduction="Drag across the picture to wipe; click a row for its frame.",
            notes="alpha MSE and SAD (thousands) over the whole frame; foreground: mean absolute error of straight, "
            "scene-linear colour where the true alpha is within 0.02 .. 0.98; read, compute, write: seconds of work. "
            f"The error picture is |alpha - truth| times {_ALPHA_GAIN:g}.",
            frames=self.numbers,
            layers=layers,
            right="comp",
            figures=figures,
            size=size,
            fps=float(self.shot.fps or FPS),
            nets={name: os.path.relpath(path, self.out) for name, path in nets.items()},
        )

    def _pictures(self, number: int) -> dict[str, Pixels]:
        key, true = self._keyed(number)
        alpha = key.alpha
        grey = key.with_pixels(RGB, key.rgb + (1 - alpha) * np.float32(_GREY))
        return {
            "plate": _shown(self.plate[number]),
            "alpha": in_grey(alpha),
            "foreground": _shown(grey),
            "comp": _shown(self.comp[number]),
            "error": in_grey(np.abs(alpha - true) * _ALPHA_GAIN),
        }

    def _keyed(self, number: int) -> tuple[Frame, Pixels]:
        """The key as it was published, and the true alpha, on the whole display window."""
        return _whole(self.key[number]), _whole(self.true["alpha"][number]).alpha

    def _figures(self, number: int) -> dict[str, float | None]:
        key, true = self._keyed(number)
        errors = truth.alpha_errors(key.alpha, true)
        straight = key.pixels("fg.R", "fg.G", "fg.B")
        straight = color.convert(straight, key.file_space or key.colorspace, key.colorspace)
        seconds = self.seconds.get(number, {})
        return {
            "alpha MSE": errors["mse"],
            "alpha SAD": errors["sad"],
            "foreground": truth.foreground_error(straight, _whole(self.true["foreground"][number]).rgb, true),
            "read s": seconds.get("read"),
            "compute s": seconds.get("compute"),
            "write s": seconds.get("write"),
        }


def _whole(frame: Frame) -> Frame:
    return frame.on(frame.display_window)


def _shown(frame: Frame) -> Pixels:
    whole = _whole(frame)
    return displayed(whole.rgb, whole.colorspace)
