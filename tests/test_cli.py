"""The command line, as a compositor or a farm calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from footage import bits, plate_frame, write_mask, write_plate

import vfxgen
from vfxgen import graph
from vfxgen.media.image import read_image, write_image
from vfxgen.operators import operators


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vfxgen", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


class TestVerbs:
    def test_every_operator_with_an_input_has_a_verb_with_all_its_parameters(self) -> None:
        said = run("--help").stdout
        for name, operator in operators().items():
            if not operator.declared_inputs:
                continue
            assert f"  {name} " in said
            help = run(name, "--help").stdout
            for field in [*operator.declared_inputs, *operator.declared_parameters]:
                assert f"--{field.replace('_', '-')} " in help

    def test_a_frame_is_what_python_gives(self, tmp_path: Path) -> None:
        plate, mask = write_plate(tmp_path, range(1, 4)), write_mask(tmp_path)
        done = run(
            "grade", "--plate", plate, "--mask", mask, "--out", tmp_path / "cli.####.exr", "--slope", "1.5,1,0.5"
        )
        assert done.returncode == 0, done.stderr
        assert "3 rendered" in done.stderr
        graded = vfxgen.Grade(vfxgen.read(plate), vfxgen.read(mask), slope=(1.5, 1, 0.5))
        vfxgen.write(graded, tmp_path / "py.####.exr")
        for number in (1, 2, 3):
            assert bits(tmp_path / f"cli.{number:04d}.exr") == bits(tmp_path / f"py.{number:04d}.exr")

    def test_neutral_parameters_give_identical_pixels(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1])
        assert run("grade", "--plate", plate, "--out", tmp_path / "n.####.exr").returncode == 0
        assert bits(tmp_path / "n.0001.exr") == bits(tmp_path / "plate.0001.exr")

    def test_json_is_one_object_a_line(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 4))
        done = run("grade", "--plate", plate, "--out", tmp_path / "j.####.exr", "--frames", "1-3x2", "--json")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert [event["event"] for event in events] == ["frame", "frame", "end"]
        assert [event.get("frame") for event in events[:2]] == [1, 3]
        assert events[-1]["rendered"] == 2

    def test_set_reaches_every_node(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1, 3])
        done = run(
            "grade", "--plate", plate, "--out", tmp_path / "s.####.exr", "--frames", "1-3",
            "--set", "plate.missing=hold", "--set", "grade.slope=2",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert bits(tmp_path / "s.0002.exr") == bits(tmp_path / "s.0001.exr")

    def test_every_input_has_a_colour_space_of_its_own(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1])
        for name, space in (("same", "Linear Rec.709 (sRGB)"), ("own", "Linear Rec.2020")):
            out = ("--out", tmp_path / f"{name}.####.exr", "--set", f"foreground.colorspace={space}")
            done = run("merge", "--plate", plate, "--foreground", plate, "--operation", "plus", *out)
            assert done.returncode == 0, done.stderr
        assert bits(tmp_path / "same.0001.exr") != bits(tmp_path / "own.0001.exr")

    def test_type_and_channels(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1])
        out = tmp_path / "t.####.exr"
        assert run("grade", "--plate", plate, "--out", out, "--type", "float", "--channels", "RGB").returncode == 0
        assert read_image(str(tmp_path / "t.0001.exr"), 1).types == dict.fromkeys("RGB", "float")

    def test_a_layer_of_the_plate(self, tmp_path: Path) -> None:
        frame = plate_frame(1)
        names = ("beauty.R", "beauty.G", "beauty.B")
        write_image(frame.with_pixels(names, frame.rgb).only(*names), str(tmp_path / "p.exr"), format="exr")
        out = tmp_path / "o.exr"
        done = run("grade", "--plate", tmp_path / "p.exr", "--layer", "beauty", "--slope", "2", "--out", out)
        assert done.returncode == 0, done.stderr
        after = read_image(str(out), 1)
        assert set(after.channels) == set(names) and np.allclose(
            after.pixels(*names), frame.rgb * 2, rtol=2e-3, atol=1e-3
        )


class TestWords:
    def test_a_line_is_whole_however_long_it_is_for_a_farm_searches_its_log_by_line(self, tmp_path: Path) -> None:
        plate = tmp_path / ("a_show_with_a_long_name_" * 6 + ".exr")
        write_image(replace(plate_frame(1), attributes={}), str(plate), format="exr")
        done = run("grade", "--plate", plate, "--out", tmp_path / "o.exr")
        said = (
            f"WARNING  {plate}: the files do not say their colour space; 'ACES2065-1' by the configuration's file rules"
        )
        assert said in done.stderr.splitlines()

    def test_what_is_as_it_should_be_is_no_warning(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1])
        done = run("upscale", "--plate", plate, "--device", "cpu", "--out", tmp_path / "o.####.exr")
        assert "INFO     net 'upscale-x2' runs on cpu" in done.stderr and "WARNING" not in done.stderr


class TestExitCodes:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--slope", "-1"], "vfxgen: grade.slope = '-1': must be red,green,blue, 0 or more"),
            (["--saturation", "much"], "grade.saturation = 'much': must be a number, 0 .. 16"),
            (["--frames", "a-b"], "'a-b' is no frame range"),
            (["--colorspace", "nope"], "vfxgen: plate: colour space 'nope'"),
            (["--type", "int"], "o.####.exr: type = 'int': must be half | float | uint8 | uint10 | uint12 | uint16"),
            (["--set", "grad.slope=1"], "there is no node 'grad'"),
            (["--fps", "1000000000000"], "fps = '1000000000000': must be frames a second, above 0"),
            (["--memory", "inf"], "should be less than or equal to 1000000"),
            (["--memory", "nan"], "should be less than or equal to 1000000"),
            (["--memory", "-1"], "should be greater than or equal to 0.1"),
            (["--missing", "guess"], "read.missing = 'guess': must be error | hold | nearest | black"),
        ],
    )
    def test_2_for_a_wrong_request(self, tmp_path: Path, arguments: list[str], said: str) -> None:
        plate = write_plate(tmp_path, [1])
        done = run("grade", "--plate", plate, "--out", tmp_path / "o.####.exr", *arguments)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr
        assert not list(tmp_path.glob("o.*"))

    @pytest.mark.parametrize("idle", ["inf", "nan", "-1"])
    def test_2_for_a_worker_that_would_wait_no_time_there_is(self, idle: str) -> None:
        done = run("worker", "--idle", idle)
        assert (done.returncode, "Invalid value for '--idle'" in done.stderr) == (2, True)

    def test_1_when_a_frame_failed_and_it_is_listed(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 4))
        (tmp_path / "plate.0002.exr").write_bytes(b"torn")
        done = run("grade", "--plate", plate, "--out", tmp_path / "o.####.exr", "--on-error", "skip")
        assert done.returncode == 1
        assert "plate.0002.exr" in done.stderr
        assert "1 failed: 2" in done.stderr

    def test_2_for_an_unknown_option_and_a_missing_input(self) -> None:
        assert run("grade", "--plat", "x").returncode == 2
        assert run("grade", "--out", "x.exr").returncode == 2
        assert run("keyy").returncode == 2


class TestRenderVerb:
    @pytest.fixture
    def shot(self, tmp_path: Path) -> Path:
        write_plate(tmp_path, range(1, 4))
        document = {
            "schema": 1,
            "name": "sh010",
            "frames": "1-3",
            "fps": "24",
            "plates": {"plate": {"path": "plate.####.exr"}},
            "nodes": {"grade": {"operator": "grade", "plate": "plate", "slope": [1.5, 1.0, 1.0]}},
            "outputs": {
                "graded": {"node": "grade", "path": "out/g.####.exr"},
                "half": {"node": "grade", "path": "out/h.####.exr", "type": "half", "channels": ["R", "G", "B"]},
            },
        }
        (tmp_path / "shot.toml").write_text(graph.dumps(document, "toml"))
        return tmp_path / "shot.toml"

    def test_all_outputs(self, shot: Path) -> None:
        done = run("render", shot, cwd=shot.parent.parent)
        assert done.returncode == 0, done.stderr
        assert len(list((shot.parent / "out").glob("*.exr"))) == 6
        assert "3 already current" in run("render", shot).stderr

    def test_one_output_some_frames_another_value(self, shot: Path) -> None:
        done = run("render", shot, "--output", "half", "--frames", "2", "--set", "grade.slope=3")
        assert done.returncode == 0, done.stderr
        assert [path.name for path in (shot.parent / "out").iterdir()] == ["h.0002.exr"]

    def test_an_output_that_is_not_there(self, shot: Path) -> None:
        done = run("render", shot, "--output", "comp")
        assert done.returncode == 2
        assert "there are graded, half" in done.stderr


class TestOtherVerbs:
    def test_info_of_a_sequence_with_a_gap(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1, 2, 5])
        said = json.loads(run("info", plate, "--json").stdout)[0]
        assert (said["frames"], said["missing"], said["count"]) == ("1-2,5", "3-4", 3)
        part = said["parts"][0]
        assert part["data_window"] == "48x36+5-2"
        assert part["channels"]["id"] == "uint32"
        assert part["timecode"] == "01:02:03:04"
        assert (part["colorspace"], part["colorspace_from"]) == ("Linear Rec.709 (sRGB)", "file")
        assert "48x36+5-2" in run("info", plate).stdout

    def test_info_of_good_files_and_bad_ones(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1])
        (tmp_path / "text.exr").write_text("no picture")
        asked = (str(tmp_path / "text.exr"), plate, str(tmp_path / "none.exr"), plate)
        done = run("info", *asked)
        assert done.returncode == 1 and done.stdout.count("48x36+5-2") == 2
        first, second = done.stderr.splitlines()
        assert "text.exr: no image that can be read" in first and "none.exr: cannot be read" in second
        assert [said["path"] for said in json.loads(run("info", "--json", *asked).stdout)] == [plate, plate]

    def test_info_of_nothing(self, tmp_path: Path) -> None:
        done = run("info", tmp_path / "none.####.exr")
        assert done.returncode == 1
        assert "no file matches" in done.stderr

    def test_operators_as_json_and_pages(self, tmp_path: Path) -> None:
        said = json.loads(run("operators", "--json").stdout)
        assert {entry["name"] for entry in said["operators"]} == set(operators())
        assert run("operators", "--pages", tmp_path / "pages").returncode == 0
        assert "| `slope` |" in (tmp_path / "pages" / "grade.md").read_text()
        assert "grade " in run("operators").stdout

    def test_doctor_says_what_works(self) -> None:
        said = json.loads(run("doctor", "--json").stdout)
        assert said["packages"]["torch"]
        assert said["color"]["working_space"] == "ACEScg"
        assert run("doctor").returncode == 0

    def test_version(self) -> None:
        assert run("--version").stdout.strip() == f"vfxgen {vfxgen.__version__}"


class TestExportVerb:
    def test_a_shipped_net_leaves_as_onnx(self, tmp_path: Path) -> None:
        pytest.importorskip("onnxruntime")
        done = run("export", "upscale-x2", "--out", tmp_path / "x2.onnx")
        assert done.returncode == 0, done.stderr
        assert "difference from torch" in done.stdout
        assert (tmp_path / "x2.onnx").stat().st_size > 100_000

    def test_wrong_requests(self, tmp_path: Path) -> None:
        done = run("export", "upscale-x9", "--out", tmp_path / "x.onnx")
        assert done.returncode == 2 and "upscale-x" in done.stderr
        assert run("export", "upscale-x2", "--out", tmp_path / "x.onnx", "--static", "9").returncode == 2
