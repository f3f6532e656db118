"""Which nets there are, where their weights are, and whether the use asked for is allowed."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from vfxgen.errors import CardError, LicenceError, NetError, RequestError
from vfxgen.log import say_once
from vfxgen.media.publish import content_hash
from vfxgen.zoo.card import FILE_NAME, Card, Use, load_card

VARIABLE = "VFXGEN_NETS"


@dataclass(frozen=True)
class Entry:
    """A net that is here: its card, and the folder the card is in."""

    card: Card
    folder: Path

    @property
    def name(self) -> str:
        """Of the net."""
        return self.card.name


def nets() -> dict[str, Entry]:
    """Every net whose card is right, by name: those of vfxgen first, then those of the folders in ``$VFXGEN_NETS``.

    Where two have one name, the first wins and the other is named in a warning. `broken` has the rest.
    """
    return {name: found for name, found in _scan().items() if isinstance(found, Entry)}


def broken() -> dict[str, CardError]:
    """What is wrong with the cards that cannot be used, by the net's name, or its folder's where it has none."""
    return {name: found for name, found in _scan().items() if isinstance(found, CardError)}


def find(name: str) -> Entry:
    """The net of this name, or in this folder: what has a ``/`` in it is a path.

    Raises
    ------
    CardError
        It is here, but its card is wrong; or there is none in the folder.
    RequestError
        There is none; names near to it are said.

    Examples
    --------
    >>> find("no-such-net")
    Traceback (most recent call last):
    vfxgen.errors.RequestError: there is no net 'no-such-net'; ...
    """
    if "/" in name:
        folder = Path(name).expanduser()
        return Entry(load_card(folder), folder)
    found = _scan()
    here = found.get(name)
    if isinstance(here, CardError):
        raise here
    if here is not None:
        return here
    near = difflib.get_close_matches(name, found, n=3, cutoff=0.5)
    known = (
        f"near: {', '.join(near)}" if near else f"there are {', '.join(sorted(found))}" if found else "there are none"
    )
    raise RequestError(f"there is no net '{name}'; {known} (vfxgen nets list; ${VARIABLE} adds folders of nets)")


def check_task(operator: str, card: Card, task: str) -> None:
    """Pass a net for `task`, of which an operator runs nets.

    Raises
    ------
    RequestError
        It is for another.
    """
    if card.task != task:
        raise RequestError(
            f"{operator}: net '{card.name}' is for {card.task}; "
            f"vfxgen nets list names others, and apply runs one that was trained for a shot"
        )


def check_use(card: Card, use: str = "commercial") -> None:
    """The licence gate: pass, or say which licence is in the way.

    Parameters
    ----------
    card
        Of the net that is to run.
    use
        ``commercial``, for frames that leave the house, or ``research``.

    Raises
    ------
    LicenceError
        A licence of the net does not allow it: the message says which, and what to do.
    RequestError
        `use` is neither.
    """
    if use not in get_args(Use):
        raise RequestError(f"use = '{use}': must be {' | '.join(get_args(Use))}")
    if use == "research" or card.use == "commercial":
        return
    said = []
    for part, licence in card.licences:
        if licence.use != "commercial":
            why = "allows research alone" if licence.use == "research" else "is unknown, which is no permission"
            source = f", {licence.source}" if licence.source else ""
            said.append(f"the licence of its {part} ({licence.name}{source}) {why}")
    raise LicenceError(
        f"net '{card.name}' is not for commercial use: {' and '.join(said)}. Choose a net that "
        f"`vfxgen nets list` shows as commercial; or, if no frame of it leaves the house, ask with --use research"
    )


def check_runnable(card: Card) -> None:
    """Pass, or say that nets of this format are not run yet.

    Raises
    ------
    RequestError
        It is a ``diffusers`` folder.
    """
    if card.format == "diffusers":
        raise RequestError(
            f"net '{card.name}' is a diffusers folder, which this version of vfxgen cannot run; choose a net of "
            f"another format (vfxgen nets list)"
        )


def weights_path(entry: Entry) -> Path:
    """Where the weights file is: beside the card, else in the cache.

    Raises
    ------
    NetError
        In neither; how to get it is said.
    """
    beside = entry.folder / entry.card.weights.file
    cached = cache_folder(entry.card) / entry.card.weights.file
    for path in (beside, cached):
        if path.exists():
            return path
    how = f"run: vfxgen nets fetch {entry.name}" if entry.card.weights.url else f"put it at {beside}"
    raise NetError(f"net '{entry.name}': its weights {entry.card.weights.file} are not here; {how}")


def verify(entry: Entry) -> Path:
    """The weights file, whose size and hash are what the card says.

    Raises
    ------
    NetError
        It is missing, is of another size, or has other contents.
    RequestError
        See `check_runnable`.
    """
    check_runnable(entry.card)
    path = weights_path(entry)
    check_weights(entry.card, path)
    return path


def check_weights(card: Card, path: Path) -> None:
    """Compare a file with what a card says of its weights.

    Raises
    ------
    NetError
        The size or the hash is another; or it cannot be read.
    MediaError
        It vanished while it was read.
    """
    expected = card.weights
    if not path.is_file():
        raise NetError(
            f"net '{card.name}': {path}: is {'a folder' if path.is_dir() else 'not there'}; it must be a file"
        )
    size = path.stat().st_size
    remedy = "fetch or copy it again" + ("" if expected.url else ", or write what it is now into its card")
    if size != expected.bytes:
        state = "is cut short" if size < expected.bytes else "is too long"
        raise NetError(f"net '{card.name}': {path} {state}: {size} bytes, its card says {expected.bytes}; {remedy}")
    if (found := content_hash(str(path))) != expected.sha256:
        raise NetError(f"net '{card.name}': {path}: sha256 is {found}, its card says {expected.sha256}; {remedy}")


def cache_folder(card: Card) -> Path:
    """Where fetched weights of a net are kept: in ``$VFXGEN_CACHE``, else in ``~/.cache/vfxgen``."""
    root = os.environ.get("VFXGEN_CACHE") or Path.home() / ".cache" / "vfxgen"
    return Path(root) / "nets" / card.name


def folders() -> list[Path]:
    """The folders of nets, in the order they are looked through; what is wrong in ``$VFXGEN_NETS`` is said once."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent
    own = checkout / "nets" if (checkout / "pyproject.toml").is_file() else package / "nets"
    found = [own] if own.is_dir() else []
    for named in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        path = Path(named).expanduser().resolve()
        if not path.is_dir():
            say_once(f"${VARIABLE}: {path} is no folder")
        elif (path / FILE_NAME).exists():
            say_once(f"${VARIABLE}: {path} is a net itself; name the folder it is in, {path.parent}")
        elif path not in found:
            found.append(path)
    return found


