"""Frame ranges and file patterns: what stands for which file, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfxgen.errors import MediaError, RequestError
from vfxgen.media.pattern import Pattern, format_frames, parse_frames


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("1001", [1001]),
        ("1001-1004", [1001, 1002, 1003, 1004]),
        ("1001-1010x4", [1001, 1005, 1009]),
        ("1-3,10,20-24x2", [1, 2, 3, 10, 20, 22, 24]),
        ("-5--3", [-5, -4, -3]),
        ("-1-1", [-1, 0, 1]),
        ("3-1", [3, 2, 1]),
        ("1-3,2-4", [1, 2, 3, 4]),
        (" 1001 - 1003 , 1010 ", [1001, 1002, 1003, 1010]),
        ("5,1,3", [5, 1, 3]),
    ],
)
def test_a_range_means_its_frames_in_order_each_once(text: str, frames: list[int]) -> None:
    assert parse_frames(text) == frames


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "1-",
        "-",
        "1.5",
        "1-2-3",
        "1-10x0",
        "1-10x-2",
        "1e3",
        "0x10",
        "1 2",
        "1001 1002",
        "1-3x1.5",
        "1..5",
    ],
)
def test_what_is_no_range_is_refused_with_examples(text: str) -> None:
    with pytest.raises(RequestError, match=r"is no frame range; write 1001-1100, 1001-1100x2"):
        parse_frames(text)


def test_a_range_beyond_all_sense_is_refused_before_memory_is_full() -> None:
    with pytest.raises(RequestError):
        parse_frames("1-100000000000")


@given(st.sets(st.integers(-200, 20000), min_size=1, max_size=30))
def test_frames_survive_being_written_as_a_range(frames: set[int]) -> None:
    assert sorted(parse_frames(format_frames(frames))) == sorted(frames)


def test_no_frames_are_written_as_nothing_and_repeated_ones_once() -> None:
    assert format_frames([]) == ""
    assert format_frames([2, 1, 1, 3]) == "1-3"


@pytest.mark.parametrize("token", ["####", "@@@@", "%04d", "$F4"])
def test_every_notation_of_the_field_means_the_same_file(token: str) -> None:
    pattern = Pattern(f"plates/sh010.{token}.exr")
    assert pattern.is_sequence
    assert pattern.file(17) == "plates/sh010.0017.exr"
    assert pattern.file(12345) == "plates/sh010.12345.exr"
    assert pattern.file(-3) == "plates/sh010.-003.exr"


@pytest.mark.parametrize("token", ["#", "@", "%d", "$F", "%01d"])
def test_one_sign_means_no_padding(token: str) -> None:
    assert Pattern(f"a_{token}.exr").file(7) == "a_7.exr"
    assert Pattern(f"a_{token}.exr").file(1234) == "a_1234.exr"


def test_a_path_without_a_number_is_one_file_for_every_frame() -> None:
    for path in ("plates/still.exr", "take 100%.mov", "a.0001.exr"):
        pattern = Pattern(path)
        assert not pattern.is_sequence and pattern.file(5) == path and pattern.frames_on_disk() == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "an empty path"),
        ("a\0.####.exr", "zero byte"),
        ("a.####.%04d.exr", "more than one frame number"),
    ],
)
def test_a_pattern_that_cannot_be_meant_is_refused(path: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        Pattern(path)


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).touch()


def on_disk(folder: Path, name: str) -> list[int]:
    return Pattern(str(folder / name)).frames_on_disk()


def test_frames_on_disk_are_those_the_pattern_writes_gaps_and_all(tmp_path: Path) -> None:
    make(tmp_path, "a.1003.exr", "a.1001.exr", "a.1002.exr", "a.1010.exr")
    assert on_disk(tmp_path, "a.####.exr") == [1001, 1002, 1003, 1010]


def test_padding_is_a_least_width_and_a_frame_has_one_name(tmp_path: Path) -> None:
    make(tmp_path, "a.0001.exr", "a.10000.exr", "a.123456.exr", "a.-003.exr", "a.0000.exr")
    make(tmp_path, "a.00002.exr", "a.003.exr", "a.4.exr", "a.-0005.exr", "a.-000.exr", "a.+006.exr", "a.٠٠٠٧.exr")
    assert on_disk(tmp_path, "a.####.exr") == [-3, 0, 1, 10000, 123456]
    assert on_disk(tmp_path, "a.#.exr") == [4, 10000, 123456]


def test_what_merely_looks_like_a_frame_is_none(tmp_path: Path) -> None:
    make(tmp_path, "plate.1001.exr", ".plate.1002.exr~host~1~abcdef01.tmp", "plate.1003.exr.tmp", "plate.1004.EXR")
    make(
        tmp_path,
        "xplate.1005.exr",
        "plate.v1006.exr",
        "plate..exr",
        "plate.1007.exr~",
        "plateX1008.exr",
        "plate.1.1009.exr",
    )
    assert on_disk(tmp_path, "plate.####.exr") == [1001]


@pytest.mark.parametrize(
    "name",
    [
        "sh010_v003.####.exr",
        "2049.####.exr",
        "shot 010 (final).####.exr",
        "Straße_青_é.####.exr",
        "plate[left].####.exr",
        "a,b;c.####.exr",
        "a+b^$.####.exr",
        "*?.####.exr",
        "x1-10.####.exr",
        "####",
        "####.exr",
        "frame####",
        "plate.####.left.exr",
        "-####.exr",
    ],
)
def test_names_with_digits_spaces_brackets_and_every_script_work(tmp_path: Path, name: str) -> None:
    pattern = Pattern(str(tmp_path / name))
    for number in (1001, 1002, 12345):
        Path(pattern.file(number)).touch()
    assert pattern.frames_on_disk() == [1001, 1002, 12345]
    assert pattern.file(1001) == str(tmp_path / name.replace("####", "1001"))


@given(
    st.text("ab0.1_- [](),é#@%$F4d", max_size=12),
    st.sampled_from(["####", "%03d", "@@", "$F4", "#"]),
    st.sets(st.integers(-99, 20000), min_size=1, max_size=4),
)
def test_a_pattern_finds_what_it_names(
    tmp_path_factory: pytest.TempPathFactory, stem: str, token: str, frames: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("named")
    try:
        pattern = Pattern(str(folder / f"{stem}_{token}.exr"))
    except RequestError:
        return
    for number in frames:
        Path(pattern.file(number)).touch()
    assert pattern.frames_on_disk() == sorted(frames)


def test_a_relative_pattern_looks_where_the_process_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.0007.exr")
    monkeypatch.chdir(tmp_path)
    assert Pattern("a.####.exr").frames_on_disk() == [7]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MediaError, match=r"nowhere/a.####.exr: the folder cannot be listed \(No such file"):
        on_disk(tmp_path, "nowhere/a.####.exr")
    with pytest.raises(MediaError, match=r"cannot be listed \(Not a directory\)"):
        on_disk(tmp_path, "file/a.####.exr")


def test_a_sign_in_a_folder_is_no_frame_number(tmp_path: Path) -> None:
    pattern = Pattern(str(tmp_path / "me@site" / "#1" / "plate.####.exr"))
    assert pattern.file(7) == str(tmp_path / "me@site" / "#1" / "plate.0007.exr")


def test_a_file_of_just_this_name_is_a_still(tmp_path: Path) -> None:
    (tmp_path / "logo@2x.png").write_bytes(b"")
    still = Pattern(str(tmp_path / "logo@2x.png"))
    assert not still.is_sequence and still.file(12) == str(tmp_path / "logo@2x.png")
