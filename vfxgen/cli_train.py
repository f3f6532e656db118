"""`vfxgen train`: a recipe's net from its data, or the net of a shot from a few finished frames."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.console import Console

from vfxgen.errors import RequestError
from vfxgen.guard import INTERRUPTED, guarded, say

RECIPE, SHOT = "The net of a recipe", "The net of a shot"


def _option(panel: str, flag: str, help: str, **words: Any) -> Any:
    return typer.Option(flag, help=help, rich_help_panel=panel, **words)


@guarded
def train(
    recipe: Annotated[str, _option(RECIPE, "--recipe", "A recipe, train.toml.")] = "",
    data: Annotated[str, _option(RECIPE, "--data", "The folder that the recipe's folders are in.")] = "",
    work: Annotated[str, _option(RECIPE, "--work", "Folder of cache, checkpoint, log and curves.")] = "",
    prepare: Annotated[bool, _option(RECIPE, "--prepare", "Cache the data and stop there.")] = False,
    stop_after: Annotated[
        float, _option(RECIPE, "--stop-after", "Stop after so many minutes; started again, it goes on.", min=0)
    ] = 0.0,
    task: Annotated[str, _option(SHOT, "--task", "matte, key, inpaint, retouch or upscale.")] = "",
    plate: Annotated[str, _option(SHOT, "--plate", "The frames as they are: a pattern, a file or a movie.")] = "",
    target: Annotated[str, _option(SHOT, "--target", "The same frames as they shall be, some of them.")] = "",
    mask: Annotated[str, _option(SHOT, "--mask", "Where to fill, on every frame; for inpaint.")] = "",
    frames: Annotated[
        str, _option(SHOT, "--frames", "The finished frames: 1001,1020,1050. Default: the target's.")
    ] = "",
    base: Annotated[str, _option(SHOT, "--base", "A net to start from.")] = "",
    minutes: Annotated[float, _option(SHOT, "--minutes", "At most; it ends when it gets no better.", min=0.01)] = 10.0,
    steps: Annotated[
        int, _option(SHOT, "--steps", "In place of minutes: the same call makes the same net.", min=0)
    ] = 0,
    colorspace: Annotated[str, _option(SHOT, "--colorspace", "Of plate and target; default: as the files say.")] = "",
    out: Annotated[str, typer.Option("--out", help="The net's folder; of a recipe, default: its own.")] = "",
    device: Annotated[
        str, typer.Option("--device", help="auto, cpu, cuda, cuda:1; auto: a GPU if there is one.")
    ] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line, not progress.")] = False,
) -> int:
    """Train a net: by its recipe, or for a shot from a few finished frames. What was cut goes on where it stopped."""
    shot = {"--task": task, "--plate": plate, "--target": target}
    if bool(recipe) == any(shot.values()):
        raise RequestError(f"vfxgen train needs --recipe FILE, or {' '.join(shot)} --out FOLDER; one of the two")
    if recipe:
        run: dict[str, Any] = {"prepare_only": prepare, "stop_after": stop_after, "device": device, "as_json": as_json}
        return _train_recipe(Path(recipe), data, work, out, **run)
    if lacking := [flag for flag, value in {**shot, "--out": out}.items() if not value]:
        raise RequestError(f"vfxgen train needs {' and '.join(lacking)} too")
    sources = {"plate": plate, "target": target, "mask": mask}
    learn = {"frames": frames or None, "base": base or None, "minutes": minutes, "steps": steps}
    learn |= {"out": out, "device": device}
    return _train_shot(task, sources, learn, colorspace, as_json=as_json)


def _train_recipe(
    path: Path,
    data: str,
    work: str,
    out: str,
    *,
    prepare_only: bool,
    stop_after: float,
    device: str,
    as_json: bool,
) -> int:
    from vfxgen.backends.net import resolve_device
    from vfxgen.training.checkpoint import check_writable
    from vfxgen.training.prepare import prepare, publish
    from vfxgen.training.publish import check_folder
    from vfxgen.training.recipe import load_recipe
    from vfxgen.training.watch import watched

    recipe = load_recipe(path)
    folder = Path(work) if work else default_work(recipe.name)
    net = Path(out) if out else path.parent
    device = resolve_device(device, "training")
    check_folder(net)
    check_writable(net.resolve().parent)
    run = prepare(recipe, Path(data) if data else None, folder, _tell)
    if prepare_only:
        _tell(f"{folder}: prepared; train it here, or on a bare machine with python -m vfxgen.training.bare FOLDER")
        return 0
    check_folder(net, run.identity)
    with watched(recipe.name, stop_after, as_json=as_json) as watch:
        fitted = run.train(folder, device, watch, watch.cancelled)
    if fitted.ended == "cancelled":
        say(f"stopped at step {fitted.steps}; start it again to go on: the checkpoint is in {folder}")
        return 0 if stop_after else INTERRUPTED
    card = publish(recipe, run, fitted, folder, net)
    _tell(f"{net}: step {fitted.step}, {_words({figure.measure: figure.value for figure in card.quality})}")
    return 0


def _train_shot(task: Any, sources: dict[str, str], learn: dict[str, Any], colorspace: str, *, as_json: bool) -> int:
    from vfxgen.operators.read import read
    from vfxgen.training import shot
    from vfxgen.training.watch import watched

    if task not in get_args(shot.TaskName):
        raise RequestError(f"--task {task}: must be {' | '.join(get_args(shot.TaskName))}")
    pictures: dict[str, Any] = {name: read(path, colorspace=colorspace) for name, path in sources.items() if path}
    with watched(Path(learn["out"]).name, as_json=as_json) as watch:
        entry = shot.train(task, **pictures, **learn, progress=watch, cancelled=watch.cancelled)
    figures = {figure.measure: figure.value for figure in entry.card.quality}
    _tell(f"{entry.folder}: step {entry.card.training.steps}, {_words(figures)}")
    _tell(f"vfxgen apply --plate ... --net {entry.folder} --out ...")
    return 0


def default_work(name: str) -> Path:
    """In ``$VFXGEN_CACHE``, else in ``~/.cache/vfxgen``."""
    return Path(os.environ.get("VFXGEN_CACHE") or Path.home() / ".cache" / "vfxgen") / "training" / name


def _tell(words: str) -> None:
    Console(stderr=True).print(words, highlight=False, soft_wrap=True, markup=False)


def _words(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.5g}" for name, value in figures.items())
