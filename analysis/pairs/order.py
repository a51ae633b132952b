"""Does it matter which arm was first? If so, the second request of a pair is not like the first.

The order is random for each pair. So the differences of pairs with the gateway first (AB) and with
the reference first (BA) are alike, unless sending one request changes the answer to the next: it
warms a prompt cache, uses up a limit, opens a connection. If that affects both arms equally, it
cancels between AB and BA; if not (carry-over), it does not, and the data cannot tell which is the
case. So if order matters, only the first request of each pair counts: the gateway's of AB pairs
against the reference's of BA pairs, before which nothing was sent. That compares two independent
samples, which include the provider's scatter, so the interval is wider.

A preliminary test distorts the error rate of the test that follows (Freeman, Stat. Med. 8, 1989).
This one is therefore made at the 1 % level, at which it hardly does (figures:
docs/explanation/pairs.md).
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
"""With fewer pairs than this in either order, order is not tested."""
_DRAWS = 4_999
_DRAWN = 200


@dataclass(frozen=True, slots=True)
class Order:
    """The median differences of pairs with the gateway first (`ab`) and second (`ba`).

    They are in the metric's unit; `p` is the p-value of the difference between the two.
    """

    ab: float
    ba: float
    ab_count: int
    ba_count: int
    p: float

    @property
    def matters(self) -> bool:
        """Whether only the first request of each pair may be compared."""
        return self.p <= MATTERS


def order(differences: Differences, seed: int = 0) -> Order | None:
    """The test of whether order matters; None if too few pairs were sent in either order."""
    known = differences.first != 0
    ab = differences.first[known] == 1
    if min(int(ab.sum()), int((~ab).sum())) < LEAST:
        return None
    low, high = differences.low[known], differences.high[known]
    values = np.where(np.isfinite(low), low, high)
    one, other = values[ab], values[~ab]
    p = _p(values, ab, seed)
    return Order(float(np.median(one)), float(np.median(other)), len(one), len(other), p)


def _p(values: "Floats", ab: "Bools", seed: int) -> float:
    """How often the ranks would be divided so unevenly between AB and BA, were these drawn anew.

    Because the order was drawn at random, this test needs no assumption about the values. With more
    than 200 pairs the normal approximation of the rank sum is used.
    """
    ranks = _ranks(values)
    centred = ranks - ranks.mean()
    count, size = len(ab), int(ab.sum())
    observed = abs(float(centred[ab].sum())) - 1e-9
    if count > _DRAWN:
        variance = size * (count - size) / (count - 1) * float((centred**2).mean())
        return 1.0 if variance <= 0 else 2 * (1 - NormalDist().cdf(observed / sqrt(variance)))
    draws = np.random.default_rng(seed).random((_DRAWS, count)).argsort(axis=1)[:, :size]
    hits = int((np.abs(centred[draws].sum(axis=1)) >= observed).sum())
    return (1 + hits) / (1 + _DRAWS)


def _ranks(values: "Floats") -> "Floats":
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place], dtype=np.float64)


def first_only(differences: Differences) -> Location | None:
    """By how much first requests differ: Hodges-Lehmann of two samples, Mann-Whitney's interval.

    The shift is the median of all differences between a gateway's and a reference's first request;
    the interval ends at two of them. Because it was drawn which arm went first, drift affects both
    alike, and the interval holds however long the drift lasts. None if an arm never went first.
    """
    ab, ba = differences.first == 1, differences.first == -1
    if not ab.any() or not ba.any():
        return None
    size = int(ab.sum()), int(ba.sum())
    total = size[0] * size[1]
    spread = sqrt(total * (size[0] + size[1] + 1) / 12)
    rank = floor(total / 2 + 0.5 + NormalDist().inv_cdf((1 - LEVEL) / 2) * spread)
    low = np.sort(differences.a_low[ab]), np.sort(-differences.b_high[ba])
    high = np.sort(differences.a_high[ab]), np.sort(-differences.b_low[ba])
    least, most = (
        (kth_sum(x, y, (total + 1) // 2) + kth_sum(x, y, total // 2 + 1)) / 2
        for x, y in (low, high)
    )
    bounded = rank >= 1
    return Location(
        least,
        most,
        kth_sum(*low, rank) if bounded else None,
        kth_sum(*high, total + 1 - rank) if bounded else None,
        min(size) * 2,
        1.0,
    )


def first_p(differences: Differences, seed: int = 0) -> float:
    """The p-value of the first requests alone, valid because it was drawn which arm went first.

    A request that was not seen to end ranks as slowest.
    """
    known = differences.first != 0
    ab = differences.first[known] == 1
    return _p(np.where(ab, differences.a_high[known], differences.b_high[known]), ab, seed)
