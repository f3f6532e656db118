"""The Blender extension, in real Blenders."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from blender_runs import REPOSITORY, Blender
from blender_shot import LINEAR, MADE, command_line, frames, same, write

from vfxgen.describe import schema
from vfxgen.operators import operators


def test_the_zip_holds_what_runs_in_blender_and_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        command = [sys.executable, "-m", "plugins.build_blender", str(tmp_path / name)]
        subprocess.run(command, cwd=REPOSITORY, check=True)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {"blender_manifest.toml", "__init__.py", "client.py", "worker_process.py", "schema.json"} <= set(
            archive.namelist()
        )
        sources = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".py")}
    assert not [name for name, source in sources.items() if "import vfxgen" in source or "from vfxgen" in source]


def test_blenders_own_tool_finds_nothing_wrong(blender: Blender) -> None:
    done = subprocess.run(
        [*blender.extension_tool, "validate", str(blender.zip)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_operator_is_a_node_that_a_file_keeps(blender: Blender, tmp_path: Path) -> None:
    facts = blender.facts("nodes", tmp_path)
    kinds = {"image": "RGBA", "matte": "VALUE"}
    declared = [schema(operator) for operator in operators().values() if operator.declared_inputs]
    assert list(facts["sockets"]) == [operator["name"] for operator in declared]
    for operator in declared:
        name, defaults = operator["name"], {each["name"]: each["default"] for each in operator["parameters"]}
        assert facts["sockets"][name] == [[source["label"], kinds[source["kind"]]] for source in operator["inputs"]]
        assert facts["defaults"][name] == {
            each: defaults[each] or type(it)() for each, it in facts["defaults"][name].items()
        }
    assert facts["set"]["Grade"]["slope"] == [0.3, 2.5, 0.7]
    assert facts["set"]["Key"]["screen_color"] == [0.1, 0.6, 0.2]
    assert facts["set"]["Key"]["clip_black"] == 0.49, "a value beyond its range is held to it"
    assert facts["opened"] == facts["set"]
    assert facts["identifiers"] == 30
    assert facts["copied"] == [0.35, 3.0, 0.35]
    assert facts["copied_identifiers"] == 3
    assert facts["unshared_stays"]
    assert not facts["off"]
    assert facts["on"] == facts["set"]["Grade"]


def test_a_key_is_what_the_command_line_gives_and_needs_no_extension_to_be_seen(blender: Blender, shot: Path) -> None:
    facts = blender.facts("render", shot)
    project = shot / "Projekt Ärger 夜"
    assert (facts["before"], facts["after"]) == ("not rendered", "up to date")
    assert facts["outputs"] == ["Image", "Alpha", "fg"]
    assert facts["image"].startswith("//vfxgen/shot v1/key_")
    assert facts["scenes"] == ["Shot"]
    assert facts["trees"] == [*(["Compositor"] if blender.version >= "5" else []), "vfxgen Grade", "vfxgen Key"]
    assert not facts["left"], "exports are removed"
    assert facts["decimal"] == 0.7
    command_line(
        "key", "--plate", shot / "plate" / "plate.####.exr", "--holdout", shot / "matte" / "matte.####.exr", *LINEAR,
        "--set", "holdout.colorspace=Raw", "--despill", "0.7", "--foreground", "true",
        "--out", shot / "cli" / "key.####.exr",
    )  # fmt: skip
    keyed = frames(shot / "cli")
    assert same(frames(next(project.glob("vfxgen/*/key_*"))), keyed)
    assert keyed[0].shape[2] == 7
    assert same(frames(shot / "shown"), keyed)
    assert same([alpha[..., :1] for alpha in frames(shot / "alpha")], [frame[..., 3:4] for frame in keyed])
    assert same(frames(shot / "source"), frames(shot / "plate"))
    assert same(frames(shot / "passed"), frames(shot / "source")), "a node without a result passes its input"
    assert same(frames(shot / "muted"), frames(shot / "source"))

    moved = shot / "elsewhere" / "moved"
    shutil.copytree(project, moved)
    shutil.rmtree(project)
    facts = blender.facts("bare", shot, moved / "shot v1.blend", without_extension=True)
    assert facts == {"knows": False, "frame": 8}
    assert same(frames(shot / "bare"), keyed)
    facts = blender.facts("again", shot, moved / "shot v1.blend")
    assert facts["status"] == "up to date"
    assert facts["values"]["despill"] == 0.7, "settings outlive a save without the extension"
    assert Path(facts["folder"]).is_relative_to(moved)


def test_the_status_says_what_is_not_up_to_date_and_why(blender: Blender, shot: Path) -> None:
    said = blender.facts("stale", shot)["said"]
    states = {step: words for step, words in said.items() if not words.startswith("Error")}
    assert states == {
        "unsaved status": "failed: save the .blend first: frames are kept in a folder beside it",
        "current frame": "frames 1,3-4 missing",
        "all": "rendered",
        "rendered": "up to date",
        "rendered before it": "up to date",
        "nothing to do": "True",
        "saturation": "settings changed",
        "saturation back": "up to date",
        "file gone": "frames 3 missing",
        "file again": "rendered",
        "file again status": "up to date",
        "other plate": "inputs changed (frames 2-3)",
        "other plate after it": "up to date",
        "other plate rendered": "rendered",
        "other plate checked": "up to date",
        "other plate status": "up to date",
        "shorter range": "failed: Grade: the frame range is reversed: 4 to 1",
        "cleared": "not rendered",
    }
    failures = {step: words.strip() for step, words in said.items() if words.startswith("Error")}
    expected: dict[str, Callable[[str], bool]] = {
        "unsaved": lambda words: "save the .blend first" in words,
        "reversed": lambda words: "the frame range is reversed: 4 to 1" in words,
        "unlinked": lambda words: words == "Error: nothing is linked to Plate",
        "wrong path": lambda words: "nowhere: No such file or directory" in words,
        "no folder": lambda words: "choose another output folder" in words,
    }
    assert failures.keys() == expected.keys()
    assert all(expected[step](words) for step, words in failures.items()), failures


def test_a_render_that_is_cancelled_or_killed_leaves_nothing_behind(blender: Blender, shot: Path) -> None:
    random = np.random.default_rng(3)
    for number in MADE:
        write(shot / "large" / f"plate.{number}.exr", random.random((240, 320, 3), dtype=np.float32), "RGB")
    facts = blender.facts("cancel", shot)
    scenes, running, exports = 1, 0, 0
    assert facts["export"] == ["not rendered", scenes, running, exports]
    words, *left = facts["cancelled"]
    assert words == "not rendered" or words.endswith("12 missing")
    assert left == [scenes, running, exports]
    words, status, *left = facts["killed"]
    assert "was killed (SIGKILL); the next request starts it again" in words
    assert status == f"failed: {words}"
    assert left == [running, exports]
    assert facts["after"] == "up to date"


def test_a_node_in_a_group_over_a_3d_render_touches_nothing_of_the_users(blender: Blender, tmp_path: Path) -> None:
    facts = blender.facts("nested", tmp_path)
    assert facts["frames"] == [3, 2]
    assert facts["scenes"] == ["Other", "Shot"]
    assert not [name for name in facts["trees"] if name.endswith((".002", "Look.001", "Compositor.001"))]
    assert not facts["own"], "the user's File Output is for the user's renders"
    assert facts["order"] == [["Look", "Gain"], ["Look", "Grade"]]
    assert facts["status"] == "up to date"
    assert facts["other scene"] == "settings changed", "another scene's frames would be others"
    assert "its group is used twice here" in facts["twice"]
    source, gained, out = (tmp_path / name / "out.####.exr" for name in ("source", "gained", "cli"))
    command_line("grade", "--plate", source, *LINEAR, "--slope", "2,2,2", "--out", gained)
    command_line("grade", "--plate", gained, *LINEAR, "--saturation", "0.5", "--out", out)
    pictures = frames(out.parent)
    assert same(frames(tmp_path / "shown"), pictures)
    assert not np.array_equal(pictures[0], pictures[2]), "the light moves"


def test_a_background_render_renders_what_is_stale_where_it_may(blender: Blender, shot: Path) -> None:
    assert blender.facts("background", shot, "render") == {"status": "up to date"}
    command_line(
        "grade", "--plate", shot / "plate" / "plate.####.exr", *LINEAR, "--frames", "1001-1003", "--saturation", "0.25",
        "--out", shot / "cli" / "grade.####.exr",
    )  # fmt: skip
    rendered = [np.pad(frame, ((0, 0), (0, 0), (0, 1)), constant_values=1.0) for frame in frames(shot / "cli")]
    assert same(frames(shot / "farm"), rendered)


def test_a_chunk_on_a_farm_is_no_shorter_shot_and_what_is_broken_off_is_not_up_to_date(
    blender: Blender, shot: Path
) -> None:
    facts = blender.facts("chunk", shot)
    assert facts["made again"] == [], "frames 2 and 5 are there, whatever the chunk"
    assert facts["broken off"] == "settings changed"
    assert "not animatable" in facts["animated"]
    assert set(facts["numbers"].values()) == {True}, "files keep numbers: they must not depend on other choices"


def test_a_background_render_stops_where_it_may_not(blender: Blender, shot: Path) -> None:
    run = blender.run("background", shot, "stop")
    assert run.code == 1
    assert "vfxgen: Grade: not rendered. Render it, or turn on 'Render stale nodes in background'" in run.said
    assert not (shot / "farm").exists()


def test_the_preferences_say_what_works_and_an_undo_keeps_the_frames(blender: Blender, shot: Path) -> None:
    facts = blender.facts("tools", shot)
    wrong, right = facts["doctor"]
    assert wrong == f"{shot} is no virtual environment: there is no python in it"
    assert "vfxgen" in right
    assert len(right.splitlines()) > 5
    assert facts["refreshed"]
    assert facts["kept"] == 0.25, "new declarations keep what nodes are set to"
    assert facts["undone"] == ["up to date", "settings changed", "up to date"]
    assert (facts["size"], facts["left"]) == (1000, 0)
