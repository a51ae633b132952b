"""Do the tails differ? P50, P95 and P99 of each arm and their difference, by blocks of pairs.

The interval is a percentile bootstrap over blocks of pairs; the p-value swaps the arms of blocks
(analysis/pairs/swapping.py). Percentiles are nearest ranks. One is reported only if at least
BEYOND pairs lie beyond it: P50 takes 20 pairs, P95 200, P99 1,000.

The interval covers both extremes for a time that was never seen to end: that it would have ended a
moment later, and that it would never have ended.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.numbers.percentile import nearest_rank, nearest_ranks, rank
from analysis.pairs import swapping
from estimates import blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

BEYOND = 10
BOOTSTRAPS = 1_999
PERCENTS = (50, 95, 99)
_GRID = 600  # values at which a long sample is counted, a thirtieth of its spread apart
_BLOCKS = 256  # at most so many blocks are swapped: as exact as swapping pairs, and cheaper
_LOW, _HIGH = Fraction(5, 2), Fraction(195, 2)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """One percentile of each arm and their difference, in the values' unit.

    `a` and `b` take unanswered requests as if they had just ended. `low` and `high` are the 95 %
    interval of a - b, `p` is its p-value, and `count` is the number of pairs.
    """

    percent: int
    a: float
    b: float
    low: float
    high: float
    p: float
    count: int

    @property
    def difference(self) -> float:
        """The gateway's percentile minus the reference's."""
        return self.a - self.b


def enough(percent: int) -> int:
    """How many pairs a percentile needs before its difference is reported."""
    return ceil(BEYOND / (1 - Fraction(percent, 100)))


def quantiles(
    a_low: "Floats",
    a_high: "Floats",
    b_low: "Floats",
    b_high: "Floats",
    percent: int,
    memory: float,
    seed: int = 0,
) -> Quantiles | None:
    """The difference of one percentile between the arms; None if there are too few pairs.

    Arrays have one value per pair, in the order of sending. Values lie between `*_low` and
    `*_high`; `memory` is over how many neighbouring pairs they are correlated
    (estimates/blocks.py).
    """
    count = len(a_low)
    block = blocks.for_bootstrap(count, memory)
    if count < enough(percent) or block is None:
        return None
    size = int(block[-1]) + 1
    picked = np.random.default_rng(seed).multinomial(size, [1 / size] * size, BOOTSTRAPS)
    low = high = np.sort(_Counted(a_low, b_high, percent, block).resampled(picked))
    if not (np.array_equal(a_low, a_high) and np.array_equal(b_low, b_high)):
        high = np.sort(_Counted(a_high, b_low, percent, block).resampled(picked))
    (a,), (b,) = nearest_ranks(a_low, [percent]), nearest_ranks(b_low, [percent])
    lowest, highest = nearest_rank(low, _LOW), nearest_rank(high, _HIGH)
    assert a is not None and b is not None and lowest is not None and highest is not None
    swaps = _Counted(a_low, b_low, percent, blocks.for_swaps(count, memory, _BLOCKS))
    return Quantiles(percent, a, b, lowest, highest, _p(swaps, seed), count)


def _p(counted: "_Counted", seed: int) -> float:
    """How often swapping the arms of blocks puts the percentiles at least as far apart."""
    observed = abs(float(counted.swapped(np.ones((1, counted.blocks), dtype=np.int8))[0])) - 1e-12
    ways = swapping.signs(counted.blocks, seed)
    return swapping.share(counted.blocks, (np.abs(counted.swapped(w)) >= observed for w in ways))


class _Counted:
    """How many values of each block and arm lie at or below each value of a grid."""

    def __init__(self, a: "Floats", b: "Floats", percent: int, block: "Ints") -> None:
        self.blocks = int(block[-1]) + 1
        self.percent = percent
        self.sizes = np.bincount(block, minlength=self.blocks)
        self.grid = _grid(a, b, percent)
        self.a, self.b = (self._below(arm, block) for arm in (a, b))

    def _below(self, values: "Floats", block: "Ints") -> "Floats":
        place = np.searchsorted(self.grid, values, side="left")
        wide = len(self.grid) + 1
        flat = np.bincount(block * wide + place, minlength=self.blocks * wide)
        below = np.cumsum(flat.reshape(self.blocks, wide), axis=1)
        return np.asarray(below[:, :-1], dtype=np.float32)  # exact for whole numbers below 2^24

    def resampled(self, picked: "Ints") -> "Floats":
        """The differences of the percentiles if each block counts so often; a resample per row."""
        times = picked.astype(np.float32)
        total = picked @ self.sizes
        below: list[Any] = [times @ self.a, times @ self.b]
        return self._at(below[0], total) - self._at(below[1], total)

    def swapped(self, ways: "NDArray[np.int8]") -> "Floats":
        """The differences of the percentiles with blocks as sent (1) or swapped (-1), per row."""
        unswapped = (ways > 0).astype(np.float32)
        below: Any = unswapped @ (self.a - self.b) + self.b.sum(axis=0)
        rest: Any = (self.a + self.b).sum(axis=0) - below
        total = np.full(len(ways), self.sizes.sum())
        return self._at(below, total) - self._at(rest, total)

    def _at(self, below: "NDArray[np.float32]", total: "Ints") -> "Floats":
        """The percentile per row, given how many values are at or below each value of the grid."""
        needed = np.maximum(1, -(-self.percent * total // 100))
        place = (below < needed[:, None]).sum(axis=1)
        return np.asarray(self.grid[np.minimum(place, len(self.grid) - 1)])


def _grid(a: "Floats", b: "Floats", percent: int) -> "Floats":
    """The values at which to count: all, if there are few.

    Of many, those near each arm's percentile and near that of both arms together, which is where
    swapped arms have theirs, and a few of the others.
    """
    both = np.sort(np.concatenate([a, b]))
    ordered = np.unique(both)
    if len(ordered) <= _GRID:
        return ordered
    parts = [both[np.linspace(0, len(both) - 1, _GRID // 4).astype(np.int64)]]
    for placed in (np.sort(a), np.sort(b), both):
        count, share = len(placed), percent / 100
        # Within a block of up to sqrt(n) values all may be equal: the percentile then scatters as
        # that of only sqrt(n) values does.
        spread = 8 * sqrt(count * share * (1 - share)) * max(1.0, count**0.1)
        middle = rank(count, percent) - 1
        near = np.linspace(max(0, middle - spread), min(count - 1, middle + spread), _GRID // 2)
        parts.append(placed[near.astype(np.int64)])
    return np.unique(np.concatenate(parts))
