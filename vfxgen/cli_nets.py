"""`vfxgen nets`: which nets there are, what their cards say, whether their files are right; fetch one, add one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import DownloadColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from vfxgen.errors import NetError, RequestError, VfxgenError
from vfxgen.guard import SOMETHING_FAILED, guarded
from vfxgen.operators import operators
from vfxgen.with_net import WithNet
from vfxgen.zoo import registry
from vfxgen.zoo.add import add, meaning
from vfxgen.zoo.card import FILE_NAME, Card, Port, Training
from vfxgen.zoo.fetch import Progress, fetch
from vfxgen.zoo.registry import Entry

app = typer.Typer(name="nets", help="List, check, fetch and add nets.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="Name of a net.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
@guarded
def list_nets(as_json: AsJson = False) -> int:
    """List the nets, and the cards that are wrong."""
    here, wrong = registry.nets(), registry.broken()
    if as_json:
        rows: list[dict[str, Any]] = [_row(entry) for entry in here.values()]
        rows += [{"name": name, "broken": str(error)} for name, error in wrong.items()]
        print(json.dumps(rows, indent=2))
        return 0
    lines = [["name", "task", "format", "scale", "use", "where"]] if here else []
    lines += [[str(value) for value in _row(entry).values()] for entry in here.values()]
    widths = [max(len(line[column]) for line in lines) for column in range(5)] if lines else []
    for line in lines:
        print("  ".join([*(word.ljust(width) for word, width in zip(line[:5], widths, strict=True)), line[5]]))
    for name, error in wrong.items():
        print(f"{name}: broken: {error}")
    if not (here or wrong):
        print(f"no nets; ${registry.VARIABLE} adds folders of nets")
    return 0


def _row(entry: Entry) -> dict[str, Any]:
    card = entry.card
    return {
        "name": card.name,
        "task": card.task,
        "format": card.format,
        "scale": card.scale,
        "use": card.use,
        "where": str(entry.folder),
    }


@app.command("info")
@guarded
def show_net(name: Name, as_json: AsJson = False) -> int:
    """Say what a net's card says."""
    entry = registry.find(name)
    if as_json:
        card = entry.card.model_dump(mode="json", by_alias=True)
        print(json.dumps({**card, "use": entry.card.use, "where": str(entry.folder)}, indent=2))
    else:
        print("\n".join(f"{label:10} {value}" for label, value in _facts(entry)))
    return 0


def _facts(entry: Entry) -> Iterator[tuple[str, str]]:
    card = entry.card
    yield "net", f"{card.name}, version {card.version}: {card.summary}" if card.summary else card.name
    yield "task", f"{card.task}, scale {card.scale}"
    numbers = (f"{name}={value}" for name, value in card.hyperparameters.items())
    yield "format", " ".join(filter(None, (card.format, card.architecture, *numbers)))
    for label, ports in (("input", card.inputs), ("output", card.outputs)):
        for port in ports:
            yield label, _port(port)
    reach = "not bounded" if card.receptive_field is None else f"{card.receptive_field} pixels around each"
    yield "reach", f"{reach}; sizes are multiples of {card.size_multiple}; precision {card.precision}"
    try:
        yield "weights", str(registry.weights_path(entry))
    except NetError as error:
        yield "weights", str(error)
    yield "use", card.use
    for part, licence in card.licences:
        about = "; ".join(filter(None, (licence.source, licence.note)))
        yield "licence", f"of its {part}: {licence.name} ({licence.use})" + (f": {about}" if about else "")
    for data in card.training.data:
        yield (
            "trained on",
            ", ".join(filter(None, (data.name, f"{data.files} files" if data.files else "", data.licence))),
        )
    if trained := _trained(card.training):
        yield "training", trained
    for figure in card.quality:
        note = f" ({figure.note})" if figure.note else ""
        yield "quality", f"{figure.measure} on {figure.data}: {figure.value:g} {figure.unit}".rstrip() + note


def _trained(training: Training) -> str:
    length = f"{training.steps} steps" if training.steps else ""
    took = f"{training.seconds / 60:.0f} minutes" if training.seconds else ""
    return "; ".join(filter(None, (length, took, training.device, training.recipe, training.note)))


def _port(port: Port) -> str:
    size = f", {port.size[0]} high, {port.size[1]} wide" if port.size else ""
    code = f", mean {port.mean}, std {port.std}" if port.mean or port.std else ""
    return f"{port.name}: {port.channels or 'no picture'}, encoding {port.encoding}{code}{size}"


@app.command("check")
@guarded
def check_nets(name: Annotated[str, typer.Argument(help="Name of a net; none: all.")] = "") -> int:
    """Compare weights with their cards, load them, and say which operators run them."""
    if name:
        print(f"{name}: {_checked(registry.find(name))}")
        return 0
    failed = 0
    for entry in registry.nets().values():
        try:
            print(f"{entry.name}: {_checked(entry)}")
        except VfxgenError as error:
            print(f"{entry.name}: WRONG: {error}")
            failed += 1
    for broken, fault in registry.broken().items():
        print(f"{broken}: WRONG: {fault}")
        failed += 1
    return SOMETHING_FAILED if failed else 0


def _checked(entry: Entry) -> str:
    from vfxgen.backends.net import load

    return f"{load(entry).path} is what its card says, and loads; {_runs_in(entry.card)}"


def _runs_in(card: Card) -> str:
    """Which operators run a net, on which frames; or why none does."""
    able, refused = [], {}
    for name, operator in operators().items():
        if issubclass(operator, WithNet):
            try:
                operator.check_card(card)
                able.append(name)
            except RequestError as error:
                refused[name] = str(error)
    if not able:
        # The one whose task it is knows more than that the task is another; apply asks for none.
        return f"no operator runs it: {refused.get(card.task) or refused['apply']}"
    size = " of {}x{} alone: reformat them to it".format(*card.whole_frame) if card.whole_frame else ""
    able.sort(key="apply".__eq__)
    return f"for {', '.join(able)}" + (f", on frames{size}" if size else "")


@app.command("fetch")
@guarded
def fetch_net(name: Name) -> int:
    """Download the weights of a net.

    From the address on its card to the cache; goes on where an earlier fetch was cut.
    """
    entry = registry.find(name)
    with _bar(entry.card) as progress:
        path = fetch(entry, progress=progress)
    print(path)
    return 0


@contextmanager
def _bar(card: Card) -> Iterator[Progress]:
    columns = (TextColumn(card.name), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(card.name, total=card.weights.bytes)
        yield lambda here, total: bar.update(task, completed=here, total=total)


@app.command("add")
@guarded
def add_net(
    file: Annotated[str, typer.Argument(help="A weights file: .onnx, .safetensors, .pth, .pt, .ckpt.")],
    task: Annotated[str, typer.Option("--task", help="What it is for: upscale, matte, segment, inpaint ...")],
    name: Annotated[str, typer.Option("--name", help="Of the net; default: of the file.")] = "",
    to: Annotated[str, typer.Option("--to", help="A folder of nets; default: the first of $VFXGEN_NETS.")] = "",
) -> int:
    """Make a net of a weights file.

    Copies it and writes its card, with a question wherever the file does not say.
    """
    folder, questions = add(file, task, name, to)
    card = folder / FILE_NAME
    if not questions:
        print(f"{card}: complete")
        return 0
    print(f"{card}: to be answered:")
    for question in questions:
        print(f"  {question}: {meaning(question)}")
    print(f"Then: vfxgen nets check {folder.name}")
    return 0
