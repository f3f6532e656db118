"""What operators that run a net share: how it runs is said in one place, and counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_nets import built

import vfxgen
from vfxgen.errors import RequestError
from vfxgen.operators import operators
from vfxgen.testing import Pictures, constant
from vfxgen.with_net import WithNet


def test_every_operator_with_a_net_says_how_it_runs_in_the_same_words() -> None:
    with_net = [operator for operator in operators().values() if issubclass(operator, WithNet)]
    assert len(with_net) >= 5
    for name in ("use", "device", "precision", "backend", "tile"):
        said = {str(operator.declared_parameters[name]) for operator in with_net}
        assert len(said) == 1, name


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "small"
    folder.mkdir()
    built(folder, scale=2, channels=4, blocks=1)
    monkeypatch.setenv("VFXGEN_NETS", str(tmp_path))
    return "small"


def test_the_backend_reaches_the_net(net: str) -> None:
    plate = constant([0.2, 0.4, 0.1])
    assert vfxgen.Upscale(plate, net=net, device="cpu", backend="torch")[1].size == (8, 12)
    with pytest.raises(RequestError, match=r"not on 'openvino'. Export it first: vfxgen export small --to onnx --card"):
        vfxgen.Upscale(plate, net=net, device="cpu", backend="openvino")[1]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"device": "cuda:99"}, "small': device 'cuda:99' was asked for"),
        ({"device": "gpu"}, "device 'gpu' must be auto, cpu or cuda:N"),
        ({"backend": "openvino"}, "not on 'openvino'"),
    ],
)
def test_what_is_not_there_is_said_before_the_first_frame(
    net: str, tmp_path: Path, how: dict[str, str], said: str
) -> None:
    plate = Pictures({2: np.zeros((4, 4, 3), np.float32)})
    upscaled = vfxgen.Upscale(vfxgen.Grade(plate), net=net, temporal=1.0, **how)
    with pytest.raises(RequestError, match=said):
        vfxgen.write(upscaled, tmp_path / "o.####.exr", [1])


def test_another_backend_makes_other_frames(net: str) -> None:
    plate = constant([0.2, 0.4, 0.1])
    keys = {vfxgen.Upscale(plate, net=net, backend=backend).key(1) for backend in ("torch", "torch-compiled")}
    assert len(keys) == 2
