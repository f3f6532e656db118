"""What can go wrong, one class per cause; every message names the file or field, the fault and the remedy."""

from __future__ import annotations


class VfxgenError(Exception):
    """Base of every error vfxgen raises on purpose."""


class RequestError(VfxgenError):
    """What was asked for cannot be done as asked: a parameter, a pattern, an option, a combination."""


class GraphError(RequestError):
    """A graph or shot document is wrong: the message names the file, the node and the field."""


class ColorError(RequestError):
    """A colour space, display or view that the OpenColorIO configuration does not know."""


class CardError(RequestError):
    """A net's card is wrong or missing: the message names the file, the field and what is allowed."""


class LicenceError(RequestError):
    """A net whose licences forbid the use asked for: the message says which licence, and what to do."""


class MediaError(VfxgenError):
    """A file that cannot be read or written: the message names the file and the fault."""


class MissingFrameError(MediaError):
    """A frame that a sequence should have and has not."""


class FrameError(VfxgenError):
    """An operator could not make a frame: the message names the operator and the frame."""


class NetError(VfxgenError):
    """A net that cannot be fetched, loaded or run: the message names the net and the file."""


class TrainingError(VfxgenError):
    """A training that cannot go on: its loss is not a number, its checkpoint is damaged or of another training."""
