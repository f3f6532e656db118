"""What `vfxgen doctor` finds, and what it says about what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from vfxgen import doctor


def test_it_says_what_works() -> None:
    found = doctor.examine()
    said = doctor.text(found)
    assert found["color"]["working_space"] == "ACEScg"
    assert "write h264 in .mp4: yes" in said
    assert found["gpu"]["available"] or found["gpu"]["why"] in said


def test_a_missing_package_comes_with_the_remedy() -> None:
    found = doctor.examine()
    found["packages"]["kornia"] = None
    assert "missing  kornia: pip install kornia" in doctor.text(found)


def test_what_nets_lack_comes_with_the_remedy() -> None:
    found = doctor.examine()
    found["nets"] = {"extras": dict.fromkeys(found["nets"]["extras"], False), "onnx_providers": []}
    found["nets"] |= {"freed_memory_kept": False, "compiler_missing": {"cpu": "there is no C++ compiler"}}
    said = doctor.text(found)
    assert "torch-compiled on cpu: no: there is no C++ compiler" in said
    assert (
        "ONNX nets: no: pip install 'vfxgen[onnx]'" in said and "foreign nets: no: pip install 'vfxgen[nets]'" in said
    )
    assert "third slower" in said and "MALLOC_TRIM_THRESHOLD_" in said


def test_a_broken_colour_configuration_is_reported_not_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCIO", str(tmp_path / "none.ocio"))
    assert "not a usable OpenColorIO configuration" in doctor.text(doctor.examine())
