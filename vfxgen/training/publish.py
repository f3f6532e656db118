"""A trained net becomes a folder of the zoo: weights, card and curves, all of one training or none of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import nn

from vfxgen.errors import MediaError, RequestError
from vfxgen.media.publish import left_behind, temporary_name
from vfxgen.zoo.card import FILE_NAME, Card, dumps, load_card
from vfxgen.zoo.parts import Weights

WEIGHTS = "weights.safetensors"


def publish_net(net: nn.Module, facts: dict[str, Any], folder: Path, beside: tuple[Path, ...] = ()) -> Card:
    """Write a net's folder, or put new weights and a new card in place of the old ones, in one step.

    Parameters
    ----------
    net
        Of `vfxgen.architectures`, on the CPU.
    facts
        All of the card but what the net says of itself and what the weights file says.
    folder
        Of the net. Other files in it stay, and so does what links in it lead to.
    beside
        Files to copy into it.

    Raises
    ------
    RequestError
        `folder` has something else than a net in it, or one that this run must not replace: see `check_folder`.
    MediaError
        It cannot be written, or the disk is full. What was there is still there.
    """
    about = architecture_facts(net)
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    metadata = {"architecture": about["architecture"], "hyperparameters": json.dumps(about["hyperparameters"])}
    data = _in_order(save(contiguous, metadata))
    weights = Weights(file=WEIGHTS, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    card = Card(format="safetensors", weights=weights, **about, **facts)
    check_folder(folder, card.training.run, card.training.steps)
    with replaced_folder(folder) as temporary:
        for name in (WEIGHTS, FILE_NAME, *(path.name for path in beside)):
            # Where it is a link, what it leads to is not ours to write.
            (temporary / name).unlink(missing_ok=True)
        (temporary / WEIGHTS).write_bytes(data)
        (temporary / FILE_NAME).write_text(dumps(card), "utf-8")
        for path in beside:
            shutil.copyfile(path, temporary / path.name)
    return card


def architecture_facts(net: nn.Module) -> dict[str, Any]:
    """What a card says of a net of `vfxgen.architectures`: name, hyper-parameters, reach.

    Examples
    --------
    >>> from vfxgen.architectures import build
    >>> architecture_facts(build("unet", widths=[8, 16]))["size_multiple"]
    2
    """
    from vfxgen.architectures import Architecture, architectures

    name = next(name for name, kind in architectures().items() if kind is type(net))
    own: Architecture = net  # type: ignore[assignment]
    return {
        "architecture": name,
        "hyperparameters": dict(own.hyperparameters),
        "receptive_field": own.receptive_field,
        "size_multiple": own.size_multiple,
    }


def check_folder(folder: Path, run: str = "", steps: int | None = None) -> None:
    """A net may be put into `folder`: it is not there, empty, or a net's; of `run`, where that is known.

    A net that is finished is replaced by the run that made it alone, and only when it has come as far (`steps`).

    Raises
    ------
    RequestError
        It has something else in it.
    """
    if folder.is_dir() and (inside := {path.name for path in folder.iterdir()}):
        if not inside & {FILE_NAME, "train.toml"}:
            raise RequestError(f"{folder}: is not empty and no net's folder; give another one to --out")
    elif folder.exists() and not folder.is_dir():
        raise RequestError(f"{folder}: is a file; give a folder to --out")
    if run and (folder / FILE_NAME).exists():
        _check_run(load_card(folder), folder, run, steps)


def _check_run(there: Card, folder: Path, run: str, steps: int | None) -> None:
    """Refuse to replace the net that is there by one of another run, or by one that learned for less long."""
    learned = there.training.steps
    figures = "".join(f", {figure.measure} {figure.value:.5g}" for figure in there.quality[:1])
    holds = f"{folder}: holds the net '{there.name}' ({learned} steps{figures})"
    if there.training.run != run:
        raise RequestError(f"{holds} of another run; give another folder to --out, or delete this one")
    if steps is not None and steps < learned:
        raise RequestError(f"{holds}; this run ended after {steps}, so it stays; train longer, or delete it")


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Give a copy of `folder` beside it (empty where there is none), which takes its place when the block ends well.

    What a killed process left is put right first: the old folder, if it was on its way out, is back.
    """
    folder = folder.resolve()
    temporary = Path(temporary_name(str(folder)))
    aside = temporary.with_suffix(".old")
    try:
        for left in map(Path, left_behind([str(folder)])):
            if left.suffix == ".old" and not folder.exists():
                left.rename(folder)
            else:
                shutil.rmtree(left)
        check_folder(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.is_dir():
            shutil.copytree(folder, temporary, symlinks=True)
        else:
            temporary.mkdir()
        yield temporary
        for path in (*temporary.rglob("*"), temporary):
            if not path.is_symlink():
                _flush(path)
        if folder.is_dir():
            folder.rename(aside)
        try:
            temporary.rename(folder)
        except OSError:
            with suppress(OSError):
                aside.rename(folder)
            raise
        _flush(folder.parent)
        shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise MediaError(f"{folder}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _in_order(data: bytes) -> bytes:
    """A safetensors file with its metadata sorted: the library's order, and so the hash, is another each time."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    return data[:8] + text.ljust(end - 8) + data[end:]


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
