"""Changes near the ends of a series, where too few buckets lie beyond them for a test of ranks.

With 20 buckets, no order of ranks makes a change of the last three unlikely enough. Its size can:
each of the last m buckets lies far outside the scatter of the others. By Student's distribution one
bucket does so by chance with probability p, and all m with p to the power of the number of
independent buckets that they are worth, times the number of places looked at.
"""

from collections.abc import Callable
from math import atan, cos, pi, sin, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST = 2
"""The fewest buckets that lie beyond a change: a single one is a bad bucket, not a change."""
_FLOOR = 0.02
"""The least scatter, a share of the values: clocks and counts are no finer."""


def beyond(values: "Floats", shared: "Callable[[Floats], float]") -> tuple[int, float] | None:
    """The likeliest cut with few buckets on one side, and its p-value; None: there is none.

    `shared` is how many neighbouring buckets of the series count as one (buckets.py).
    """
    import numpy as np

    count = len(values)
    if values.min() > 0:
        values = np.log(values)
    cuts = [cut for few in range(FEWEST, count // 2 + 1) for cut in (few, count - few)]
    if not cuts:
        return None
    p, cut = min((_p(values, cut, 1.0), cut) for cut in cuts)
    if p < 1:
        sides = values[:cut], values[cut:]
        # A change makes neighbours seem alike, and a cut where it suits makes them seem strangers:
        # what they share lies between the two.
        overall, rest = shared(values), shared(np.concatenate([s - np.median(s) for s in sides]))
        p = _p(values, cut, sqrt(overall * rest))
    return cut, min(1.0, 2 * len(cuts) * p)


def _p(values: "Floats", cut: int, shared: float) -> float:
    """The probability that chance puts all of the few this far beyond all of the rest."""
    few, rest = values[:cut], values[cut:]
    if len(few) > len(rest):
        few, rest = rest, few
    if few.min() <= rest.max() and few.max() >= rest.min():
        return 1.0
    scatter = max(float(rest.std(ddof=1)), _FLOOR)
    apart = (few - float(rest.mean())) / (scatter * sqrt(shared) * sqrt(1 + 1 / len(rest)))
    least = max(float(apart.min()), float(-apart.max()))  # all above, or all below
    worth = max(1.0, len(few) / shared)
    p: float = student(least, len(rest) - 1) ** worth
    return p


def student(t: float, freedom: int) -> float:
    """The probability that Student's t exceeds a value (Abramowitz and Stegun 26.7.3 and .4)."""
    angle = atan(t / sqrt(freedom))
    term, total = cos(angle), 0.0
    if freedom % 2:
        for k in range(1, freedom - 1, 2):
            total += term
            term *= (k + 1) / (k + 2) * cos(angle) ** 2
        inside = 2 / pi * (angle + sin(angle) * total)
    else:
        term = 1.0
        for k in range(0, freedom - 1, 2):
            total += term
            term *= (k + 1) / (k + 2) * cos(angle) ** 2
        inside = sin(angle) * total
    return max(0.0, (1 - inside) / 2)
