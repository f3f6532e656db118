"""Encodings: light comes back, order is kept, no step and no kink."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import vfxgen.encoding
from vfxgen.encoding import Encoding

ENCODINGS = [Encoding("log"), Encoding("srgb")]
SCENE_LIGHT = st.floats(float(np.float32(-0.1)), 65504.0, width=32)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda e: e.name)
@given(values=st.lists(SCENE_LIGHT, min_size=1, max_size=20))
def test_light_comes_back_from_its_encoding(encoding: Encoding, values: list[float]) -> None:
    light = torch.tensor(values, dtype=torch.float32)
    back = encoding.decode(encoding.encode(light))
    assert torch.allclose(back, light, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda e: e.name)
@given(a=SCENE_LIGHT, b=SCENE_LIGHT)
def test_more_light_never_has_a_smaller_code(encoding: Encoding, a: float, b: float) -> None:
    low, high = encoding.encode(torch.tensor(sorted((a, b)), dtype=torch.float32))
    assert low <= high and (low < high or abs(a - b) <= 1e-5 * max(abs(a), abs(b)) + 1e-8)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda e: e.name)
def test_an_encoding_has_no_step_and_no_kink(encoding: Encoding) -> None:
    for seam in (vfxgen.encoding.LOG_CUT, vfxgen.encoding.KNEE, 0.0031308, 0.0):
        near = torch.tensor([seam - 2e-4, seam - 1e-4, seam, seam + 1e-4, seam + 2e-4], dtype=torch.float64)
        slope = encoding.encode(near).diff() / 1e-4
        assert slope.min() > 0 and slope.max() / slope.min() < 1.2, seam


def test_codes_are_where_the_documentation_has_them() -> None:
    light = torch.tensor([0.0, 65504.0, -0.1])
    assert torch.allclose(Encoding("log").encode(light), torch.tensor([-0.02, 1.0, -0.79]), atol=0.01)
    assert abs(float(Encoding("srgb").encode(torch.tensor(65504.0))) - 4.9) < 0.05
    grey = Encoding("srgb").encode(torch.tensor(0.18))
    assert abs(float(grey) - (1.055 * 0.18 ** (1 / 2.4) - 0.055)) < 1e-6


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda e: e.name)
def test_encodings_keep_shape_type_and_gradients(encoding: Encoding) -> None:
    light = torch.linspace(-0.1, 100, 24).reshape(1, 2, 3, 4).requires_grad_()
    code = encoding.encode(light)
    assert code.shape == light.shape and code.dtype == torch.float32
    encoding.decode(code).sum().backward()  # type: ignore[no-untyped-call]
    assert light.grad is not None and torch.allclose(light.grad, torch.ones_like(light), atol=1e-3)


def test_a_clipped_encoding_is_srgb_held_to_0_and_1() -> None:
    light = torch.tensor([-0.1, 0.0, 0.18, 1.0, 100.0])
    code = Encoding("srgb-clipped").encode(light)
    assert torch.equal(code, Encoding("srgb").encode(light).clamp(0, 1))
    assert torch.allclose(Encoding("srgb-clipped").decode(code)[1:3], light[1:3], atol=1e-6)


def test_no_encoding_leaves_values_as_they_are() -> None:
    light = torch.tensor([-5.0, 2e9])
    assert torch.equal(Encoding("none").decode(Encoding("none").encode(light)), light)
