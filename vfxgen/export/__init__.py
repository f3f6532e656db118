"""Nets leave as ONNX or TorchScript: held against torch before the file appears, with card and licences inside."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vfxgen.errors import NetError, RequestError
from vfxgen.export.nuke import nuke_script as nuke_script
from vfxgen.export.parity import HALF_TOLERANCE as HALF_TOLERANCE
from vfxgen.export.parity import TOLERANCE as TOLERANCE
from vfxgen.export.parity import Exported as Exported
from vfxgen.export.parity import Parity as Parity
from vfxgen.export.parity import compared
from vfxgen.log import log
from vfxgen.media.publish import published

if TYPE_CHECKING:
    from vfxgen.zoo.card import Card
    from vfxgen.zoo.registry import Entry

_SUFFIXES = {"onnx": (".onnx",), "torchscript": (".pt", ".pth")}


def export(
    entry: Entry,
    out: str | os.PathLike[str],
    to: Literal["onnx", "torchscript"] = "onnx",
    *,
    opset: int = 20,
    fp16: bool = False,
    static: tuple[int, int] | None = None,
    card: bool = False,
) -> Exported:
    """Write a net as a file that other programs run.

    Parameters
    ----------
    entry
        A net that torch runs.
    out
        The file: ``.onnx``, of TorchScript ``.pt`` or ``.pth``. Beside the latter appears a Nuke script that makes the
        ``.cat``, with the suffix ``.nk``, if Nuke can run such a net; why not is said otherwise.
    to
        ``onnx`` or ``torchscript``.
    opset
        Of ONNX.
    fp16
        Convolutions in half precision; resampling and the last sum, with inputs and outputs, stay float32. ONNX only.
    static
        (height, width) where the file is to take one size alone. ONNX only.
    card
        Write ``card.toml`` beside the file: the folder is then a net that vfxgen runs.

    Returns
    -------
    Exported
        Printed, it is a table of the differences.

    Raises
    ------
    NetError
        An extra is not installed, the net cannot be exported, or the file differs from torch. No file is left then.
    RequestError
        A file of another suffix, options that do not go together, a net that is not torch's, or the card of another net
        where this one's goes.
    """
    from vfxgen.backends.net import load
    from vfxgen.backends.torch_net import TorchNet
    from vfxgen.export import onnx_file, torchscript
    from vfxgen.export.code_values import on_code_values
    from vfxgen.zoo.card import FILE_NAME

    if to not in _SUFFIXES:
        raise RequestError(f"--to {to}: must be {' or '.join(_SUFFIXES)}")
    if Path(out).suffix.lower() not in _SUFFIXES[to]:
        raise RequestError(f"{out}: a net that leaves as {to} is a file {' or '.join(_SUFFIXES[to])}")
    if to == "torchscript" and (fp16 or static):
        raise RequestError("--fp16 and --static are of ONNX; a TorchScript takes any size, and its host halves it")
    net = load(entry, device="cpu", precision="fp32")
    if not isinstance(net, TorchNet):
        raise RequestError(f"net '{net.card.name}' is {net.card.format} already; copy {net.path}")
    if static and any(side < 1 or side % net.card.size_multiple for side in static):
        raise RequestError(f"--static {static[0]}x{static[1]}: must be multiples of {net.card.size_multiple}")
    net, out = on_code_values(net), Path(out)
    if card:
        _check_card(net.card, out)
    made = _exported_card(net.card, to, out.name, fp16, static)
    if to == "onnx":
        content = onnx_file.written(net, made, opset, fp16, static)
        run = onnx_file.runner(net, content)
    else:
        content = torchscript.written(net, made)
        run = torchscript.runner(content)
    tolerance = HALF_TOLERANCE if fp16 else TOLERANCE
    report = Exported(out, compared(net, run, static), tolerance)
    if not max(row.largest for row in report.parity) < tolerance:
        raise NetError(f"net '{net.card.name}': the exported file differs from torch, so it was not written:\n{report}")
    _publish(out, content)
    if to == "torchscript":
        _publish_nuke_script(net.card, out)
    if card:
        _publish(out.parent / FILE_NAME, _card_text(made, content))
    return report


def _check_card(card: Card, out: Path) -> None:
    """Pass where there is no card beside `out` yet, or that of an earlier export of the same net to it."""
    from vfxgen.zoo.card import FILE_NAME, load_card

    if not (out.parent / FILE_NAME).exists():
        return
    there = load_card(out.parent)
    if (there.name, there.weights.file) != (card.name, out.name):
        raise RequestError(
            f"{out.parent / FILE_NAME}: is the card of net '{there.name}' in {there.weights.file}; give --out in a "
            "folder of its own, or leave --card out"
        )


def _exported_card(card: Card, to: str, file: str, fp16: bool, static: tuple[int, int] | None) -> Card:
    weights = card.weights.model_copy(update={"file": file, "url": ""})
    inputs, outputs = card.inputs, card.outputs
    if static:
        inputs = [port.model_copy(update={"size": list(static)}) for port in inputs]
        outputs = [port.model_copy(update={"size": [card.scale * side for side in static]}) for port in outputs]
    precision = "fp16" if fp16 else "fp32"
    changed = {"format": to, "weights": weights, "precision": precision}
    return card.model_copy(update={**changed, "inputs": inputs, "outputs": outputs})


def _card_text(card: Card, content: bytes) -> bytes:
    from vfxgen.zoo.card import dumps

    known = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return dumps(card.model_copy(update={"weights": card.weights.model_copy(update=known)})).encode()


def _publish_nuke_script(card: Card, out: Path) -> None:
    try:
        script = nuke_script(card, out)
    except RequestError as error:
        log.warning("no %s is written: %s", out.with_suffix(".nk").name, error)
        return
    _publish(out.with_suffix(".nk"), script.encode())


def _publish(path: Path, content: bytes) -> None:
    with published(str(path)) as temporary:
        Path(temporary).write_bytes(content)
