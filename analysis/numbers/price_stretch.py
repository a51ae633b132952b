"""A price of its own for a stretch of a run of mode billing, such as a discount by the hour. Pure.

A gateway that charges one case too much charges that case, or those of its kind, which are not sent
one after another. Where neighbours of any kind all cost one factor more or less, the time is what
they share.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf

from analysis.numbers.billing_rows import Row, cost_of
from rules.billing_cases import CASES

LEAST = 3
"""Neighbouring cases: more than are of one kind (the two with long prompts stand together)."""
_DUST = 1e-9  # binary dust of a cost, as a share


def stretch(
    by_case: Mapping[str, Sequence[Row]], due: Callable[[Row], float | None], slack: float
) -> bool:
    """Whether LEAST or more neighbours cost one factor more or less than is due.

    `due`: money for a row; None: not known. Costs may be off by `slack`, for they are rounded.
    """
    spans = [span for case in CASES if (span := _span(by_case.get(case.name, ()), due, slack))]
    off = [place for place, (low, high) in enumerate(spans) if low <= high and not low <= 1 <= high]
    if len(off) < LEAST:
        return False
    between = spans[off[0] : off[-1] + 1]
    return max(low for low, _ in between) <= min(high for _, high in between)


def _span(
    rows: Sequence[Row], due: Callable[[Row], float | None], slack: float
) -> tuple[float, float] | None:
    """Between which factors all costs of a case are what is due; None: none is known."""
    low, high = 0.0, inf
    known = False
    for row in rows:
        cost, base = cost_of(row), due(row)
        if row["success"] and cost is not None and base:
            known = True
            off = slack + _DUST * abs(cost)
            low, high = max(low, (cost - off) / base), min(high, (cost + off) / base)
    return (low, high) if known else None
