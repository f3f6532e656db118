"""The promises of the design, as properties of rendered files."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from footage import HEADER, bits, leftovers, plate_frame, write_mask, write_plate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import vfxgen
from vfxgen import errors, graph
from vfxgen.frame import Frame
from vfxgen.media.image import read_image, write_image
from vfxgen.output import Output
from vfxgen.render import Job, render

LIGHT = st.one_of(
    st.floats(-0.125, 65504, width=32), st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 1e30, -1e-30])
)


def key_over(plate: str, background: str) -> vfxgen.Sequence:
    plates = vfxgen.read(plate)
    keyed = vfxgen.Grade(vfxgen.Key(plates, screen="green"), slope=(1.1, 0.9, 1.0))
    comp: vfxgen.Sequence = vfxgen.Merge(vfxgen.read(background), keyed)
    return comp


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Twenty-four plates and a background."""
    folder = tmp_path_factory.mktemp("shot")
    return write_plate(folder, range(1001, 1025)), write_plate(folder, [1], name="back").replace("####", "0001")


@pytest.fixture(scope="module")
def reference(shot: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, bytes]]:
    """The comp of `shot`, rendered in one go."""
    folder = tmp_path_factory.mktemp("reference")
    vfxgen.write(key_over(*shot), folder / "c.####.exr", frames="1001-1024")
    return {number: bits(folder / f"c.{number}.exr") for number in range(1001, 1025)}


class TestNothingClips:
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(arrays.arrays(np.float32, (5, 7, 3), elements=LIGHT))
    def test_neutral_operators_give_back_every_value_bit_for_bit(self, tmp_path: Path, pixels: np.ndarray) -> None:
        frame = Frame.from_pixels(pixels, "RGB", colorspace="", type="float", attributes=HEADER)
        write_image(frame, str(tmp_path / "in.exr"), format="exr")
        plate = vfxgen.read(tmp_path / "in.exr")
        graded = vfxgen.Grade(vfxgen.Denoise(plate, amount=0), saturation=1.0)
        vfxgen.write(graded, tmp_path / "out.exr", frames="1", force=True)
        assert bits(tmp_path / "out.exr") == bits(tmp_path / "in.exr")

    def test_a_nan_poisons_no_other_pixel(self, tmp_path: Path) -> None:
        clean, dirty = plate_frame(1), plate_frame(1)
        dirty.planes["R"][10, 10] = np.nan
        dirty.planes["B"][20, 30] = np.inf
        results = {}
        for name, frame in (("clean", clean), ("dirty", dirty)):
            write_image(frame, str(tmp_path / f"{name}.exr"), format="exr")
            graded = vfxgen.Grade(vfxgen.read(tmp_path / f"{name}.exr"), slope=2.0, saturation=0.5)
            vfxgen.write(graded, tmp_path / f"{name}_out.exr", frames="1")
            results[name] = read_image(str(tmp_path / f"{name}_out.exr"), 1).pixels("R", "G", "B")
        same = (results["clean"] == results["dirty"]).all(axis=-1)
        assert sorted(map(tuple, np.argwhere(~same).tolist())) == [(10, 10), (20, 30)]
        assert not np.isfinite(results["dirty"][10, 10]).all()
        assert not np.isfinite(results["dirty"][20, 30]).all()

    def test_a_sun_of_20000_is_still_20000(self, tmp_path: Path) -> None:
        pixels = np.full((4, 4, 3), 20000.0, np.float32)
        write_image(Frame.from_pixels(pixels, "RGB", colorspace="", type="half"), str(tmp_path / "s.exr"), format="exr")
        vfxgen.write(vfxgen.Grade(vfxgen.read(tmp_path / "s.exr"), slope=1.5), tmp_path / "o.exr", frames="1")
        assert read_image(str(tmp_path / "o.exr"), 1).pixels("R", "G", "B").mean() == pytest.approx(30000, rel=1e-3)


