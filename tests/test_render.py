"""Rendering: what is done, what is skipped, what happens when a frame fails or the disk is full."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from footage import Failing, bits, leftovers, plate_frame, statuses, write_mask, write_plate

import vfxgen
from vfxgen.errors import RequestError
from vfxgen.frame import Frame
from vfxgen.media.image import write_image
from vfxgen.output import Output
from vfxgen.render import Job, check, render
from vfxgen.sequence import Sequence
from vfxgen.testing import Pictures, constant


def grade_job(plate: str, out: Path, **parameters: object) -> Job:
    return Job(vfxgen.Grade(vfxgen.read(plate), **parameters), Output(path=str(out / "g.####.exr")))


class Decoded(Sequence):
    """Grey plates 1 to 40 that note how often each is decoded."""

    def __init__(self) -> None:
        super().__init__()
        self.decoded: Counter[int] = Counter()

    @property
    def range(self) -> list[int]:
        return list(range(1, 41))

    def frame(self, number: int) -> Frame:
        self.decoded[number] += 1
        return replace(constant([0.1, 0.2, 0.3])[1], number=number)

    def make_key(self, number: int) -> str:
        return f"decoded {number}"


class Among(Sequence):
    """Each plate, after a look at those up to `reach` before and after it; takes longer than decoding one."""

    def __init__(self, plate: Sequence, reach: int) -> None:
        super().__init__()
        self.plate, self.reach = plate, reach
        self.made: Counter[int] = Counter()

    @property
    def inputs(self) -> dict[str, Sequence]:
        return {"plate": self.plate}

    @property
    def range(self) -> list[int] | None:
        return self.plate.range

    def needs(self, number: int) -> dict[str, tuple[int, ...]]:
        return {"plate": tuple(n for n in self.range or [] if abs(n - number) <= self.reach)}

    def frame(self, number: int) -> Frame:
        self.made[number] += 1
        around = {n: self.plate[n] for n in self.needs(number)["plate"]}
        time.sleep(0.005)
        return around[number]

    def make_key(self, number: int) -> str:
        return f"among {self.plate.key(number)}"


class TestSkipping:
    def test_a_second_run_makes_nothing(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 5))
        assert statuses([grade_job(plate, tmp_path, slope=2)], range(1, 5)) == ["rendered"] * 4
        before = [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("g.*"))]
        assert statuses([grade_job(plate, tmp_path, slope=2)], range(1, 5)) == ["current"] * 4
        assert [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("g.*"))] == before

    def test_only_what_changed_is_made_again(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 5))
        statuses([grade_job(plate, tmp_path, slope=2)], range(1, 5))
        (tmp_path / "plate.0002.exr").write_bytes((tmp_path / "plate.0003.exr").read_bytes())
        assert statuses([grade_job(plate, tmp_path, slope=2)], range(1, 5)) == [
            "current",
            "rendered",
            "current",
            "current",
        ]
        assert statuses([grade_job(plate, tmp_path, slope=3)], range(1, 5)) == ["rendered"] * 4
        assert statuses([grade_job(plate, tmp_path, slope=3)], range(1, 3), force=True) == ["rendered"] * 2

    def test_another_version_makes_everything_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        copied = Job(vfxgen.read(write_plate(tmp_path, [1])), Output(path=str(tmp_path / "c.####.exr")))
        assert statuses([copied], range(1, 2)) == ["rendered"]
        assert statuses([copied], range(1, 2)) == ["current"]
        monkeypatch.setattr("vfxgen.output.__version__", "another")
        assert statuses([copied], range(1, 2)) == ["rendered"]

    def test_the_same_sequence_object_sees_files_that_changed(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 3))
        job = grade_job(plate, tmp_path, slope=2)
        statuses([job], range(1, 3))
        (tmp_path / "plate.0001.exr").write_bytes((tmp_path / "plate.0002.exr").read_bytes())
        assert statuses([job], range(1, 3)) == ["rendered", "current"]

    def test_frames_that_arrived_since_are_written_too(self, tmp_path: Path) -> None:
        plate = vfxgen.read(write_plate(tmp_path, range(1, 3)))
        assert len(vfxgen.write(plate, tmp_path / "o.####.exr")) == 2
        write_plate(tmp_path, range(3, 5))
        assert len(vfxgen.write(plate, tmp_path / "o.####.exr")) == 4

    @pytest.mark.parametrize("extension", ["exr", "png", "tif", "jpg", "dpx"])
    def test_every_format_carries_its_key(self, tmp_path: Path, extension: str) -> None:
        job = Job(constant([0.1, 0.2, 0.3]), Output(path=str(tmp_path / f"c.####.{extension}")))
        assert statuses([job], range(1, 3)) == ["rendered"] * 2
        assert statuses([job], range(1, 3)) == ["current"] * 2

    @pytest.mark.parametrize("extension", ["exr", "png", "tif", "jpg", "dpx", "mov", "mp4"])
    @pytest.mark.parametrize("part", [0.5, 0.95])
    def test_what_is_cut_off_is_made_again(self, tmp_path: Path, extension: str, part: float) -> None:
        noise = Pictures(np.random.default_rng(0).random((64, 96, 3), np.float32), "RGB")
        file = tmp_path / f"c.{extension}"
        job = Job(noise, Output(path=str(file)))
        assert statuses([job], range(1, 2)) == ["rendered"]
        os.truncate(file, int(file.stat().st_size * part))
        assert statuses([job], range(1, 2)) == ["rendered"]
        assert statuses([job], range(1, 2)) == ["current"]

    def test_other_output_settings_are_another_recipe(self, tmp_path: Path) -> None:
        path = str(tmp_path / "c.####.exr")
        source = constant([0.1, 0.2, 0.3])
        assert statuses([Job(source, Output(path=path))], range(1, 2)) == ["rendered"]
        assert statuses([Job(source, Output(path=path, type="half"))], range(1, 2)) == ["rendered"]


class TestFailures:
    def test_stop_keeps_the_frames_before(self, tmp_path: Path) -> None:
        job = Job(Failing(), Output(path=str(tmp_path / "f.####.exr")))
        events = list(render([job], [1, 2, 3, 4, 5]))
        assert [event.status for event in events] == ["rendered", "rendered", "failed"]
        assert "broken on purpose" in events[-1].error
        assert sorted(path.name for path in tmp_path.iterdir()) == ["f.0001.exr", "f.0002.exr"]

    def test_skip_goes_on(self, tmp_path: Path) -> None:
        job = Job(Failing(), Output(path=str(tmp_path / "f.####.exr")))
        assert statuses([job], range(1, 6), on_error="skip") == [
            "rendered",
            "rendered",
            "failed",
            "rendered",
            "rendered",
        ]

    def test_a_damaged_plate_is_named(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 4))
        (tmp_path / "plate.0002.exr").write_bytes(b"not an image at all")
        events = list(render([grade_job(plate, tmp_path)], [1, 2, 3], on_error="skip"))
        assert [event.status for event in events] == ["rendered", "failed", "rendered"]
        assert "plate.0002.exr" in events[1].error

    def test_another_resolution_in_mid_sequence_is_named(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 4))
        write_image(plate_frame(2, size=(30, 40)), str(tmp_path / "plate.0002.exr"), format="exr")
        events = list(render([grade_job(plate, tmp_path)], [1, 2, 3], on_error="skip"))
        assert [event.status for event in events] == ["rendered", "failed", "rendered"]
        assert "plate.0002.exr: the display window is 48x30+0+0, that of frame 1 56x36+0+0" in events[1].error

    def test_other_channels_in_mid_sequence_are_named(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 4))
        write_image(plate_frame(2).only("R", "G", "B"), str(tmp_path / "plate.0002.exr"), format="exr")
        events = list(render([grade_job(plate, tmp_path)], [1, 2, 3], on_error="skip"))
        assert "plate.0002.exr: has the channels R G B, frame 1 has" in events[1].error

    def test_a_mask_of_another_size_is_placed_by_its_window(self, tmp_path: Path) -> None:
        mask = Pictures(np.ones((2, 3, 1), np.float32), "A")
        graded = vfxgen.Grade(constant([0.1, 0.2, 0.3]), mask, slope=2)[1]
        assert (graded.rgb[:2, :3, 0] == np.float32(0.2)).all() and (graded.rgb[2:, :, 0] == np.float32(0.1)).all()

    def test_channels_that_are_missing_are_named(self, tmp_path: Path) -> None:
        depth = Pictures(np.zeros((4, 6, 1), np.float32), ["depth.Z"])
        events = list(render([Job(vfxgen.Grade(depth, slope=2), Output(path=str(tmp_path / "o.####.exr")))], [1]))
        assert "grade: input 'plate'" in events[0].error
        assert "has no channel R G B; it has depth.Z" in events[0].error

    def test_a_full_disk_leaves_published_frames_whole(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 4), type="float")
        script = (
            "import resource, sys\n"
            f"resource.setrlimit(resource.RLIMIT_FSIZE, (6000, {resource.RLIM_INFINITY}))\n"
            "from vfxgen.cli import main\n"
            "main()\n"
        )
        arguments = ["grade", "--plate", plate, "--out", str(tmp_path / "o.####.exr"), "--slope", "1.1"]
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "frame 1:" in done.stderr and "Traceback" not in done.stderr
        assert leftovers(tmp_path) == []
        assert not list(tmp_path.glob("o.*.exr"))

    @pytest.mark.parametrize("name", ["o.####.exr", "new/o.####.exr", "o.mp4"])
    def test_a_folder_that_cannot_be_written_is_said_before_the_first_frame(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file").write_text("in the way")
        made = Failing()
        with pytest.raises(RequestError, match=r"file.*o\..*: cannot be written"):
            list(render([Job(made, Output(path=str(tmp_path / "file" / name)))], [3]))
        assert [path.name for path in tmp_path.iterdir()] == ["file"]

    @pytest.mark.skipif(not os.path.isdir("/sys/kernel"), reason="no folder that root may not write")
    def test_nor_one_where_root_only_seems_to_be_allowed(self) -> None:
        with pytest.raises(RequestError, match=r"/sys/vfxgen/o.0001.exr: cannot be written"):
            list(render([Job(constant([1, 1, 1]), Output(path="/sys/vfxgen/o.####.exr"))], [1]))

    def test_a_folder_that_is_not_there_yet_is_not_made_to_see(self, tmp_path: Path) -> None:
        check([Job(constant([1, 1, 1]), Output(path=str(tmp_path / "a" / "b" / "o.####.exr")))], [1])
        assert not list(tmp_path.iterdir())


class TestRequests:
    def test_no_input_is_overwritten(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 3))
        before = bits(tmp_path / "plate.0001.exr")
        job = Job(vfxgen.Grade(vfxgen.read(plate), slope=2), Output(path=str(tmp_path / "." / "plate.####.exr")))
        with pytest.raises(RequestError, match="would overwrite its own input"):
            list(render([job], [1, 2]))
        assert bits(tmp_path / "plate.0001.exr") == before

    def test_through_a_link_neither(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, [1])
        (tmp_path / "link.0001.exr").symlink_to(tmp_path / "plate.0001.exr")
        with pytest.raises(RequestError, match="overwrite"):
            list(render([Job(vfxgen.read(plate), Output(path=str(tmp_path / "link.####.exr")))], [1]))

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"path": "o.exr"}, "one file for 2 frames"),
            ({"path": "o.####.mov"}, "o.####.mov: a movie is one file for all frames"),
            ({"path": "o.####.gif"}, "cannot write '.gif'"),
            ({"path": "o.####.png", "type": "float"}, "cannot hold float"),
            ({"path": "o.####.exr", "compression": "lzma"}, "compression 'lzma'"),
            ({"path": "o.####.exr", "colorspace": "acescgg"}, "colour space 'acescgg'"),
            ({"path": "o.####.exr", "view": "Film"}, "has no view 'Film'"),
            ({"path": "o.####.exr", "view": "Raw", "colorspace": "ACEScg"}, "not both"),
            ({"path": "o.mp4", "codec": "prores"}, "cannot write prores into .mp4"),
            ({"path": "o.mp4", "type": "half"}, "type is for image files"),
            ({"path": "o.####.tif", "compression": "piz"}, "compression is for EXR"),
            ({"path": "o.####.exr", "compression": "dwaa:abc"}, "compression 'dwaa:abc'"),
            ({"path": "o.####.exr", "codec": "h264"}, "codec is for movies"),
        ],
    )
    def test_wrong_outputs_are_refused_before_anything_is_written(
        self, tmp_path: Path, fields: dict[str, str], said: str
    ) -> None:
        output = Output(**{**fields, "path": str(tmp_path / fields["path"])})  # type: ignore[arg-type]
        with pytest.raises(RequestError, match=said):
            list(render([Job(constant([1, 1, 1]), output)], [1, 2]))
        assert not list(tmp_path.iterdir())

    def test_two_outputs_in_one_file(self, tmp_path: Path) -> None:
        job = Job(constant([1, 1, 1]), Output(path=str(tmp_path / "o.####.exr")))
        with pytest.raises(RequestError, match="two outputs"):
            list(render([job, job], [1]))

    def test_no_frames(self) -> None:
        with pytest.raises(RequestError, match="no frames"):
            list(render([Job(constant([1, 1, 1]), Output(path="o.####.exr"))], []))
        with pytest.raises(RequestError, match="no frame range"):
            vfxgen.write(constant([1, 1, 1]), "o.####.exr")


class TestPipeline:
    def test_outputs_share_what_they_have_in_common(self, tmp_path: Path) -> None:
        plate = vfxgen.read(write_plate(tmp_path, range(1, 7)))
        made: list[int] = []

        class Counted(vfxgen.Grade):
            def frame(self, number: int) -> Frame:
                made.append(number)
                return super().frame(number)

        graded = Counted(plate, slope=2)
        jobs = [
            Job(graded, Output(path=str(tmp_path / "a.####.exr"))),
            Job(vfxgen.Merge(plate, graded), Output(path=str(tmp_path / "b.####.exr"))),
        ]
        assert statuses(jobs, range(1, 7)) == ["rendered"] * 6
        assert sorted(made) == [1, 2, 3, 4, 5, 6]

    @pytest.mark.parametrize("memory", [1, 2**32], ids=["one waits", "four wait"])
    @pytest.mark.parametrize("frames", [range(1, 41), range(11, 41), range(40, 0, -1)], ids=["1-40", "11-40", "40-1"])
    @pytest.mark.parametrize("reaches", [(4,), (2, 1, 4)], ids=str)
    def test_each_plate_is_decoded_once_however_many_frames_look_at_it(
        self, tmp_path: Path, reaches: tuple[int, ...], frames: range, memory: int
    ) -> None:
        plate = Decoded()
        chain: Sequence = plate
        for reach in reaches:
            chain = Among(chain, reach)
        job = Job(chain, Output(path=str(tmp_path / "o.####.exr")))
        assert statuses([job], frames, memory=memory) == ["rendered"] * len(frames)
        assert set(plate.decoded.values()) == {1}

    def test_what_neighbours_look_at_is_computed_once_from_the_first_frame_of_the_shot(self, tmp_path: Path) -> None:
        looked_at = Among(Decoded(), 4)
        job = Job(Among(looked_at, 4), Output(path=str(tmp_path / "o.####.exr")))
        assert statuses([job], range(1, 41)) == ["rendered"] * 40
        assert set(looked_at.made.values()) == {1}

    def test_what_one_render_has_to_remember_the_next_one_need_not(self, tmp_path: Path) -> None:
        plate = Decoded()
        statuses([Job(Among(plate, 4), Output(path=str(tmp_path / "a.####.exr")))], range(1, 41), memory=1)
        assert plate.keep == 10
        statuses([Job(plate, Output(path=str(tmp_path / "b.####.exr")))], range(1, 41), memory=1)
        assert plate.keep == 2

    def test_no_more_frames_wait_than_the_budget_allows(self, tmp_path: Path) -> None:
        alive, most = [0], [0]
        lock = threading.Lock()

        class Heavy(Sequence):
            def frame(self, number: int) -> Frame:
                with lock:
                    alive[0] += 1
                    most[0] = max(most[0], alive[0])
                frame = constant([0.1, 0.2, 0.3], (64, 64))[1]
                weakened = frame.planes["R"].base
                assert weakened is not None
                import weakref

                weakref.finalize(weakened, _gone)
                return frame

            def make_key(self, number: int) -> str:
                return f"heavy {number}"

        def _gone() -> None:
            with lock:
                alive[0] -= 1

        job = Job(Heavy(), Output(path=str(tmp_path / "h.####.exr")))
        assert len(list(render([job], list(range(1, 41)), memory=1))) == 40
        assert most[0] <= 6

    def test_closing_the_generator_leaves_no_temporary_file(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 9))
        events = render([grade_job(plate, tmp_path, slope=2)], list(range(1, 9)))
        next(events)
        events.close()  # type: ignore[attr-defined]
        assert leftovers(tmp_path) == []

    def test_frames_may_come_in_any_order_and_with_gaps(self, tmp_path: Path) -> None:
        plate = write_plate(tmp_path, range(1, 6))
        job = grade_job(plate, tmp_path)
        assert [event.frame for event in render([job], [5, 1, 3])] == [5, 1, 3]

    def test_a_mask_still_serves_every_frame(self, tmp_path: Path) -> None:
        plate, mask = write_plate(tmp_path, range(1, 4)), write_mask(tmp_path)
        job = Job(
            vfxgen.Grade(vfxgen.read(plate), vfxgen.read(mask), slope=2), Output(path=str(tmp_path / "m.####.exr"))
        )
        assert statuses([job], range(1, 4)) == ["rendered"] * 3
