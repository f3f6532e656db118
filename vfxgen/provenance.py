"""What made a frame, in the frame's own header: its key, its recipe, the nets that touched it, what it rests on."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vfxgen.errors import MediaError
from vfxgen.frame import Attribute, Frame
from vfxgen.media import image
from vfxgen.version import __version__

_Nets = dict[tuple[str, str], dict[str, Any]]  # by name and hash
_KEY_IN_SOFTWARE = re.compile(r"^vfxgen \S+ ([0-9a-f]{64})")
_HOLDS_ANY_ATTRIBUTE = ("exr", "png")
# IPTC's vocabulary of digital source types: made by a net, in parts; and what else was not captured from real life.
_SOURCE_TYPE = "Iptc4xmpExt:DigitalSourceType"
_VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_BY_NET, _PARTLY_BY_NET = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
_SYNTHETIC = {
    "algorithmicMedia",
    "compositeSynthetic",
    "dataDrivenMedia",
    "digitalArt",
    "digitalCreation",
    "softwareImage",
    "virtualRecording",
}


@dataclass(frozen=True)
class Provenance:
    """What made a sequence's frames, as their headers say it.

    Parameters
    ----------
    recipe
        The graph document, one line of JSON.
    nets
        Every net that touches the frames with its hash and its three licences, one line of JSON by name; those that
        share a name have the first letters of their hash behind it. Empty without nets.
    sources
        Digital source types of what the frames rest on; an empty one where a header says none.
    """

    recipe: str
    nets: str = ""
    sources: frozenset[str] = frozenset()

    @property
    def source_type(self) -> str:
        """The digital source type of the frames: it hides nothing that their sources say."""
        if self.sources == {_BY_NET}:
            return _BY_NET
        if self.nets or not self.sources.isdisjoint((_BY_NET, _PARTLY_BY_NET)):
            return _PARTLY_BY_NET
        return "compositeCapture" if self.sources.isdisjoint(_SYNTHETIC) else "compositeSynthetic"

    def resting_on(self, frames: Iterable[Frame]) -> Provenance:
        """This, with what the headers of `frames` say was there before: nets beside its own, digital source types.

        Raises
        ------
        MediaError
            A header's list of nets cannot be read.
        """
        nets: _Nets = {}
        sources = set(self.sources)
        for frame in frames:
            sources.add(str(frame.attributes.get(_SOURCE_TYPE, Attribute("")).value).rpartition("/")[2])
            said = frame.attributes.get("vfxgen:nets")
            try:
                nets |= _by_hash(said.value) if said else {}
            except (AttributeError, KeyError, TypeError, ValueError):
                raise MediaError(
                    f"{frame.source}: frame {frame.number}: vfxgen:nets in its header is damaged; make the file again"
                ) from None
        nets |= _by_hash(self.nets) if self.nets else {}
        return replace(self, nets=_listed(nets), sources=frozenset(sources))


def provenance(document: dict[str, Any], nets: Mapping[str, Any]) -> Provenance:
    """A graph document and the nets in it (`Operator.nets`) as they stand in headers."""
    used: _Nets = {}
    for entry in nets.values():
        sha256, licences = entry.card.weights.sha256, entry.card.licences.model_dump(mode="json")
        used[entry.name, sha256] = {"sha256": sha256, "licences": licences}
    return Provenance(_one_line(document), _listed(used))


def with_provenance(frame: Frame, format: str, key: str, made_by: Provenance) -> Frame:
    """`frame` with a header that says what made it: its key everywhere, the whole recipe where the format has room."""
    attributes = dict(frame.attributes)
    if format in _HOLDS_ANY_ATTRIBUTE:
        attributes |= {
            "vfxgen:key": Attribute(key),
            "vfxgen:version": Attribute(__version__),
            "vfxgen:recipe": Attribute(made_by.recipe),
            _SOURCE_TYPE: Attribute(_VOCABULARY + made_by.source_type),
        }
        if made_by.nets:
            attributes["vfxgen:nets"] = Attribute(made_by.nets)
    else:
        attributes["Software"] = Attribute(f"vfxgen {__version__} {key}")
    return replace(frame, attributes=attributes)


def published_key(path: str) -> str | None:
    """The key in a file's header, None when vfxgen did not write it.

    Raises
    ------
    MediaError
        The file is missing or damaged.
    """
    attributes = image.read_header(path)[0].attributes
    if "vfxgen:key" in attributes:
        return str(attributes["vfxgen:key"].value)
    match = _KEY_IN_SOFTWARE.match(str(attributes.get("Software", Attribute("")).value))
    return match[1] if match else None


def _by_hash(listed: str) -> _Nets:
    return {(name.removesuffix(_mark(net)), net["sha256"]): net for name, net in json.loads(listed).items()}


def _listed(nets: _Nets) -> str:
    of_name = Counter(name for name, _ in nets)
    named = {name + (_mark(net) if of_name[name] > 1 else ""): net for (name, _), net in nets.items()}
    return _one_line(named) if named else ""


def _mark(net: dict[str, Any]) -> str:
    return f" {net['sha256'][:12]}"


def _one_line(document: Any) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
