"""Does one arm succeed more often? Tango's interval of paired rates, McNemar's exact test.

Only pairs that differ are informative: b of n succeeded in the gateway's arm only, c in the
reference's only. The interval inverts the score test of the difference (Tango, Stat. Med. 17,
1998); p is that of b heads in b + c tosses of a coin (McNemar, Psychometrika 12, 1947).
"""

from dataclasses import dataclass
from math import exp, lgamma, log, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from estimates.blocks import memory_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Success:
    """Success rates of both arms and the 95 % interval of their difference a - b, as shares.

    `only_a` and `only_b` are the pairs in which only that arm succeeded, `count` all pairs. `p` is
    McNemar's, `memory` over how many neighbouring pairs the results are correlated.
    """

    a: float
    b: float
    only_a: int
    only_b: int
    low: float
    high: float
    p: float
    count: int
    memory: float

    @property
    def difference(self) -> float:
        """The gateway's success rate minus the reference's."""
        return (self.only_a - self.only_b) / self.count


def success(a: "Bools", b: "Bools") -> Success | None:
    """The success rates of both arms, with one element per pair in the order of sending.

    None if there are no pairs. Failures in bursts tell less than as many independent ones: the
    interval is computed from the effective number of pairs. `p` is not corrected for that
    (analysis/pairs/swapping.py has one that is).
    """
    count = len(a)
    if not count:
        return None
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    alike = memory_of(a.astype("float64") - b.astype("float64"))
    low, high = tango(only_a / alike, only_b / alike, count / alike)
    p = mcnemar(only_a, only_b)
    return Success(
        float(a.mean()), float(b.mean()), only_a, only_b, low, high, p, count, alike
    )  # fmt: skip


def mcnemar(only_a: int, only_b: int) -> float:
    """The exact two-sided p-value of so uneven a split of the pairs that differ."""
    count, fewer = only_a + only_b, min(only_a, only_b)
    tail = sum(
        exp(lgamma(count + 1) - lgamma(k + 1) - lgamma(count - k + 1) - count * log(2))
        for k in range(fewer + 1)
    )
    return min(1.0, 2 * tail)


def tango(only_a: float, only_b: float, count: float, level: float = LEVEL) -> tuple[float, float]:
    """The score interval of (only_a - only_b) / count; the counts need not be whole numbers."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    observed = (only_a - only_b) / count

    def limit(end: float) -> float:
        inside, outside = observed, end
        for _ in range(60):
            middle = (inside + outside) / 2
            far = abs(_score(only_a, only_b, count, middle)) > z
            inside, outside = (inside, middle) if far else (middle, outside)
        return (inside + outside) / 2

    return limit(-1.0), limit(1.0)


def _score(only_a: float, only_b: float, count: float, apart: float) -> float:
    """How many standard deviations the difference of rates lies from `apart`."""
    linear = -only_a - only_b + (2 * count - only_a + only_b) * apart
    constant = -only_b * apart * (1 - apart)
    root = sqrt(max(0.0, linear * linear - 8 * count * constant))
    # The likeliest share of pairs in which only the reference succeeds, if the rates differ so.
    likeliest = (root - linear) / (4 * count)
    variance = count * (2 * likeliest + apart * (1 - apart))
    above = only_a - only_b - count * apart
    if variance <= 0:
        return 0.0 if above == 0 else float("inf")
    return above / sqrt(variance)
