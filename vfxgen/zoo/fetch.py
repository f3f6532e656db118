"""The one place that goes to the network: a net's weights, from the address on its card to the cache."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from vfxgen.errors import NetError
from vfxgen.log import log
from vfxgen.media.publish import content_hash, published
from vfxgen.version import __version__
from vfxgen.zoo.card import Card
from vfxgen.zoo.registry import Entry, cache_folder, check_runnable, check_weights

TIMEOUT_S = 30.0
ATTEMPTS = 5
PAUSE_S = 1.0
BLOCK = 1 << 20

Progress = Callable[[int, int], None]


class _TryAgain(Exception):
    """The connection, not the request, is at fault."""


def fetch(net: Entry | Card, folder: Path | None = None, progress: Progress | None = None) -> Path:
    """Download a net's weights, checked; what is here already and right is not fetched again.

    A download goes into ``FILE.part``; where it was cut, in this call or an earlier one, it goes on, if the server can.
    The file appears under its name only when its sha256 is the card's.

    Parameters
    ----------
    net
        A net, or its card alone.
    folder
        Where the file goes; None: the cache.
    progress
        Called with the bytes that are here and the bytes there will be.

    Raises
    ------
    NetError
        The card has no address, the server has not the file or another one, the connection fails again and again,
        the disk is full, or another process fetches the same file: the message names net, address and remedy.
    RequestError
        See `vfxgen.zoo.registry.check_runnable`.
    """
    card = net.card if isinstance(net, Entry) else net
    check_runnable(card)
    if folder is None and isinstance(net, Entry) and (beside := net.folder / card.weights.file).exists():
        if _is_right(card, beside):
            return beside
        raise NetError(
            f"net '{card.name}': {beside} is not what the card says, and comes before the cache; take it away first"
        )
    path = (folder or cache_folder(card)) / card.weights.file
    if _is_right(card, path):
        return path
    url = card.weights.url
    if not url:
        raise NetError(f"net '{card.name}': its card has no url; put {card.weights.file} beside the card")
    if not url.startswith(("https://", "http://")):
        raise NetError(f"net '{card.name}': weights.url = '{url}': must begin with https:// or http://")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(card, path) as part:
            if _is_right(card, path):
                part.unlink(missing_ok=True)
            else:
                _complete(card, part, progress or (lambda here, total: None))
                with published(str(path)) as temporary:
                    os.rename(part, temporary)
    except OSError as error:
        raise NetError(f"net '{card.name}': {path}: cannot be written ({error.strerror or error})") from None
    return path


def _is_right(card: Card, path: Path) -> bool:
    try:
        check_weights(card, path)
    except NetError:
        return False
    return True


@contextlib.contextmanager
def _locked(card: Card, path: Path) -> Iterator[Path]:
    """The .part file of `path`, which no other process fetches into meanwhile."""
    part = path.with_name(f"{path.name}.part")
    with open(part, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NetError(f"net '{card.name}': another process is fetching {path}; wait for it") from None
        yield part


def _complete(card: Card, part: Path, progress: Progress) -> None:
    """Bring `part` to its full length and check it; a part of an earlier run that proves wrong is begun anew, once."""
    resumed = part.stat().st_size > 0
    while True:
        _download(card, part, progress)
        if part.stat().st_size == card.weights.bytes and (found := content_hash(str(part))) == card.weights.sha256:
            return
        os.truncate(part, 0)
        if not resumed:
            raise NetError(
                f"net '{card.name}': what {card.weights.url} sends has sha256 {found}, the card says "
                f"{card.weights.sha256}: it is another file, and nothing of it is kept; ask who wrote the card"
            )
        log.warning("net '%s': what an earlier fetch left in %s does not fit; beginning anew", card.name, part)
        resumed = False


def _download(card: Card, part: Path, progress: Progress) -> None:
    total, failures = card.weights.bytes, 0
    while (here := part.stat().st_size) < total:
        try:
            with _opened(card, here) as response, open(part, "r+b") as file:
                _pour(card, response, file, here, progress)
            raise _TryAgain("the connection was closed early")
        except (_TryAgain, urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            gained = part.stat().st_size
            if gained >= total:
                return
            failures = 1 if gained > here else failures + 1
            if failures >= ATTEMPTS:
                raise NetError(
                    f"net '{card.name}': {card.weights.url}: {_reason(error)}, {ATTEMPTS} times; "
                    f"{gained} of {total} bytes are here, fetch it again to go on"
                ) from None
            time.sleep(PAUSE_S * 2 ** (failures - 1))


def _opened(card: Card, here: int) -> http.client.HTTPResponse:
    request = urllib.request.Request(card.weights.url, headers={"User-Agent": f"vfxgen/{__version__}"})
    if here:
        request.add_header("Range", f"bytes={here}-")
    try:
        return cast(http.client.HTTPResponse, urllib.request.urlopen(request, timeout=TIMEOUT_S))
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (408, 429) or error.code >= 500:
            raise _TryAgain(f"the server answers {error.code} {error.reason}") from None
        remedy = {
            401: "it wants a login: download it by hand and put it beside the card",
            403: "it refuses: download it by hand and put it beside the card",
            404: "it is not there: the address on the card is out of date",
            416: f"its file ends before byte {here}: it is another file than the card's",
        }.get(error.code, "the address on the card may be out of date")
        raise NetError(
            f"net '{card.name}': {card.weights.url}: the server answers {error.code} {error.reason}; {remedy}"
        ) from None


def _pour(card: Card, response: http.client.HTTPResponse, file: BinaryIO, here: int, progress: Progress) -> None:
    """Append what the server sends from byte `here`; from the first one, if it cannot begin elsewhere."""
    total = card.weights.bytes
    if response.status == 206:
        begins, _, has = (response.headers.get("Content-Range") or "").partition("/")
        if not begins.startswith(f"bytes {here}-"):
            file.truncate(0)
            raise _TryAgain(f"asked for the bytes from {here} on, the server sent others")
    else:
        here, has = 0, response.headers.get("Content-Length") or ""
    if has.isdigit() and int(has) != total:
        file.truncate(0)
        raise NetError(
            f"net '{card.name}': {card.weights.url}: the server has {has} bytes "
            f"({response.headers.get_content_type()}), the card says {total}: it is another file"
        )
    if (free := shutil.disk_usage(os.path.dirname(file.name)).free) < total - here:
        raise NetError(f"net '{card.name}': {file.name}: the disk has {free} bytes left, {total - here} are needed")
    file.truncate(here)
    file.seek(here)
    while block := _received(response):
        here += len(block)
        if here > total:
            file.truncate(0)
            raise NetError(f"net '{card.name}': {card.weights.url}: sends more than the {total} bytes on the card")
        file.write(block)
        progress(here, total)


def _received(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(BLOCK)
    except (OSError, http.client.HTTPException) as error:
        raise _TryAgain(_reason(error)) from None


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.URLError):
        error = error.reason if isinstance(error.reason, Exception) else Exception(error.reason)
    if isinstance(error, TimeoutError):
        return f"no answer for {TIMEOUT_S:g} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
