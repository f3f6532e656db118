"""Tiles do not show: a frame in tiles is the whole frame, in the memory that was said."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_nets import Convolutions, built, wrapped
from torch import Tensor, nn

from vfxgen.backends import tile_plan
from vfxgen.backends.net import load
from vfxgen.backends.tile_plan import Plan, bytes_per_pixel, plan, spans
from vfxgen.backends.tiles import continued, padded_to_multiple, run, seen_for, walk, without_nonfinite
from vfxgen.backends.torch_net import LiveTensors
from vfxgen.errors import FrameError, NetError, RequestError


def picture(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.3 + 0.4


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 110),
    width=st.integers(1, 110),
    scale=st.sampled_from([1, 2, 4]),
    depth=st.integers(1, 7),
    extra=st.integers(5, 40),
    batch=st.integers(1, 5),
    width_of_net=st.sampled_from([4, 8, 16, 24]),
)
def test_a_tiled_frame_has_the_bits_of_the_whole_frame(
    height: int, width: int, scale: int, depth: int, extra: int, batch: int, width_of_net: int
) -> None:
    net = wrapped(Convolutions(depth, scale, width_of_net), scale=scale, receptive_field=depth)
    frame = picture(1, 3, height, width)
    cut = Plan(tile=2 * depth + extra, overlap=depth, scale=scale, batch=batch)
    assert torch.equal(_tensor(walk(net.run, [frame], cut)), _tensor(net.run(frame)))


@settings(max_examples=12, deadline=None)
@given(height=st.integers(1, 200), width=st.integers(1, 260), seed=st.integers(0, 5))
def test_a_u_net_in_tiles_is_the_padded_frame_to_rounding(height: int, width: int, seed: int) -> None:
    net = wrapped(
        _unet(seed),
        task="matte",
        scale=1,
        receptive_field=_unet(seed).receptive_field,
        size_multiple=4,
        outputs=[{"name": "alpha", "channels": "A"}],
    )
    frame = picture(1, 3, height, width, seed=seed)
    whole = _tensor(net.run(padded_to_multiple(frame, 4)))[..., :height, :width]
    # Its SiLU is computed by torch in vectors and, at the end of a row, one by one: the last bit may differ.
    assert torch.allclose(_tensor(run(net, frame, tile=96)), whole, atol=3e-6, rtol=3e-6)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_our_upscaler_in_tiles_has_the_bits_of_the_whole_frame(tmp_path: Path, scale: int, threads: int) -> None:
    net = load(built(tmp_path, scale=scale, channels=16, blocks=3), device="cpu")
    frame = picture(2, 3, 131, 217)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        whole = _tensor(net.run(frame))
        assert all(torch.equal(_tensor(run(net, frame, tile=side)), whole) for side in (72, 81, 128))
    finally:
        torch.set_num_threads(before)


@settings(max_examples=12, deadline=None)
@given(height=st.integers(60, 200), width=st.integers(60, 260), place=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_what_a_net_must_see_is_enough(height: int, width: int, place: tuple[float, float]) -> None:
    """Of the part that `seen_for` cuts out it makes at the wanted pixels what it makes of the whole frame there."""
    unet = _unet(0)
    outputs = [{"name": "alpha", "channels": "A"}]
    net = wrapped(unet, task="matte", scale=1, receptive_field=unet.receptive_field, size_multiple=4, outputs=outputs)
    frame = picture(1, 3, height, width)
    y, x = (int(share * (size - 1)) for share, size in zip(place, (height, width), strict=True))
    wanted = np.zeros((height, width), bool)
    wanted[y : y + 3, x : x + 9] = True
    part = seen_for(wanted, net.card)
    whole, seen = (_tensor(run(net, given))[0, 0].numpy() for given in (frame, frame[..., *part]))
    assert np.allclose(seen[wanted[part]], whole[wanted], atol=3e-6, rtol=3e-6)


def test_a_net_must_not_see_all_for_one_pixel() -> None:
    net = wrapped(Convolutions(3, 1, 4), scale=1, receptive_field=3, size_multiple=4)
    wanted = np.zeros((40, 60), bool)
    wanted[20, 30] = True
    assert seen_for(wanted, net.card) == np.s_[16:24, 24:34]
    blind = wrapped(Convolutions(3, 1, 4), scale=1, receptive_field=None)
    assert seen_for(wanted, blind.card) == np.s_[:, :]


def test_one_pixel_of_context_less_shows() -> None:
    net = wrapped(Convolutions(5), scale=1, receptive_field=5)
    frame = picture(1, 3, 90, 90)
    short = _tensor(walk(net.run, [frame], Plan(tile=32, overlap=4)))
    assert not torch.equal(short, _tensor(net.run(frame)))


def test_tiles_have_one_shape() -> None:
    shapes = set()

    def remember(tile: Tensor) -> Tensor:
        shapes.add(tile.shape)
        return tile

    walk(remember, [picture(1, 3, 331, 317)], Plan(tile=148, overlap=6))
    assert shapes == {(1, 3, 119, 114)}


@settings(max_examples=200, deadline=None)
@given(
    length=st.integers(1, 3000),
    tile=st.integers(3, 70),
    overlap=st.integers(0, 60),
    multiple=st.sampled_from([1, 4, 8]),
)
def test_tiles_cover_the_frame_once_with_context_on_both_sides(
    length: int, tile: int, overlap: int, multiple: int
) -> None:
    overlap *= multiple
    length, cut = length * multiple, Plan(2 * overlap + tile * multiple, overlap, multiple)
    made = spans(length, cut)
    assert [span.keep_from for span in made] == [0, *(span.keep_to for span in made[:-1])]
    assert made[-1].keep_to == made[-1].end == length and made[0].start == 0
    assert len({span.end - span.start for span in made}) == 1 and made[0].end <= cut.tile
    assert all(span.start % multiple == 0 for span in made)
    assert all(span.keep_from - span.start >= overlap for span in made[1:])
    assert all(span.end - span.keep_to >= overlap for span in made[:-1])


def test_little_is_computed_twice() -> None:
    """960x540 in tiles of up to 384: six of full size would be 1.7 times the frame."""
    down, across = (spans(side, Plan(tile=384, overlap=16)) for side in (540, 960))
    assert sum(s.end - s.start for s in down) * sum(s.end - s.start for s in across) < 1.14 * 960 * 540


def test_tiles_start_at_multiples() -> None:
    """A net that halves its picture sees every pixel at the same phase as in the whole frame."""
    ramp = torch.arange(100.0).expand(1, 1, 40, 100).contiguous()
    starts = []

    def remember(tile: Tensor) -> Tensor:
        starts.append(int(tile[0, 0, 0, 0]))
        return tile

    made = walk(remember, [ramp], Plan(tile=40, overlap=8, multiple=4))
    assert torch.equal(_tensor(made), ramp) and all(start % 4 == 0 for start in starts) and len(starts) == 4


def test_a_net_that_sees_everything_fades_between_tiles() -> None:
    """Each tile is as bright as its mean: seams would be steps, a fade has none."""
    ramp = torch.linspace(0, 1, 400).expand(1, 1, 64, 400).contiguous()
    smooth = _tensor(
        walk(lambda tile: tile.mean((2, 3), keepdim=True).expand_as(tile), [ramp], Plan(100, 40, smooth=True))
    )
    steps = smooth[0, 0].diff(dim=-1)
    assert steps.min() > -1e-6 and steps.max() < 0.01


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 90), width=st.integers(1, 90), overlap=st.integers(1, 15), scale=st.sampled_from([1, 2, 4])
)
def test_fading_tiles_weigh_one_everywhere(height: int, width: int, overlap: int, scale: int) -> None:
    frame = picture(1, 2, height, width)
    enlarge = nn.Upsample(scale_factor=scale, mode="nearest")
    made = walk(enlarge, [frame], Plan(tile=32, overlap=overlap, scale=scale, smooth=True))
    assert torch.allclose(_tensor(made), enlarge(frame), atol=1e-5)


@pytest.mark.parametrize("size", list(itertools.product([1, 2, 3, 5, 8], repeat=2)))
def test_padding_mirrors_and_on_a_tiny_frame_repeats(size: tuple[int, int]) -> None:
    frame = picture(1, 1, *size)
    padded = padded_to_multiple(frame, 8)
    assert padded.shape[-2:] == (8, 8) and torch.equal(padded[..., : size[0], : size[1]], frame)
    assert size[1] != 5 or torch.equal(padded[0, 0, 0, 5:], frame[0, 0, 0, [3, 2, 1]])
    assert size[1] != 1 or torch.equal(padded[0, 0, 0], frame[0, 0, 0].expand(8))


def test_several_inputs_are_cut_alike() -> None:
    frame, mask = picture(1, 3, 70, 90), picture(1, 1, 70, 90, seed=1)
    made = walk(lambda a, b: (a * b, b), [frame, mask], Plan(tile=32, overlap=3))
    assert torch.equal(made[0], frame * mask) and torch.equal(made[1], mask)


def test_inputs_of_two_sizes_are_an_error() -> None:
    net = wrapped(Convolutions(1), scale=1)
    with pytest.raises(NetError, match=r"small.*one size.*\(8, 8\), \(8, 9\)"):
        run(net, picture(1, 3, 8, 8), picture(1, 3, 8, 9))


class Limited(nn.Module):
    """Runs out of memory above `side` pixels, as CUDA or the processor says it."""

    def __init__(self, side: int, error: Exception) -> None:
        super().__init__()
        self.side, self.error, self.sides = side, error, list[int]()

    def forward(self, tile: Tensor) -> Tensor:
        self.sides.append(tile.shape[-1])
        if tile.shape[-1] > self.side:
            raise self.error
        return tile


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried to ..."
        ),
        MemoryError(),
    ],
)
def test_out_of_memory_halves_the_tile_and_remembers_it(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    limited = Limited(90, error)
    net = wrapped(limited, scale=1, receptive_field=2)
    frame = picture(1, 3, 300, 300)
    assert torch.equal(_tensor(run(net, frame, tile=384)), frame)
    assert len(caplog.messages) == 2 and "tiles of 75 pixels from here on" in caplog.messages[1]
    tried = len(limited.sides)
    run(net, frame)
    assert max(limited.sides[tried:]) <= 75 and len(caplog.messages) == 2
    assert plan(net, (300, 300)).tile == 75


def test_out_of_memory_with_the_smallest_tile_names_the_net() -> None:
    net = wrapped(Limited(4, MemoryError()), scale=1, receptive_field=2)
    with pytest.raises(NetError, match=r"'small' \(small.safetensors\): out of memory on cpu even with tiles of 72"):
        run(net, picture(1, 3, 100, 100), tile=64)


def test_another_error_is_no_reason_for_smaller_tiles() -> None:
    limited = Limited(4, RuntimeError("expected scalar type Float"))
    with pytest.raises(RuntimeError, match="scalar type"):
        run(wrapped(limited, scale=1, receptive_field=2), picture(1, 3, 100, 100), tile=64)
    assert len(limited.sides) == 1


def test_a_tile_that_is_all_context_is_refused() -> None:
    with pytest.raises(RequestError, match="larger than its context"):
        Plan(tile=20, overlap=10)


def test_the_plan_keeps_the_net_within_its_memory() -> None:
    net = wrapped(Convolutions(4, 2, 32), scale=2, receptive_field=4)
    frame = picture(1, 3, 700, 900)
    bytes_per_pixel(net)
    for memory in (24, 40, 100):
        chosen = plan(net, (700, 900), memory=memory * 1024**2)
        tile = frame[..., : chosen.tile, : chosen.tile]
        with LiveTensors() as live:
            net.run(tile)
        assert live.peak < memory * 1024**2
        assert chosen.tile == tile_plan.TILE["cpu"] or live.peak > (memory - 16) * 1024**2 / 6


def test_a_net_that_sees_everything_gets_the_whole_frame_where_memory_allows() -> None:
    net = wrapped(Convolutions(2, 1, 8), scale=1, receptive_field=None)
    assert plan(net, (400, 700)).tile == 700
    small = plan(net, (4000, 7000), memory=64 * 1024**2)
    assert small.smooth and small.tile < 1000


def test_a_net_that_folds_pixels_takes_larger_tiles() -> None:
    plain, folded = (wrapped(Convolutions(4, 2, 8), receptive_field=4) for _ in range(2))
    folded.card = folded.card.model_copy(update={"hyperparameters": {"fold": 2}})
    assert plan(folded, (2000, 3000)).tile == 2 * plan(plain, (2000, 3000)).tile


def test_the_plan_is_the_same_every_time() -> None:
    plans = {plan(wrapped(Convolutions(4, 2, 32), scale=2, receptive_field=4), (2160, 4096)) for _ in range(3)}
    assert len(plans) == 1


def test_a_net_of_fixed_size_that_sees_everything_is_not_tiled() -> None:
    port = {"name": "picture", "channels": "R G B", "size": [64, 48]}
    net = wrapped(Convolutions(1), scale=1, inputs=[port])
    assert _tensor(run(net, picture(1, 3, 64, 48))).shape == (1, 3, 64, 48)
    with pytest.raises(NetError, match=r"takes frames of 48x64 alone, .* this one is 100x90: reformat it to that size"):
        run(net, picture(1, 3, 90, 100))


@pytest.mark.parametrize("size", [(64, 48), (65, 97), (200, 300), (64, 130), (40, 300), (20, 20)])
def test_a_net_of_fixed_size_with_a_bounded_view_takes_any_frame_in_tiles_of_it(size: tuple[int, int]) -> None:
    """What it makes is what the net makes of the whole frame; of one smaller than a tile, of the frame continued."""
    height, width = size
    convolutions, frame = Convolutions(3, 2), picture(2, 3, height, width)
    facts: dict[str, Any] = {"scale": 2, "receptive_field": 3, "size_multiple": 4}
    port = {"name": "picture", "channels": "R G B"}
    fixed = wrapped(convolutions, **facts, inputs=[{**port, "size": [64, 48]}])
    whole = wrapped(convolutions, **facts).run(continued(padded_to_multiple(frame, 4), 64, 48))
    made = _tensor(run(fixed, frame))
    assert torch.equal(made, _tensor(whole)[..., : 2 * height, : 2 * width])


def test_bad_pixels_do_not_reach_their_neighbours() -> None:
    net = wrapped(Convolutions(3), scale=1, receptive_field=3)
    frame = picture(1, 3, 40, 40)
    broken = frame.clone()
    broken[0, 0, 20, 20], broken[0, 2, 5, 6] = torch.nan, torch.inf
    filled, bad = without_nonfinite(broken)
    assert bad is not None and int(bad.sum()) == 2 and torch.equal(filled[~bad], frame[~bad])
    assert bool(_tensor(run(net, filled)).isfinite().all())
    assert abs(filled[0, 0, 20, 20] - frame[0, 0, 19:22, 19:22].mean()) < 0.5


def test_a_frame_of_nothing_but_nan_becomes_black() -> None:
    filled, bad = without_nonfinite(torch.full((1, 3, 5, 7), torch.nan))
    assert bad is not None and bool(bad.all()) and not filled.any()


def test_a_sound_frame_passes_as_it_is() -> None:
    frame = picture(1, 3, 5, 7)
    assert without_nonfinite(frame) == (frame, None)


def test_nan_that_is_not_masked_is_not_blamed_on_the_net() -> None:
    net = wrapped(Convolutions(3), scale=1, receptive_field=3)
    run(net, torch.full((1, 3, 40, 40), torch.nan))
    with pytest.raises(FrameError, match="made NaN"):
        run(wrapped(_Divides(), scale=1, receptive_field=0), picture(1, 3, 40, 40))


class _Divides(nn.Module):
    def forward(self, tile: Tensor) -> Tensor:
        return tile / 0 * 0


def _unet(seed: int) -> nn.Module:
    from vfxgen.architectures import build

    torch.manual_seed(seed)
    net = build("unet", in_channels=3, out_channels=1, widths=[8, 16, 24])
    for parameter in net.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    return net


def _tensor(made: Tensor | tuple[Tensor, ...]) -> Tensor:
    assert isinstance(made, Tensor)
    return made
