"""What the net of a shot learns from: crops of the painted frames, most of them where something is to be decided."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from vfxgen.backends.contract import normalised, scaled_back
from vfxgen.backends.light import encoded
from vfxgen.encoding import Encoding
from vfxgen.errors import RequestError
from vfxgen.training.losses import charbonnier, foreground, laplacian, settled
from vfxgen.training.objective import Batch, Forward, Objective, Picture
from vfxgen.training.painted import Painted
from vfxgen.training.tasks import Task
from vfxgen.zoo.parts import Port

EMPHASIS = 0.7
"""Share of crops placed where the target changes; the others lie anywhere."""
ENOUGH = 6
"""Painted frames from which on the middle one is held out; below, squares of every frame are."""
WINDOWS, SQUARE = 8, 48
"""How many places validation looks at, and the side of a held-out square."""
SPARED = 0.1
"""Share of what the target decides that held-out squares may take: a small mark must not be held out everywhere."""
SEEN = "the painted frames, which it learned from"
SHOWN = 3
_EDGE = 0.01


@dataclass(frozen=True)
class Window:
    """A crop of a painted frame, in plate pixels, and the square within it that is measured."""

    frame: int
    y: int
    x: int
    square: tuple[slice, slice]


class ShotObjective(Objective):
    """Crops of painted frames through a net, held against what was painted.

    Parameters
    ----------
    painted, task
        See `vfxgen.training.painted.read_painted`.
    port_in, port_out
        Of the net's card: encoding, mean and deviation.
    crop, batch
        Side of a crop in plate pixels, a multiple of the net's; crops a step.
    seed
        Of everything drawn.

    Notes
    -----
    Held-out squares stay in what the net is given, but never count in its loss. Where what changes is so small that no
    square of it can be spared, validation looks at what was learned: `judged_on` says which it is.
    """

    def __init__(
        self, painted: Painted, task: Task, port_in: Port, port_out: Port, crop: int, batch: int, seed: int
    ) -> None:
        self.painted, self.task, self.port_in, self.port_out = painted, task, port_in, port_out
        self.crop, self.count, self.seed = crop, batch, seed
        self.emphasis = [emphasis(p, t, painted) for p, t in zip(painted.plates, painted.targets, strict=True)]
        self.places = [np.flatnonzero(e.numpy() > 0) for e in self.emphasis]
        random = np.random.default_rng((seed, 1 << 32))
        whole = len(painted.numbers) >= ENOUGH
        held = len(painted.numbers) // 2
        self.learned = [i for i in range(len(painted.numbers)) if not (whole and i == held)]
        looked_at = [held] * WINDOWS if whole else [i % len(painted.numbers) for i in range(WINDOWS)]
        windows = [self._window(i, random, whole) for i in looked_at]
        self.held = [torch.zeros_like(e, dtype=torch.bool) for e in self.emphasis]
        self.windows = windows if whole else self._hold_out(windows)
        squares = "held-out squares of the painted frames" if any(held.any() for held in self.held) else SEEN
        self.judged_on = f"frame {painted.numbers[held]}, held out" if whole else squares

    def batch(self, step: int) -> Batch:
        """``given`` and ``truth`` as the net's own values; ``weight`` where the target changes; ``held`` squares."""
        random = np.random.default_rng((self.seed, step))
        crops = []
        for _ in range(self.count):
            frame = int(random.choice(self.learned))
            crops.append(self._cut(frame, *self._place(frame, random, EMPHASIS)))
        plate, target, weight, held = (torch.stack(pictures) for pictures in zip(*crops, strict=True))
        augmentation = self.task.augmentation
        large = [target, weight, held]
        plate, target, weight, held = augmentation.placed(random, plate, *large)
        gains = augmentation.gains(random, len(plate))
        plate, target = exposed(plate, gains), exposed(target, gains)
        if self.task.degrade:
            plate = torch.cat([augmentation.degraded(random, plate[:, :3]), plate[:, 3:]], 1)
        return {
            "given": normalised(encoded(plate, self.port_in), self.port_in),
            "truth": normalised(encoded(target, self.port_out), self.port_out),
            "weight": weight,
            "held": held,
        }

    def loss(self, net: Forward, batch: Batch) -> dict[str, Tensor]:
        """Charbonnier everywhere and where the target changes, and Laplacian pyramids."""
        truth, weight = batch["truth"], batch["weight"]
        made = torch.where(batch["held"] > 0, truth, net(batch["given"]))
        if self.task.coverage:
            made = torch.cat([made[:, :-1], settled(made[:, -1:], truth[:, -1:])], 1)
        terms = {"pyramid": laplacian(made, truth, levels=4)}
        if truth.shape[1] == 4:
            terms["foreground"] = foreground(made[:, :3], truth[:, :3], truth[:, 3:])
            made, truth = made[:, 3:], truth[:, 3:]
        terms["all"], terms["changes"] = charbonnier(made, truth), charbonnier(made, truth, weight)
        return terms

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Mean absolute error of the windows' squares, in the net's own values."""
        given, truth = self._held_out(next(net.parameters()).device)
        made = self._clipped(net(given))
        errors = [
            (made[i] - truth[i]).abs()[:, *self._scaled(window.square)].mean() for i, window in enumerate(self.windows)
        ]
        return {"error": float(torch.stack(errors).mean())}

    def samples(self, net: nn.Module) -> Picture | None:
        """Three held-out places: plate, result, truth."""
        given, truth = (t[:SHOWN] for t in self._held_out(next(net.parameters()).device))
        scale = self.painted.scale
        plate = interpolate(given, scale_factor=float(scale), mode="nearest") if scale > 1 else given
        columns = [_shown(plate, self.port_in), _shown(net(given), self.port_out), _shown(truth, self.port_out)]
        rows = torch.cat(columns, dim=3).permute(0, 2, 3, 1)
        picture: Picture = rows.flatten(0, 1).cpu().numpy()
        return picture

    def _clipped(self, made: Tensor) -> Tensor:
        return torch.cat([made[:, :-1], made[:, -1:].clamp(0, 1)], 1) if self.task.coverage else made

    def _held_out(self, device: torch.device) -> tuple[Tensor, Tensor]:
        crops = [self._cut(window.frame, window.y, window.x)[:2] for window in self.windows]
        plate, target = (torch.stack(pictures).to(device) for pictures in zip(*crops, strict=True))
        given, truth = encoded(plate, self.port_in), encoded(target, self.port_out)
        return normalised(given, self.port_in), normalised(truth, self.port_out)

    def _window(self, frame: int, random: np.random.Generator, whole: bool) -> Window:
        y, x = self._place(frame, random, 1.0)
        side = self.crop if whole else min(SQUARE, self.crop // 2)
        first = (self.crop - side) // 2
        return Window(frame, y, x, (slice(first, first + side), slice(first, first + side)))

    def _hold_out(self, windows: list[Window]) -> list[Window]:
        """Those whose squares can be spared, marked as held; all of them, whole, where none can."""
        room = SPARED * sum(float(emphasis.sum()) for emphasis in self.emphasis)
        kept = []
        for window in windows:
            part = np.s_[window.y : window.y + self.crop, window.x : window.x + self.crop]
            decides = float(self.emphasis[window.frame][0][part][window.square].sum())
            if decides <= room:
                room -= decides
                self.held[window.frame][0][part][window.square] = True
                kept.append(window)
        whole = slice(0, self.crop)
        return kept or [replace(window, square=(whole, whole)) for window in windows]

    def _place(self, frame: int, random: np.random.Generator, emphasis: float) -> tuple[int, int]:
        height, width = self.painted.plates[frame].shape[-2:]
        room = np.array([height - self.crop, width - self.crop])
        if random.random() < emphasis and len(self.places[frame]):
            at = divmod(int(random.choice(self.places[frame])), width)
            # About the middle of the crop: what is decided there has context on every side.
            corner = np.array(at) - self.crop // 2 + random.integers(-self.crop // 4, self.crop // 4 + 1, 2)
            y, x = np.clip(corner, 0, room)
        else:
            y, x = random.integers(0, room + 1)
        return int(y), int(x)

    def _cut(self, frame: int, y: int, x: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        square = (slice(y, y + self.crop), slice(x, x + self.crop))
        large = self._scaled(square)
        weight, held = self.emphasis[frame][:, *square], self.held[frame][:, *square].float()
        if self.painted.scale > 1:
            weight, held = (t.repeat_interleave(self.painted.scale, -1) for t in (weight, held))
            weight, held = (t.repeat_interleave(self.painted.scale, -2) for t in (weight, held))
        return self.painted.plates[frame][:, *square], self.painted.targets[frame][:, *large], weight, held

    def _scaled(self, square: tuple[slice, slice]) -> tuple[slice, slice]:
        scale = self.painted.scale
        down, across = (slice(side.start * scale, side.stop * scale) for side in square)
        return down, across


def emphasis(plate: Tensor, target: Tensor, painted: Painted) -> Tensor:
    """Where a target decides something, (1, H, W), 0 or 1: edges of a matte, changes of a picture, detail to enlarge.

    Parameters
    ----------
    plate, target
        Of one frame, (C, H, W) and (C, scale H, scale W).
    """
    if "A" in painted.gives:
        alpha = target[-1:][None]
        most, least = max_pool2d(alpha, 5, 1, 2), -max_pool2d(-alpha, 5, 1, 2)
        return (most - least > _EDGE).float()[0]
    code = Encoding("log").encode
    if painted.scale > 1:
        light = code(plate[:3])[None]
        return ((max_pool2d(light, 3, 1, 1) + max_pool2d(-light, 3, 1, 1)).amax(1) > _EDGE).float()
    difference = (code(target) - code(plate[:3])).abs().amax(0, keepdim=True)
    if len(painted.takes) > 3:
        difference = torch.maximum(difference, plate[3:])
    # What is smaller than a twentieth of the largest change is grain or rounding.
    return max_pool2d((difference > max(1e-4, 0.05 * float(difference.max()))).float()[None], 5, 1, 2)[0]


def exposed(light: Tensor, gains: Tensor) -> Tensor:
    """R, G, B of (B, C, H, W) times `gains` (B, 3, 1, 1); coverage as it is."""
    if light.shape[1] < 3:
        return light
    return torch.cat([light[:, :3] * gains, light[:, 3:]], 1)


def _shown(values: Tensor, port: Port) -> Tensor:
    """The net's own values as display-referred (B, 3, H, W), 0 .. 1: its matte, else its colour."""
    values = scaled_back(values, port)
    if "A" in port.channel_names:
        return values[:, -1:].clamp(0, 1).expand(-1, 3, -1, -1)
    return Encoding("srgb-clipped").encode(Encoding(port.encoding).decode(values[:, :3]))


def crop_side(painted: Painted, multiple: int, wanted: int) -> int:
    """The largest crop up to `wanted` pixels that every frame holds, a multiple of `multiple`.

    Raises
    ------
    RequestError
        A frame is smaller than the net can see.
    """
    least = min(min(plate.shape[-2:]) for plate in painted.plates)
    side = min(wanted, least) // multiple * multiple
    if side < 2 * multiple:
        raise RequestError(f"train: frames of {least} pixels are too small to learn from; {2 * multiple} at least")
    return side
