"""The demo on the sample shot."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vfxgen.errors import RequestError
from vfxgen.media.image import read_header, read_image
from vfxgen.operators.read import read
from vfxgen.report import demo, net_sheets


def test_two_frames_of_the_sample_shot_and_what_nets_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {name: net_sheets.SHEETS[name] for name in ("upscale-x2", "upscale-x4")}
    monkeypatch.setattr(net_sheets, "SHEETS", few)
    assert demo.run(str(tmp_path), frames="1001-1002") == 0
    comp = read_image(str(tmp_path / "comp" / "greenscreen_comp.1001.exr"), 1001)
    assert comp.types == dict.fromkeys("RGBA", "half")
    assert comp.pixels("R").max() > 2, "the lights of the background are not clipped"
    assert read(str(tmp_path / "greenscreen_comp.mp4")).range == [1, 2]
    sheet = read_header(str(tmp_path / "contact_sheet.png"))[0]
    assert sheet.data_window.width > 2000
    page = (tmp_path / "report.html").read_text()
    for picture in re.findall(r"review/[a-z]+\.\d+\.jpg", page):
        assert (tmp_path / picture).is_file()
    shown = re.findall(r'src="(nets/[^"]+)"', page)
    assert shown == ["nets/upscale-x2.png", "nets/upscale-x4.png"]
    assert all((tmp_path / picture).is_file() for picture in shown)
    time_code = read_header(str(tmp_path / "comp" / "greenscreen_comp.1002.exr"))[0].attributes["smpte:TimeCode"]
    assert next(iter(time_code.value)) & 0x3F == 1, "the plate's time code, not the still background's"


def test_a_shot_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="sample shot"):
        demo.run(str(tmp_path), str(tmp_path / "none.toml"))
