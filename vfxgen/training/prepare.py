"""From a recipe to a prepared run, and from a finished run to a net with its card."""

from __future__ import annotations

import copy
import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from vfxgen.architectures import build
from vfxgen.errors import MediaError, RequestError, TrainingError
from vfxgen.media.publish import content_hash, published
from vfxgen.training import checkpoint
from vfxgen.training.loop import Fitted
from vfxgen.training.publish import publish_net
from vfxgen.training.recipe import DataSet, Recipe
from vfxgen.training.work import CACHE, START, Data, Work, load_work
from vfxgen.zoo import registry
from vfxgen.zoo.card import Card
from vfxgen.zoo.parts import Licence, Licences, Quality, Training, TrainingData

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".exr"}


def prepare(recipe: Recipe, data: Path | None, folder: Path, say: Callable[[str], None] = lambda _: None) -> Work:
    """Make `folder` ready to train in: cache, start weights, `run.json`. What is there and right is kept.

    Parameters
    ----------
    recipe
        As `vfxgen.training.recipe.load_recipe` gave it.
    data
        The folder that the recipe's folders are in; None: what was prepared before must do.
    folder
        Of the run.
    say
        Told what is done, in words.

    Raises
    ------
    MediaError
        A folder or picture is missing or unreadable, or `folder` cannot be written.
    RequestError
        The net cannot be built, or a picture that is held out for validation is among those to learn from.
    LicenceError
        The net to start from does not allow the use that the recipe states.
    TrainingError
        Nothing is prepared and there is no `data`, or what is prepared is of another recipe.
    """
    checkpoint.check_writable(folder)
    build(recipe.net.architecture, **recipe.net.hyperparameters)  # type: ignore[arg-type]
    if data is None:
        work = load_work(folder)
        wanted = _work(recipe, work.data, work.start_from, work.held_out)
        if wanted.identity != work.identity or not _names_agree(recipe, work):
            raise TrainingError(f"{folder}: was prepared for another recipe; give --data to prepare it again")
        wanted.write(folder)
        return wanted
    files = {part.name: _pictures(data / part.folder) for part in recipe.data}
    held_out = data / recipe.validation.folder if recipe.validation else None
    if held_out:
        _check_held_out(held_out, [path for paths in files.values() for path in paths])
    hashed = [Data(name, len(paths), _digest(paths)) for name, paths in files.items()]
    validated = f"{recipe.validation.name} {_digest(_pictures(held_out))}" if recipe.validation and held_out else ""
    work = _work(recipe, hashed, _start(recipe, folder), validated)
    if there := _prepared(work, folder):
        work = there
    else:
        say(f"caching {sum(part.files for part in hashed)} pictures in {folder / CACHE}")
        partial = folder / f".{CACHE}.part"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        everything = [path for paths in files.values() for path in paths]
        hyperparameters = recipe.net.hyperparameters
        recipe.objective_class.prepare(everything, held_out, hyperparameters, recipe.settings, partial)
        shutil.rmtree(folder / CACHE, ignore_errors=True)
        partial.rename(folder / CACHE)
    work.write(folder)
    return work


def _work(recipe: Recipe, data: list[Data], start_from: str, held_out: str | None) -> Work:
    return Work(
        name=recipe.name,
        architecture=recipe.net.architecture,
        hyperparameters=recipe.net.hyperparameters,
        task=recipe.objective["task"],
        settings=asdict(recipe.settings),
        schedule=asdict(recipe.timing),
        start_from=start_from,
        data=data,
        held_out=held_out,
    )


def _names_agree(recipe: Recipe, work: Work) -> bool:
    """Whether data, validation and the net to start from are called as they were when it was prepared."""
    start = registry.find(recipe.net.start_from).name if recipe.net.start_from else ""
    validation = recipe.validation.name if recipe.validation else ""
    return (
        [data.name for data in work.data] == [data.name for data in recipe.data]
        and work.start_from.rpartition(" ")[0] == start
        and (work.held_out is None or work.held_out.rpartition(" ")[0] == validation)
    )


def _prepared(work: Work, folder: Path) -> Work | None:
    """`work` as it is prepared in `folder`; None where it is not, or where its cache is not whole."""
    try:
        there = load_work(folder)
        if there.held_out is None:
            work = replace(work, held_out=None)
        if there.identity != work.identity:
            return None
        work.objective(folder)
    except (TrainingError, MediaError):
        return None
    return work


