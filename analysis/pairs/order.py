"""Does it matter which arm was first? If so, the second request of a pair is not like the first.

Order is drawn for each pair, so differences of pairs with the gateway first (AB) and of those with
the reference first (BA) are alike unless sending one request changes the answer to the next: a
prompt cache made warm, a limit used up, a connection kept open. Both arms may be moved alike, which
cancels between AB and BA, or not (carry-over), which does not; the data cannot tell these apart.
So where order matters, only the first request of each pair counts: the gateway's of AB pairs
against the reference's of BA pairs, before which nothing was sent. That compares two samples, with
the provider's scatter in them: the interval is wider.

A test before a test falsifies the second one (Freeman, Stat. Med. 8, 1989); the first is therefore
asked at 1 %, which hardly does (figures: docs/explanation/pairs.md).
"""

from dataclasses import dataclass
from math import floor, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from analysis.pairs.differences import Differences
from estimates.location import LEVEL, Location
from estimates.selection import kth_sum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

MATTERS = 0.01
LEAST = 10
"""Of fewer pairs in either order nothing is asked."""
_DRAWS = 4_999
_DRAWN = 200


@dataclass(frozen=True, slots=True)
class Order:
    """The median difference of pairs with the gateway first (`ab`) and second (`ba`)."""

    ab: float
    ba: float
    ab_count: int
    ba_count: int
    p: float

    @property
    def matters(self) -> bool:
        """Whether only the first request of each pair may be compared."""
        return self.p <= MATTERS


def order(found: Differences, seed: int = 0) -> Order | None:
    """Whether order matters; None where too few pairs were sent in either order."""
    known = found.first != 0
    ab = found.first[known] == 1
    if min(int(ab.sum()), int((~ab).sum())) < LEAST:
        return None
    low, high = found.low[known], found.high[known]
    values = np.where(np.isfinite(low), low, high)
    one, other = values[ab], values[~ab]
    p = _p(values, ab, seed)
    return Order(float(np.median(one)), float(np.median(other)), len(one), len(other), p)


def _p(values: "Floats", ab: "Bools", seed: int) -> float:
    """How often the ranks of the values fall so unevenly on AB and BA, had these been drawn anew.

    That is exact, as order is drawn; of more than 200 pairs the rank sum is normal.
    """
    ranks = _ranks(values)
    centred = ranks - ranks.mean()
    count, size = len(ab), int(ab.sum())
    seen = abs(float(centred[ab].sum())) - 1e-9
    if count > _DRAWN:
        variance = size * (count - size) / (count - 1) * float((centred**2).mean())
        return 1.0 if variance <= 0 else 2 * (1 - NormalDist().cdf(seen / sqrt(variance)))
    drawn = np.random.default_rng(seed).random((_DRAWS, count)).argsort(axis=1)[:, :size]
    hits = int((np.abs(centred[drawn].sum(axis=1)) >= seen).sum())
    return (1 + hits) / (1 + _DRAWS)


def _ranks(values: "Floats") -> "Floats":
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place], dtype=np.float64)


def first_only(found: Differences) -> Location | None:
    """By how much first requests differ: Hodges-Lehmann of two samples, Mann-Whitney's interval.

    The shift is the median of all differences between a gateway's and a reference's first request;
    the interval ends at two of them. As it was drawn who went first, drift falls on both alike and
    the interval is right however long it lasts. None where an arm never went first.
    """
    ab, ba = found.first == 1, found.first == -1
    if not ab.any() or not ba.any():
        return None
    size = int(ab.sum()), int(ba.sum())
    total = size[0] * size[1]
    spread = sqrt(total * (size[0] + size[1] + 1) / 12)
    rank = floor(total / 2 + 0.5 + NormalDist().inv_cdf((1 - LEVEL) / 2) * spread)
    low = np.sort(found.a_low[ab]), np.sort(-found.b_high[ba])
    high = np.sort(found.a_high[ab]), np.sort(-found.b_low[ba])
    least, most = (
        (kth_sum(x, y, (total + 1) // 2) + kth_sum(x, y, total // 2 + 1)) / 2
        for x, y in (low, high)
    )
    told = rank >= 1
    return Location(
        least,
        most,
        kth_sum(*low, rank) if told else None,
        kth_sum(*high, total + 1 - rank) if told else None,
        min(size) * 2,
        1.0,
    )


def first_p(found: Differences, seed: int = 0) -> float:
    """The p-value of first requests alone: whose turn it was to go first was drawn.

    A request that was not seen to end is as slow as the slowest.
    """
    known = found.first != 0
    ab = found.first[known] == 1
    return _p(np.where(ab, found.a_high[known], found.b_high[known]), ab, seed)
