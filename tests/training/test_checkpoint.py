"""Checkpoints: whole or absent, and nothing in them runs."""

from __future__ import annotations

import pickle
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from vfxgen.errors import MediaError, TrainingError
from vfxgen.training.checkpoint import check_writable, load, save


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    weights = torch.rand(3, 4).to(torch.bfloat16)
    save(tmp_path / "c.pt", {"identity": "me", "weights": weights, "lines": [{"loss": 0.1}]})
    state = load(tmp_path / "c.pt", "me")
    assert state is not None and torch.equal(state["weights"], weights) and state["lines"] == [{"loss": 0.1}]


def test_where_there_is_none_there_is_none(tmp_path: Path) -> None:
    assert load(tmp_path / "c.pt") is None


def test_no_room_leaves_the_old_one(tmp_path: Path) -> None:
    """A real limit of the system, as a quota is."""
    save(tmp_path / "c.pt", {"identity": "", "weights": torch.zeros(9)})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(MediaError, match=r"c\.pt: cannot be written \(File too large\)"):
            save(tmp_path / "c.pt", {"identity": "", "weights": torch.zeros(99_999)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    state = load(tmp_path / "c.pt")
    assert state is not None and len(state["weights"]) == 9
    assert [path.name for path in tmp_path.iterdir()] == ["c.pt"]


class Dangerous:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("ran",)


@pytest.mark.parametrize("contents", [b"", b"PK\x03\x04 cut", pickle.dumps({"format": 1}), pickle.dumps(Dangerous())])
def test_what_is_no_checkpoint_is_refused_and_not_run(
    tmp_path: Path, contents: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.pt").write_bytes(contents)
    with pytest.raises(TrainingError, match=r"c\.pt: is no checkpoint.*take it away"):
        load(tmp_path / "c.pt")
    assert "ran" not in capsys.readouterr().out


def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    check_writable(tmp_path / "new")
    assert not list((tmp_path / "new").iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaError, match="file"):
        check_writable(tmp_path / "file")


def test_several_may_try_one_folder_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(check_writable, [tmp_path] * 200))
    assert not list(tmp_path.iterdir())