def _scan() -> dict[str, Entry | CardError]:
    found: dict[str, Entry | CardError] = {}
    places: dict[str, Path] = {}
    for folder in _cards():
        name, entry = _read(folder)
        # A broken card holds its name: to run another net instead of it would be a silent change of the picture.
        if name in found:
            say_once(f"net '{name}': {folder} is passed over, {places[name]} comes first")
            continue
        found[name], places[name] = entry, folder
    return found


def _cards() -> Iterator[Path]:
    for root in folders():
        try:
            inside = sorted(root.iterdir())
        except OSError as error:
            say_once(f"{root}: its nets cannot be listed ({error.strerror})")
            continue
        # A name with a dot first is a net that is being written, or what is left of one: it never stands for the net.
        yield from (
            folder for folder in inside if not folder.name.startswith(".") and os.path.exists(folder / FILE_NAME)
        )


def _read(folder: Path) -> tuple[str, Entry | CardError]:
    try:
        card = load_card(folder)
        return card.name, Entry(card, folder)
    except CardError as error:
        return _name_of_broken(folder), error


def _name_of_broken(folder: Path) -> str:
    try:
        name = tomllib.loads((folder / FILE_NAME).read_text("utf-8")).get("name")
    except (OSError, ValueError, RecursionError):
        return folder.name
    return name if isinstance(name, str) and name not in ("", "?") else folder.name
