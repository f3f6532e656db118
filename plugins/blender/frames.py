"""Frame ranges as people and the worker write them."""

from collections.abc import Iterable


def text(numbers: Iterable[int]) -> str:
    """Numbers as a frame range: ``1-3,7``."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs)


def numbers(said: str) -> list[int]:
    """The numbers of a frame range."""
    found: list[int] = []
    for part in filter(None, said.split(",")):
        first, _, last = part.partition("-")
        last, _, step = last.partition("x")
        found += range(int(first), int(last or first) + 1, int(step or 1))
    return found
