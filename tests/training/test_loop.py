"""The loop: what it learns, that no kill changes it, that it ends well whatever happens."""

from __future__ import annotations

import errno
import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import cv2
import pytest
import torch
from torch import Tensor, nn
from training_tasks import Doubling, same_weights, small_net

from vfxgen.errors import MediaError, TrainingError
from vfxgen.training import checkpoint
from vfxgen.training.loop import Progress, fit
from vfxgen.training.objective import Batch, Forward
from vfxgen.training.schedule import OptimizerName, Schedule

FORTY = Schedule(steps=40, rate=1e-2, warm_up=5, validate_every=10, average=0.9)
OPTIMIZERS = pytest.mark.parametrize("optimizer", ["adam", "soap"])


def test_a_net_learns_its_task(tmp_path: Path) -> None:
    seen: list[Progress] = []
    fitted = fit(small_net(), Doubling(), FORTY, tmp_path, progress=seen.append)
    before = Doubling().validate(small_net().requires_grad_(False))["error"]
    assert fitted.figures["error"] < 0.6 * before
    assert (fitted.ended, fitted.steps, fitted.step) == ("steps", 40, 40)
    assert [progress.step for progress in seen] == list(range(1, 41))
    assert seen[-1].done == 1 and seen[-1].seconds_left == 0
    assert [p.step for p in seen if p.picture is not None] == [10, 20, 30, 40]
    assert seen[-1].losses["loss"] == pytest.approx(seen[-1].losses["absolute"] + seen[-1].losses["squared"])


def test_what_a_run_leaves_to_look_at(tmp_path: Path) -> None:
    fitted = fit(small_net(), Doubling(), FORTY, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines == fitted.history
    assert [line["step"] for line in lines if "figures" in line] == [10, 20, 30, 40]
    curves, samples = (cv2.imread(str(tmp_path / name)) for name in ("curves.png", "samples.png"))
    assert curves is not None and curves.std() > 5
    assert samples is not None and samples.shape == (8, 24, 3)
    assert sorted(p.name for p in (tmp_path / "samples").iterdir()) == [f"{n:06}.png" for n in (10, 20, 30, 40)]


def test_the_average_is_that_of_the_weights(tmp_path: Path) -> None:
    """Decay 0: the average is the net itself."""
    net = small_net()
    fitted = fit(net, Doubling(), Schedule(steps=5, average=0), tmp_path)
    assert same_weights(net, fitted.net) and not same_weights(net, small_net())


CHILD = """
import sys, time
import torch
sys.path.insert(0, sys.argv[1])
from training_tasks import Doubling, small_net
from vfxgen.training.loop import fit
from vfxgen.training.schedule import Schedule

def said(progress):
    print(progress.step, flush=True)
    time.sleep(0.02)

schedule = Schedule(
    steps=40, rate=1e-2, warm_up=5, validate_every=10, average=0.9, checkpoint_minutes=0, optimizer=sys.argv[3]
)
torch.set_num_threads(int(sys.argv[4]))
fit(small_net(), Doubling(), schedule, sys.argv[2], progress=said)
"""


@OPTIMIZERS
def test_killed_and_started_again_it_ends_with_the_same_weights(tmp_path: Path, optimizer: OptimizerName) -> None:
    schedule = replace(FORTY, optimizer=optimizer)
    whole = fit(small_net(), Doubling(), schedule, tmp_path / "whole")
    # With as many threads: products of matrices are summed otherwise by others.
    threads = str(torch.get_num_threads())
    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent), str(tmp_path / "parts"), optimizer, threads]
    for moment in (7, 23):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for line in child.stdout:
                if int(line) >= moment:
                    child.send_signal(signal.SIGKILL)
                    break
        assert child.returncode == -signal.SIGKILL
    stood = checkpoint.load(tmp_path / "parts" / checkpoint.FILE_NAME)
    assert stood is not None and 20 < stood["learner"]["step"] < 40
    parts = fit(small_net(), Doubling(), schedule, tmp_path / "parts")
    assert parts.steps == 40 and same_weights(whole.net, parts.net)
    assert whole.figures == parts.figures
    assert not [path for path in (tmp_path / "parts").iterdir() if path.name.endswith(".tmp")]


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    first = fit(small_net(), Doubling(), FORTY, tmp_path)
    seen: list[Progress] = []
    again = fit(small_net(), Doubling(), FORTY, tmp_path, progress=seen.append)
    assert not seen and same_weights(first.net, again.net) and again.figures == first.figures


def test_cancelled_it_keeps_what_it_has_and_can_go_on(tmp_path: Path) -> None:
    cancelled = Event()
    stop = lambda progress: cancelled.set() if progress.step == 17 else None  # noqa: E731
    cut = fit(small_net(), Doubling(), FORTY, tmp_path / "cut", progress=stop, cancelled=cancelled)
    assert (cut.ended, cut.steps) == ("cancelled", 17)
    went_on = fit(small_net(), Doubling(), FORTY, tmp_path / "cut")
    assert same_weights(went_on.net, fit(small_net(), Doubling(), FORTY, tmp_path / "whole").net)


