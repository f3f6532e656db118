"""Painted frames: what an artist made of a few frames of a plate, held against the plate before anything is learned."""

from __future__ import annotations

from collections.abc import Sequence as Values
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vfxgen.errors import RequestError
from vfxgen.frame import RGB, RGBA, Frame, Pixels
from vfxgen.image.mask import matte_on, say_of_what_is_no_matte
from vfxgen.log import log
from vfxgen.media.pattern import parse_frames
from vfxgen.sequence import Sequence
from vfxgen.training.tasks import TASKS, Task

SCALES = (2, 3, 4)
"""Of the upscalers that can be trained."""
_ABOVE_WHITE = 1.02


@dataclass(frozen=True)
class Painted:
    """Frames of a plate with what they should become.

    Attributes
    ----------
    numbers
        Of the frames.
    plates
        (3, H, W) each, scene-linear; with a fourth channel where the task is given a mask. Of their overscan, what the
        target has too.
    targets
        (C, scale H, scale W) each: what `gives` names, colour scene-linear and straight, A as coverage.
    takes, gives
        Channels of both.
    scale
        Of the target over the plate.
    colorspace
        Working space of both.
    """

    numbers: list[int]
    plates: list[Tensor]
    targets: list[Tensor]
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    scale: int
    colorspace: str


def read_painted(
    task: str,
    plate: Sequence,
    target: Sequence,
    frames: Values[int] | str | None = None,
    mask: Sequence | None = None,
) -> Painted:
    """Read and check the painted frames of a task.

    Parameters
    ----------
    task
        One of `vfxgen.training.tasks.TASKS`.
    plate, target
        Of one display window and one range of frames; for ``upscale`` the target's is 2, 3 or 4 times as large.
    frames
        Which are painted: numbers, or words such as ``1001,1020``; None: all that the target has.
    mask
        Where to work; ``inpaint`` needs one.

    Raises
    ------
    RequestError
        They do not fit together: the message names the frame, what is wrong, and what to do.
    """
    if task not in TASKS:
        raise RequestError(f"train: task '{task}' must be {' | '.join(TASKS)}")
    rule = TASKS[task]
    if rule.needs_mask != (mask is not None):
        remedy = "needs a mask: where to fill" if rule.needs_mask else f"takes no mask; {_masked()} does"
        raise RequestError(f"train: {task} {remedy}")
    numbers = _numbers(plate, target, mask, frames)
    if len(numbers) == 1:
        log.warning("train: one painted frame alone: the net will know nothing of how the shot changes; two are better")
    pairs = [(plate[n], target[n], None if mask is None else mask[n]) for n in numbers]
    scale = _scale(task, *pairs[0][:2])
    gives = _gives(rule, pairs[0][1])
    plates, targets = [], []
    for before, after, where in pairs:
        _must_fit(before, after, scale, gives)
        # Overscan that is not painted is not black: it is not known.
        before = before.on(before.data_window.intersection(after.data_window.union(after.display_window)))
        plates.append(_tensor(before, _given(before, where)))
        targets.append(_tensor(after, _target(rule, before, after, gives)))
    takes = (*RGB, "M") if rule.needs_mask else RGB
    _must_teach(task, plates, targets, scale)
    return Painted(numbers, plates, targets, takes, gives, scale, pairs[0][0].colorspace)


def _masked() -> str:
    return " and ".join(name for name, task in TASKS.items() if task.needs_mask)


def _numbers(plate: Sequence, target: Sequence, mask: Sequence | None, frames: Values[int] | str | None) -> list[int]:
    if frames is None or frames == "":
        if target.range is None:
            raise RequestError("train: the target is a still; say which frame of the plate it is of: frames = 1001")
        frames = target.range
    numbers = sorted(set(parse_frames(frames) if isinstance(frames, str) else frames))
    if not numbers:
        raise RequestError("train: no painted frames; give at least one")
    for name, source in (("plate", plate), ("target", target), ("mask", mask)):
        there = None if source is None else source.range
        if there is not None and (absent := [n for n in numbers if n not in set(there)]):
            raise RequestError(
                f"train: frame {', '.join(map(str, absent))} is not in the {name}, which has {_span(there)}"
            )
    return numbers


def _span(numbers: list[int]) -> str:
    few = len(numbers) <= 8
    return ", ".join(map(str, numbers)) if few else f"{len(numbers)} frames from {numbers[0]} to {numbers[-1]}"


def _scale(task: str, before: Frame, after: Frame) -> int:
    if task != "upscale":
        return 1
    scale = round(after.display_window.width / before.display_window.width)
    if scale not in SCALES:
        raise RequestError(
            f"train: frame {before.number}: the target is {_size(after)}, the plate {_size(before)}: upscale learns "
            f"{', '.join(map(str, SCALES[:-1]))} or {SCALES[-1]} times the size"
        )
    return scale


