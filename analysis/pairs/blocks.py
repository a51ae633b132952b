"""Blocks of consecutive pairs, which are resampled and swapped whole: neighbours may be alike."""

from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

LONG = 3.0
"""A block is at least so many memories long: neighbouring blocks then hardly know of each other."""
LEAST = 16
"""Of fewer blocks no interval is told."""
MOST = 2_000
"""More blocks tell no more, and cost memory."""


def for_bootstrap(count: int, memory: float) -> "Ints | None":
    """Of each pair, the number of its block: about the root of n blocks; None: too few."""
    blocks = min(count, max(LEAST, ceil(sqrt(count))))
    if memory > LIKE:
        blocks = min(blocks, int(count / (LONG * memory)))
    return _numbered(count, blocks) if blocks >= LEAST else None


def for_swaps(count: int, memory: float, most: int = MOST) -> "Ints":
    """Of each pair, the number of its block: itself, unless neighbours are alike or n is large."""
    length = ceil(LONG * memory) if memory > LIKE else 1
    return _numbered(count, max(1, min(count // length, most)))


LIKE = 2.0
"""A memory up to this is what independent pairs show by chance."""


def _numbered(count: int, blocks: int) -> "Ints":
    return np.arange(count, dtype=np.int64) * blocks // max(count, 1)
