"""By how much two arms differ: Hodges-Lehmann estimate of pair differences, signed-rank interval.

The estimate is the median of all n(n + 1) / 2 means of two differences (Hodges and Lehmann, Ann.
Math. Stat. 34, 1963); the interval inverts Wilcoxon's signed-rank test and so ends at two of these
means (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3.3). The distribution is
exact up to 100 differences and normal beyond. It does not use ties, so that with ties the interval
contains the truth at least as often.

Neighbours may be correlated (by a queue): the interval is then wider by the root of their memory
(estimates/blocks.py), as n differences say no more than n / memory independent ones.

A difference of which only a bound is known (the end of the request was not seen) is used twice, at
its lowest and at its highest. Estimate and bounds rise with every difference, so the truth lies
between the two results.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import floor, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from estimates.blocks import memory_of
from estimates.selection import kth_sum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEVEL = 0.95
_EXACT = 100


@dataclass(frozen=True, slots=True)
class Location:
    """The typical difference lies from `least` to `most`: equal if all differences are known.

    `low` and `high` are the 95 % interval, None if there are too few; an infinite end is unbounded.
    All in the differences' unit. `memory`: over how many pairs differences are correlated.
    """

    least: float
    most: float
    low: float | None
    high: float | None
    count: int
    memory: float

    @property
    def half(self) -> float | None:
        """Half the interval's width; None if there is no interval or it is unbounded."""
        return half_width(self.low, self.high)


def half_width(low: float | None, high: float | None) -> float | None:
    """Half the width of an interval; None if an end is unknown or infinite."""
    if low is None or high is None:
        return None
    half = (high - low) / 2
    return half if np.isfinite(half) else None


def location(low: "Floats", high: "Floats", level: float = LEVEL) -> Location | None:
    """The location of differences that each lie from `low` to `high`, in the order of sending.

    None if there are no differences.
    """
    count = len(low)
    if not count:
        return None
    total = count * (count + 1) // 2
    alike = memory_of(signed_ranks(*_centred(low, high)))
    rank = _rank(count, alike, level)
    sorted_low, sorted_high = np.sort(low), np.sort(high)
    identical = bool(np.array_equal(sorted_low, sorted_high))

    def walsh(values: "Floats", place: int) -> float:
        return kth_sum(values, values, place, once=True) / 2

    def middle(values: "Floats") -> float:
        upper = walsh(values, total // 2 + 1)
        return upper if total % 2 else (walsh(values, total // 2) + upper) / 2

    least = middle(sorted_low)
    return Location(
        least,
        least if identical else middle(sorted_high),
        None if rank is None else walsh(sorted_low, rank),
        None if rank is None else walsh(sorted_high, total + 1 - rank),
        count,
        alike,
    )


def _centred(low: "Floats", high: "Floats") -> "tuple[Floats, Floats]":
    """The differences centred on their middle, where the true difference is zero."""
    known = low[np.isfinite(low) & (low == high)]
    middle = float(np.median(known)) if len(known) else 0.0
    return low - middle, high - middle


def signed_ranks(low: "Floats", high: "Floats") -> "Floats":
    """Each difference's rank by size, with its sign; swapping two arms changes only the sign.

    A difference of known sign and unknown size ranks as the largest; one of unknown sign, or of 0,
    has rank 0. Equal sizes share their mean rank.
    """
    sign = np.where(low > 0, 1.0, np.where(high < 0, -1.0, 0.0))
    size = np.where(low == high, np.abs(low), np.inf)
    size[sign == 0] = 0
    values, place, counts = np.unique(size, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[place] if len(values) else size
    return np.asarray(sign * ranks, dtype=np.float64)


def _rank(count: int, alike: float, level: float) -> int | None:
    """The place, from 1, of the interval's lower end among the means; None if there are too few.

    It is the largest k with P(W < k) <= (1 - level) / 2, nearer the end by the root of the memory.
    """
    total = count * (count + 1) // 2
    tail = (1 - level) / 2
    if count <= _EXACT:
        independent = float(np.searchsorted(_cumulated(count), tail, side="right"))
    else:
        spread = sqrt(count * (count + 1) * (2 * count + 1) / 24)
        independent = floor(total / 2 + 0.5 + NormalDist().inv_cdf(tail) * spread)
    rank = floor(total / 2 - (total / 2 - independent) * sqrt(alike))
    return rank if rank >= 1 else None


@lru_cache(maxsize=128)
def _cumulated(count: int) -> "Floats":
    """P(W <= 0), P(W <= 1), ... of the signed-rank sum of `count` differences without ties."""
    chances = np.zeros(count * (count + 1) // 2 + 1)
    chances[0] = 1.0
    for rank in range(1, count + 1):
        chances[rank:] = (chances[rank:] + chances[:-rank]) / 2
        chances[:rank] /= 2
    return np.cumsum(chances)
