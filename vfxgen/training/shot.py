"""The net of a shot: from a few frames with the artist's result to a net that does the same to all others."""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Callable
from collections.abc import Sequence as Values
from pathlib import Path
from threading import Event
from typing import Any, Literal

import torch
from torch import Tensor, nn

from vfxgen.architectures import build
from vfxgen.backends.net import resolve_device
from vfxgen.backends.torch_net import read_safetensors
from vfxgen.encoding import Encoding
from vfxgen.errors import RequestError, TrainingError
from vfxgen.frame import RGB, Frame
from vfxgen.operator import digest
from vfxgen.sequence import Sequence
from vfxgen.training.checkpoint import check_writable
from vfxgen.training.loop import Progress, fit
from vfxgen.training.painted import Painted, read_painted
from vfxgen.training.publish import check_folder, publish_net
from vfxgen.training.schedule import Schedule
from vfxgen.training.shot_card import card_facts, port, statistics
from vfxgen.training.shot_objective import ShotObjective, crop_side
from vfxgen.training.tasks import TASKS, Task
from vfxgen.zoo.parts import Port
from vfxgen.zoo.registry import Entry, check_use, find, verify

TaskName = Literal["matte", "key", "inpaint", "retouch", "upscale"]

WIDTHS = [16, 32, 64, 128]
CROP = {"upscale": 48}
CROP_ELSE = 128
BATCH = {"cpu": 4, "cuda": 16}
VALIDATE_EVERY = 50
PATIENCE = 16
RATE = 3e-3


def train(
    task: TaskName,
    plate: Sequence,
    target: Sequence,
    frames: Values[int] | str | None = None,
    *,
    out: str | os.PathLike[str],
    mask: Sequence | None = None,
    base: str | None = None,
    minutes: float = 10.0,
    steps: int = 0,
    device: str = "auto",
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
    preview: Callable[[Frame], None] | None = None,
    cancelled: Event | None = None,
) -> Entry:
    """Train a net for a shot from a few painted frames.

    Parameters
    ----------
    task
        ``matte``: plate to alpha. ``key``: the same in front of a screen, with the foreground where the target has
        R, G, B premultiplied by its A. ``retouch``: any change of the picture. ``inpaint``: a change within a mask.
        ``upscale``: the target is 2, 3 or 4 times as large.
    plate, target
        Sequences of one size and working space, such as two `vfxgen.read`. A matte is the target's A, else its one
        channel.
    frames
        Which frames are painted: numbers, or ``"1001,1020,1050"``; None: all that the target has.
    out
        The net's folder, named as the net: ``nets/sh010-matte``.
    mask
        Where to fill, for ``inpaint``: on every frame, not only the painted ones.
    base
        Name of a net of the same form to start from.
    minutes, steps
        How long at most; with `steps` the same call makes the same weights. Training ends sooner when held-out places
        get no better; the best net is the one that is kept.
    device
        ``cpu``, ``cuda:0`` ..., or ``auto``: the first GPU there is, else the processor.
    progress
        Called after every step with where it stands.
    preview
        Called after a few seconds, and at each validation, with a frame to look at: plate, result and truth of three
        places beside one another, scene-linear in the working space; its number is the step.
    cancelled
        Set from any thread, it ends the training; the best net so far is kept.

    Returns
    -------
    Entry
        The net: ``vfxgen.Apply(plate, net="nets/sh010-matte")``, or by its name once its folder's parent is in
        ``$VFXGEN_NETS``.

    Raises
    ------
    RequestError
        Target and plate do not fit together, a frame is not there or has NaN, there is nothing to learn, or `out` is
        no place for a net, or holds one of another run: the message says which and what to do.
    TrainingError
        The loss is not a number; or it was cancelled before there was a first figure: no net is written then.
    MediaError
        A folder cannot be written, or the disk is full. A net that was there stays.

    Notes
    -----
    A call that was killed goes on where its last checkpoint stands when it is made again, with the same frames.

    Examples
    --------
    >>> import tempfile, numpy, vfxgen
    >>> from vfxgen.testing import Pictures
    >>> pictures = {n: numpy.random.default_rng(n).random((32, 32, 3)) for n in (1, 2)}
    >>> mattes = {n: (picture[..., :1] > 0.5) * 1.0 for n, picture in pictures.items()}
    >>> folder = tempfile.mkdtemp() + "/sh010-matte"
    >>> net = vfxgen.train("matte", Pictures(pictures), Pictures(mattes, "A"), out=folder, steps=2, device="cpu")
    >>> net.name, vfxgen.Apply(Pictures(pictures), net=folder)[2].channels
    ('sh010-matte', ('R', 'G', 'B', 'A'))
    """
    folder = Path(out)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", folder.name):
        raise RequestError(f"train: '{folder.name}' is no name for a net: letters, digits, . _ and - alone")
    check_folder(folder)
    check_writable(folder.resolve().parent)
    painted = read_painted(task, plate, target, frames, mask)
    rule, device = TASKS[task], resolve_device(device, "training")
    start = _base(base, rule, painted) if base else None
    schedule = _schedule(minutes, steps, seed)
    net, given, made = _from_base(start) if start else _from_nothing(rule, painted, seed)
    multiple = math.lcm(8, int(net.size_multiple))  # type: ignore[arg-type]
    crop = crop_side(painted, multiple, CROP.get(task, CROP_ELSE))
    objective = ShotObjective(painted, rule, given, made, crop, BATCH[torch.device(device).type], seed)
    sources = {"plate": plate, "target": target} | ({"mask": mask} if mask else {})
    identity = digest(
        task=task,
        seed=seed,
        net=start.card.weights.sha256 if start else str(net),
        frames={name: [source.key(n) for n in painted.numbers] for name, source in sources.items()},
    )
    check_folder(folder, identity)
    work = _cache() / f"{folder.name}-{identity[:8]}"

    def told(here: Progress) -> None:
        if progress:
            progress(here)
        if preview and here.picture is not None:
            preview(_frame(here, painted.colorspace))

    fitted = fit(net, objective, schedule, work, device=device, identity=identity, progress=told, cancelled=cancelled)
    if not fitted.figures:
        raise TrainingError(f"train: cancelled before there was anything to keep; {folder} was not written")
    curves = tuple(path for path in (work / "curves.png", work / "samples.png") if path.exists())
    card = publish_net(fitted.net, card_facts(folder.name, rule, objective, fitted, start, identity), folder, curves)
    if fitted.ended != "cancelled":
        shutil.rmtree(work, ignore_errors=True)
    return Entry(card, folder)


