"""Nets on a GPU, held against the processor; run by `make test-gpu`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small_nets import Convolutions, built, wrapped
from torch import Tensor

import vfxgen
from vfxgen.backends.cuda import lanes
from vfxgen.backends.net import Net, load
from vfxgen.backends.overlap import SLOTS, overlapped
from vfxgen.backends.tile_plan import plan
from vfxgen.backends.tiles import run, walk
from vfxgen.errors import NetError, VfxgenError
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
    assert torch.allclose(_tensor(got), _tensor(expected), atol=1e-4)


def net_of(folder: Path, precision: str = "fp32") -> Net:
    return load(built(folder, scale=2, channels=32, blocks=6), device="cuda:0", precision=precision)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize("batch", [1, 3])
def test_overlapped_copies_give_the_bits_of_the_plain_path(tmp_path: Path, precision: str, batch: int) -> None:
    net, frame = net_of(tmp_path, precision), torch.rand(1, 3, 700, 1100)
    cut = plan(net, (700, 1100), tile=256, batch=batch)
    plain = _tensor(walk(net.run, [frame], cut))
    for _ in range(3):
        made = _tensor(run(net, frame, tile=256, batch=batch))
        assert made.device.type == "cpu" and torch.equal(made, plain)


def test_a_frame_that_is_on_the_gpu_stays_there(tmp_path: Path) -> None:
    net, frame = net_of(tmp_path), torch.rand(1, 3, 300, 400)
    there = _tensor(run(net, frame.cuda(), tile=128, batch=1))
    assert there.device.type == "cuda" and torch.equal(there.cpu(), _tensor(run(net, frame, tile=128, batch=1)))


def test_pinned_memory_is_that_of_two_tiles_however_many_there_are(tmp_path: Path) -> None:
    net, side, tiles = net_of(tmp_path), 256, 40
    torch.cuda.reset_peak_host_memory_stats()
    before = torch.cuda.host_memory_stats()["active_bytes.current"]
    for _ in overlapped(net, [(torch.rand(1, 3, side, side),)] * tiles, lanes(net.device)):
        pass
    peak = torch.cuda.host_memory_stats()["active_bytes.peak"] - before
    # torch rounds each buffer up to a power of two: less than twice what a tile and its result have.
    assert 0 < peak <= 2 * SLOTS * (1 + 4) * 3 * 4 * side**2


def test_copies_run_while_the_net_computes(tmp_path: Path) -> None:
    """On the trace of the GPU, some copy begins before the kernels that were enqueued ahead of it have ended."""
    from torch.profiler import ProfilerActivity, profile

    net = net_of(tmp_path)
    given = [(torch.rand(1, 3, 512, 512),)] * 12
    for _ in overlapped(net, given, lanes(net.device)):
        pass
    with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as trace:
        for _ in overlapped(net, given, lanes(net.device)):
            pass
    on_gpu = [event for event in trace.events() if str(event.device_type).endswith("CUDA")]
    copies = [event.time_range for event in on_gpu if "Memcpy" in event.name]
    kernels = [event.time_range for event in on_gpu if "Mem" not in event.name]
    assert any(copy.start < kernel.end and kernel.start < copy.end for copy in copies for kernel in kernels)


def test_where_gpu_memory_runs_out_the_tile_is_halved_and_remembered(tmp_path: Path) -> None:
    net, frame = net_of(tmp_path), torch.rand(1, 3, 1500, 1500)
    expected = _tensor(run(net, frame, tile=128, batch=1))
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    # Room for the weights and for 600 MiB of features: a tile of 1500 pixels has 275 MiB a layer.
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_allocated(0) + 600 * 1024**2) / total)
    try:
        made = _tensor(run(net, frame, tile=1500, batch=1))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert net.largest_tile is not None and net.largest_tile < 1500
    assert torch.allclose(made, expected, atol=1e-4)


def test_out_of_memory_with_the_smallest_tile_says_so(tmp_path: Path) -> None:
    net = wrapped(Convolutions(3, width=512), scale=1, receptive_field=3, device="cuda:0")
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_allocated(0) + 1024**2) / total)
    try:
        with pytest.raises(NetError, match="out of memory on cuda:0 even with tiles of"):
            run(net, torch.rand(1, 3, 200, 200), tile=200, batch=1)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def _tensor(made: Tensor | tuple[Tensor, ...]) -> Tensor:
    assert isinstance(made, Tensor)
    return made
