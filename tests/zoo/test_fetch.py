"""Fetching weights from a server that is slow to please: it drops, it knows no ranges, it sends something else."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import resource
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from netcards import card

from vfxgen.errors import NetError
from vfxgen.zoo import fetch as fetching
from vfxgen.zoo.card import Card
from vfxgen.zoo.fetch import fetch
from vfxgen.zoo.registry import Entry, cache_folder

CONTENT = bytes(range(256)) * 4096  # 1 MiB


class Server(ThreadingHTTPServer):
    """What it sends and how it fails, and what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.drops: list[int] = []
        self.statuses: list[int] = []
        self.ranges = True
        self.says_length = True
        self.shifts_range = False
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/net.onnx"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range") or ""
        server.asked.append(asked)
        if server.statuses:
            self.send_error(server.statuses.pop(0))
            return
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked and server.ranges else 0
        if begin >= len(server.content):
            self.send_error(416)
            return
        begin += 7 if asked and server.shifts_range else 0
        body = server.content[begin:]
        self.send_response(206 if asked and server.ranges else 200)
        if asked and server.ranges:
            end = len(server.content)
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{end}")
        if server.says_length:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/octet-stream")
        self.end_headers()
        self.wfile.write(body[: server.drops.pop(0)] if server.drops else body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(fetching, "PAUSE_S", 0.001)
    serving = Server()
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield serving
    serving.shutdown()
    serving.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VFXGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "nets" / "sharp"


def card_for(url: str, content: bytes = CONTENT) -> Card:
    sha256 = hashlib.sha256(content).hexdigest()
    return Card.model_validate(card(weights={"file": "net.onnx", "sha256": sha256, "bytes": len(content), "url": url}))


def refused(card: Card) -> str:
    with pytest.raises(NetError) as caught:
        fetch(card)
    assert "net 'sharp'" in str(caught.value)
    assert not (cache_folder(card) / "net.onnx").exists()
    return str(caught.value)


class TestWhole:
    def test_the_file_is_in_the_cache_and_nothing_else(self, server: Server, cache: Path) -> None:
        assert fetch(card_for(server.url)) == cache / "net.onnx"
        assert (cache / "net.onnx").read_bytes() == CONTENT
        assert [path.name for path in cache.iterdir()] == ["net.onnx"]

    def test_another_folder(self, server: Server, tmp_path: Path) -> None:
        assert fetch(card_for(server.url), tmp_path / "here").parent == tmp_path / "here"

    def test_progress_ends_at_the_whole(self, server: Server) -> None:
        said: list[tuple[int, int]] = []
        fetch(card_for(server.url), progress=lambda here, total: said.append((here, total)))
        assert said == sorted(said) and said[-1] == (len(CONTENT), len(CONTENT))

    def test_what_is_here_is_not_asked_for_again(self, server: Server, tmp_path: Path) -> None:
        fetch(card_for(server.url))
        fetch(card_for(server.url))
        assert len(server.asked) == 1
        (tmp_path / "net").mkdir()
        (tmp_path / "net" / "net.onnx").write_bytes(CONTENT)
        entry = Entry(card_for("http://127.0.0.1:1/none"), tmp_path / "net")
        assert fetch(entry) == tmp_path / "net" / "net.onnx"

    def test_a_file_in_the_cache_that_is_wrong_is_replaced(self, server: Server, cache: Path) -> None:
        cache.mkdir(parents=True)
        (cache / "net.onnx").write_bytes(b"of last year")
        assert fetch(card_for(server.url)).read_bytes() == CONTENT

    def test_a_wrong_file_beside_the_card_is_not_left_to_hide_the_right_one(self, tmp_path: Path) -> None:
        (tmp_path / "net.onnx").write_bytes(b"of last year")
        with pytest.raises(NetError, match="take it away first"):
            fetch(Entry(card_for("http://127.0.0.1:1/none"), tmp_path))

    def test_a_server_that_says_no_length(self, server: Server) -> None:
        server.says_length = False
        assert fetch(card_for(server.url)).read_bytes() == CONTENT


class TestDropped:
    def test_it_goes_on_where_it_was_cut(self, server: Server) -> None:
        server.drops = [len(CONTENT) // 2, 1000]
        assert fetch(card_for(server.url)).read_bytes() == CONTENT
        half = len(CONTENT) // 2
        assert server.asked == ["", f"bytes={half}-", f"bytes={half + 1000}-"]

    def test_a_later_call_goes_on_too(self, server: Server, cache: Path) -> None:
        cache.mkdir(parents=True)
        (cache / "net.onnx.part").write_bytes(CONTENT[:5000])
        assert fetch(card_for(server.url)).read_bytes() == CONTENT
        assert server.asked == ["bytes=5000-"]

    def test_a_whole_part_is_only_checked(self, cache: Path) -> None:
        cache.mkdir(parents=True)
        (cache / "net.onnx.part").write_bytes(CONTENT)
        assert fetch(card_for("http://127.0.0.1:1/none")).read_bytes() == CONTENT

    def test_a_server_without_ranges_begins_anew(self, server: Server) -> None:
        server.ranges, server.drops = False, [len(CONTENT) // 2]
        assert fetch(card_for(server.url)).read_bytes() == CONTENT
        assert len(server.asked) == 2

    def test_a_server_that_sends_another_range_than_asked(self, server: Server) -> None:
        server.shifts_range, server.drops = True, [5000]
        assert fetch(card_for(server.url)).read_bytes() == CONTENT
        assert server.asked == ["", "bytes=5000-", ""]

    @pytest.mark.parametrize("content", [b"x" * 5000, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 9)])
    def test_a_part_of_another_file_is_thrown_away_and_said(
        self, server: Server, cache: Path, content: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        cache.mkdir(parents=True)
        (cache / "net.onnx.part").write_bytes(content)
        with caplog.at_level(logging.WARNING):
            assert fetch(card_for(server.url)).read_bytes() == CONTENT
        assert "beginning anew" in caplog.text

    def test_a_server_that_drops_for_ever_is_given_up_and_the_part_kept(self, server: Server, cache: Path) -> None:
        server.drops = [1000] + [0] * 20
        said = refused(card_for(server.url))
        assert "the connection was closed early, 5 times; 1000 of 1048576 bytes are here" in said
        assert (cache / "net.onnx.part").read_bytes() == CONTENT[:1000]
        server.drops = []
        assert fetch(card_for(server.url)).read_bytes() == CONTENT

    def test_a_server_in_trouble_is_asked_again(self, server: Server) -> None:
        server.statuses = [503, 429, 500]
        assert fetch(card_for(server.url)).read_bytes() == CONTENT

    def test_no_server(self) -> None:
        pause, fetching.PAUSE_S = fetching.PAUSE_S, 0.001
        try:
            assert "Connection refused, 5 times" in refused(card_for("http://127.0.0.1:1/net.onnx"))
        finally:
            fetching.PAUSE_S = pause

    def test_a_server_that_says_nothing(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fetching, "TIMEOUT_S", 0.05)
        monkeypatch.setattr(fetching, "ATTEMPTS", 2)
        asleep = threading.Event()
        monkeypatch.setattr(Handler, "do_GET", lambda self: asleep.wait(5))
        assert "no answer for 0.05 s" in refused(card_for(server.url))
        asleep.set()


class TestWrong:
    @pytest.mark.parametrize(
        ("status", "words"), [(404, "out of date"), (403, "by hand"), (401, "login"), (410, "may be out of date")]
    )
    def test_a_refusal_is_said_at_once(self, server: Server, status: int, words: str) -> None:
        server.statuses = [status]
        said = refused(card_for(server.url))
        assert f"{server.url}: the server answers {status}" in said and words in said
        assert len(server.asked) == 1

    def test_other_contents_of_the_same_size(self, server: Server, cache: Path) -> None:
        server.content = CONTENT[::-1]
        said = refused(card_for(server.url))
        assert hashlib.sha256(server.content).hexdigest() in said and hashlib.sha256(CONTENT).hexdigest() in said
        assert (cache / "net.onnx.part").read_bytes() == b""
        assert len(server.asked) == 1

    @pytest.mark.parametrize("content", [b"<html>please log in</html>", CONTENT + b"more"])
    @pytest.mark.parametrize("says_length", [True, False])
    def test_another_size(self, server: Server, cache: Path, content: bytes, says_length: bool) -> None:
        server.content, server.says_length = content, says_length
        said = refused(card_for(server.url))
        assert "another file" in said or "sends more than" in said
        assert (cache / "net.onnx.part").read_bytes() in (b"", content)

    @pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://example.org/x", "net.onnx"])
    def test_only_http_is_an_address(self, url: str) -> None:
        said = refused(card_for(url))
        assert ("has no url; put net.onnx beside the card" if not url else "must begin with https://") in said

    def test_a_redirect_to_a_file_is_not_followed(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        def redirect(self: Handler) -> None:
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()

        monkeypatch.setattr(Handler, "do_GET", redirect)
        assert "302" in refused(card_for(server.url))

    def test_a_disk_that_is_too_small_is_said_before(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        usage = type("Usage", (), {"free": 1000})
        monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
        assert "the disk has 1000 bytes left, 1048576 are needed" in refused(card_for(server.url))

    def test_a_disk_that_fills_up_meanwhile(self, server: Server) -> None:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
        try:
            assert "cannot be written (File too large)" in refused(card_for(server.url))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert fetch(card_for(server.url)).read_bytes() == CONTENT

    def test_a_cache_that_cannot_be_made(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("a file")
        assert "cannot be written" in refused(card_for(server.url))

    def test_two_at_once_do_not_mix(self, server: Server, cache: Path) -> None:
        cache.mkdir(parents=True)
        with open(cache / "net.onnx.part", "ab") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            assert "another process is fetching" in refused(card_for(server.url))
        assert fetch(card_for(server.url)).read_bytes() == CONTENT