class TestUntouchedIsIdentical:
    @pytest.fixture
    def graded(self, tmp_path: Path) -> tuple[Frame, Frame, np.ndarray]:
        plate = write_plate(tmp_path, [7])
        mask = write_mask(tmp_path)
        graded = vfxgen.Grade(vfxgen.read(plate), vfxgen.read(mask), slope=1.7, saturation=0.3)
        vfxgen.write(graded, tmp_path / "out.####.exr", frames="7")
        before, after = (read_image(str(tmp_path / f"{name}.0007.exr"), 7) for name in ("plate", "out"))
        return before, after, read_image(mask, 7).matte[..., 0]

    def test_pixels_outside_the_mask(self, graded: tuple[Frame, Frame, np.ndarray]) -> None:
        before, after, mask = graded
        for name in "RGB":
            outside = mask == 0
            assert before.planes[name][outside].tobytes() == after.planes[name][outside].tobytes()
            assert (before.planes[name] != after.planes[name])[mask > 0.5].any()

    def test_channels_that_are_not_written(self, graded: tuple[Frame, Frame, np.ndarray]) -> None:
        before, after, _ = graded
        assert before.channels == after.channels
        assert before.types == after.types
        for name in ("depth.Z", "id"):
            assert before.planes[name].tobytes() == after.planes[name].tobytes()

    def test_header_time_code_and_windows(self, graded: tuple[Frame, Frame, np.ndarray]) -> None:
        before, after, _ = graded
        assert (before.data_window, before.display_window) == (after.data_window, after.display_window)
        for name in HEADER:
            assert repr(after.attributes[name]) == repr(before.attributes[name])

    @pytest.mark.parametrize("space", ["ACEScg", "lin_rec709_scene", "ARRI LogC4", "srgb_rec709_scene"])
    def test_whatever_colour_space_the_file_is_in(self, tmp_path: Path, space: str) -> None:
        plate = write_plate(tmp_path, [7])
        graded = vfxgen.Grade(vfxgen.read(plate, colorspace=space), vfxgen.read(write_mask(tmp_path)), slope=3.0)
        vfxgen.write(graded, tmp_path / "out.exr", frames="7", colorspace=space)
        before, after = bits(tmp_path / "plate.0007.exr"), read_image(str(tmp_path / "out.exr"), 7)
        height, width = after.size
        then = np.frombuffer(before["G"], after.planes["G"].dtype).reshape(height, width)
        assert np.array_equal(then[:, :20], after.planes["G"][:, :20])
        assert not np.array_equal(then[:, 30:], after.planes["G"][:, 30:])

    def test_in_a_plate_of_lossy_compression(self, tmp_path: Path) -> None:
        write_image(plate_frame(7), str(tmp_path / "plate.exr"), format="exr", compression="dwaa:45")
        graded = vfxgen.Grade(vfxgen.read(tmp_path / "plate.exr"), vfxgen.read(write_mask(tmp_path)), slope=3.0)
        vfxgen.write(graded, tmp_path / "out.exr", frames="7")
        before, after = (read_image(str(tmp_path / name), 7) for name in ("plate.exr", "out.exr"))
        for name in "RGB":
            assert np.array_equal(before.planes[name][:, :20], after.planes[name][:, :20])
        assert np.array_equal(before.planes["depth.Z"], after.planes["depth.Z"])

    @pytest.mark.parametrize("space", ["ACEScg", "lin_rec709_scene"])
    def test_beside_the_layer_that_is_worked_on(self, tmp_path: Path, space: str) -> None:
        light = np.random.default_rng(1).random((36, 48, 4), np.float32)
        plate = plate_frame(7).with_pixels(("beauty.R", "beauty.G", "beauty.B", "beauty.Z"), light)
        write_image(plate, str(tmp_path / "plate.exr"), format="exr")
        beauty = vfxgen.read(tmp_path / "plate.exr", layer="beauty", colorspace=space)
        graded = vfxgen.Grade(beauty, vfxgen.read(write_mask(tmp_path)), slope=3.0)
        vfxgen.write(graded, tmp_path / "out.exr", frames="7")
        before, after = (read_image(str(tmp_path / name), 7) for name in ("plate.exr", "out.exr"))
        assert before.channels == after.channels and before.types == after.types
        for name in before.channels:
            changed = before.planes[name] != after.planes[name]
            assert not changed[:, :20].any()
            assert changed[:, 30:].any() == (name in ("beauty.R", "beauty.G", "beauty.B"))

    @pytest.mark.parametrize("type", ["uint8", "uint16"])
    def test_a_png_with_straight_alpha_comes_back_bit_for_bit(self, tmp_path: Path, type: str) -> None:
        values = np.random.default_rng(3).random((9, 11, 4)).astype(np.float32)
        values[2:4, :, 3] = 0
        frame = Frame.from_pixels(values, "RGBA", colorspace="", type=type)
        write_image(frame, str(tmp_path / "in.png"), format="png")
        vfxgen.write(vfxgen.Grade(vfxgen.read(tmp_path / "in.png")), tmp_path / "out.png", frames="1")
        assert bits(tmp_path / "out.png") == bits(tmp_path / "in.png")


class TestAFrameDoesNotKnowHowTheJobWasCut:
    @pytest.mark.parametrize("cut", ["one by one", "backwards", "shuffled", "chunks of seven"])
    def test_same_bits(
        self, shot: tuple[str, str], reference: dict[int, dict[str, bytes]], tmp_path: Path, cut: str
    ) -> None:
        numbers = list(range(1001, 1025))
        chunks = {
            "one by one": [[n] for n in numbers],
            "backwards": [numbers[::-1]],
            "shuffled": [random.Random(5).sample(numbers, len(numbers))],
            "chunks of seven": [numbers[i : i + 7] for i in range(0, 24, 7)],
        }[cut]
        for chunk in chunks:
            vfxgen.write(key_over(*shot), tmp_path / "c.####.exr", frames=chunk)
        assert {n: bits(tmp_path / f"c.{n}.exr") for n in numbers} == reference

    def test_resumed_after_frames_were_lost(
        self, shot: tuple[str, str], reference: dict[int, dict[str, bytes]], tmp_path: Path
    ) -> None:
        job = Job(key_over(*shot), Output(path=str(tmp_path / "c.####.exr")))
        numbers = list(range(1001, 1025))
        assert all(event.status == "rendered" for event in render([job], numbers))
        for lost in (1003, 1017):
            (tmp_path / f"c.{lost}.exr").unlink()
        (tmp_path / "c.1009.exr").write_bytes((tmp_path / "c.1009.exr").read_bytes()[:900])
        (tmp_path / "c.1020.exr").write_bytes(b"")
        again = {event.frame: event.status for event in render([job], numbers)}
        assert [n for n, status in again.items() if status == "rendered"] == [1003, 1009, 1017, 1020]
        assert {n: bits(tmp_path / f"c.{n}.exr") for n in numbers} == reference


