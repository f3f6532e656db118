"""A host and its worker: a real process, asked as Blender and Nuke ask it."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from footage import bits, leftovers, write_plate

from vfxgen.errors import FrameError
from vfxgen.hosts import client as client_module
from vfxgen.hosts import rpc, worker_process
from vfxgen.hosts.client import WORKER_ENDED, Client, Request, WorkerError, WorkerTimeout
from vfxgen.operators import operators

HOST_SIDE = [Path(str(module.__file__)) for module in (client_module, worker_process)]
REPOSITORY = Path(__file__).parents[2]
MISBEHAVING = Path(__file__).with_name("misbehaving_worker.py")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of vfxgen's own worker, the same for every test."""
    made = Client(sys.executable, host="pytest")
    yield made
    made.close()


@pytest.fixture(scope="module")
def misbehaving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An executable like `vfxgen`, with operators that print, wait and fail beside the real ones."""
    path = tmp_path_factory.mktemp("bin") / "vfxgen"
    path.write_text(f"#!{sys.executable}\n{MISBEHAVING.read_text()}")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def odd_client(misbehaving: Path) -> Iterator[Client]:
    """A client of a worker whose operators misbehave, the same for every test."""
    made = Client(str(misbehaving), host="pytest")
    yield made
    made.close()


def ends_at_first(folder: Path) -> str:
    """An executable like `vfxgen` whose first worker says hello and ends, as one that has been idle."""
    marker, script = folder / "was here", folder / "vfxgen"
    hello = '{"jsonrpc": "2.0", "id": 2, "result": {"protocol": 1, "pid": 1}}'
    script.write_text(
        f"#!/bin/sh\nif [ -e '{marker}' ]; then exec {sys.executable} -m vfxgen \"$@\"; fi\n"
        f"touch '{marker}'; echo '{hello}'\n"
    )
    script.chmod(0o755)
    return str(script)


def key(plate: str, out: str | Path, **more: object) -> dict[str, object]:
    return {"operator": "grade", "inputs": {"plate": plate}, "parameters": {"slope": [1.5, 1, 0.5]}} | {
        "output": {"path": str(out)},
        **more,
    }


def odd(operator: str, plate: str, out: Path, **parameters: object) -> dict[str, object]:
    return key(plate, out) | {"operator": operator, "parameters": parameters}


def polled(client: Client, until: Callable[[], bool], seconds: float = 60.0) -> None:
    """Poll as a host's timer does, until something is so."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "nothing came of it"
        client.poll(0.05)