class Worsening(Doubling):
    """Its figures are best at the second validation."""

    def __init__(self) -> None:
        self.errors = iter([3.0, 1.0, 2.0, math.nan, 5.0, 6.0])

    def validate(self, net: nn.Module) -> dict[str, float]:
        return {"error": next(self.errors)}


def test_with_patience_it_ends_early_and_the_best_net_results(tmp_path: Path) -> None:
    best = fit(small_net(), Doubling(), Schedule(steps=1000, validate_every=5, patience=0), tmp_path / "a", **at(10))
    schedule = Schedule(steps=1000, validate_every=5, patience=3)
    fitted = fit(small_net(), Worsening(), schedule, tmp_path / "b")
    assert (fitted.ended, fitted.steps, fitted.step, fitted.figures) == ("patience", 25, 10, {"error": 1.0})
    assert same_weights(fitted.net, best.net)


def test_gone_on_without_patience_the_last_net_results(tmp_path: Path) -> None:
    schedule = Schedule(steps=10, validate_every=5, patience=3)
    assert fit(small_net(), Worsening(), schedule, tmp_path).step == 10
    fitted = fit(small_net(), Doubling(), replace(schedule, steps=20, patience=0), tmp_path)
    assert (fitted.steps, fitted.step) == (20, 20) and fitted.figures == fitted.history[-1]["figures"]


def at(step: int) -> dict[str, Any]:
    """Arguments that cancel a run after `step`."""
    cancelled = Event()
    return {"cancelled": cancelled, "progress": lambda progress: cancelled.set() if progress.step == step else None}


class Poisoned(Doubling):
    def loss(self, net: Forward, batch: Batch) -> dict[str, Tensor]:
        terms = super().loss(net, batch)
        wrong = float(batch["picture"].flatten()[0]) == float(self.batch(13)["picture"].flatten()[0])
        return terms | ({"ratio": net(batch["picture"]).mean() / 0} if wrong else {})


def test_a_loss_that_is_not_a_number_is_an_error_and_the_checkpoint_stays(tmp_path: Path) -> None:
    fit(small_net(), Doubling(), FORTY, tmp_path, **at(10))
    before = (tmp_path / checkpoint.FILE_NAME).read_bytes()
    with pytest.raises(TrainingError, match=r"\(steps 11 to 20\).*NaN.*checkpoint stays"):
        fit(small_net(), Poisoned(), FORTY, tmp_path)
    assert (tmp_path / checkpoint.FILE_NAME).read_bytes() == before


