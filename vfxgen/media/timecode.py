"""SMPTE time code (ST 12-1): text as movies carry it, advanced by frames, packed as OpenEXR and DPX headers hold it."""

from __future__ import annotations

import re
from fractions import Fraction

ATTRIBUTES = ("smpte:TimeCode", "dpx:TimeCode")
"""Header entries that hold one."""

_TEXT = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;.])(\d{2})")
_SHIFTS = (24, 16, 8, 0)
_DROP_FRAME, _SECOND_OF_PAIR = 1 << 6, 1 << 15


def packed(text: str, fps: Fraction, index: int) -> tuple[int, int] | None:
    """The time code `index` frames after `text`, as OpenEXR's (time and flags, user data); None where `text` is none.

    A semicolon before the frames means drop frame, which exists at multiples of 30 frames per second alone. Above 30
    frames per second a number stands for a pair of frames, and a flag for its second one.

    Examples
    --------
    >>> [hex(packed("01:00:59;29", Fraction(30000, 1001), i)[0]) for i in (0, 1)]
    ['0x1005969', '0x1010042']
    """
    match = _TEXT.fullmatch(text.strip())
    rate = round(fps)
    if match is None or not 1 <= rate <= 60:
        return None
    hours, minutes, seconds, frames = (int(match[i]) for i in (1, 2, 3, 5))
    drop = match[4] != ":" and rate % 30 == 0
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= rate:
        return None
    skipped = rate // 15 if drop else 0
    minute = 60 * hours + minutes
    count = (60 * minute + seconds) * rate + frames - skipped * (minute - minute // 10)
    day = 24 * 3600 * rate - skipped * (24 * 60 - 24 * 6)
    count = (count + index) % day
    if drop:
        # Every minute but each tenth leaves its first numbers out: put them back to count as text does.
        tens, rest = divmod(count, 600 * rate - 9 * skipped)
        count += skipped * (9 * tens + max(0, rest - skipped) // (60 * rate - skipped))
    seconds, frames = divmod(count, rate)
    flags = _DROP_FRAME if drop else 0
    if rate > 30:
        flags |= _SECOND_OF_PAIR * (frames % 2)
        frames //= 2
    fields = (seconds // 3600, seconds // 60 % 60, seconds % 60, frames)
    return sum(
        (field // 10 << 4 | field % 10) << shift for field, shift in zip(fields, _SHIFTS, strict=True)
    ) | flags, 0


def fields(code: int) -> tuple[int, ...]:
    """Hours, minutes, seconds and frames of a packed time code."""
    digits = (code >> shift & mask for shift, mask in zip(_SHIFTS, (0x3F, 0x7F, 0x7F, 0x3F), strict=True))
    return tuple((digit >> 4) * 10 + (digit & 15) for digit in digits)


def text(code: int, fps: Fraction) -> str:
    """A packed time code as movies of `fps` carry it; `packed` takes it back.

    Examples
    --------
    >>> text(0x1005969, Fraction(30000, 1001))
    '01:00:59;29'
    """
    hours, minutes, seconds, frames = fields(code)
    rate = round(fps)
    if rate > 30:
        frames = 2 * frames + bool(code & _SECOND_OF_PAIR)
    separator = ";" if code & _DROP_FRAME and rate % 30 == 0 else ":"
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{separator}{frames:02d}"
