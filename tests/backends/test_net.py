"""Whatever runs a net, what goes in and comes out is what its card says, on the device that was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from small_nets import built, card, entry, wrapped
from torch import Tensor, nn

from vfxgen.backends.net import load, resolve_device
from vfxgen.errors import FrameError, NetError, RequestError
from vfxgen.zoo.registry import Entry

PICTURE = {"name": "picture", "channels": "R G B"}


class Gives(nn.Module):
    def __init__(self, made: Any) -> None:
        super().__init__()
        self.made = made

    def forward(self, *inputs: Tensor) -> Any:
        return self.made(*inputs) if callable(self.made) else self.made


def test_a_net_is_loaded_once_and_kept_warm(tmp_path: Path) -> None:
    net = built(tmp_path, scale=2, channels=4, blocks=1)
    assert load(net, device="cpu") is load(net, device="cpu")
    assert load(net, device="cpu") is not load(net, device="cpu", precision="bf16")


def test_what_runs_where_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    net = built(tmp_path, scale=2, channels=4, blocks=1, seed=1)
    load(net, device="cpu"), load(net, device="cpu")
    assert caplog.messages == ["net 'small' runs on cpu at fp32 (torch)"]


def test_new_weights_under_the_old_name_are_loaded_anew(tmp_path: Path) -> None:
    first = load(built(tmp_path, scale=2, channels=4, blocks=1, seed=1), device="cpu")
    second = load(built(tmp_path, scale=2, channels=4, blocks=1, seed=2), device="cpu")
    frame = torch.rand(1, 3, 8, 8)
    assert first is not second and not torch.equal(_tensor(first.run(frame)), _tensor(second.run(frame)))


def test_a_file_with_another_hash_is_not_run(tmp_path: Path) -> None:
    net = built(tmp_path, scale=2, channels=4, blocks=1)
    path = tmp_path / "net.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(NetError, match=r"net 'small'.*net.safetensors.*sha256"):
        load(net, device="cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:3"])
def test_cuda_that_is_not_there_is_an_error_and_no_other_device(tmp_path: Path, device: str) -> None:
    net = built(tmp_path, scale=2, channels=4, blocks=1)
    with pytest.raises(RequestError, match=rf"net 'small': device '{device}' was asked for, but .*CUDA.*--device cpu"):
        load(net, device=device)
    assert load(net).device == "cpu"


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "mps", "", "cuda:-1"])
def test_a_device_nobody_knows_is_refused(device: str) -> None:
    with pytest.raises(RequestError, match="must be auto, cpu or cuda:N"):
        resolve_device(device)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "onnxruntime"}, r"runs on torch \| torch-compiled, not on 'onnxruntime'. Export it first"),
        ({"backend": "tensorflow"}, r"runs on torch \| torch-compiled, not on 'tensorflow'"),
        ({"precision": "int8"}, "must be auto, fp32, fp16 or bf16"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        load(built(tmp_path, scale=2, channels=4, blocks=1), **{"device": "cpu", **options})


def test_a_diffusers_folder_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="diffusers folder, which this version of vfxgen cannot run"):
        load(Entry(card(format="diffusers"), tmp_path))


def test_auto_precision_is_the_one_of_the_card(tmp_path: Path) -> None:
    net = built(tmp_path, scale=2, channels=4, blocks=1)
    assert load(net, device="cpu").precision == "fp32"
    half = Entry(net.card.model_copy(update={"precision": "bf16"}), net.folder)
    assert load(half, device="cpu").precision == "bf16"


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda x: x, r"made 8x8 of 8x8 in 'picture_out', its card says scale 2, so 16x16"),
        (torch.zeros(1, 1, 16, 16), r"gave 1 channels in 'picture_out', its card says 3 \(R G B\)"),
        ((torch.zeros(1, 3, 16, 16),) * 2, "gave 2 outputs, its card says 1"),
        (
            torch.full((1, 3, 16, 16), torch.nan),
            "made NaN or infinity of finite pixels in 'picture_out' at fp32 on cpu",
        ),
        (torch.full((1, 3, 16, 16), -torch.inf), "made NaN or infinity"),
    ],
)
def test_a_result_that_is_not_what_the_card_says_is_no_frame(made: Any, message: str) -> None:
    with pytest.raises(FrameError, match=r"net 'small' \(small.safetensors\): " + message):
        wrapped(Gives(made)).run(torch.rand(1, 3, 8, 8))


def test_nan_that_went_in_may_come_out() -> None:
    frame = torch.rand(1, 3, 8, 8)
    frame[0, 0, 0, 0] = torch.nan
    assert bool(_tensor(wrapped(Gives(lambda x: x), scale=1).run(frame)).isnan().any())


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([(1, 3, 8, 8), (1, 3, 8, 8)], r"takes 1 inputs \(picture\), got 2"),
        ([(1, 4, 8, 8)], r"input 'picture' is \(B, 3, H, W\) for R G B, got \(1, 4, 8, 8\)"),
        ([(3, 8, 8)], r"got \(3, 8, 8\)"),
        ([(1, 3, 8, 9)], "height and width must be multiples of 4, got 8x9"),
    ],
)
def test_inputs_that_are_not_what_the_card_says_are_refused(inputs: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(NetError, match=message):
        wrapped(Gives(lambda x: x), scale=1, size_multiple=4).run(*(torch.rand(*shape) for shape in inputs))


def test_mean_and_deviation_of_the_card_are_applied_and_undone() -> None:
    seen = []

    def remember(x: Tensor) -> Tensor:
        seen.append(x)
        return x

    port = {**PICTURE, "mean": [0.5, 0.25, 0.0], "std": [0.5, 2.0, 1 / 255]}
    net = wrapped(Gives(remember), scale=1, inputs=[port], outputs=[{**port, "name": "out"}])
    frame = torch.rand(2, 3, 8, 8) * 3
    back = _tensor(net.run(frame))
    assert torch.allclose(seen[0][:, 2], frame[:, 2] * 255) and torch.allclose(seen[0][:, 0], frame[:, 0] * 2 - 1)
    assert torch.allclose(back, frame, atol=1e-5)


def test_values_above_one_pass() -> None:
    frame = torch.rand(1, 3, 8, 8) * 40 - 5
    assert torch.equal(_tensor(wrapped(Gives(lambda x: x), scale=1).run(frame)), frame)


def test_several_outputs_come_as_a_tuple() -> None:
    outputs = [{"name": "alpha", "channels": "A"}, {"name": "points"}]
    net = wrapped(Gives(lambda x: [x[:, :1], torch.zeros(1, 468, 3)]), scale=1, outputs=outputs)
    made = net.run(torch.rand(1, 3, 8, 8))
    assert isinstance(made, tuple) and made[0].shape == (1, 1, 8, 8) and made[1].shape == (1, 468, 3)


def test_a_weightless_module_runs(tmp_path: Path) -> None:
    file = tmp_path / "net.pt"
    torch.jit.save(torch.jit.script(nn.Identity()), file)
    net = load(entry(tmp_path, file, format="torchscript", scale=1), device="cpu")
    frame = torch.rand(1, 3, 5, 7)
    assert torch.equal(_tensor(net.run(frame)), frame)


def _tensor(made: Tensor | tuple[Tensor, ...]) -> Tensor:
    assert isinstance(made, Tensor)
    return made
