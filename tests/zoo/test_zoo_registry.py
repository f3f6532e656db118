"""Which nets there are, which of two wins, whose licence is in the way, and whether the weights are right."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tomli_w
from netcards import WEIGHTS, card, licences, write_net

from vfxgen.errors import CardError, LicenceError, NetError, RequestError
from vfxgen.zoo import registry
from vfxgen.zoo.card import Card, load_card


class TestFinding:
    def test_a_folder_dropped_in_is_a_net(self, studio: Path) -> None:
        folder = write_net(studio)
        assert registry.nets()["sharp"] == registry.find("sharp") == registry.Entry(load_card(folder), folder)
        assert registry.find("sharp").name == "sharp"

    def test_our_own_nets_come_first_and_the_checkout_has_them_at_its_top(self, studio: Path) -> None:
        assert registry.folders()[-1] == studio
        assert [folder.name for folder in registry.folders()[:-1]] in ([], ["nets"])

    def test_several_folders_are_looked_through(self, studio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_net(studio, "one")
        write_net(studio.parent / "more", "two")
        monkeypatch.setenv("VFXGEN_NETS", os.pathsep.join([str(studio), "", str(studio.parent / "more")]))
        assert {"one", "two"} <= set(registry.nets())

    def test_of_two_the_first_wins_and_the_other_is_named_once(
        self, studio: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        first, second = write_net(studio), write_net(studio.parent / "more")
        monkeypatch.setenv("VFXGEN_NETS", os.pathsep.join([str(studio), str(studio.parent / "more")]))
        with caplog.at_level(logging.WARNING):
            assert registry.find("sharp").folder == first
            registry.nets()
        assert [r.message for r in caplog.records] == [f"net 'sharp': {second} is passed over, {first} comes first"]

    def test_the_name_is_the_cards_not_the_folders(self, studio: Path) -> None:
        write_net(studio).rename(studio / "renamed")
        assert registry.find("sharp").folder == studio / "renamed"

    def test_a_name_that_is_not_there_is_answered_with_near_ones(self, studio: Path) -> None:
        write_net(studio)
        with pytest.raises(RequestError, match="there is no net 'sharpp'; near: sharp"):
            registry.find("sharpp")
        with pytest.raises(RequestError, match=r"no net 'qqq'; there are .*sharp"):
            registry.find("qqq")

    @pytest.mark.parametrize("kind", ["missing", "a net"])
    def test_a_wrong_folder_in_the_variable_is_said_once(
        self, studio: Path, kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = studio / "gone" if kind == "missing" else write_net(studio)
        monkeypatch.setenv("VFXGEN_NETS", str(path))
        registry.nets()
        registry.nets()
        said = "is no folder" if kind == "missing" else f"name the folder it is in, {studio}"
        assert [said in record.message for record in caplog.records] == [True]

    def test_files_and_folders_without_a_card_are_no_nets(self, studio: Path) -> None:
        before = set(registry.nets())
        (studio / "readme.txt").write_text("nets of this house")
        (studio / "work").mkdir()
        assert set(registry.nets()) == before


class TestBroken:
    def test_a_broken_card_hides_no_other_and_is_said_by_name(self, studio: Path) -> None:
        write_net(studio, "good")
        write_net(studio, "bad", task="enlarge")
        assert "good" in registry.nets() and "bad" not in registry.nets()
        assert "task = 'enlarge'" in str(registry.broken()["bad"])
        with pytest.raises(CardError, match=r"bad/card\.toml: task = 'enlarge'"):
            registry.find("bad")

    def test_a_card_that_is_no_toml_goes_by_its_folder(self, studio: Path) -> None:
        (studio / "torn").mkdir()
        (studio / "torn" / "card.toml").write_text("schema = ")
        with pytest.raises(CardError, match="torn"):
            registry.find("torn")

    def test_no_other_net_runs_in_place_of_a_broken_one(self, studio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_net(studio, scale=0)
        write_net(studio.parent / "more")
        monkeypatch.setenv("VFXGEN_NETS", os.pathsep.join([str(studio), str(studio.parent / "more")]))
        with pytest.raises(CardError, match="scale = 0"):
            registry.find("sharp")


def gate(use: str = "commercial", **uses: str) -> None:
    registry.check_use(Card.model_validate(card(licences=licences(**uses))), use)


class TestLicenceGate:
    def test_free_nets_pass(self) -> None:
        gate()
        gate("research")

    @pytest.mark.parametrize("part", ["code", "weights", "data"])
    def test_a_refusal_names_the_licence_and_the_way_out(self, part: str) -> None:
        with pytest.raises(LicenceError) as caught:
            gate(**{part: "research"})
        said = str(caught.value)
        assert f"the licence of its {part} ({part} terms, https://example.org/{part}) allows research alone" in said
        assert "net 'sharp'" in said and "vfxgen nets list" in said and "--use research" in said
        assert sum(f"licence of its {other}" in said for other in ("code", "weights", "data")) == 1

    def test_unknown_is_refused_and_said_to_be_no_permission(self) -> None:
        with pytest.raises(LicenceError, match=r"data .* is unknown, which is no permission"):
            gate(data="unknown")

    def test_research_passes_all(self) -> None:
        gate("research", code="research", weights="unknown", data="research")

    def test_another_use_is_refused(self) -> None:
        with pytest.raises(RequestError, match="use = 'private': must be commercial"):
            gate("private")


class TestWeights:
    def test_right_weights_are_found_beside_the_card(self, studio: Path) -> None:
        folder = write_net(studio)
        assert registry.verify(registry.find("sharp")) == folder / "net.onnx"

    def test_else_in_the_cache(self, studio: Path) -> None:
        write_net(studio, weights=None)
        cached = studio.parent / "cache" / "nets" / "sharp"
        cached.mkdir(parents=True)
        (cached / "net.onnx").write_bytes(WEIGHTS)
        assert registry.verify(registry.find("sharp")) == cached / "net.onnx"

    def test_the_cache_is_in_the_home_folder_by_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("VFXGEN_CACHE", raising=False)
        path = registry.cache_folder(Card.model_validate(card()))
        assert path == Path.home() / ".cache" / "vfxgen" / "nets" / "sharp"

    @pytest.mark.parametrize("url", ["", "https://example.org/net.onnx"])
    def test_missing_weights_say_how_to_get_them(self, studio: Path, url: str) -> None:
        write_net(studio, weights=None)
        contents = card(weights={**card()["weights"], "url": url})
        (studio / "sharp" / "card.toml").write_text(tomli_w.dumps(contents))
        with pytest.raises(NetError, match=r"net 'sharp': its weights net\.onnx are not here; ") as caught:
            registry.verify(registry.find("sharp"))
        assert ("vfxgen nets fetch sharp" if url else str(studio / "sharp" / "net.onnx")) in str(caught.value)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (WEIGHTS[:-1], "is cut short: 511 bytes, its card says 512"),
            (b"", "is cut short: 0 bytes"),
            (WEIGHTS + b"!", "is too long: 513 bytes"),
            (WEIGHTS[:-1] + b"!", "its card says"),
        ],
    )
    def test_wrong_weights_name_net_and_file(self, studio: Path, content: bytes, words: str) -> None:
        path = write_net(studio, weights=content) / "net.onnx"
        with pytest.raises(NetError) as caught:
            registry.verify(registry.find("sharp"))
        assert f"net 'sharp': {path}" in str(caught.value) and words in str(caught.value)

    def test_weights_that_change_after_a_check_are_seen(self, studio: Path) -> None:
        path = write_net(studio) / "net.onnx"
        registry.verify(registry.find("sharp"))
        path.write_bytes(WEIGHTS[::-1])
        os.utime(path, (1, 1))
        with pytest.raises(NetError, match="sha256"):
            registry.verify(registry.find("sharp"))

    def test_a_folder_is_no_weights_file(self, studio: Path) -> None:
        (write_net(studio, weights=None) / "net.onnx").mkdir()
        with pytest.raises(NetError, match="is a folder"):
            registry.verify(registry.find("sharp"))


def test_in_a_wheel_the_nets_are_in_the_package(tmp_path: Path) -> None:
    shutil.copytree(Path(registry.__file__).parents[1], tmp_path / "vfxgen", ignore=shutil.ignore_patterns("*.pyc"))
    write_net(tmp_path / "vfxgen" / "nets", "shipped")
    write_net(tmp_path / "nets", "stranger")
    code = "from vfxgen.zoo import registry; print(registry.__file__, list(registry.nets()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "VFXGEN_NETS": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(tmp_path / "vfxgen" / "zoo" / "registry.py"), "['shipped']"]


def test_looking_for_nets_imports_no_torch() -> None:
    code = "import sys; from vfxgen.zoo import registry; registry.nets(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
