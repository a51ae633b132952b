"""The certainty of a mean: a seeded percentile bootstrap (Efron 1979).

With fewer than FEWEST values there is no interval: resampling so few hardly varies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Floats = NDArray[float64]

FEWEST = 5
DRAWS = 1999  # so that the 2.5th and 97.5th percentiles are single draws, the 50th and the 1950th
LEVEL = 95


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the bounds of its 95 % interval, in the values' unit; None: no interval."""

    mean: float
    low: float | None
    high: float | None
    count: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval excludes 0, so that the sign of the mean is known."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def mean_interval(values: Sequence[float], seed: int = 0) -> Interval | None:
    """The mean of some values with its interval; None of no values."""
    if not values:
        return None
    mean = fsum(values) / len(values)
    if len(values) < FEWEST:
        return Interval(mean, None, None, len(values))
    return Interval(mean, *_bounds(_means(values, seed)), len(values))


def difference_interval(
    first: Sequence[float], second: Sequence[float], seed: int = 0
) -> Interval | None:
    """mean(one) - mean(other) of two samples, each resampled by itself; None if one is empty."""
    if not first or not second:
        return None
    mean, count = (
        fsum(first) / len(first) - fsum(second) / len(second),
        min(len(first), len(second)),
    )
    if count < FEWEST:
        return Interval(mean, None, None, count)
    apart = _means(first, seed) - _means(second, seed + 1)
    return Interval(mean, *_bounds(apart), count)


def _means(values: Sequence[float], seed: int) -> "Floats":
    """The means of DRAWS resamples, in the order drawn."""
    import numpy as np

    known = np.asarray(values, dtype="float64")
    dice = np.random.default_rng(seed)
    return np.array([known[dice.integers(0, len(known), len(known))].mean() for _ in range(DRAWS)])


def _bounds(draws: "Floats") -> tuple[float, float]:
    import numpy as np

    ordered = np.sort(draws)
    edge = (DRAWS + 1) * (100 - LEVEL) // 200  # 50
    return float(ordered[edge - 1]), float(ordered[DRAWS - edge])
