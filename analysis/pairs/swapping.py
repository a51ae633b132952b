"""How often chance alone has such an effect: a permutation test that swaps arms within pairs.

If the arm does not matter, a pair with its arms swapped is just as likely, whatever the
distribution, so the p-value is exact. With up to 14 blocks every way of swapping is counted; with
more, 4,999 random ones, from a seed. Each pair is a block of its own, unless neighbouring pairs are
correlated (estimates/blocks.py).

Random ways cannot give a p-value below 1 / 5,000. With 250 numbers in a comparison Holm's
adjustment would then let none of them be shown, however clear. So a sum that is far out is also
judged by Hoeffding's bound (J. Am. Stat. Assoc. 58, 1963), which the exact p-value never exceeds:
for fair random signs s_i, P(|sum of b_i s_i| >= t) <= 2 exp(-t^2 / (2 sum of b_i^2)).
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
    """Ways to swap blocks, one per row: 1 as sent, -1 swapped; a few thousand rows at a time."""
    if blocks <= _EVERY:
        ways = np.arange(2**blocks)[:, None] >> np.arange(blocks)[None, :] & 1
        yield (1 - 2 * ways).astype(np.int8)
        return
    dice = np.random.default_rng(seed)
    step = max(1, _AT_ONCE // blocks)
    for begin in range(0, SWAPS, step):
        swapped = dice.integers(0, 2, (min(step, SWAPS - begin), blocks), dtype=np.int8)
        yield 1 - 2 * swapped


def p_value(scores: "Floats", block: "Ints", seed: int = 0) -> float:
    """How often the scores' sum is at least as far from 0 when blocks of pairs are swapped.

    There is one score per pair, which changes its sign when the pair's arms are swapped: a signed
    rank, a difference, or one arm's success minus the other's. `block` is each pair's block.
    """
    if not len(scores):
        return 1.0
    sums = np.bincount(block, scores).astype(np.float64)
    reached = abs(float(sums.sum())) - _SLACK * float(np.abs(sums).sum())
    p = share(len(sums), (np.abs(ways @ sums) >= reached for ways in signs(len(sums), seed)))
    return p if len(sums) <= _EVERY else min(p, _bound(reached, sums))


def _bound(reached: float, sums: "Floats") -> float:
    """Hoeffding's bound on the share of ways whose sum is so far from 0."""
    squares = float((sums**2).sum())
    return 2 * exp(-(reached**2) / (2 * squares)) if squares else 1.0


def share(blocks: int, reached: "Iterator[NDArray[np.bool_]]") -> float:
    """The p-value, from which of the ways are at least as extreme as the observed one.

    The observed way counts among the random ones; among all ways it is included anyhow.
    """
    hits = ways = 0
    for part in reached:
        hits, ways = hits + int(part.sum()), ways + len(part)
    return hits / ways if blocks <= _EVERY else (hits + 1) / (ways + 1)