def _pictures(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        state = "has no pictures in it" if folder.is_dir() else "is not there"
        raise MediaError(f"{folder}: {state}; the recipe's folders are in the one that --data names")
    return found


def _digest(paths: list[Path]) -> str:
    root = os.path.commonpath([path.parent for path in paths])
    said = "".join(f"{content_hash(str(path))}  {path.relative_to(root).as_posix()}\n" for path in paths)
    return hashlib.sha256(said.encode()).hexdigest()


def _check_held_out(folder: Path, learned: list[Path]) -> None:
    contents = {content_hash(str(path)): path for path in learned}
    for path in _pictures(folder):
        if twin := contents.get(content_hash(str(path))):
            raise RequestError(f"{path}: is held out for validation, and {twin} is the same picture to learn from")


def _start(recipe: Recipe, folder: Path) -> str:
    """Weights to start from, as a bare machine reads them; says which they are."""
    if not recipe.net.start_from:
        return ""
    from safetensors.torch import load_file

    entry = registry.find(recipe.net.start_from)
    registry.check_use(entry.card, "commercial" if recipe.licence.use == "commercial" else "research")
    state = load_file(registry.verify(entry))
    if recipe.net.learned < 1:
        _check_alike(recipe, {name: tensor.shape for name, tensor in state.items()})
    with published(str(folder / START)) as temporary:
        torch.save(state, temporary)
    return f"{entry.name} {entry.card.weights.sha256}"


def _check_alike(recipe: Recipe, shapes: dict[str, torch.Size]) -> None:
    hyperparameters: dict[str, Any] = recipe.net.hyperparameters
    own = build(recipe.net.architecture, **hyperparameters).state_dict()
    if {name: tensor.shape for name, tensor in own.items()} != shapes:
        raise RequestError(
            f"recipe '{recipe.name}': net.learned = {recipe.net.learned:g} needs a net of the same architecture and "
            f"hyperparameters to start from; '{recipe.net.start_from}' has others"
        )


def publish(recipe: Recipe, work: Work, fitted: Fitted, run: Path, folder: Path) -> Card:
    """The net of a finished run, with a card that says how it came to be; raises as `publish_net`."""
    if recipe.net.learned < 1:
        fitted = _taken_back(fitted, work, run, recipe.net.learned)
    net: Any = fitted.net
    if hasattr(net, "collapsed"):
        net = net.collapsed()
    kind = recipe.objective_class
    base = registry.find(recipe.net.start_from).card if recipe.net.start_from else None
    facts: dict[str, Any] = {
        "name": recipe.name,
        "task": recipe.task,
        "summary": recipe.summary,
        "version": recipe.version,
        "scale": recipe.net.hyperparameters.get("scale", 1),
        "inputs": kind.inputs,
        "outputs": kind.outputs,
        "licences": _licences(recipe, base),
        "training": _training(recipe, base, work, fitted),
        "quality": _quality(recipe, fitted),
    }
    return publish_net(net, facts, folder, beside=(run / "curves.png",))


def _taken_back(fitted: Fitted, work: Work, run: Path, share: float) -> Fitted:
    """The weights between those it started from and those it learned, and what they can do.

    After training against a critic what lies between is sharper than the one and truer than the other (Wang et al.,
    "Deep network interpolation", CVPR 2019).
    """
    start, net = work.net(run).state_dict(), copy.deepcopy(fitted.net)
    net.load_state_dict({name: start[name].lerp(tensor, share) for name, tensor in net.state_dict().items()})
    return replace(fitted, net=net, figures=work.objective(run).validate(net))


def _licences(recipe: Recipe, base: Card | None) -> Licences:
    earlier = [base.licences.data] if base else []
    parts: list[DataSet | Licence] = [*recipe.data, *earlier]
    names = _each_once(", ", [*(data.licence for data in recipe.data), *(licence.name for licence in earlier)])
    sold = all(part.use == "commercial" for part in parts)
    sources, notes = _each_once("; ", [p.source for p in parts]), _each_once("; ", [p.note for p in parts])
    return Licences(
        code=Licence(name="Apache-2.0", use="commercial", source="LICENSE"),
        weights=recipe.licence,
        data=Licence(name=names, use="commercial" if sold else "research", source=sources, note=notes),
    )


def _each_once(separator: str, lists: list[str]) -> str:
    """Lists in words, such as a card has, as one."""
    return separator.join(dict.fromkeys(word for words in lists for word in words.split(separator) if word))


def _training(recipe: Recipe, base: Card | None, work: Work, fitted: Fitted) -> Training:
    licences = {data.name: data.licence for data in recipe.data}
    data = [TrainingData(name=d.name, licence=licences[d.name], files=d.files, sha256=d.sha256) for d in work.data]
    if base:
        # A set that both learned from stands there as it is today.
        data += [part for part in base.training.data if licences.get(part.name) != part.licence]
    said = [recipe.note]
    if work.start_from:
        share = f", {recipe.net.learned:g} of what was learned since" if recipe.net.learned < 1 else ""
        said.append(f"started from {work.start_from}{share}")
    if fitted.ended in ("patience", "cancelled"):
        said.append(f"ended by {fitted.ended}; the weights are those of step {fitted.step}")
    return Training(
        data=data,
        recipe="train.toml",
        run=work.identity,
        device=fitted.device,
        steps=fitted.steps,
        seconds=round(fitted.seconds, 1),
        note="; ".join(filter(None, said)),
    )


def _quality(recipe: Recipe, fitted: Fitted) -> list[Quality]:
    if recipe.validation is None:
        return []
    measures = recipe.objective_class.measures
    where = f"{recipe.validation.name} (validation: never learned from)"
    return [
        Quality(
            measure=measures[name].measure,
            data=where,
            value=round(value, 5),
            unit=measures[name].unit,
            note=measures[name].note,
        )
        for name, value in fitted.figures.items()
    ]
