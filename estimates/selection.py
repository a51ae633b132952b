"""The k-th smallest of all sums of two samples, without storing them: n values have n^2 / 2 sums.

Sums are counted, not computed: for two sorted samples, one search per value tells how many sums are
at or below t. Halving t's range leaves few enough to compute (the idea of Johnson and Mizoguchi,
SIAM J. Comput. 7, 1978). A million values take some seconds and a hundred megabytes.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_AT_ONCE = 300_000
_HALVINGS = 200
_GRAIN = 1e-13  # sums this close are equal up to rounding


def kth_sum(x: "Floats", y: "Floats", rank: int, once: bool = False) -> float:
    """The rank-th smallest (from 1) of all x_i + y_j; x and y ascend.

    With `once`, y is x and each pair of places counts once, i <= j: n(n + 1) / 2 sums. Infinite
    values must all have the same sign. Raises ValueError for a rank out of range.
    """
    total = len(x) * (len(x) + 1) // 2 if once else len(x) * len(y)
    if not 1 <= rank <= total:
        raise ValueError(f"there is no rank {rank} among {total} sums")
    fx, fy = x[np.isfinite(x)], y[np.isfinite(y)]
    finite = len(fx) * (len(fx) + 1) // 2 if once else len(fx) * len(fy)
    if finite < total and (np.isneginf(x).any() or np.isneginf(y).any()):
        rank -= total - finite
        if rank < 1:
            return float("-inf")
    elif rank > finite:
        return float("inf")
    return _finite(fx, fy, rank, once)


def _finite(x: "Floats", y: "Floats", rank: int, once: bool) -> float:
    places = np.arange(len(x), dtype=np.int64)
    starts = places if once else np.zeros(len(x), dtype=np.int64)
    below, above = starts, np.full(len(x), len(y), dtype=np.int64)
    for _ in range(_HALVINGS):
        if int((above - below).sum()) <= _AT_ONCE:
            break
        open_rows = np.flatnonzero(above > below)
        least = float((x[open_rows] + y[below[open_rows]]).min())
        most = float((x[open_rows] + y[above[open_rows] - 1]).max())
        middle = least + (most - least) / 2
        if most - least <= _GRAIN or not least < middle < most:
            return most  # this many equal sums
        ends = np.maximum(np.searchsorted(y, middle - x, side="right"), starts)
        ends = np.clip(ends, below, above)
        if int((ends - starts).sum()) >= rank:
            above = ends
        else:
            below = ends
    widths = above - below
    skipped = int((below - starts).sum())
    open_rows = np.repeat(places, widths)
    right = (
        np.arange(len(open_rows)) - np.repeat(np.cumsum(widths) - widths, widths) + below[open_rows]
    )
    sums = x[open_rows] + y[right]
    return float(np.partition(sums, rank - skipped - 1)[rank - skipped - 1])