class TestAFrameExistsWholeOrNotAtAll:
    def test_thirty_kills_at_random_moments(
        self, shot: tuple[str, str], reference: dict[int, dict[str, bytes]], tmp_path: Path
    ) -> None:
        document = graph.document(key_over(*shot))
        comp = list(document["nodes"])[-1]
        shot_file = tmp_path / "shot.json"
        contents = {**document, "name": "kill", "frames": "1001-1024"}
        contents["outputs"] = {"comp": {"node": comp, "path": "out/c.####.exr"}}
        shot_file.write_text(json.dumps(contents))
        command = [sys.executable, "-m", "vfxgen", "render", str(shot_file), "--json"]
        moment = random.Random(11)
        for _ in range(30):
            process = subprocess.Popen([*command, "--force"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            assert process.stdout is not None
            process.stdout.readline()  # the first frame is there: now kill it somewhere among the others
            time.sleep(moment.uniform(0, 0.25))
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            for path in (tmp_path / "out").glob("c.*.exr"):
                assert bits(path) == reference[int(path.name.split(".")[1])]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stderr
        assert {n: bits(tmp_path / "out" / f"c.{n}.exr") for n in reference} == reference
        assert leftovers(tmp_path) == []

    def test_sigterm_leaves_no_temporary_file_and_exits_130(self, shot: tuple[str, str], tmp_path: Path) -> None:
        out = str(tmp_path / "t.####.exr")
        command = [sys.executable, "-m", "vfxgen", "key", "--plate", shot[0], "--out", out, "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130, said.decode()
        assert leftovers(tmp_path) == []
        for path in tmp_path.glob("t.*.exr"):
            bits(path)


class TestNoSurpriseFromOutside:
    def test_a_render_opens_no_socket_and_starts_no_program(self, shot: tuple[str, str], tmp_path: Path) -> None:
        script = (
            "import sys\n"
            "refused = {'socket.connect', 'socket.bind', 'socket.getaddrinfo', 'socket.sendto', 'subprocess.Popen',\n"
            "           'os.system', 'os.exec', 'os.posix_spawn', 'pickle.find_class'}\n"
            "def refuse(event, args):\n"
            "    if event in refused:\n"
            "        raise SystemExit(f'{event} {args}')\n"
            "from vfxgen.cli import main\n"
            "import torch, vfxgen.image.keying\n"
            "sys.addaudithook(refuse)\n"
            "main()\n"
        )
        arguments = ["key", "--plate", shot[0], "--out", str(tmp_path / "k.####.exr"), "--frames", "1001-1002"]
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


class TestLoudNeverSilent:
    def test_a_missing_frame_is_named_with_the_remedy(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1, 2, 4])
        with pytest.raises(errors.VfxgenError, match=r"plate\.0003\.exr: frame 3 does not exist.*missing"):
            vfxgen.write(vfxgen.Grade(vfxgen.read(plate)), tmp_path / "o.####.exr", frames="1-4")
        assert sorted(path.name for path in tmp_path.glob("o.*")) == ["o.0001.exr", "o.0002.exr"]

    def test_values_half_float_cannot_hold_are_reported(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        pixels = np.full((4, 4, 3), 60000.0, np.float32)
        write_image(Frame.from_pixels(pixels, "RGB", colorspace="", type="half"), str(tmp_path / "s.exr"), format="exr")
        vfxgen.write(vfxgen.Grade(vfxgen.read(tmp_path / "s.exr"), slope=4), tmp_path / "o.exr", frames="1")
        assert "beyond half float" in caplog.text
        assert read_image(str(tmp_path / "o.exr"), 1).pixels("R").max() == 65504


class TestImportIsLight:
    @pytest.mark.parametrize("script", ["import vfxgen", "import vfxgen; vfxgen.Key", "import vfxgen.cli"])
    def test_torch_waits_until_a_filter_runs(self, script: str) -> None:
        check = f"import sys; {script}; print(*{{'torch', 'kornia', 'av', 'cv2'}} & set(sys.modules))"
        done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr

    def test_import_of_the_package_alone_brings_the_standard_library_only(self) -> None:
        check = "import sys; import vfxgen; print(*{'numpy', 'pydantic', 'OpenImageIO'} & set(sys.modules))"
        done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
