"""The demo on the sample shot."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from vfxgen.errors import RequestError
from vfxgen.frame import Attribute, Box, Frame
from vfxgen.media.image import read_header, read_image, write_image
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


@pytest.mark.parametrize(("overscan", "space"), [(8, ""), (0, 'colorspace = "ACEScg"')])
def test_another_shot_with_overscan_and_its_space_in_its_header(
    tmp_path: Path, overscan: int, space: str, capsys: pytest.CaptureFixture[str]
) -> None:
    y, x = np.mgrid[-overscan : 64 + overscan, -overscan : 64 + overscan]
    alpha = np.clip((18 - np.hypot(y - 32, x - 32)) / 4 + 0.5, 0, 1)[..., None]
    light = alpha * (0.5, 0.3, 0.25) + (1 - alpha) * (0.05, 0.35, 0.06)
    shown = (slice(overscan, 64 + overscan),) * 2
    frames = {"plate": light, "alpha": alpha[shown], "foreground": (light / light.max())[shown], "street": light[shown]}
    for name, pixels in frames.items():
        around = overscan if name == "plate" else 0
        frame = Frame.from_pixels(
            pixels.astype(np.float32),
            "A" if name == "alpha" else "RGB",
            colorspace="ACEScg",
            data_window=Box(-around, -around, 64 + 2 * around, 64 + 2 * around),
            display_window=Box(0, 0, 64, 64),
            attributes={"colorInteropID": Attribute("lin_ap1_scene")},
        )
        write_image(frame, str(tmp_path / f"{name}.1001.exr"), format="exr")
    read_all = "\n".join(
        f'[{table}.{name}]\npath = "{name}.####.exr"'
        for table, name in (("truth", "alpha"), ("truth", "foreground"), ("plates", "street"), ("plates", "plate"))
    )
    (tmp_path / "shot.toml").write_text(
        f"""schema = 1
name = "small"
frames = "1001"
{read_all}
{space}
[nodes.key]
operator = "key"
plate = "plate"
foreground = true
method = "mixture"
[nodes.comp]
operator = "merge"
plate = "street"
foreground = "key"
[outputs.key]
node = "key"
path = "key.####.exr"
[outputs.comp]
node = "comp"
path = "comp.####.exr"
"""
    )
    assert demo.run(str(tmp_path / "out"), str(tmp_path / "shot.toml")) == 0
    assert "not tried" not in "".join(capsys.readouterr())
    assert read_header(str(tmp_path / "out" / "contact_sheet.png"))[0].data_window.width > 300