def _gives(task: Task, after: Frame) -> tuple[str, ...]:
    if task.coverage and task.colour and set(RGBA) <= set(after.planes):
        return RGBA
    if task.coverage:
        return ("A",)
    after.require(*RGB)
    return RGB


def _must_fit(before: Frame, after: Frame, scale: int, gives: tuple[str, ...]) -> None:
    before.require(*RGB)
    wanted = (before.display_window.width * scale, before.display_window.height * scale)
    if (after.display_window.width, after.display_window.height) != wanted:
        times = f" times {scale}" if scale > 1 else ""
        raise RequestError(
            f"train: frame {before.number}: the target is {_size(after)}, the plate {_size(before)}{times}: they must "
            "be of one size; reformat one of them"
        )
    if scale == 1 and after.display_window != before.display_window:
        raise RequestError(
            f"train: frame {before.number}: the target's display window is {after.display_window}, the plate's "
            f"{before.display_window}: they must lie in one place; reformat one of them"
        )
    if scale > 1 and (before.data_window != before.display_window or after.data_window != after.display_window):
        raise RequestError(f"train: frame {before.number}: upscale wants data windows that fill the display windows")
    if gives != ("A",) and before.colorspace != after.colorspace:
        raise RequestError(
            f"train: frame {before.number}: the plate is in {before.colorspace}, the target in {after.colorspace}: "
            "read both with one working space"
        )


def _size(frame: Frame) -> str:
    return f"{frame.display_window.width}x{frame.display_window.height}"


def _given(before: Frame, where: Frame | None) -> Pixels:
    if where is None:
        return before.rgb
    return np.concatenate([before.rgb, matte_on(where, before).clip(0, 1)], axis=-1)


def _target(task: Task, before: Frame, after: Frame, gives: tuple[str, ...]) -> Pixels:
    placed = after if gives == RGB and task.name == "upscale" else after.on(before.data_window)
    if gives == RGB:
        return placed.rgb
    alpha = _matte(placed).clip(0, 1)
    if gives == ("A",):
        return alpha
    # Where nothing is covered there is no foreground to learn; the plate's own colour is then the least change.
    straight = np.where(alpha > 0, placed.rgb / np.maximum(alpha, 1e-3), before.rgb)
    return np.concatenate([straight, alpha], axis=-1).astype(np.float32)


def _matte(painted: Frame) -> Pixels:
    """A, else the one channel there is, or a grey picture's."""
    if not {"A", "Y"} & set(painted.planes) and set(RGB) <= set(painted.planes):
        rgb = painted.rgb
        if np.ptp(rgb, axis=-1).max(initial=0) > 1e-3:
            raise RequestError(
                f"train: frame {painted.number} of {painted.source}: a coloured picture without A is no matte; paint "
                "it as A, or as one grey channel"
            )
    say_of_what_is_no_matte(painted)
    return painted.matte


def _tensor(frame: Frame, pixels: Pixels) -> Tensor:
    if bad := int(np.count_nonzero(~np.isfinite(pixels).all(axis=-1))):
        raise RequestError(
            f"train: frame {frame.number} of {frame.source}: {bad} pixels are NaN or infinite; mend them, or leave the "
            "frame out"
        )
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32))


def _must_teach(task: str, plates: list[Tensor], targets: list[Tensor], scale: int) -> None:
    # Colour that changes teaches nothing of what it covers.
    judged = [target[-1:] for target in targets] if TASKS[task].coverage else targets
    first = judged[0].flatten(1)[:, :1, None]
    if all(bool((target == first).all()) for target in judged):
        what = "A of the target" if TASKS[task].coverage else "the target"
        value = ", ".join(f"{v:g}" for v in first.flatten().tolist())
        raise RequestError(f"train: {what} is {value} in every pixel of every frame: there is nothing to learn")
    if task not in ("retouch", "inpaint"):
        return
    pairs = [(plate[:3], target) for plate, target in zip(plates, targets, strict=True)]
    if all(bool((before == after).all()) for before, after in pairs):
        raise RequestError("train: the target is the plate in every pixel: there is nothing to learn")
    bright = sum(int((before > _ABOVE_WHITE).sum()) for before, _ in pairs)
    cut = sum(int(((before > _ABOVE_WHITE) & ((after - 1).abs() < 0.004)).sum()) for before, after in pairs)
    if cut > bright / 2:
        log.warning(
            "train: the target is 1 where the plate is brighter, as an 8-bit picture cannot hold it: the net will "
            "learn to clip; paint in a float format"
        )
