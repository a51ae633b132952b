"""How precise a run is, what more would cost, and when a run that asks for a precision may end.

An interval narrows with the root of the pairs. A run that ends when its interval is narrow enough
looks at it several times; so that looking does not choose the answer, it looks at pair counts fixed
before the run (LOOKS) and asks for the width alone, never for the estimate or its p-value
(fixed-width intervals: Chow and Robbins, Ann. Math. Stat. 36, 1965). Their coverage under this rule
was measured: docs/explanation/pairs.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from estimates.blocks import few
from estimates.location import Location

LOOKS = (60, 90, 135, 200, 300, 450, 675, 1_000)
"""The pair counts at which is looked; beyond them each is half as much again."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a precision takes: `pairs` in all, `more` than there are, at `cost` (None: unknown)."""

    half: float
    wanted: float
    pairs: int
    more: int
    cost: float | None


def outlook(half: float, count: int, wanted: float, cost_per_pair: float | None) -> Outlook:
    """How many pairs make an interval `wanted` to either side that `count` pairs make `half`.

    `half` and `wanted` are in one unit. Raises ValueError unless `wanted` is above 0.
    """
    if not wanted > 0:
        raise ValueError(f"a precision is above 0, not {wanted}")
    pairs = max(count, ceil(count * (half / wanted) ** 2))
    more = pairs - count
    cost = None if cost_per_pair is None else more * cost_per_pair
    return Outlook(half, wanted, pairs, more, cost)


def looks(most: int) -> Iterator[int]:
    """The pair counts at which a run of at most so many pairs looks; the last is `most`."""
    count = 0
    for place in range(64):
        count = LOOKS[place] if place < len(LOOKS) else ceil(count * 1.5)
        if count >= most:
            break
        yield count
    yield most


def reached(found: Location | None, wanted: float) -> bool:
    """At a look: whether the interval is narrow enough for the run to end."""
    if found is None or found.half is None or few(found.count, found.memory):
        return False
    return found.half <= wanted
