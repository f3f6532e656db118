"""Publishing: a frame exists whole or not at all, whoever dies meanwhile."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vfxgen.errors import MediaError
from vfxgen.frame import Frame
from vfxgen.media import image
from vfxgen.media.movie_writer import MovieWriter
from vfxgen.media.publish import content_hash, published, sweep_temporaries

_REPOSITORY = Path(__file__).resolve().parents[2]

# Publishes frame after frame under one name, each of one value all over, and says how many are done.
_WRITER = """
import sys, numpy as np
from vfxgen.frame import Frame
from vfxgen.media import image
from vfxgen.media.movie_writer import MovieWriter
from vfxgen.media.publish import published
for number in range(100000):
    frame = Frame.from_pixels(np.full((200, 300, 3), number, np.float32), "RGB", colorspace="", source="writer")
    with published(sys.argv[1]) as temporary:
        image.write_image(frame, temporary, format="exr", compression="none")
    print(number, flush=True)
"""


def grey(value: float, size: tuple[int, int] = (64, 64)) -> Frame:
    return Frame.from_pixels(np.full((*size, 3), value, np.float32), "RGB", colorspace="", source="grey")


def publish(path: Path, frame: Frame) -> None:
    with published(str(path)) as temporary:
        image.write_image(frame, temporary, format="exr")


def test_a_published_frame_stands_alone_in_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "plate.1001.exr"
    publish(path, grey(0.5))
    assert os.listdir(path.parent) == ["plate.1001.exr"]
    assert (image.read_image(str(path), 1).rgb == 0.5).all()


def test_nothing_is_there_until_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    with published(str(path)) as temporary:
        Path(temporary).write_bytes(b"half")
        assert not path.exists() and Path(temporary).parent == tmp_path
        assert Path(temporary).name.startswith(".") and temporary.endswith(".tmp")
    assert path.read_bytes() == b"half"


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt(), MediaError("a fault")])
def test_a_writer_that_fails_leaves_the_old_frame_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.exr"
    publish(path, grey(1))
    before = path.read_bytes()
    with pytest.raises(type(error)), published(str(path)) as temporary:
        image.write_image(grey(2), temporary, format="exr")
        raise error
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["a.exr"]


def test_a_writer_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(MediaError, match=r"a.exr: cannot be written \(No such file"),
        published(str(tmp_path / "a.exr")),
    ):
        pass
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "a.exr", tmp_path / "file" / "below" / "a.exr"):
        with pytest.raises(MediaError, match=r"a\.exr: cannot be written \((Not a directory|File exists)\)"):
            publish(path, grey(1))
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.exr").mkdir()
    with pytest.raises(MediaError, match="is a folder"):
        publish(tmp_path / "a.exr", grey(1))
    assert (tmp_path / "a.exr").is_dir() and os.listdir(tmp_path) == ["a.exr"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write to")
def test_a_folder_that_takes_no_files_is_said() -> None:
    with pytest.raises(MediaError, match=r"/proc/a.exr: .*cannot be written"):
        publish(Path("/proc/a.exr"), grey(1))


NOISE = np.random.default_rng(1).random((256, 256, 3), dtype=np.float32)


@pytest.mark.parametrize("format", ["exr", "tif", "png", "dpx", "jpg"])
def test_a_full_disk_is_said_whatever_the_format(format: str) -> None:
    """The device that is always full; some encoders report success there, or end the process."""
    frame = Frame.from_pixels(NOISE, "RGB", colorspace="", source="noise")
    with pytest.raises(MediaError, match="cannot be written"):
        image.write_image(frame, "/dev/full", format=format)


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.mark.parametrize("kind", ["exr", "exr with ids", "tif", "dpx"])
@pytest.mark.parametrize("room", [0, 4096, 100_000])
def test_a_disk_that_fills_up_leaves_the_old_frame(tmp_path: Path, kind: str, room: int) -> None:
    format, path = kind[:3], tmp_path / f"a.{kind[:3]}"
    frame = Frame.from_pixels(NOISE, "RGB", colorspace="", source="noise")
    if kind == "exr with ids":
        ids = np.random.default_rng(2).integers(0, 2**32, (256, 256), np.uint32)
        frame = replace(frame, planes={**frame.planes, "id": ids}, types={**frame.types, "id": "uint32"})
    with published(str(path)) as temporary:
        image.write_image(frame, temporary, format=format)
    before = path.read_bytes()
    with (
        files_no_larger_than(room),
        pytest.raises(MediaError, match=r"a\.(exr|tif|dpx): .*cannot be written") as caught,
        published(str(path)) as temporary,
    ):
        image.write_image(frame, temporary, format=format)
    assert "~" not in str(caught.value), "the temporary name means nothing to people"
    assert path.read_bytes() == before and os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("codec", ["h264", "prores"])
def test_a_disk_that_fills_up_leaves_the_old_movie(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.mov"
    path.write_bytes(b"old")
    with (
        files_no_larger_than(20_000),
        pytest.raises(MediaError, match=r"a\.mov: .*cannot be written"),
        published(str(path)) as temporary,
        MovieWriter(temporary, format="mov", codec=codec, fps=Fraction(24)) as movie,
    ):
        for _ in range(5):
            movie.write(NOISE)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a.mov"]


def test_a_writer_killed_at_any_moment_leaves_no_torn_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    moments = random.Random(5)
    environment = {**os.environ, "PYTHONPATH": str(_REPOSITORY)}
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, env=environment)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moments.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        pixels = image.read_image(str(path), 1).rgb
        assert pixels.shape == (200, 300, 3) and (pixels == pixels[0, 0]).all()
    sweep_temporaries([str(path)])
    assert os.listdir(tmp_path) == ["a.exr"]


def temporary_of(path: Path, pid: int, host: str | None = None) -> Path:
    """The temporary file that process `pid` would write for `path`."""
    with published(str(path)) as ours:
        Path(ours).touch()
    name, host_here, _, rest = Path(ours).name.split("~")
    path.unlink()
    made = path.parent / "~".join([name, host or host_here, str(pid), rest])
    made.write_bytes(b"left over")
    return made


def a_process_that_is_gone() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_leftovers_of_the_dead_are_swept_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    path = tmp_path / "plate.1001.exr"
    dead = temporary_of(path, a_process_that_is_gone())
    living = temporary_of(path, os.getpid())
    init = temporary_of(path, 1)
    sweep_temporaries([str(path)])
    assert not dead.exists() and living.exists() and init.exists()


def test_leftovers_of_another_machine_are_swept_after_a_day(tmp_path: Path) -> None:
    path = tmp_path / "plate.1001.exr"
    fresh = temporary_of(path, 1, "render-042")
    old = temporary_of(path, 2, "render-042")
    os.utime(old, (time.time() - 25 * 3600,) * 2)
    sweep_temporaries([str(path)])
    assert fresh.exists() and not old.exists()


def test_what_another_container_of_the_same_name_writes_is_not_swept(tmp_path: Path) -> None:
    container = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    if not shutil.which("unshare") or subprocess.run([*container, "true"], check=False).returncode:
        pytest.skip("no process namespaces here")
    path = tmp_path / "plate.1001.exr"
    sweep = f"from vfxgen.media.publish import sweep_temporaries; sweep_temporaries([{str(path)!r}])"
    environment = {**os.environ, "PYTHONPATH": str(_REPOSITORY)}
    with published(str(path)) as temporary:
        Path(temporary).write_bytes(b"half")
        subprocess.run([*container, sys.executable, "-c", sweep], check=True, env=environment)
        assert Path(temporary).exists()


def test_only_leftovers_of_the_named_frames_are_swept(tmp_path: Path) -> None:
    gone = a_process_that_is_gone()
    other = temporary_of(tmp_path / "other.1001.exr", gone)
    for name in (".plate.1001.exr.tmp", "plate.1001.exr~", ".plate.1001.exr~host~x~0123abcd.tmp", ".nfs0001"):
        (tmp_path / name).touch()
    before = sorted(os.listdir(tmp_path))
    sweep_temporaries([str(tmp_path / "plate.1001.exr"), str(tmp_path / "nowhere" / "plate.1001.exr")])
    assert sorted(os.listdir(tmp_path)) == before and other.exists()


def test_the_hash_follows_the_content_not_the_time_or_the_name(tmp_path: Path) -> None:
    first, second = tmp_path / "a.exr", tmp_path / "b.exr"
    first.write_bytes(b"one")
    before = content_hash(str(first))
    os.utime(first, (1, 1))
    assert content_hash(str(first)) == before
    first.rename(second)
    assert content_hash(str(second)) == before
    second.write_bytes(b"two")
    assert content_hash(str(second)) != before


def test_the_hash_sees_a_frame_replaced_at_once_by_one_of_the_same_size(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    seen = set()
    for value in (b"111", b"222", b"333"):
        with published(str(path)) as temporary:
            Path(temporary).write_bytes(value)
        seen.add(content_hash(str(path)))
    assert len(seen) == 3


def test_a_file_that_is_not_there_has_no_hash(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"a.exr: cannot be read \(No such file"):
        content_hash(str(tmp_path / "a.exr"))
    with pytest.raises(MediaError, match="Is a directory"):
        content_hash(str(tmp_path))
