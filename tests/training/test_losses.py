"""Losses: nothing for equal pictures, a slope towards the truth, and the scale their definitions give."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vfxgen.errors import TrainingError
from vfxgen.training import augment, losses

PAIRED: list[Callable[[Tensor, Tensor], Tensor]] = [
    losses.charbonnier,
    losses.structure,
    losses.laplacian,
    losses.gradient,
]


def pictures(seed: int, channels: int = 3, size: tuple[int, int] = (21, 18)) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    one, two = (3 * torch.randn(2, channels, *size, generator=random) for _ in range(2))
    return one, two


@pytest.mark.parametrize("loss", PAIRED)
@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_equal_pictures_cost_nothing_and_the_order_does_not_matter(
    loss: Callable[[Tensor, Tensor], Tensor], seed: int
) -> None:
    one, two = pictures(seed)
    assert loss(one, one).item() == pytest.approx(0, abs=1e-5)
    assert loss(one, two).item() == pytest.approx(loss(two, one).item(), rel=1e-5)
    assert loss(one, two).item() > 0.01


@pytest.mark.parametrize("loss", PAIRED)
def test_a_step_down_the_slope_costs_less(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    made, truth = pictures(3)
    made.requires_grad_()
    before = loss(made, truth)
    before.backward()  # type: ignore[no-untyped-call]
    assert made.grad is not None and bool(made.grad.isfinite().all())
    with torch.no_grad():
        step = 0.05 * made.grad / made.grad.norm()
        assert loss(made - step, truth).item() < before.item()


@pytest.mark.parametrize("loss", PAIRED)
def test_the_slope_is_finite_where_pictures_are_equal(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    made = torch.full((1, 3, 16, 16), 0.4, requires_grad=True)
    loss(made, made.detach()).backward()  # type: ignore[no-untyped-call]
    assert made.grad is not None and bool(made.grad.isfinite().all())


def test_far_away_charbonnier_is_the_absolute_difference() -> None:
    one, two = pictures(4)
    assert losses.charbonnier(one, two).item() == pytest.approx((one - two).abs().mean().item(), rel=1e-3)
    assert losses.charbonnier(one, one + 1e-6).item() < 1e-8


@pytest.mark.parametrize("loss", [losses.laplacian, losses.gradient])
def test_twice_the_difference_costs_twice(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    one, two = pictures(5)
    assert loss(2 * one, 2 * two).item() == pytest.approx(2 * loss(one, two).item(), rel=1e-5)


@pytest.mark.parametrize("loss", [losses.laplacian, losses.gradient])
def test_a_change_of_level_is_left_to_other_losses(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    one, _ = pictures(6)
    assert loss(one + 7, one).item() == pytest.approx(0, abs=1e-4)


def test_the_pyramid_sees_what_is_broad() -> None:
    flat = torch.zeros(1, 1, 64, 64)
    broad = flat.clone()
    broad[..., 32:] = 1
    fine = flat.clone()
    fine[..., ::2, :] = 1
    assert losses.laplacian(broad, flat).item() > 10 * losses.laplacian(broad, flat, levels=1).item()
    assert losses.laplacian(fine, flat, levels=1).item() == pytest.approx(losses.laplacian(fine, flat).item(), rel=0.1)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 2)])
def test_pictures_of_a_few_pixels(size: tuple[int, int]) -> None:
    one, two = pictures(8, 1, size)
    assert bool(losses.laplacian(one, two).isfinite())


@pytest.mark.parametrize("loss", [losses.charbonnier, losses.laplacian, losses.gradient])
def test_what_weighs_nothing_costs_nothing(loss: Callable[..., Tensor]) -> None:
    one, two = pictures(7, size=(32, 32))
    assert loss(one, two, torch.zeros(2, 1, 32, 32)).item() == 0
    assert loss(one, two, torch.ones(2, 1, 32, 32)).item() == pytest.approx(loss(one, two).item(), rel=1e-4)


@pytest.mark.parametrize("loss", [losses.charbonnier, losses.gradient])
def test_what_lies_outside_does_not_matter(loss: Callable[..., Tensor]) -> None:
    one, two = pictures(7, size=(32, 32))
    where = torch.zeros(2, 1, 32, 32)
    where[..., :16] = 1
    inside = loss(one, two, where).item()
    two[..., 24:] += 50
    assert loss(one, two, where).item() == inside > 0


def test_values_beyond_0_and_1_count_in_full() -> None:
    one, two = torch.full((1, 3, 16, 16), 4.0), torch.full((1, 3, 16, 16), 5.0)
    assert losses.charbonnier(one, two).item() == pytest.approx(1, rel=1e-2)
    assert losses.structure(one * 1.5 - 3, two).item() > losses.structure(one, two).item()


def test_the_true_layers_compose_to_the_plate() -> None:
    foreground, background = pictures(9)
    alpha = torch.rand(2, 1, 21, 18, generator=torch.Generator().manual_seed(1))
    plate = alpha * foreground + (1 - alpha) * background
    assert losses.composition(alpha, foreground, background, plate).item() == pytest.approx(0, abs=1e-6)
    assert losses.composition(1 - alpha, foreground, background, plate).item() > 0.1


def test_foreground_counts_where_something_is_covered() -> None:
    made, truth = pictures(10)
    alpha = torch.zeros(2, 1, 21, 18)
    assert losses.foreground(made, truth, alpha).item() == 0
    alpha[..., 5, 5] = 0.1
    expected = (made - truth)[..., 5, 5].abs().mean().item()
    assert losses.foreground(made, truth, alpha).item() == pytest.approx(expected, rel=1e-5)


def test_an_overshoot_on_the_right_side_is_right() -> None:
    alpha = torch.tensor([1.3, -0.2, 1.3, 0.7], requires_grad=True)
    truth = torch.tensor([1.0, 0.0, 0.0, 0.5])
    losses.charbonnier(losses.settled(alpha, truth), truth).backward()  # type: ignore[no-untyped-call]
    assert alpha.grad is not None
    assert alpha.grad[:2].tolist() == [0, 0] and bool((alpha.grad[2:] > 0).all())


def test_without_kornia_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(f"No module named '{name}'")

    monkeypatch.setattr(augment, "import_module", absent)
    one, two = pictures(11)
    with pytest.raises(TrainingError, match="pip install kornia"):
        losses.structure(one, two)
    assert losses.charbonnier(one, two).item() > 0
