"""A net's folder: weights and card of one training, or what was there before."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from vfxgen.architectures import build
from vfxgen.backends.torch_net import read_safetensors
from vfxgen.errors import MediaError, RequestError
from vfxgen.training.publish import publish_net, replaced_folder
from vfxgen.zoo.card import Card, load_card
from vfxgen.zoo.registry import check_weights, nets

FREE = {"name": "Apache-2.0", "use": "commercial"}
FACTS: dict[str, Any] = {
    "name": "tiny",
    "task": "upscale",
    "scale": 2,
    "inputs": [{"name": "picture", "channels": "R G B"}],
    "outputs": [{"name": "enlarged", "channels": "R G B"}],
    "licences": {"code": FREE, "weights": FREE, "data": FREE},
}


# Gives a net a new card, and is killed before the folder whose name ends so is renamed.
_KILLED = """
import os, signal, sys
from pathlib import Path
from vfxgen.training.publish import replaced_folder

rename = Path.rename
def killed(path, to):
    if path.name.endswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, to)
Path.rename = killed

with replaced_folder(Path(sys.argv[1])) as temporary:
    card = temporary / "card.toml"
    card.write_text('version = "killed"\\n' + card.read_text())
"""


def tiny(seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    return build("upscaler", scale=2, channels=4, blocks=1, collapsed=True)


def test_the_folder_is_a_net(tmp_path: Path) -> None:
    net = tiny(0)
    (tmp_path / "curves.png").write_bytes(b"picture")
    publish_net(net, FACTS, tmp_path / "nets" / "tiny", (tmp_path / "curves.png",))
    card = load_card(tmp_path / "nets/tiny")
    weights = tmp_path / "nets/tiny" / card.weights.file
    check_weights(card, weights)
    read = read_safetensors(card, weights)
    assert all(torch.equal(read[name], tensor) for name, tensor in net.state_dict().items())
    assert (card.architecture, card.receptive_field, card.scale) == ("upscaler", 5, 2)
    assert sorted(p.name for p in (tmp_path / "nets/tiny").iterdir()) == [
        "card.toml",
        "curves.png",
        "weights.safetensors",
    ]
    assert [p.name for p in (tmp_path / "nets").iterdir()] == ["tiny"]


def test_new_weights_replace_the_old_and_other_files_stay(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    old = publish_net(tiny(0), FACTS, folder)
    (folder / "train.toml").write_text("schema = 1")
    new = publish_net(tiny(1), FACTS, folder)
    assert old.weights.sha256 != new.weights.sha256 and load_card(folder) == new
    check_weights(new, folder / new.weights.file)
    assert (folder / "train.toml").read_text() == "schema = 1"


def test_a_finished_net_is_replaced_by_its_own_run_alone_once_that_has_come_as_far(tmp_path: Path) -> None:
    def published(run: str, steps: int, seed: int) -> Card:
        return publish_net(tiny(seed), {**FACTS, "training": {"run": run, "steps": steps}}, tmp_path / "tiny")

    published("a", 27, 0)
    longer = published("a", 40, 1)
    with pytest.raises(RequestError, match=r"holds the net 'tiny' \(40 steps\) of another run; give another folder"):
        published("b", 50, 2)
    with pytest.raises(RequestError, match=r"\(40 steps\); this run ended after 39, so it stays"):
        published("a", 39, 3)
    assert load_card(tmp_path / "tiny") == longer == published("a", 40, 1)


def test_what_links_lead_to_is_neither_copied_nor_written(tmp_path: Path) -> None:
    folder, store = tmp_path / "nets" / "tiny", tmp_path / "store"
    publish_net(tiny(0), FACTS, folder)
    store.mkdir()
    (folder / "weights.safetensors").rename(store / "weights")
    (folder / "weights.safetensors").symlink_to(store / "weights")
    (folder / "shots").symlink_to(store)
    (folder / "notes").symlink_to(tmp_path / "gone")
    before = (store / "weights").read_bytes()
    new = publish_net(tiny(1), FACTS, folder)
    check_weights(new, folder / new.weights.file)
    assert (store / "weights").read_bytes() == before
    assert (folder / "shots").readlink() == store and (folder / "notes").is_symlink()


def test_a_full_disk_leaves_the_old_net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tiny"
    old = publish_net(tiny(0), FACTS, folder)

    def full(path: Path, *_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("write_bytes", "write_text"):
        monkeypatch.setattr(Path, name, full)
        with pytest.raises(MediaError, match=r"tiny: cannot be written \(No space left"):
            publish_net(tiny(1), FACTS, folder)
        monkeypatch.undo()
        assert load_card(folder) == old
        check_weights(old, folder / old.weights.file)
        assert [p.name for p in tmp_path.iterdir()] == ["tiny"]


def test_a_rename_that_fails_puts_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "card.toml").write_text("old")
    rename = Path.rename

    def refuse(path: Path, to: Path) -> Path:
        if path.name.endswith(".tmp"):
            raise OSError(errno.EIO, "Input/output error")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(MediaError, match="Input/output error"), replaced_folder(folder) as temporary:
        (temporary / "card.toml").write_text("new")
    assert (folder / "card.toml").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["tiny"]


@pytest.mark.parametrize(("when", "left"), [("tiny", "tiny"), (".tmp", None)])
def test_a_killed_publish_leaves_no_other_net_and_the_next_puts_it_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str, left: str | None
) -> None:
    monkeypatch.setenv("VFXGEN_NETS", str(tmp_path))
    folder = tmp_path / "tiny"
    old = publish_net(tiny(0), FACTS, folder)
    (folder / "train.toml").write_text("schema = 1")
    killed = subprocess.run([sys.executable, "-c", _KILLED, folder, when], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (nets()["tiny"].folder.name if "tiny" in nets() else None) == left
    with replaced_folder(folder) as temporary:
        assert load_card(temporary) == old
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]
    assert load_card(folder) == old and (folder / "train.toml").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_text("")
    with pytest.raises(RequestError, match="is not empty and no net's folder"):
        publish_net(tiny(0), FACTS, tmp_path)
    with pytest.raises(RequestError, match="is a file"):
        publish_net(tiny(0), FACTS, tmp_path / "holiday.jpg")
    assert [p.name for p in tmp_path.iterdir()] == ["holiday.jpg"]
