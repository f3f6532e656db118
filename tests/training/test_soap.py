"""The optimizer: blind to how a matrix's rows and columns are mixed, and Adam where there is no matrix."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from vfxgen.training.soap import LONGEST_SIDE, Soap


def moved(gradients: list[Tensor], rate: float = 0.1) -> Tensor:
    """Where a weight from zero gets by `gradients`."""
    weight = nn.Parameter(torch.zeros_like(gradients[0]))
    optimizer = Soap([weight], rate)
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
    return weight.detach()


def turn(size: int) -> Tensor:
    turned: Tensor = torch.linalg.qr(torch.randn(size, size, dtype=torch.float64))[0]
    return turned


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 6))
def test_in_a_turned_space_it_takes_the_turned_way(seed: int, size: int) -> None:
    """Adam does not: its steps hang on the axes. Over three bases."""
    torch.manual_seed(seed)
    left, right = turn(size), turn(size)
    gradients = [torch.randn(size, size, dtype=torch.float64) for _ in range(33)]
    straight = moved(gradients)
    assert straight.abs().max() > 0.1
    assert torch.allclose(moved([left @ g @ right for g in gradients]), left @ straight @ right, atol=1e-6)


@given(st.floats(1e-4, 1e4))
def test_how_large_the_loss_is_does_not_matter(scale: float) -> None:
    torch.manual_seed(1)
    gradients = [torch.randn(4, 4, dtype=torch.float64) for _ in range(12)]
    assert torch.allclose(moved(gradients), moved([scale * g for g in gradients]), atol=1e-3)


def test_the_first_gradient_moves_nothing_the_second_against_itself() -> None:
    torch.manual_seed(2)
    gradient = torch.randn(4, 6)
    assert not moved([gradient]).any()
    assert (moved([gradient, gradient]) * gradient).sum() < 0


def test_kernels_in_either_memory_format_move_alike() -> None:
    torch.manual_seed(3)
    gradients = [torch.randn(6, 5, 3, 3) for _ in range(12)]
    result = moved([g.to(memory_format=torch.channels_last) for g in gradients])
    assert result.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(result, moved(gradients), atol=1e-4)
    assert torch.allclose(result.flatten(1), moved([g.flatten(1) for g in gradients]), atol=1e-4)


def test_it_arrives_where_adam_is_still_on_the_way() -> None:
    """A map learned from inputs that hang together: the gradient's directions are of very different strength."""
    truth_error = {}
    for name in ("adam", "soap"):
        torch.manual_seed(4)
        inputs = torch.randn(256, 16) @ (torch.logspace(0, -1.5, 16)[:, None] * turn(16).float())
        truth, weight = torch.randn(8, 16), nn.Parameter(torch.zeros(8, 16))
        optimizer: torch.optim.Optimizer = Soap([weight], 0.1) if name == "soap" else torch.optim.Adam([weight], 0.1)
        for step in range(200):
            for group in optimizer.param_groups:
                group["lr"] = 0.1 * (1 - step / 200)
            optimizer.zero_grad()
            (inputs @ (weight - truth).T).square().mean().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        truth_error[name] = float((weight.detach() - truth).square().mean())
    assert truth_error["soap"] < 1e-3 < 0.1 < truth_error["adam"], truth_error


@pytest.mark.parametrize("shape", [(7,), (LONGEST_SIDE + 1, LONGEST_SIDE + 1)])
def test_biases_and_matrices_of_long_sides_learn_by_adam(shape: tuple[int, ...]) -> None:
    torch.manual_seed(5)
    gradients = [torch.randn(shape) for _ in range(4)]
    weight = nn.Parameter(torch.zeros(shape))
    adam = torch.optim.Adam([weight], 0.1, betas=(0.95, 0.95))
    for gradient in gradients[1:]:
        weight.grad = gradient
        adam.step()
    assert torch.allclose(moved(gradients), weight, atol=1e-5)


def test_a_gradient_that_is_not_a_number_is_left_to_those_who_watch_the_loss() -> None:
    spoilt = torch.full((3, 4), torch.nan)
    assert moved([spoilt, *[torch.ones(3, 4)] * 12]).isnan().all()
    assert moved([torch.ones(3, 4), spoilt]).isnan().all()
