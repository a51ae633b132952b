"""How far two success rates may differ if every request of both runs succeeded, or failed. Pure.

Resampling cannot say: requests that all ended alike give the same share in every resample, as if
it were known exactly. The interval of each share is Wilson's; that of their difference is
Newcombe's (1998, method 10).
"""

from math import ceil, comb, log2

from rules.wilson import wilson

_DETECTED = 0.8
_HALVINGS = 50


def difference_interval(share: float, count_a: int, count_b: int) -> tuple[float, float]:
    """The 95 % interval of b - a, where both shares are `share`: 0 or 1."""
    low_a, high_a = wilson(round(share * count_a), count_a)
    low_b, high_b = wilson(round(share * count_b), count_b)
    reach_a, reach_b = high_a - low_a, high_b - low_b
    return (-reach_b, reach_a) if share else (-reach_a, reach_b)


def visible_change(count: int, blocks: int, level: float) -> float | None:
    """The smallest change of one share that four of five such pairs of runs would show.

    `blocks` blocks of the `count` requests are swapped at random. If the change affects `hit` of
    them, all of it lands on one side in 2 of 2 ** hit swaps, and that must be at most `level`.
    None: too few blocks.
    """
    needed = ceil(1 - log2(level))
    if not blocks or needed > blocks:
        return None
    low, high = 0.0, 1.0  # how likely a block is to be hit
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        missed = sum(
            comb(blocks, hit) * middle**hit * (1 - middle) ** (blocks - hit)
            for hit in range(needed)
        )
        low, high = (low, middle) if 1 - missed >= _DETECTED else (middle, high)
    return 1.0 - float((1 - high) ** (blocks / count))
