"""A layer of a file worked on as the main one: nothing is lost on the way there and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from footage import plate_frame

import vfxgen
from vfxgen.errors import MediaError
from vfxgen.frame import Frame
from vfxgen.media.image import read_image, write_image
from vfxgen.media.layers import with_layer_as_file_has_it, with_layer_as_main
from vfxgen.output import Output
from vfxgen.render import Job, render

CHANNELS = ["R", "G", "B", "A", "Z", "Lava Layer.R", "Lava Layer.G", "Lava Layer.B", "Lava Layer.id.R", "left.b.R"]


def picture(channels: list[str]) -> Frame:
    values = np.arange(len(channels), dtype=np.float32).reshape(1, 1, -1)
    return Frame.from_pixels(values, channels, colorspace="", source="a.exr")


def values(frame: Frame) -> dict[str, float]:
    return {name: float(plane[0, 0]) for name, plane in frame.planes.items()}


def test_its_channels_are_the_main_ones_and_those_come_under_its_name() -> None:
    lava = with_layer_as_main(picture(CHANNELS), "Lava Layer")
    assert lava.rgb.ravel().tolist() == [5, 6, 7] and lava.layer == "Lava Layer"
    # A of the main layer is not that of this one, which has none.
    assert "A" not in lava.planes and values(lava)["Lava Layer.A"] == 3
    assert values(lava)["Lava Layer.id.R"] == 8
    assert with_layer_as_main(picture(CHANNELS), "left.b").planes["R"][0, 0] == 9


@pytest.mark.parametrize("layer", ["Lava Layer", "Lava Layer.id", "left.b"])
def test_the_way_back_leads_where_it_came_from(layer: str) -> None:
    before = picture(CHANNELS)
    after = with_layer_as_file_has_it(with_layer_as_main(before, layer))
    assert after.channels == before.channels and values(after) == values(before) and after.layer == ""
    assert with_layer_as_file_has_it(before) is before


def test_a_layer_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(MediaError, match=r"a\.exr: has no layer 'lava'; it has Lava Layer, Lava Layer\.id, left\.b"):
        with_layer_as_main(picture(CHANNELS), "lava")
    with pytest.raises(MediaError, match="it has no layers"):
        with_layer_as_main(picture(["R", "G", "B"]), "lava")


def published(tmp_path: Path, sequence: vfxgen.Sequence, name: str, **fields: Any) -> Frame:
    vfxgen.write(sequence, tmp_path / name, frames="1", **fields)
    return read_image(str(tmp_path / name), 1)


class TestPublished:
    @pytest.fixture
    def keyed(self, tmp_path: Path) -> vfxgen.Sequence:
        """A key of the layer `beauty`, which has no A, beside black of the main one, which has."""
        screen = plate_frame(1)
        frame = screen.with_pixels(("R", "G", "B", "A"), np.zeros((*screen.size, 4), np.float32))
        frame = frame.with_pixels(("beauty.R", "beauty.G", "beauty.B"), screen.rgb)
        write_image(frame, str(tmp_path / "plate.exr"), format="exr")
        made: vfxgen.Sequence = vfxgen.Key(vfxgen.read(tmp_path / "plate.exr", layer="beauty"), screen="green")
        return made

    def test_is_written_under_its_name_with_what_an_operator_added(
        self, tmp_path: Path, keyed: vfxgen.Sequence
    ) -> None:
        before, after = read_image(str(tmp_path / "plate.exr"), 1), published(tmp_path, keyed, "o.exr")
        assert set(after.channels) == {*before.channels, "beauty.A"}
        assert 0.1 < after.planes["beauty.A"].mean() < 0.9
        assert not after.pixels("R", "G", "B", "A").any()

    def test_has_the_names_of_the_file_for_who_chooses_channels(self, tmp_path: Path, keyed: vfxgen.Sequence) -> None:
        after = published(tmp_path, keyed, "o.exr", channels="beauty.A,A")
        assert (
            set(after.channels) == {"beauty.A", "A"} and after.planes["beauty.A"].any() and not after.planes["A"].any()
        )

    def test_is_the_picture_of_a_format_without_layers(self, tmp_path: Path, keyed: vfxgen.Sequence) -> None:
        after = published(tmp_path, keyed, "o.png")
        assert after.channels == ("R", "G", "B", "A") and 0.1 < after.planes["A"].mean() < 0.9

    def test_is_the_picture_of_a_movie_beside_it(self, tmp_path: Path, keyed: vfxgen.Sequence) -> None:
        graded = vfxgen.Grade(keyed, slope=2.0)
        outputs = [Output(path=str(tmp_path / name)) for name in ("o.####.exr", "o.mp4")]
        assert all(event.status == "rendered" for event in render([Job(graded, output) for output in outputs], [1]))
        assert vfxgen.read(tmp_path / "o.mp4")[1].rgb.max() > 0.2
