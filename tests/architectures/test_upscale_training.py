"""The training script of the upscalers: the published test sets' bicubic, our encoding, an exact resume."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from vfxgen.architectures.upscaler import Upscaler

SCRIPT = Path(__file__).resolve().parents[2] / "nets" / "upscale_training.py"


@pytest.fixture(scope="module")
def training() -> ModuleType:
    spec = importlib.util.spec_from_file_location("upscale_training", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of two small made-up photographs."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "gb82").mkdir()
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        coarse = random.integers(0, 256, (6, 7, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / "gb82" / f"{name}.png"), cv2.resize(coarse, (84, 72), interpolation=cv2.INTER_CUBIC))
    command = [sys.executable, str(SCRIPT), "prepare", "--data", str(folder), "--cache", str(folder / "photos.npz")]
    subprocess.run(command, check=True, timeout=120)
    return folder / "photos.npz"


def learn(photos: Path, checkpoint: Path, iterations: int, *more: str) -> None:
    options = f"--iterations {iterations} --scale 2 --channels 8 --blocks 2 --patch 12 --batch 2 --light 1".split()
    command = [sys.executable, str(SCRIPT), "train", "--cache", str(photos), "--checkpoint", str(checkpoint)]
    subprocess.run([*command, *options, *more], check=True, timeout=120)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_pictures_shrink_as_in_the_published_test_set(training: ModuleType, shared_data: Path, scale: int) -> None:
    pairs = (sorted((shared_data / "sr_test/Set5" / folder).glob("*.png")) for folder in ("HR", f"LR_x{scale}"))
    for large, small in zip(*pairs, strict=True):
        ours, theirs = training.smaller(training.read_rgb(large), scale), training.read_rgb(small)
        rows, columns = theirs.shape[:2]
        assert np.array_equal(ours[:rows, :columns][:-2, :-2], theirs[:-2, :-2])


def test_given_and_truth_show_the_same_picture(training: ModuleType, photos: Path) -> None:
    given, truth = training.encoded(training.Photos(photos, 2, 16, 8, 4, 0).draw(3), torch.device("cpu"))
    shrunk = torch.nn.functional.avg_pool2d(truth, 2)
    centre = (slice(None), slice(None), slice(3, -3), slice(3, -3))
    assert (shrunk - given)[centre].abs().mean() < 0.1 * given.std()


def test_a_batch_depends_on_seed_and_iteration_alone(training: ModuleType, photos: Path) -> None:
    one, other = (training.Photos(photos, 2, 16, 4, 2, seed=1) for _ in range(2))
    other.draw(0)
    for a, b in zip(one.draw(5), other.draw(5), strict=True):
        assert np.array_equal(a, b)
    assert not np.array_equal(one.draw(5)[0], one.draw(6)[0])


@pytest.mark.parametrize("form", [[], ["--branches"]])
def test_a_resumed_run_ends_where_an_unbroken_one_does(photos: Path, tmp_path: Path, form: list[str]) -> None:
    learn(photos, tmp_path / "whole.pt", 6, *form)
    learn(photos, tmp_path / "parts.pt", 6, "--stop-after", "3", *form)
    learn(photos, tmp_path / "parts.pt", 6, *form)
    whole, parts = (torch.load(tmp_path / f"{name}.pt", weights_only=True) for name in ("whole", "parts"))
    assert whole["iteration"] == parts["iteration"] == 6
    for kind in ("net", "average"):
        assert all(torch.equal(whole[kind][name], parts[kind][name]) for name in whole[kind])


def test_what_is_published_is_the_averaged_net_collapsed(training: ModuleType, photos: Path, tmp_path: Path) -> None:
    learn(photos, tmp_path / "net.pt", 3, "--branches", "--to", str(tmp_path / "net"))
    net, _ = training.load(tmp_path / "net.pt")
    plain = Upscaler(2, 8, 2, collapsed=True)
    plain.load_state_dict(load_file(tmp_path / "net" / "weights.safetensors"))
    picture = torch.rand(1, 3, 9, 9)
    with torch.inference_mode():
        assert (plain(picture) - net(picture)).abs().max() < 1e-5


def test_the_published_luma_protocol(training: ModuleType) -> None:
    truth = np.full((12, 12, 3), 100, np.uint8)
    off = truth.astype(np.float32) + 10
    assert training.luma_psnr(off, truth, 2) == pytest.approx(20 * np.log10(255 / (10 * 219 / 255)), abs=1e-3)