def is_gone(pid: int) -> bool:
    """Whether no such process is left, not even as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


class TestRender:
    def test_frames_and_headers_are_those_of_the_command_line(self, client: Client, tmp_path: Path) -> None:
        plate = str(REPOSITORY / "shots/greenscreen/plate/greenscreen.####.exr")
        request = {"operator": "key", "inputs": {"plate": plate}, "frames": "1001", "folder": str(tmp_path)}
        done = client.call("render", request | {"output": {"path": "worker.####.exr"}})
        assert (done["rendered"], done["current"]) == (1, 0)
        command = [sys.executable, "-m", "vfxgen", "key", "--plate", plate, "--frames", "1001"]
        subprocess.run([*command, "--out", tmp_path / "cli.####.exr"], capture_output=True, check=True)
        assert (tmp_path / "worker.1001.exr").read_bytes() == (tmp_path / "cli.1001.exr").read_bytes()
        states = client.call("check", request | {"output": {"path": "cli.####.exr"}})["outputs"]["key"]
        assert states["current"] == "1001"

    def test_a_graph_with_two_outputs(self, client: Client, tmp_path: Path) -> None:
        write_plate(tmp_path, range(1, 4))
        nodes = {
            "plate": {"operator": "read", "path": "plate.####.exr"},
            "dark": {"operator": "grade", "plate": "plate", "slope": 0.5},
            "bright": {"operator": "grade", "plate": "dark", "slope": 4.0},
        }
        outputs = {
            "dark": {"node": "dark", "path": "dark.####.exr"},
            "bright": {"node": "bright", "path": "bright.mov"},
        }
        request = {"graph": {"schema": 1, "nodes": nodes}, "outputs": outputs, "folder": str(tmp_path)}
        assert client.call("render", request)["rendered"] == 6
        assert (tmp_path / "dark.0003.exr").exists() and (tmp_path / "bright.mov").exists()
        again = client.call("render", request)
        assert (again["rendered"], again["current"]) == (0, 6)
        states = client.call("check", request)["outputs"]
        assert states["dark"]["current"] == states["bright"]["current"] == "1-3"

    def test_progress_arrives_frame_by_frame(self, client: Client, tmp_path: Path) -> None:
        request = client.send("render", key(write_plate(tmp_path, range(1, 7)), tmp_path / "o.####.exr"))
        seen = []
        while not request.is_over:
            client.poll(0.5)
            if request.progress and request.progress not in seen:
                seen.append(request.progress)
        assert request.state == "done"
        assert {"done": 6, "total": 6, "frame": 6, "status": "rendered"}.items() <= seen[-1].items()
        assert seen[-1]["paths"] == [str(tmp_path / "o.0006.exr")]
        assert [p["done"] for p in seen] == sorted(p["done"] for p in seen)

    def test_paths_with_spaces_and_other_scripts(self, client: Client, tmp_path: Path) -> None:
        folder = tmp_path / "Änderung 東京 – 'x'"
        plate = write_plate(folder, [1])
        client.call("render", key(plate, folder / "fertig ü.####.exr"))
        assert (folder / "fertig ü.0001.exr").exists()

    def test_a_frame_that_fails_is_named(self, client: Client, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 6))
        (tmp_path / "plate.0003.exr").write_bytes(b"torn")
        with pytest.raises(WorkerError, match=r"frame 3: .*plate\.0003\.exr") as failed:
            client.call("render", key(plate, tmp_path / "o.####.exr"))
        assert failed.value.code == rpc.CODES[FrameError]
        assert list(failed.value.data["failed"]) == ["3"]
        assert failed.value.data["not_tried"] > 0
        request = client.send("render", key(plate, tmp_path / "o.####.exr", on_error="skip"))
        polled(client, lambda: request.is_over)
        assert (request.state, list(request.failed_frames)) == ("failed", [3])
        assert len(list(tmp_path.glob("o.*.exr"))) == 4

    def test_an_error_that_nobody_foresaw_is_a_sentence(self, odd_client: Client, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 4))
        with pytest.raises(WorkerError) as failed:
            odd_client.call("render", odd("failing", plate, tmp_path / "o.####.exr", at=2))
        assert str(failed.value) == "frame 2: failing: frame 2: ValueError: no such luck"
        assert "Traceback" not in str(failed.value)

    def test_what_libraries_print_does_not_touch_the_messages(self, odd_client: Client, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 4))
        done = odd_client.call("render", odd("noisy", plate, tmp_path / "o.####.exr"))
        assert done["rendered"] == 3
        assert not [line for line in odd_client.log if line["message"] == "forged"]
        for printed in ("from print", "from a child process", "0 b''"):
            assert printed in odd_client.last_words

    def test_more_than_a_pipe_holds_waits_for_the_next_poll_and_is_read(
        self, odd_client: Client, tmp_path: Path
    ) -> None:
        plate = write_plate(tmp_path, [1])
        odd_client.call("render", odd("noisy", plate, tmp_path / "n.####.exr"))
        request = odd_client.send("render", odd("talkative", plate, tmp_path / "o.####.exr"))
        time.sleep(0.5)
        assert odd_client.wait(request, 60)["rendered"] == 1
        assert "line 3999" in odd_client.last_words

    def test_one_that_has_filled_its_pipes_ends_with_its_host(self, misbehaving: Path, tmp_path: Path) -> None:
        client = Client(str(misbehaving))
        client.call("describe")
        client.send("render", odd("talkative", write_plate(tmp_path, [1]), tmp_path / "o.####.exr"))
        time.sleep(0.5)
        pid = client.about["pid"]
        client.close()
        assert is_gone(pid)

    def test_no_other_thread_runs_in_the_host(self, odd_client: Client, tmp_path: Path) -> None:
        before = set(threading.enumerate())
        request = odd_client.send("render", odd("noisy", write_plate(tmp_path, [1]), tmp_path / "o.####.exr"))
        while not request.is_over:
            assert set(threading.enumerate()) <= before, "Blender crashes where Python runs beside a render"
            odd_client.poll(0.05)
        assert request.state == "done"


class TestCheck:
    def test_current_stale_missing_and_unknown(self, client: Client, tmp_path: Path) -> None:
        plate, out = write_plate(tmp_path, range(1, 7)), tmp_path / "o.####.exr"
        client.call("render", key(plate, out, frames="1-4"))
        states = client.call("check", key(plate, out))["outputs"]["grade"]
        assert (states["current"], states["stale"], states["missing"]) == ("1-4", "", "5-6")
        changed = client.call("check", key(plate, out, parameters={"slope": 2}))["outputs"]["grade"]
        assert (changed["current"], changed["stale"]) == ("", "1-4")
        shutil.copy(tmp_path / "plate.0005.exr", tmp_path / "plate.0002.exr")
        (tmp_path / "o.0003.exr").write_bytes(b"torn")
        (tmp_path / "plate.0004.exr").unlink()
        states = client.call("check", key(plate, out, frames="1-5"))["outputs"]["grade"]
        assert [states[s] for s in ("current", "stale", "missing", "unknown")] == ["1", "2-3", "5", "4"]
        (words,) = states["errors"]
        assert "plate.0004.exr: frame 4 does not exist" in words

    def test_it_does_not_wait_for_a_render(self, odd_client: Client, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1])
        slow = odd_client.send("render", odd("slow", plate, tmp_path / "s.####.exr", seconds=100.0))
        assert odd_client.call("check", key(plate, tmp_path / "o.####.exr"))["outputs"]["grade"]["missing"] == "1"
        assert not slow.is_over
        odd_client.cancel(slow)
        polled(odd_client, lambda: slow.is_over)


class TestCancel:
    def test_the_frame_at_work_is_dropped_and_nothing_is_left_behind(self, odd_client: Client, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 9))
        slow = odd_client.send("render", odd("slow", plate, tmp_path / "o" / "s.####.exr", seconds=0.3))
        polled(odd_client, lambda: slow.progress.get("done", 0) >= 2)
        odd_client.cancel(slow)
        polled(odd_client, lambda: slow.is_over)
        assert slow.state == "cancelled" and slow.error is not None
        assert "of 8 frames are there, start it again to go on" in str(slow.error)
        frames = sorted((tmp_path / "o").iterdir())
        assert 2 <= len(frames) < 8 and leftovers(tmp_path) == []
        assert all(bits(frame) for frame in frames)

    def test_two_renders_wait_for_one_another(self, odd_client: Client, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1])
        first, second, third = (
            odd_client.send("render", odd("slow", plate, tmp_path / f"{n}.####.exr", seconds=0.5)) for n in "abc"
        )
        polled(odd_client, lambda: first.state == "running")
        assert (second.state, third.state) == ("waiting", "waiting")
        odd_client.cancel(second)
        polled(odd_client, lambda: third.is_over)
        assert [r.state for r in (first, second, third)] == ["done", "cancelled", "done"]
        assert not (tmp_path / "b.0001.exr").exists()

    def test_of_what_is_over_changes_nothing(self, client: Client) -> None:
        request = client.send("describe")
        polled(client, lambda: request.is_over)
        client.cancel(request)
        assert client.call("cancel", {"id": request.id}) == {"cancelled": False}
        assert request.state == "done"


class TestTheWorkersLife:
    def test_one_that_was_killed_is_told_and_started_again(self, odd_client: Client, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 4))
        slow = odd_client.send("render", odd("slow", plate, tmp_path / "s.####.exr", seconds=100.0))
        polled(odd_client, lambda: slow.state == "running")
        pid = odd_client.about["pid"]
        os.kill(pid, signal.SIGKILL)
        polled(odd_client, lambda: slow.is_over)
        assert slow.error is not None and slow.error.code == WORKER_ENDED
        assert "was killed (SIGKILL)" in str(slow.error)
        assert not odd_client.is_running
        assert is_gone(pid)
        assert odd_client.call("render", odd("slow", plate, tmp_path / "s.####.exr", seconds=0.0))["rendered"] == 3
        assert odd_client.about["pid"] != pid

    def test_one_that_hears_nothing_is_killed(self, misbehaving: Path, tmp_path: Path) -> None:
        client = Client(str(misbehaving))
        deaf = client.send("render", odd("deaf", write_plate(tmp_path, [1]), tmp_path / "d.####.exr"))
        polled(client, lambda: deaf.state == "running")
        with pytest.raises(WorkerTimeout, match=r"did not answer 'render' in 0\.1 seconds"):
            client.wait(deaf, 0.1)
        pid = client.about["pid"]
        client.kill()
        assert is_gone(pid) and deaf.state == "failed"
        assert "was killed" in str(deaf.error)

    def test_it_ends_when_it_has_been_idle_and_comes_back(self, misbehaving: Path, tmp_path: Path) -> None:
        client = Client(str(misbehaving), idle=0.2)
        plate = write_plate(tmp_path, [1])
        client.call("render", odd("slow", plate, tmp_path / "s.####.exr", seconds=0.8))
        pid = client.about["pid"]
        polled(client, lambda: not client.is_running)
        assert is_gone(pid), "a zombie"
        request = client.send("describe")
        client.wait(request, 60)
        assert client.about["pid"] != pid
        client.close()
        assert not client.is_running

    def test_a_request_that_an_ending_worker_did_not_read_goes_to_the_next(self, tmp_path: Path) -> None:
        client = Client(ends_at_first(tmp_path))
        assert client.call("describe")["vfxgen"]
        client.close()

    def test_a_cancellation_that_an_ending_worker_did_not_read_is_not_lost(self, tmp_path: Path) -> None:
        client = Client(ends_at_first(tmp_path))
        plate, made = write_plate(tmp_path, [1]), tmp_path / "made.####.exr"
        request = client.send("render", key(plate, made))
        client.cancel(request)
        polled(client, lambda: request.is_over)
        assert request.state == "cancelled" and not list(tmp_path.glob("made.*"))
        client.close()

    def test_it_ends_with_its_host_in_the_middle_of_a_render(self, misbehaving: Path, tmp_path: Path) -> None:
        request = odd("slow", write_plate(tmp_path, [1]), tmp_path / "s.####.exr", seconds=100.0)
        host = (
            "import sys, os\nfrom vfxgen.hosts.client import Client\n"
            f"client = Client(sys.argv[1])\nslow = client.send('render', {request!r})\n"
            "while slow.state != 'running': client.poll(0.1)\n"
            "print(client.about['pid'], flush=True)\nos.kill(os.getpid(), 9)"
        )
        said = subprocess.run([sys.executable, "-c", host, misbehaving], capture_output=True, text=True, check=False)
        assert said.returncode == -signal.SIGKILL
        end = time.monotonic() + 20
        while not is_gone(int(said.stdout)):
            assert time.monotonic() < end, "the worker outlived its host"
            time.sleep(0.05)

    def test_a_host_that_forgets_to_close_leaves_nothing(self) -> None:
        host = (
            "import sys; from vfxgen.hosts.client import Client; c = Client(sys.argv[1]); c.call('describe');"
            "print(c.about['pid'])"
        )
        said = subprocess.run([sys.executable, "-c", host, sys.executable], capture_output=True, text=True, check=True)
        assert is_gone(int(said.stdout)) and said.stderr == ""


class TestWrongPaths:
    @pytest.mark.parametrize(
        ("path", "said"),
        [
            ("", "where vfxgen is has not been set"),
            ("/no/such/python", "/no/such/python: No such file"),
            ("/bin/echo", "/bin/echo did not start a vfxgen worker: it ended with exit code 0: worker --idle 600"),
            ("/bin/false", "/bin/false did not start a vfxgen worker: it ended with exit code 1"),
        ],
    )
    def test_each_is_a_sentence(self, path: str, said: str) -> None:
        client = Client(path)
        request = client.send("describe")
        polled(client, lambda: request.is_over)
        assert said in str(request.error)
        assert not client.is_running

    def test_a_folder_without_python(self, tmp_path: Path) -> None:
        with pytest.raises(WorkerError, match="is no virtual environment"):
            Client(str(tmp_path)).call("describe")

    def test_a_virtual_environment_is_enough(self) -> None:
        folder = Path(sys.prefix)
        assert worker_process.worker_command(str(folder), 5)[0] == str(folder / "bin" / "python")

    def test_another_protocol(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client_module, "PROTOCOL", 2)
        client = Client(sys.executable, host="Blender 9")
        with pytest.raises(
            WorkerError, match=r"speaks protocol 1, Blender 9 speaks 2: install the plug-in and vfxgen"
        ) as refused:
            client.call("describe")
        assert refused.value.code == rpc.PROTOCOL_DIFFERS
        assert not client.is_running

    def test_a_request_that_is_no_json_fails_alone(self, client: Client) -> None:
        good = client.send("describe")
        bad = client.send("render", {"frames": {1, 2}})
        assert bad.state == "failed" and "no JSON" in str(bad.error)
        assert client.wait(good, 60)["operators"]


class TestTheHostsEnvironment:
    def test_nothing_of_it_reaches_the_worker(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "json.py").write_text("raise SystemExit('the host wins')")
        for name, value in {
            "PYTHONHOME": "/nowhere", "PYTHONPATH": str(tmp_path), "LD_LIBRARY_PATH": str(tmp_path),
            "LD_PRELOAD": "", "QT_PLUGIN_PATH": "/host", "LC_ALL": "C",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        script = tmp_path / "vfxgen"
        script.write_text(f'#!/bin/sh\nenv > "{tmp_path}/env"\nexec {sys.executable} -m vfxgen "$@"\n')
        script.chmod(0o755)
        client = Client(str(script), environment={"VFXGEN_NETS": str(tmp_path)})
        plate = write_plate(tmp_path / "Ä", [1])
        client.call("render", key(plate, tmp_path / "ö.####.exr"))
        client.close()
        assert (tmp_path / "ö.0001.exr").exists()
        given = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
        hostile = {"PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "QT_PLUGIN_PATH"}
        assert not hostile & given.keys()
        assert given["VFXGEN_NETS"] == str(tmp_path) and given["HOME"] == os.environ["HOME"]


class TestTheFilesAHostCarries:
    @pytest.mark.parametrize("path", HOST_SIDE, ids=lambda path: path.name)
    def test_they_are_python_3_7_and_standard_library(self, path: Path) -> None:
        tree = ast.parse(path.read_text(), feature_version=(3, 7))
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0 or node.module == "worker_process"
                names = [str(node.module)] if node.level == 0 else []
            assert all(name.split(".")[0] in sys.stdlib_module_names for name in names)

    @pytest.mark.skipif(not shutil.which("python3.7"), reason="there is no Python 3.7 here")
    def test_they_run_under_python_3_7(self, tmp_path: Path) -> None:
        package = tmp_path / "plugin"
        package.mkdir()
        (package / "__init__.py").touch()
        for path in HOST_SIDE:
            shutil.copy(path, package)
        host = (
            "import sys; from plugin.client import Client;print(len(Client(sys.argv[1]).call('describe')['operators']))"
        )
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "PYENV_VERSION": "3.7.16"}
        said = subprocess.run(
            ["python3.7", "-c", host, sys.executable],
            capture_output=True, text=True, check=False, cwd=tmp_path, env=environment,
        )  # fmt: skip
        assert (said.stdout.strip(), said.stderr) == (str(len(operators())), "")


def test_wait_gives_what_was_asked_for_and_the_rest_stays_to_be_polled(client: Client) -> None:
    client.poll()
    first, second = client.send("describe"), client.send("describe")
    client.wait(second, 60)
    changed: list[Request] = client.poll()
    assert changed == [first] and first.state == "done"