def test_a_full_disk_is_an_error_and_the_checkpoint_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(small_net(), Doubling(), FORTY, tmp_path, **at(10))
    before = (tmp_path / checkpoint.FILE_NAME).read_bytes()
    write = Path.write_bytes

    def full(path: Path, data: Any) -> int:
        if "checkpoint" not in path.name:
            return write(path, data)
        write(path, bytes(data[: len(data) // 2]))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(MediaError, match=r"checkpoint\.pt: cannot be written \(No space left on device\)"):
        fit(small_net(), Doubling(), FORTY, tmp_path)
    assert (tmp_path / checkpoint.FILE_NAME).read_bytes() == before
    monkeypatch.undo()
    assert fit(small_net(), Doubling(), FORTY, tmp_path).steps == 40


def test_a_folder_that_cannot_be_written_is_said_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaError, match="file"):
        fit(small_net(), Doubling(), FORTY, tmp_path / "file" / "run")


def test_a_checkpoint_of_another_training_or_net_is_refused(tmp_path: Path) -> None:
    fit(small_net(), Doubling(), FORTY, tmp_path, identity="one", **at(3))
    with pytest.raises(TrainingError, match="belongs to another training"):
        fit(small_net(), Doubling(), FORTY, tmp_path, identity="two")
    with pytest.raises(TrainingError, match=r"checkpoint\.pt: holds another net"):
        fit(nn.Conv2d(3, 3, 1), Doubling(), FORTY, tmp_path, identity="one")


def test_minutes_end_a_run(tmp_path: Path) -> None:
    fitted = fit(small_net(), Doubling(), Schedule(minutes=0.005, validate_every=10**6), tmp_path)
    assert fitted.ended == "minutes" and fitted.seconds >= 0.3 and "error" in fitted.figures


def test_denormals_are_0_in_training_and_kept_after_it(tmp_path: Path) -> None:
    def product() -> float:
        return float(torch.tensor(1e-20) * torch.tensor(1e-19))

    seen: list[float] = []
    fit(small_net(), Doubling(), Schedule(steps=2), tmp_path, progress=lambda _: seen.append(product()))
    assert seen == [0.0, 0.0], "a matrix of them takes a hundred times as long"
    assert product() > 0


@pytest.mark.parametrize("seed", [2**24 - 1, 2**24, 20261201])
def test_a_seed_may_be_a_date(tmp_path: Path, seed: int) -> None:
    assert fit(small_net(), Doubling(), Schedule(steps=2, seed=seed), tmp_path).steps == 2


def test_another_seed_is_another_run_and_the_same_one_the_same(tmp_path: Path) -> None:
    nets = [small_net() for _ in range(3)]
    for run, (net, seed) in enumerate(zip(nets, (1, 1, 2), strict=True)):
        fit(net, Doubling(), Schedule(steps=2, seed=seed), tmp_path / str(run))
    first, again, other = nets
    assert same_weights(first, again) and not same_weights(first, other)


def test_the_caller_keeps_its_random_numbers(tmp_path: Path) -> None:
    net = small_net()
    expected = torch.rand(3, generator=torch.Generator().manual_seed(11))
    torch.manual_seed(11)
    fit(net, Doubling(), Schedule(steps=2), tmp_path)
    assert torch.equal(torch.rand(3), expected)


def test_a_checkpoint_of_another_optimizer_is_refused(tmp_path: Path) -> None:
    fit(small_net(), Doubling(), FORTY, tmp_path, **at(3))
    with pytest.raises(TrainingError, match=r"checkpoint\.pt: .*learned by adam, the schedule says soap"):
        fit(small_net(), Doubling(), replace(FORTY, optimizer="soap"), tmp_path)


def test_a_checkpoint_from_before_there_was_a_choice_goes_on(tmp_path: Path) -> None:
    whole = fit(small_net(), Doubling(), FORTY, tmp_path / "whole")
    fit(small_net(), Doubling(), FORTY, tmp_path / "parts", **at(15))
    path = tmp_path / "parts" / checkpoint.FILE_NAME
    state = checkpoint.load(path)
    assert state is not None and state["learner"].pop("optimizer_name") == "adam"
    checkpoint.save(path, state)
    assert same_weights(whole.net, fit(small_net(), Doubling(), FORTY, tmp_path / "parts").net)


class Criticised(Doubling):
    """Learns against a critic that tells twice the picture from what the net makes."""

    def __init__(self) -> None:
        torch.manual_seed(5)
        self.critic = nn.Sequential(nn.Conv2d(3, 4, 3), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 3))

    def loss(self, net: Forward, batch: Batch) -> dict[str, Tensor]:
        assert self.critic is not None
        made = net(batch["picture"])
        self.made = made.detach()
        return {"absolute": (made - 2 * batch["picture"]).abs().mean(), "adversarial": -0.01 * self.critic(made).mean()}

    def critic_loss(self, batch: Batch) -> dict[str, Tensor]:
        assert self.critic is not None
        real, fake = self.critic(2 * batch["picture"]), self.critic(self.made)
        return {"hinge": (1 - real).relu().mean() + (1 + fake).relu().mean()}


@OPTIMIZERS
def test_a_critic_learns_beside_the_net_and_survives_a_stop(tmp_path: Path, optimizer: OptimizerName) -> None:
    schedule = replace(FORTY, optimizer=optimizer)
    whole, parts = Criticised(), Criticised()
    first = {name: tensor.clone() for name, tensor in whole.critic.state_dict().items()}  # type: ignore[union-attr]
    straight = fit(small_net(), whole, schedule, tmp_path / "whole")
    assert "critic hinge" in straight.history[-1]["losses"]
    fit(small_net(), parts, schedule, tmp_path / "parts", **at(15))
    again = Criticised()
    resumed = fit(small_net(), again, schedule, tmp_path / "parts")
    assert same_weights(straight.net, resumed.net)
    assert whole.critic is not None and again.critic is not None and same_weights(whole.critic, again.critic)
    assert not torch.equal(first["0.weight"], whole.critic.state_dict()["0.weight"])


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_every_precision_learns_with_float32_losses(tmp_path: Path, precision: Any) -> None:
    class Watched(Doubling):
        def loss(self, net: Forward, batch: Batch) -> dict[str, Tensor]:
            assert net(batch["picture"]).dtype == torch.float32
            return super().loss(net, batch)

    fitted = fit(small_net(), Watched(), Schedule(steps=30, rate=1e-2, warm_up=5, precision=precision), tmp_path)
    assert fitted.figures["error"] < 0.6


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: `vfxgen doctor` says why")
def test_on_a_gpu_a_stopped_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = fit(small_net(), OnDevice(), FORTY, tmp_path / "whole", device="cuda")
    fit(small_net(), OnDevice(), FORTY, tmp_path / "parts", device="cuda", **at(15))
    parts = fit(small_net(), OnDevice(), FORTY, tmp_path / "parts", device="cuda")
    assert same_weights(whole.net, parts.net) and whole.figures["error"] < 0.5


class OnDevice(Doubling):
    def validate(self, net: nn.Module) -> dict[str, float]:
        picture = self.batch(10**6)["picture"].to("cuda")
        return {"error": float((net(picture) - 2 * picture).abs().mean())}

    def samples(self, net: nn.Module) -> Any:
        return None
