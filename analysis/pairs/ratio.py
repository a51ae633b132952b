"""The ratio of both arms, and whether the difference grows with the output.

The ratio is the typical one of a pair (Hodges-Lehmann of the logarithms). The growth is the
Theil-Sen slope: the median of the slopes between any two pairs, with the interval from Kendall's
test (Sen, J. Am. Stat. Assoc. 63, 1968). Of more than MOST pairs, MOST are drawn, with a seed.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from estimates.blocks import memory_of
from estimates.location import Location, location

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST = 1_500
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Growth:
    """By how many seconds the difference rises per output token, and its 95 % interval."""

    per_token: float
    low: float
    high: float
    count: int

    @property
    def shown(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def ratio(a_low: "Floats", a_high: "Floats", b_low: "Floats", b_high: "Floats") -> Location | None:
    """The typical ratio gateway / reference, without unit: 1.05 is 5 % more.

    Arrays have one value per pair, between `*_low` and `*_high`; pairs with a value of 0 or less
    are left out. None if no pair is left, or too few for an estimate.
    """
    positive = (a_low > 0) & (b_low > 0)
    if not positive.any():
        return None
    logs: list[Any] = [np.round(np.log(v[positive]), 12) for v in (a_low, a_high, b_low, b_high)]
    typical = location(logs[0] - logs[3], logs[1] - logs[2])
    if typical is None:
        return None
    low, high = (None if end is None else float(np.exp(end)) for end in (typical.low, typical.high))
    least, most = float(np.exp(typical.least)), float(np.exp(typical.most))
    return Location(least, most, low, high, typical.count, typical.memory)


def growth(difference: "Floats", tokens: "Floats", seed: int = 0) -> Growth | None:
    """How the differences (seconds) rise with the output tokens of their pairs.

    None with fewer than 8 known differences, or if all replies have one length.
    """
    known = np.isfinite(difference) & np.isfinite(tokens)
    y, x = difference[known], tokens[known]
    if len(x) < 8 or x.min() == x.max():
        return None
    alike = memory_of(y)
    if len(x) > MOST:
        sample = np.sort(np.random.default_rng(seed).choice(len(x), MOST, replace=False))
        y, x, alike = y[sample], x[sample], max(1.0, alike * MOST / len(known))
    left, right = np.triu_indices(len(x), 1)
    run = x[right] - x[left]
    rises = (y[right] - y[left])[run != 0] / run[run != 0]
    slopes = np.sort(rises)
    count = len(slopes)
    reach = NormalDist().inv_cdf((1 + _LEVEL) / 2) * sqrt(_spread(x) * alike)
    low = max(0, round((count - reach) / 2) - 1)
    high = min(count - 1, round((count + reach) / 2))
    return Growth(float(np.median(slopes)), float(slopes[low]), float(slopes[high]), len(x))


def _spread(x: "Floats") -> float:
    """The variance of Kendall's sum, corrected for ties in x (Sen 1968).

    A correction for ties in the differences would lower it further; leaving that out can only make
    the interval wider.
    """
    count = len(x)
    ties = np.unique(x, return_counts=True)[1].astype(np.float64)
    tied = float((ties * (ties - 1) * (2 * ties + 5)).sum())
    return max(0.0, count * (count - 1) * (2 * count + 5) - tied) / 18
