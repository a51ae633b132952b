"""The ratio of both arms, and whether the difference grows with the output.

The ratio is the typical one of pairs (Hodges-Lehmann of the logarithms). The growth is Theil and
Sen's: the median of the slopes between any two pairs, with the interval of Kendall's test (Sen, J.
Am. Stat. Assoc. 63, 1968). From more than MOST pairs, MOST are drawn, by a seed.
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
    """By how much the difference rises with each output token, and the 95 % interval of that."""

    per_token: float
    low: float
    high: float
    count: int

    @property
    def shown(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def ratio(a_low: "Floats", a_high: "Floats", b_low: "Floats", b_high: "Floats") -> Location | None:
    """How many times the reference's value the gateway's is; of values above 0 alone.

    Values lie from `*_low` to `*_high`. Differences of logarithms have no unit: 1.05 is 5 % more.
    """
    kept = (a_low > 0) & (b_low > 0)
    if not kept.any():
        return None
    logs: list[Any] = [np.round(np.log(v[kept]), 12) for v in (a_low, a_high, b_low, b_high)]
    found = location(logs[0] - logs[3], logs[1] - logs[2])
    if found is None:
        return None
    low, high = (None if end is None else float(np.exp(end)) for end in (found.low, found.high))
    least, most = float(np.exp(found.least)), float(np.exp(found.most))
    return Location(least, most, low, high, found.count, found.memory)


def growth(difference: "Floats", tokens: "Floats", seed: int = 0) -> Growth | None:
    """How the differences rise with output tokens; None of fewer than 8 known, or of one length."""
    known = np.isfinite(difference) & np.isfinite(tokens)
    y, x = difference[known], tokens[known]
    if len(x) < 8 or x.min() == x.max():
        return None
    alike = memory_of(y)
    if len(x) > MOST:
        drawn = np.sort(np.random.default_rng(seed).choice(len(x), MOST, replace=False))
        y, x, alike = y[drawn], x[drawn], max(1.0, alike * MOST / len(known))
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
    """The variance of Kendall's sum, less what ties of x take from it (Sen 1968).

    Ties of the differences would take more; without that the interval is no narrower than it is.
    """
    count = len(x)
    ties = np.unique(x, return_counts=True)[1].astype(np.float64)
    tied = float((ties * (ties - 1) * (2 * ties + 5)).sum())
    return max(0.0, count * (count - 1) * (2 * count + 5) - tied) / 18
