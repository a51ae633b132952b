"""Blocks of consecutive pairs, resampled and swapped whole: neighbours may be correlated."""

from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np

from estimates.autocorrelation import memory

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LONG = 1.5
"""The least length of a block in (cautious) memories, so that neighbouring blocks are nearly
independent."""
LEAST = 16
"""With fewer blocks no interval is given."""
FEWEST = 20
"""With fewer pairs, or pairs worth fewer independent ones, nothing is concluded."""
MOST = 2_000
"""More blocks add no information, and cost memory."""


def like(count: int) -> float:
    """The memory that `count` independent pairs do not exceed by chance in 98 of 100 runs."""
    return 1 + 2.5 * sqrt(24 / count)


def memory_of(values: "Floats") -> float:
    """Over how many pairs values are correlated, plus one standard error of that.

    The error of the estimate is its own size times the root of 24 memories / n (Sokal's window of 6
    memories): the memory of a series only a few memories long is poorly known, and an
    underestimated memory makes an interval too narrow.
    """
    length = memory(values)
    if not len(values):
        return length
    return length if length <= like(len(values)) else length * (1 + sqrt(24 * length / len(values)))


def few(count: int, memory: float) -> bool:
    """Whether this many pairs with this memory are too few for any conclusion."""
    return count < FEWEST or (memory > like(count) and count < FEWEST * memory)


def needed(memory: float) -> int:
    """How many pairs with this memory are enough for a conclusion."""
    return ceil(FEWEST * memory)


def for_bootstrap(count: int, memory: float) -> "Ints | None":
    """The number of each pair's block: about the root of n blocks; None if there are too few."""
    blocks = min(count, max(LEAST, ceil(sqrt(count))))
    if memory > like(count):
        blocks = min(blocks, int(count / (LONG * memory)))
    return _numbered(count, blocks) if blocks >= LEAST else None


def for_swaps(count: int, memory: float, most: int = MOST) -> "Ints":
    """The number of each pair's block: its own, unless neighbours correlate or n is large."""
    length = ceil(LONG * memory) if memory > like(max(count, 1)) else 1
    return _numbered(count, max(1, min(count // length, most)))


def _numbered(count: int, blocks: int) -> "Ints":
    return np.arange(count, dtype=np.int64) * blocks // max(count, 1)
