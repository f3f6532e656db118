"""The net of a shot: learned from painted frames in seconds, run by apply, and nothing half-written when it fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vfxgen
from vfxgen import graph
from vfxgen.architectures import build
from vfxgen.errors import MediaError, RequestError, TrainingError
from vfxgen.frame import Frame, Pixels
from vfxgen.output import Output
from vfxgen.render import Job, render
from vfxgen.testing import Pictures
from vfxgen.training import shot
from vfxgen.training.loop import Progress
from vfxgen.training.publish import publish_net
from vfxgen.zoo import registry

SIDE = 48
FRAMES = (1001, 1002, 1003)


@pytest.fixture(autouse=True)
def _small(studio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nets that are quick to train, in a studio's folder."""
    monkeypatch.setattr(shot, "WIDTHS", [8, 12])
    monkeypatch.setattr(shot, "CROP_ELSE", 32)
    monkeypatch.setattr(shot, "VALIDATE_EVERY", 20)


def scene(number: int) -> tuple[Pixels, Pixels]:
    """A red disc that moves over green, with grain and a lamp, and its soft alpha."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    distance = np.hypot(rows - 22, columns - 18 - 3 * (number - 1001))
    alpha = np.clip((13 - distance) / 4 + 0.5, 0, 1)[..., None]
    picture = alpha * [0.7, 0.1, 0.1] + (1 - alpha) * [0.1, 0.5, 0.1]
    picture += np.random.default_rng(number).normal(0, 0.01, picture.shape)
    picture[2:5, 40:44] = 20.0
    return picture.astype(np.float32), alpha.astype(np.float32)


def plate(frames: tuple[int, ...] = (*FRAMES, 1004)) -> Pictures:
    return Pictures({n: scene(n)[0] for n in frames})


def matte(frames: tuple[int, ...] = FRAMES) -> Pictures:
    return Pictures({n: scene(n)[1] for n in frames}, "A")


def marked(frames: tuple[int, ...] = (*FRAMES, 1004)) -> Pictures:
    """A blue mark on the disc, over light of a hundred."""
    pictures = {n: scene(n)[0] * 100 for n in frames}
    for n in frames:
        x = 15 + 3 * (n - 1001)
        pictures[n][20:24, x : x + 4] = [5, 5, 90]
    return Pictures(pictures)


def train(task: Any = "matte", out: Path | str = "", **words: Any) -> registry.Entry:
    given: dict[str, Any] = {"plate": plate(), "target": matte(), "steps": 20, "device": "cpu"} | words
    return vfxgen.train(task, out=out or Path(os.environ["VFXGEN_NETS"]) / "sh010", **given)


def test_a_matte_from_three_frames_holds_on_the_fourth_and_renders_everywhere(tmp_path: Path, studio: Path) -> None:
    net = train(steps=160)
    assert net.card.quality[0].value < 0.1
    applied = vfxgen.Apply(plate(), net="sh010")[1004]
    assert np.abs(applied.alpha - scene(1004)[1]).mean() < 0.06
    np.testing.assert_array_equal(applied.rgb, scene(1004)[0])
    assert {"curves.png", "samples.png", "card.toml", "weights.safetensors"} == {p.name for p in net.folder.iterdir()}
    assert not list((tmp_path / "cache" / "training").iterdir()), "nothing is left of a training that came to its end"

    vfxgen.write(plate(), str(tmp_path / "plate.####.exr"), frames="1004")
    command = ["apply", "--plate", str(tmp_path / "plate.####.exr"), "--net", "sh010", "--colorspace", "ACEScg"]
    command += ["--out", str(tmp_path / "cli.####.exr"), "--frames", "1004"]
    done = subprocess.run([sys.executable, "-m", "vfxgen", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    nodes: graph.Nodes = {
        "plate": {"operator": "read", "path": str(tmp_path / "plate.####.exr"), "colorspace": "ACEScg"},
        "matte": {"operator": "apply", "plate": "plate", "net": "sh010", "mix": 1.0},
    }
    made = graph.build(nodes, "", "test")["matte"]
    for _ in render([Job(made, Output(path=str(tmp_path / "graph.####.exr")))], [1004]):
        pass
    for name in ("cli", "graph"):
        frame = vfxgen.read(tmp_path / f"{name}.####.exr")[1004]
        np.testing.assert_allclose(frame.alpha, applied.alpha, atol=2e-3)


def test_a_retouch_takes_the_mark_out_and_leaves_light_of_a_hundred(studio: Path) -> None:
    target = Pictures({n: scene(n)[0] * 100 for n in FRAMES})
    net = train("retouch", plate=marked(), target=target, steps=160)
    assert (net.card.task, net.card.hyperparameters["residual"]) == ("image-to-image", True)
    before, truth = marked()[1004].rgb, scene(1004)[0] * 100
    made = vfxgen.Apply(marked(), net="sh010")[1004].rgb
    mark = np.s_[20:24, 24:28]
    assert np.abs(made[mark] - truth[mark]).mean() < 0.5 * np.abs(before[mark] - truth[mark]).mean()
    assert made[2:5, 40:44].mean() == pytest.approx(2000, rel=0.25)


def test_an_inpainting_is_told_where(studio: Path) -> None:
    where = {n: np.zeros((SIDE, SIDE, 1), np.float32) for n in (*FRAMES, 1004)}
    for n, mask in where.items():
        x = 15 + 3 * (n - 1001)
        mask[19:25, x - 1 : x + 5] = 1
    target = Pictures({n: scene(n)[0] * 100 for n in FRAMES})
    net = train("inpaint", plate=marked(), target=target, mask=Pictures(where, "A"))
    assert net.card.inputs[0].channels == "R G B M"
    made = vfxgen.Apply(marked(), Pictures(where, "A"), net="sh010")[1004].rgb
    outside = where[1004][..., 0] == 0
    assert made[outside].tobytes() == marked()[1004].rgb[outside].tobytes()
    assert not np.array_equal(made, marked()[1004].rgb)


def test_a_key_learns_the_foreground_where_it_is_painted(studio: Path) -> None:
    layers = {}
    for n in FRAMES:
        alpha = scene(n)[1]
        layers[n] = np.concatenate([alpha * np.array([0.7, 0.1, 0.1], np.float32), alpha], axis=-1)
    net = train("key", target=Pictures(layers, "RGBA"), steps=160)
    assert (net.card.task, net.card.outputs[0].channels) == ("key", "R G B A")
    keyed = vfxgen.Apply(plate(), net="sh010")[1004]
    assert np.abs(keyed.rgb[22, 27] - [0.7, 0.1, 0.1]).max() < 0.25
    assert np.abs(keyed.rgb[44:, :10]).max() < 0.1
    assert train("key", Path(os.environ["VFXGEN_NETS"]) / "alone").card.outputs[0].channels == "A"


def test_an_upscaler_of_the_shot(studio: Path) -> None:
    large = {n: np.repeat(np.repeat(scene(n)[0], 2, 0), 2, 1) for n in FRAMES}
    net = train("upscale", target=Pictures(large))
    assert (net.card.task, net.card.scale) == ("upscale", 2)
    assert vfxgen.Upscale(plate(), net="sh010")[1004].size == (2 * SIDE, 2 * SIDE)
    with pytest.raises(RequestError, match="use upscale"):
        vfxgen.Apply(plate(), net="sh010")


def test_the_same_call_makes_the_same_weights_and_a_base_is_gone_on_from(studio: Path) -> None:
    one, two = (train(out=studio / name) for name in ("one", "two"))
    assert one.card.weights.sha256 == two.card.weights.sha256
    other = train(out=studio / "other", seed=1)
    assert other.card.weights.sha256 != one.card.weights.sha256
    fine = train(out=studio / "fine", base="one", steps=20)
    assert fine.card.training.note.endswith("started from one 1")
    assert fine.card.inputs == one.card.inputs
    with pytest.raises(RequestError, match=r"base 'upscale-x2' .* cannot be trained on for matte"):
        train(base="upscale-x2")


def test_a_base_that_folds_three_pixels_is_gone_on_from(studio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shot, "CROP_ELSE", 64)
    first = train(steps=2)
    net = build("unet", widths=[8, 12], fold=3)
    facts = first.card.model_dump(include={"task", "inputs", "outputs", "licences"})
    publish_net(net, {"name": "folded", **facts}, studio / "folded")
    large = {n: np.random.default_rng(n).random((64, 64, 3), np.float32) for n in FRAMES}
    target = Pictures({n: (picture[..., :1] > 0.5) * 1.0 for n, picture in large.items()}, "A")
    again = train(plate=Pictures(large), target=target, out=studio / "again", base="folded", steps=2)
    assert again.card.hyperparameters["fold"] == 3


def test_progress_and_a_picture_come_on_the_way(studio: Path) -> None:
    seen: list[Progress] = []
    previews: list[Frame] = []
    train(steps=40, progress=seen.append, preview=previews.append)
    assert [p.step for p in seen] == list(range(1, 41))
    pictures = [p.picture for p in seen if p.picture is not None]
    assert len(pictures) >= 2 and pictures[-1].shape[1:] == (3 * 32, 3)
    assert [frame.number for frame in previews] == [p.step for p in seen if p.picture is not None]
    assert previews[-1].size[1] == 3 * 32 and 0 <= previews[-1].rgb.min() < previews[-1].rgb.max() < 1.1
    assert seen[-1].figures["error"] > 0 and seen[-1].done == 1


def test_cancelled_from_another_thread_it_keeps_the_best_so_far(studio: Path) -> None:
    cancelled = threading.Event()

    def watch(progress: Progress) -> None:
        if progress.step == 30:
            threading.Thread(target=cancelled.set).start()
            cancelled.wait()

    net = train(steps=10_000, progress=watch, cancelled=cancelled)
    assert net.card.training.steps == 30 and "ended by cancelled" in net.card.training.note
    assert vfxgen.Apply(plate(), net="sh010")[1004].alpha.max() <= 1


def test_cancelled_before_there_is_a_figure_no_net_is_written(studio: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(TrainingError, match="cancelled before there was anything to keep"):
        train(cancelled=cancelled)
    assert not list(studio.iterdir())


def test_one_painted_frame_works_with_a_warning(studio: Path, caplog: pytest.LogCaptureFixture) -> None:
    train(frames=[1002])
    assert "one painted frame alone" in caplog.text


def test_a_target_that_clips_is_warned_of(studio: Path, caplog: pytest.LogCaptureFixture) -> None:
    clipped = {n: scene(n)[0].clip(0, 1) for n in FRAMES}
    train("retouch", target=Pictures(clipped))
    assert "the net will learn to clip" in caplog.text
    caplog.clear()
    train("retouch", studio / "bright", plate=marked(), target=Pictures({n: scene(n)[0] * 100 for n in FRAMES}))
    assert "clip" not in caplog.text


def test_from_six_frames_on_one_is_held_out(studio: Path) -> None:
    from vfxgen.training.painted import read_painted
    from vfxgen.training.shot_objective import ShotObjective
    from vfxgen.training.tasks import TASKS
    from vfxgen.zoo.parts import Port

    frames = tuple(range(1001, 1007))
    ports = Port(name="x", channels="R G B", encoding="srgb"), Port(name="y", channels="A", encoding="none")
    for count, learned in ((5, [0, 1, 2, 3, 4]), (6, [0, 1, 2, 4, 5])):
        painted = read_painted("matte", plate(frames), matte(frames[:count]))
        objective = ShotObjective(painted, TASKS["matte"], *ports, 32, 2, 0)
        assert objective.learned == learned
        batch, again = objective.batch(7), objective.batch(7)
        assert all(bool((batch[name] == again[name]).all()) for name in batch)
        share = sum(float(held.float().mean()) for held in objective.held) / len(objective.held)
        assert (0 < share < 0.5) == (count == 5)


def _bad(name: str) -> dict[str, Any]:
    nan = {n: scene(n)[0] for n in FRAMES}
    nan[1002][3, 4] = np.nan
    halves = {n: scene(n)[1][::2] for n in FRAMES}
    coloured = {n: scene(n)[0] for n in FRAMES}
    same = {n: scene(n)[0] for n in FRAMES}
    cases: dict[str, dict[str, Any]] = {
        "size": {"target": Pictures(halves, "A")},
        "absent": {"frames": "1001,1009"},
        "unpainted": {"frames": [1001, 1004]},
        "still": {"target": Pictures(scene(1001)[1], "A")},
        "constant": {"target": Pictures({n: np.ones((SIDE, SIDE, 1), np.float32) for n in FRAMES}, "A")},
        "nan": {"plate": Pictures(nan)},
        "coloured": {"target": Pictures(coloured)},
        "unchanged": {"task": "retouch", "target": Pictures(same)},
        "no mask": {"task": "inpaint", "target": Pictures(same)},
        "a mask": {"mask": matte()},
        "scale": {"task": "upscale", "target": Pictures(same)},
        "task": {"task": "rotoscope"},
        "tiny": {
            "plate": Pictures({n: scene(n)[0][:12] for n in FRAMES}),
            "target": Pictures({n: scene(n)[1][:12] for n in FRAMES}, "A"),
        },
        "length": {"steps": 0, "minutes": 0.0},
        "device": {"device": "cuda:7"},
    }
    return cases[name]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("size", r"frame 1001: the target is 48x24, the plate 48x48: they must be of one size"),
        ("absent", r"frame 1009 is not in the plate, which has 1001, 1002, 1003, 1004"),
        ("unpainted", r"frame 1004 is not in the target, which has 1001, 1002, 1003"),
        ("still", r"the target is a still; say which frame"),
        ("constant", r"the target is 1 in every pixel of every frame: there is nothing to learn"),
        ("nan", r"frame 1002 of memory: 1 pixels are NaN or infinite"),
        ("coloured", r"frame 1001 of memory: a coloured picture without A is no matte"),
        ("unchanged", r"the target is the plate in every pixel"),
        ("no mask", r"inpaint needs a mask"),
        ("a mask", r"matte takes no mask; inpaint does"),
        ("scale", r"the target is 48x48, the plate 48x48: upscale learns 2, 3 or 4 times the size"),
        ("task", r"task 'rotoscope' must be matte \| key"),
        ("tiny", r"frames of 12 pixels are too small"),
        ("length", r"give steps or minutes"),
        ("device", r"device 'cuda:7'"),
    ],
)
def test_what_does_not_fit_is_said_and_no_folder_is_left(studio: Path, case: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        train(**_bad(case))
    assert not list(studio.iterdir())


def test_a_grey_picture_without_alpha_is_a_matte(studio: Path) -> None:
    grey = {n: np.repeat(scene(n)[1], 3, axis=-1) for n in FRAMES}
    assert train(target=Pictures(grey)).card.outputs[0].channels == "A"


def test_places_that_are_no_place_for_a_net(tmp_path: Path, studio: Path) -> None:
    (studio / "other").mkdir()
    (studio / "other" / "letter.txt").write_text("mine")
    with pytest.raises(RequestError, match="is not empty and no net's folder"):
        train(out=studio / "other")
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaError, match="file"):
        train(out=tmp_path / "file" / "net")
    with pytest.raises(RequestError, match="'not a name' is no name for a net"):
        train(out=studio / "not a name")
    assert [p.name for p in (studio / "other").iterdir()] == ["letter.txt"]
    assert [p.name for p in studio.iterdir()] == ["other"]


def test_a_finished_net_of_other_frames_stays_and_the_same_call_may_go_on_for_longer(studio: Path) -> None:
    kept, learned = train(steps=20), list[int]()
    with pytest.raises(RequestError, match=r"holds the net 'sh010' \(20 steps, mean.*of another run.*another folder"):
        train(target=matte(FRAMES[:1]), progress=lambda p: learned.append(p.step))
    with pytest.raises(RequestError, match="ended after 10, so it stays"):
        train(steps=10)
    assert not learned and registry.find("sh010").card == kept.card
    assert train(steps=25).card.training.steps == 25


def test_a_kill_leaves_no_net_and_the_same_call_goes_on(tmp_path: Path, studio: Path) -> None:
    script = tmp_path / "job.py"
    script.write_text(
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import test_shot as t\n"
        "from vfxgen.training import shot, schedule\n"
        "shot.WIDTHS, shot.CROP_ELSE, shot.VALIDATE_EVERY = [8, 12], 32, 20\n"
        "make = shot.Schedule\n"
        "shot.Schedule = lambda **w: make(**w, checkpoint_minutes=1e-6)\n"
        "t.train(steps=100000, progress=lambda p: print(p.step, flush=True))\n"
    )
    job = subprocess.Popen(
        [sys.executable, str(script), str(Path(__file__).parent)], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert job.stdout is not None
    for line in job.stdout:
        if line.strip() == "25":
            break
    job.send_signal(signal.SIGKILL)
    job.wait()
    assert not list(studio.iterdir())
    checkpoints = list((tmp_path / "cache" / "training").rglob("checkpoint.pt"))
    assert len(checkpoints) == 1 and checkpoints[0].parent.name.startswith("sh010-")
    first: list[int] = []
    net = train(steps=60, progress=lambda p: first.append(p.step))
    assert first[0] > 15 and net.card.training.steps == 60
    assert (net.folder / "card.toml").exists()
