"""How precise a run is, what more precision would cost, and when such a run may end.

An interval narrows with the root of the number of pairs. A run that ends when its interval is
narrow enough looks at it several times. So that looking does not bias the answer, it does so at
pair counts fixed before the run (LOOKS) and considers only the width, never the estimate or its
p-value (fixed-width intervals: Chow and Robbins, Ann. Math. Stat. 36, 1965). The coverage under
this rule was measured: docs/explanation/pairs.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from estimates.blocks import few
from estimates.location import Location

LOOKS = (60, 90, 135, 200, 300, 450, 675, 1_000)
"""The pair counts at which a run looks; beyond them each is 1.5 times the previous one."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a precision takes: `pairs` in all, `more` of them, at `cost` (None: unknown)."""

    half: float
    wanted_half: float
    pairs: int
    more: int
    cost: float | None


def outlook(half: float, count: int, wanted_half: float, cost_per_pair: float | None) -> Outlook:
    """How many pairs make an interval `wanted_half` wide to each side, if `count` make it `half`.

    `half` and `wanted_half` have the same unit. Raises ValueError unless `wanted_half` is above 0.
    """
    if not wanted_half > 0:
        raise ValueError(f"a precision must be above 0, not {wanted_half}")
    pairs = max(count, ceil(count * (half / wanted_half) ** 2))
    more = pairs - count
    cost = None if cost_per_pair is None else more * cost_per_pair
    return Outlook(half, wanted_half, pairs, more, cost)


def looks(most: int) -> Iterator[int]:
    """The pair counts at which a run of at most `most` pairs looks; the last is `most`."""
    count = 0
    for place in range(64):
        count = LOOKS[place] if place < len(LOOKS) else ceil(count * 1.5)
        if count >= most:
            break
        yield count
    yield most


def reached(estimate: Location | None, wanted_half: float) -> bool:
    """Whether, at a look, the interval is narrow enough for the run to end."""
    if estimate is None or estimate.half is None or few(estimate.count, estimate.memory):
        return False
    return estimate.half <= wanted_half
