"""Blocks of consecutive pairs, which are resampled and swapped whole: neighbours may be alike."""

from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np

from estimates.autocorrelation import memory

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LONG = 1.5
"""A block is at least so many (cautious) memories long: neighbouring ones then hardly know of each
other."""
LEAST = 16
"""Of fewer blocks no interval is told."""
FEWEST = 20
"""Of fewer pairs, or of so many that tell less than so many independent ones, nothing is said."""
MOST = 2_000
"""More blocks tell no more, and cost memory."""


def like(count: int) -> float:
    """A memory up to this is what so many independent pairs show by chance, in 98 of 100 runs."""
    return 1 + 2.5 * sqrt(24 / count)


def memory_of(values: "Floats") -> float:
    """Over how many pairs values hang together, with one standard error of that on top.

    The error of the estimate is its own size times the root of 24 memories / n (Sokal's window of 6
    memories): of a series of few memories nobody knows how long they are, and too short a memory
    makes an interval too narrow.
    """
    found = memory(values)
    if not len(values):
        return found
    return found if found <= like(len(values)) else found * (1 + sqrt(24 * found / len(values)))


def few(count: int, memory: float) -> bool:
    """Whether so many pairs that hang together so long are too few to say anything."""
    return count < FEWEST or (memory > like(count) and count < FEWEST * memory)


def needed(memory: float) -> int:
    """How many pairs of such a memory are enough to say something."""
    return ceil(FEWEST * memory)


def for_bootstrap(count: int, memory: float) -> "Ints | None":
    """Of each pair, the number of its block: about the root of n blocks; None: too few."""
    blocks = min(count, max(LEAST, ceil(sqrt(count))))
    if memory > like(count):
        blocks = min(blocks, int(count / (LONG * memory)))
    return _numbered(count, blocks) if blocks >= LEAST else None


def for_swaps(count: int, memory: float, most: int = MOST) -> "Ints":
    """Of each pair, the number of its block: itself, unless neighbours are alike or n is large."""
    length = ceil(LONG * memory) if memory > like(max(count, 1)) else 1
    return _numbered(count, max(1, min(count // length, most)))


def _numbered(count: int, blocks: int) -> "Ints":
    return np.arange(count, dtype=np.int64) * blocks // max(count, 1)
