"""JSON-RPC 2.0, one message a line: what comes in, what goes out, and which code an error has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from vfxgen import errors
from vfxgen.cancel import Cancelled

PROTOCOL = 1

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
INVALID_PARAMS, INTERNAL_ERROR = -32602, -32603
CANCELLED, PROTOCOL_DIFFERS = 20, 21
CODES: dict[type[errors.VfxgenError], int] = {
    errors.VfxgenError: 1,
    errors.RequestError: 2,
    errors.GraphError: 3,
    errors.ColorError: 4,
    errors.CardError: 5,
    errors.LicenceError: 6,
    errors.MediaError: 7,
    errors.MissingFrameError: 8,
    errors.FrameError: 9,
    errors.NetError: 10,
}
"""The codes of vfxgen's own errors; one that is not here has that of its nearest base."""

Id = int | str | None
Message = dict[str, Any]


class Fault(Exception):
    """An error as a host is told of it.

    Parameters
    ----------
    code
        Of this module.
    message
        What is wrong and what to do, in words.
    data
        ``kind``, the class of the error, and what else is known.
    """

    def __init__(self, code: int, message: str, **data: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


@dataclass(frozen=True)
class Request:
    """One call; without an id it is a notification, and gets no answer."""

    method: str
    params: Any
    id: Id = None


def parse(line: bytes) -> Request:
    """A request from its line.

    Raises
    ------
    Fault
        It is no JSON, or no request.

    Examples
    --------
    >>> parse(b'{"jsonrpc": "2.0", "id": 1, "method": "describe"}')
    Request(method='describe', params={}, id=1)
    """
    try:
        message = json.loads(line.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Fault(PARSE_ERROR, f"a line that is no JSON: {error}") from None
    if not isinstance(message, dict):
        raise Fault(INVALID_REQUEST, "a message is one JSON object a line; batches are not taken")
    method, params, id = message.get("method"), message.get("params", {}), message.get("id")
    known_id = id is None or (isinstance(id, (int, str)) and not isinstance(id, bool))
    if message.get("jsonrpc") != "2.0" or not isinstance(method, str) or not known_id:
        raise Fault(INVALID_REQUEST, 'a request is {"jsonrpc": "2.0", "id": 1, "method": "...", "params": {...}}')
    return Request(method, params, id)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number in JSON")


def result(id: Id, value: Any) -> Message:
    """The answer to a request that went well."""
    return {"jsonrpc": "2.0", "id": id, "result": value}


def failure(id: Id, error: BaseException) -> Message:
    """The answer to a request that did not."""
    fault = as_fault(error)
    body: dict[str, Any] = {"code": fault.code, "message": fault.message}
    return {"jsonrpc": "2.0", "id": id, "error": body | ({"data": fault.data} if fault.data else {})}


def notification(method: str, **params: Any) -> Message:
    """Something a host is told without having asked."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def as_fault(error: BaseException) -> Fault:
    """An exception as a fault: what the command line would print, never a traceback.

    Examples
    --------
    >>> as_fault(errors.LicenceError("not for commercial use")).code
    6
    """
    if isinstance(error, Fault):
        return error
    kind = type(error).__name__
    for base in type(error).__mro__:
        if base in CODES:
            return Fault(CODES[base], str(error), kind=kind)
    if isinstance(error, Cancelled):
        return Fault(CANCELLED, "cancelled", kind=kind)
    return Fault(INTERNAL_ERROR, f"{kind}: {error}", kind=kind)


def encoded(message: Message) -> bytes:
    """A message as its line."""
    # ASCII holds whatever a file may be called, even what is no valid Unicode.
    return json.dumps(message, allow_nan=False).encode("ascii") + b"\n"
