"""Cards and weights for tests: small, whole, and easy to break."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import tomli_w

WEIGHTS = b"weights " * 64


def card(name: str = "sharp", content: bytes = WEIGHTS, **changed: Any) -> dict[str, Any]:
    """A card's contents, right in every field, for `content` in net.onnx."""
    free = {"name": "MIT", "use": "commercial"}
    contents: dict[str, Any] = {
        "schema": 1,
        "name": name,
        "task": "upscale",
        "summary": "Twice the size.",
        "format": "onnx",
        "scale": 2,
        "receptive_field": 9,
        "weights": {"file": "net.onnx", "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)},
        "inputs": [{"name": "x", "channels": "R G B", "encoding": "srgb", "mean": [0.5] * 3, "std": [1 / 255] * 3}],
        "outputs": [{"name": "y", "channels": "R G B", "encoding": "srgb"}],
        "licences": {"code": free, "weights": free, "data": free},
    }
    return contents | changed


def licences(**uses: str) -> dict[str, dict[str, str]]:
    """Three licences, commercial but where another use is said."""
    return {
        part: {"name": f"{part} terms", "use": uses.get(part, "commercial"), "source": f"https://example.org/{part}"}
        for part in ("code", "weights", "data")
    }


def write_net(root: Path, name: str = "sharp", weights: bytes | None = WEIGHTS, **changed: Any) -> Path:
    """The folder of a net under `root`; None as weights: the card alone."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "card.toml").write_text(tomli_w.dumps(card(name, **changed)))
    if weights is not None:
        (folder / "net.onnx").write_bytes(weights)
    return folder
