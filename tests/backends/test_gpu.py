"""Nets on a GPU, held against the processor; run by `make test-gpu`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small_nets import built
from torch import Tensor

import vfxgen
from vfxgen.backends.net import load
from vfxgen.backends.tiles import run
from vfxgen.errors import VfxgenError
from vfxgen.testing import Pictures

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: `vfxgen doctor` says why"),
]


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-3), ("fp16", 2e-2)])
def test_upscaling_says_the_same_as_the_processor(precision: str, tolerance: float) -> None:
    picture = Pictures(np.random.default_rng(1).random((120, 200, 3)).astype(np.float32) * 4)
    on_cpu = vfxgen.Upscale(picture, device="cpu")[1].rgb
    on_gpu = vfxgen.Upscale(picture, device="cuda:0", precision=precision)[1].rgb
    assert np.abs(on_gpu - on_cpu).max() < tolerance * 4


def test_a_gpu_that_is_not_there_is_not_replaced_by_the_processor() -> None:
    missing = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(VfxgenError, match=missing):
        vfxgen.Upscale(Pictures(np.ones((8, 8, 3), np.float32)), device=missing)[1]


def test_cuda_graphs_of_fixed_tiles_say_the_same_as_the_plain_net(tmp_path: Path) -> None:
    ours = built(tmp_path, scale=2, channels=16, blocks=3)
    frame = torch.rand(1, 3, 300, 500)
    plain, compiled = (load(ours, device="cuda:0", backend=name) for name in ("torch", "torch-compiled"))
    expected, got = (run(net, frame, tile=128, batch=1) for net in (plain, compiled))
    assert isinstance(expected, Tensor) and isinstance(got, Tensor) and torch.allclose(got, expected, atol=1e-4)
