"""Movies: one file for all frames, whole or not at all, and never with fewer than it had."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from footage import Failing, leftovers, plate_frame, statuses, write_plate

import vfxgen
from vfxgen.errors import RequestError
from vfxgen.frame import Attribute
from vfxgen.media.image import write_image
from vfxgen.output import Output
from vfxgen.render import Job, movie_is_current, render
from vfxgen.testing import Pictures, constant


class TestMovies:
    def test_a_movie_is_made_from_what_was_published(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 6))
        graded = vfxgen.Grade(vfxgen.read(plate), slope=1.2)
        jobs = [
            Job(graded, Output(path=str(tmp_path / "g.####.exr"))),
            Job(graded, Output(path=str(tmp_path / "review.mp4"))),
        ]
        assert statuses(jobs, range(1, 6)) == ["rendered"] * 10
        movie = vfxgen.read(tmp_path / "review.mp4")
        assert movie.range == [1, 2, 3, 4, 5]
        assert movie[3].rgb.mean() > 0.01
        assert statuses(jobs, range(1, 6)) == ["current"] * 10

    def test_a_movie_is_current_whatever_is_rendered_with_it(self, tmp_path: Path) -> None:
        graded = vfxgen.Grade(vfxgen.read(write_plate(tmp_path, range(1, 4))), slope=1.2)
        still, movie = (Job(graded, Output(path=str(tmp_path / name))) for name in ("g.####.exr", "g.mp4"))
        assert statuses([still, movie], range(1, 4)) == ["rendered"] * 6
        assert movie_is_current(movie, [1, 2, 3])
        assert statuses([movie], range(1, 4)) == ["current"] * 3
        assert statuses([still, movie], range(1, 4)) == ["current"] * 6

    def test_a_movie_of_other_frames_too_is_never_replaced_unless_forced(self, tmp_path: Path) -> None:
        graded = vfxgen.Grade(vfxgen.read(write_plate(tmp_path, range(1, 6))), slope=1.2)
        still, movie = (Job(graded, Output(path=str(tmp_path / name))) for name in ("g.####.exr", "g.mp4"))
        assert statuses([movie], [1, 2, 4]) == ["rendered"] * 3
        with pytest.raises(
            RequestError, match=r"g.mp4: .* holds 1-2,4; one of 2-4 would lose 1: render chunks without"
        ):
            statuses([still, movie], [2, 3, 4])
        assert not (tmp_path / "g.0002.exr").exists() and movie_is_current(movie, [1, 2, 4])
        assert statuses([movie], range(1, 5)) == ["rendered"] * 4
        assert [event.status for event in render([movie], [2, 3], force=True)] == ["rendered"] * 2
        assert vfxgen.read(movie.output.path).range == [1, 2]

    def test_of_two_chunks_at_once_the_movie_that_is_there_first_stays(self, tmp_path: Path) -> None:
        graded = vfxgen.Grade(vfxgen.read(write_plate(tmp_path, range(1, 6))), slope=1.2)
        movie = Job(graded, Output(path=str(tmp_path / "g.mp4")))
        slow = render([movie], [1, 2, 3])
        assert next(slow).status == "rendered"
        assert statuses([movie], [4, 5]) == ["rendered"] * 2
        assert [event.status for event in slow] == ["rendered", "failed"]
        assert movie_is_current(movie, [4, 5])

    @pytest.mark.parametrize("name", ["m.mov", "m.mp4"])
    def test_a_movie_has_the_plates_frame_rate_time_code_and_pixel_aspect(self, tmp_path: Path, name: str) -> None:
        header = {
            "FramesPerSecond": Attribute((30000, 1001), "rational"),
            "smpte:TimeCode": Attribute((0x01005969, 0), "timecode"),
            "PixelAspectRatio": Attribute(1.3, "float"),
        }
        for number, code in ((1001, 0x01005969), (1002, 0x01010042)):
            header["smpte:TimeCode"] = Attribute((code, 0), "timecode")
            frame = replace(plate_frame(number), attributes=header)
            write_image(frame, str(tmp_path / f"p.{number}.exr"), format="exr")
        plate = vfxgen.read(tmp_path / "p.####.exr")
        (file,) = vfxgen.write(plate, tmp_path / name)
        for number in (1001, 1002):
            frame, shown = plate[number], vfxgen.read(file, first=1001)[number]
            assert shown.fps == frame.fps == Fraction(30000, 1001)
            assert shown.pixel_aspect == pytest.approx(1.3)
            assert shown.attributes["smpte:TimeCode"] == frame.attributes["smpte:TimeCode"]

    def test_a_movies_frame_rate_is_what_was_asked_for_else_the_plates_else_24(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        header = {
            "FramesPerSecond": Attribute((25, 1), "rational"),
            "smpte:TimeCode": Attribute((0x01000024, 0), "timecode"),
        }
        write_image(replace(plate_frame(1), attributes=header), str(tmp_path / "p.exr"), format="exr")
        plate = vfxgen.read(tmp_path / "p.exr")
        for sequence, asked, fps in (
            (plate, "24000/1001", Fraction(24000, 1001)),
            (plate, None, 25),
            (constant([0.1, 0.2, 0.3]), None, 24),
        ):
            (file,) = vfxgen.write(sequence, tmp_path / "m.mov", [1], fps=asked)
            assert vfxgen.read(file)[1].fps == fps
        assert "time code 01:00:00:24 does not exist at 24000/1001 frames a second" in caplog.text

    def test_the_last_event_names_the_movie_and_a_failure_names_its_frame(self, tmp_path: Path) -> None:
        output = Output(path=str(tmp_path / "m.mp4"))
        assert list(render([Job(constant([0.1, 0.2, 0.3]), output)], [1, 2]))[-1].paths == (output.path,)
        events = list(render([Job(Failing(), Output(path=str(tmp_path / "f.mp4")))], [1, 2, 3, 4]))
        assert (events[-1].status, events[-1].frame) == ("failed", 3)

    def test_a_gap_in_the_plate_of_a_movie_is_said_of_its_own_frame(self, tmp_path: Path) -> None:
        plate = vfxgen.read(write_plate(tmp_path, [1, 2, 4]))
        (event,) = render([Job(plate, Output(path=str(tmp_path / "g.mp4")))], [1, 2, 3, 4], on_error="skip")
        assert (event.frame, event.status) == (3, "failed")
        assert "g.mp4" in event.error and "frame 3 does not exist" in event.error

    def test_a_movie_whose_frames_failed_is_not_made_and_says_so(self, tmp_path: Path) -> None:
        failing = Failing()
        jobs = [Job(failing, Output(path=str(tmp_path / name))) for name in ("f.####.exr", "f.mp4")]
        events = list(render(jobs, [1, 2, 3, 4], on_error="skip"))
        assert "f.mp4: not made, since frames failed: 3" in events[-1].error
        assert not (tmp_path / "f.mp4").exists()

    def test_every_event_names_the_outputs_it_is_about(self, tmp_path: Path) -> None:
        still, movie = (Output(path=str(tmp_path / name)) for name in ("g.####.exr", "g.mp4"))
        failing = Failing()
        jobs = [Job(failing, still, "comp"), Job(failing, still.model_copy(update={"path": still.path + "r.exr"}))]
        events = list(render([*jobs, Job(failing, movie, "review")], [1, 2, 3], on_error="skip"))
        assert [event.outputs for event in events] == [("comp", jobs[1].output.path)] * 3 + [("review",)]
        again = list(render([jobs[0], Job(constant([0.1] * 3), movie, "review")], [1, 2]))
        assert [event.outputs for event in again] == [("comp",)] * 2 + [("review",)] * 2

    def test_a_movie_that_fails_leaves_the_old_one(self, tmp_path: Path) -> None:
        path = tmp_path / "review.mp4"
        path.write_bytes(b"the old one")
        events = list(render([Job(Failing(), Output(path=str(path)))], [1, 2, 3]))
        assert events[-1].status == "failed"
        assert path.read_bytes() == b"the old one"
        assert leftovers(tmp_path) == []


@pytest.mark.parametrize("space", ["Rec.2100-PQ - Display", "ST2084-P3-D65 - Display", "Rec.1886 Rec.709 - Display"])
def test_a_movie_says_which_space_it_is_in_and_is_read_as_the_same_light(tmp_path: Path, space: str) -> None:
    light = np.full((32, 48, 3), (0.3, 0.2, 0.15), np.float32)
    (path,) = vfxgen.write(Pictures(light), tmp_path / "graded.mov", [1], colorspace=space)
    back = vfxgen.read(path)[1]
    assert back.file_space == space
    assert np.allclose(back.rgb, light, atol=0.01)
