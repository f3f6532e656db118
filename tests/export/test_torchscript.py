"""Exported TorchScript: what old torch knows and nothing else, tried in one where there is one."""

from __future__ import annotations

import logging
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from leaving import NETS, leave, left
from torch import Tensor, nn

from vfxgen.backends.net import load
from vfxgen.backends.torch_net import TorchNet
from vfxgen.export.torchscript import OPERATORS, operators, unproven_operators
from vfxgen.zoo.card import loads

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

# The highest archive version that torch 1.12 reads is 9; 3 is written unless an operator asks for more.
NEWEST_ARCHIVE = 9
OLD_PYTHONS = [path for path in os.environ.get("VFXGEN_OLD_TORCH", "").split(os.pathsep) if path]


@pytest.mark.parametrize("architecture", list(NETS))
def test_it_names_only_operators_that_old_torch_was_seen_to_run(
    tmp_path: Path, architecture: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        _, report = leave(tmp_path, architecture, to="torchscript")
    module: Any = torch.jit.load(str(report.path))  # type: ignore[no-untyped-call]
    assert "aten::_convolution" in operators(module) and unproven_operators(module) == []
    assert "not tried" not in caplog.text
    with zipfile.ZipFile(report.path) as archive:
        (version,) = (name for name in archive.namelist() if name.endswith("/version"))
        assert int(archive.read(version)) <= NEWEST_ARCHIVE


class Attending(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True)


def test_an_operator_that_old_torch_has_not_got_is_found() -> None:
    traced: Any = torch.jit.trace(Attending(), torch.rand(1, 2, 4, 4))  # type: ignore[no-untyped-call]
    assert unproven_operators(traced) == ["aten::scaled_dot_product_attention"]

    def called(x: Tensor) -> Tensor:
        return nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear", antialias=True)

    traced = torch.jit.trace(called, torch.rand(1, 2, 4, 4))  # type: ignore[no-untyped-call]
    assert unproven_operators(traced) == ["aten::_upsample_bilinear2d_aa"]


def test_more_arguments_than_were_tried_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    traced: Any = torch.jit.trace(nn.Conv2d(3, 3, 3), torch.rand(1, 3, 8, 8))  # type: ignore[no-untyped-call]
    assert unproven_operators(traced) == []
    monkeypatch.setitem(OPERATORS, "aten::_convolution", 12)
    assert unproven_operators(traced) == ["aten::_convolution"]


def test_the_card_is_in_the_archive() -> None:
    _, ours, report = left("upscaler", "torchscript")
    with zipfile.ZipFile(report.path) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("extra/vfxgen.card"))
        card = loads(archive.read(name).decode(), "inside")
    assert card.format == "torchscript" and card.architecture == "upscaler" and card.licences == ours.card.licences


RUN = """
import sys, numpy, torch
net = torch.jit.load(sys.argv[1], map_location="cpu").eval()
with torch.no_grad():
    numpy.save(sys.argv[3], net(torch.from_numpy(numpy.load(sys.argv[2]))).numpy())
print(torch.__version__)
"""


@pytest.mark.skipif(not OLD_PYTHONS, reason="VFXGEN_OLD_TORCH names no Python that has an old torch and numpy")
@pytest.mark.parametrize("python", OLD_PYTHONS)
@pytest.mark.parametrize("architecture", list(NETS))
def test_old_torch_makes_the_same_picture(tmp_path: Path, architecture: str, python: str) -> None:
    _, ours, report = left(architecture, "torchscript")
    net, (port,) = load(ours, device="cpu"), ours.card.inputs
    assert isinstance(net, TorchNet)
    for height, width in ((32, 48), (92, 148)):
        code = torch.rand(1, len(port.channel_names), height, width) * 3 - 1
        given, made = tmp_path / "given.npy", tmp_path / "made.npy"
        np.save(given, code.numpy())
        subprocess.run([python, "-W", "ignore", "-c", RUN, report.path, given, made], check=True, env={})
        assert np.abs(np.load(made) - net.forward([code])[0].numpy()).max() < 1e-4
