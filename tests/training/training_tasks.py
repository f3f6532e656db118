"""Small things to learn, for tests of the training."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from vfxgen.training.objective import Batch, Forward, Objective, Picture

RECIPE = """
schema = 1
name = "tiny-x2"
task = "upscale"

[licence]
name = "Apache-2.0"
use = "commercial"

[[data]]
name = "photos"
folder = "photos"
licence = "CC0-1.0"
class = "A"
use = "commercial"
source = "https://example.org/photos"

[net]
architecture = "upscaler"
hyperparameters = { scale = 2, channels = 8, blocks = 2, collapsed = false }

[objective]
task = "upscale"
patch = 12
batch = 2
light = 1

[schedule]
steps = 12
warm_up = 3
validate_every = 6

[validation]
name = "held out"
folder = "held_out"
"""


class Doubling(Objective):
    """To give twice what was given; noise in the loss, so that its generator counts too."""

    def batch(self, step: int) -> Batch:
        picture = np.random.default_rng((7, step)).random((2, 3, 8, 8), np.float32)
        return {"picture": torch.from_numpy(picture)}

    def loss(self, net: Forward, batch: Batch) -> dict[str, Tensor]:
        noise = 0.1 * torch.randn_like(batch["picture"])
        error = net(batch["picture"] + noise) - 2 * batch["picture"]
        return {"absolute": error.abs().mean(), "squared": 0.5 * error.square().mean()}

    def validate(self, net: nn.Module) -> dict[str, float]:
        picture = self.batch(10**6)["picture"]
        return {"error": float((net(picture) - 2 * picture).abs().mean())}

    def samples(self, net: nn.Module) -> Picture:
        picture = self.batch(10**6)["picture"][:1]
        row = [tensor[0].permute(1, 2, 0).numpy() for tensor in (picture, net(picture) / 2, picture)]
        return np.concatenate(row, 1)


def small_net() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.SiLU(), nn.Conv2d(8, 3, 3, padding=1))


def write_photos(folder: Path) -> Path:
    """Two made-up photographs to learn from, and one held out with its small version."""
    random = np.random.default_rng(0)
    for place in ("photos/a.png", "photos/more/b.png", "held_out/HR/c.png"):
        coarse = random.integers(0, 256, (6, 7, 3), dtype=np.uint8)
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.resize(coarse, (84, 72), interpolation=cv2.INTER_CUBIC))
    small = folder / "held_out/LR_x2/c.png"
    small.parent.mkdir()
    cv2.imwrite(str(small), cv2.resize(cv2.imread(str(folder / "held_out/HR/c.png")), (42, 36)))
    return folder


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    """Bit for bit."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)
