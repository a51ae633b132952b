"""How often chance alone has such an effect: a permutation test that swaps arms within pairs.

If the arm does not matter, a pair with its arms swapped was as likely, for any distribution: the
p-value is exact. Of up to 14 blocks every way of swapping is counted; of more, 4,999 seeded ones.
A pair is a block of its own unless neighbours are alike (estimates/blocks.py).

Drawn ways cannot show a p-value below 1 / 5,000, and with 250 numbers in a comparison Holm's
adjustment would then let none of them be shown, however clear. So a sum that is far out is judged
by Hoeffding's bound as well (J. Am. Stat. Assoc. 58, 1963), which the exact p-value never exceeds:
of signs s_i drawn evenly, P(|sum of b_i s_i| >= t) <= 2 exp(-t^2 / (2 sum of b_i^2)).
"""

from math import exp
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SWAPS = 4_999
_EVERY = 14  # 2^14 ways are counted rather than drawn
_AT_ONCE = 2_000_000
_SLACK = 1e-9


def signs(blocks: int, seed: int) -> "Iterator[NDArray[np.int8]]":
    """Ways to swap blocks, one per row: 1 as it was, -1 swapped; some thousand rows at a time."""
    if blocks <= _EVERY:
        ways = np.arange(2**blocks)[:, None] >> np.arange(blocks)[None, :] & 1
        yield (1 - 2 * ways).astype(np.int8)
        return
    dice = np.random.default_rng(seed)
    step = max(1, _AT_ONCE // blocks)
    for begin in range(0, SWAPS, step):
        drawn = dice.integers(0, 2, (min(step, SWAPS - begin), blocks), dtype=np.int8)
        yield 1 - 2 * drawn


def p_value(scores: "Floats", block: "Ints", seed: int = 0) -> float:
    """How often the scores' sum is at least as far from 0 when blocks of pairs are swapped.

    Scores turn their sign when a pair's arms are swapped: signed ranks, differences, or success of
    one arm less the other's. `block` says to which block each pair belongs.
    """
    if not len(scores):
        return 1.0
    sums = np.bincount(block, scores).astype(np.float64)
    reached = abs(float(sums.sum())) - _SLACK * float(np.abs(sums).sum())
    found = share(len(sums), (np.abs(ways @ sums) >= reached for ways in signs(len(sums), seed)))
    return found if len(sums) <= _EVERY else min(found, _bound(reached, sums))


def _bound(reached: float, sums: "Floats") -> float:
    """Hoeffding's bound on the share of ways that reach so far from 0."""
    squares = float((sums**2).sum())
    return 2 * exp(-(reached**2) / (2 * squares)) if squares else 1.0


def share(blocks: int, reached: "Iterator[NDArray[np.bool_]]") -> float:
    """The p-value of ways that did or did not reach what was seen, of which the seen one is one."""
    hits = ways = 0
    for part in reached:
        hits, ways = hits + int(part.sum()), ways + len(part)
    return hits / ways if blocks <= _EVERY else (hits + 1) / (ways + 1)