def _schedule(minutes: float, steps: int, seed: int) -> Schedule:
    length: dict[str, Any] = {"steps": steps} if steps else {"minutes": minutes}
    return Schedule(
        **length,
        rate=RATE,
        warm_up=30,
        average=0.99,
        clip=1.0,
        validate_every=VALIDATE_EVERY,
        patience=PATIENCE,
        seed=seed,
    )


def _from_nothing(rule: Task, painted: Painted, seed: int) -> tuple[nn.Module, Port, Port]:
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        if rule.name == "upscale":
            net = build("upscaler", scale=painted.scale, collapsed=True)
        else:
            channels: dict[str, Any] = {"in_channels": len(painted.takes), "out_channels": len(painted.gives)}
            net = build("unet", **channels, widths=WIDTHS, residual=not rule.coverage)
    # The upscaler sees no level, so it has no use for a mean.
    mean, std = statistics(rule, painted) if rule.name != "upscale" else ([], [])
    return net, port("picture", painted.takes, rule, mean, std), port("result", painted.gives, rule, mean, std)


def _base(name: str, rule: Task, painted: Painted) -> Entry:
    entry = find(name)
    card = entry.card
    check_use(card)
    form = [port.channel_names for port in (*card.inputs, *card.outputs)]
    if card.format != "safetensors" or form != [painted.takes, painted.gives] or card.scale != painted.scale:
        said = " and ".join(port.channels for port in (*card.inputs, *card.outputs))
        raise RequestError(
            f"train: base '{name}' ({card.format}, {said}, scale {card.scale}) cannot be trained on for {rule.name}: "
            f"that takes {' '.join(painted.takes)} and gives {' '.join(painted.gives)} at scale {painted.scale}"
        )
    return entry


def _from_base(entry: Entry) -> tuple[nn.Module, Port, Port]:
    card = entry.card
    net = build(card.architecture, **card.hyperparameters)  # type: ignore[arg-type]
    weights: dict[str, Tensor] = read_safetensors(card, verify(entry))
    net.load_state_dict(weights)
    return net, card.inputs[0], card.outputs[0]


def _frame(here: Progress, colorspace: str) -> Frame:
    """The picture of a step as a frame of light."""
    light = Encoding("srgb").decode(torch.from_numpy(here.picture)).numpy()
    return Frame.from_pixels(light, RGB, number=here.step, colorspace=colorspace, source="training")


def _cache() -> Path:
    return Path(os.environ.get("VFXGEN_CACHE") or Path.home() / ".cache" / "vfxgen") / "training"
