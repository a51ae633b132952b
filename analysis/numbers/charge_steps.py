"""Charges that go in steps: a minimum for every request, and amounts that are rounded up. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from analysis.numbers.charged_apart import Charge, beyond
from recording.exact_amount import exact_amount

_FEWEST = 3
"""So many different amounts must be due where one is charged, or charges be rounded up."""
_MATTERS = 0.001  # share of what is due; a last decimal that is rounded up adds less
_DUST = Decimal("1e-12")


def raised_to_minimum(charges: Sequence[Charge]) -> list[Charge]:
    """The charges of one and the same amount, which is more than is due for each; empty: none.

    It is a minimum only if no charge is lower, and if what costs more than it is charged as due.
    """
    least = min((each.cost for each in charges), default=0.0)
    raised = [each for each in charges if each.cost == least > each.due]
    if len({each.due for each in raised if each.off}) < _FEWEST:
        return []
    above = [each for each in charges if each.due > least]
    return raised if any(not each.off for each in above) else []


def rounded_up(charges: Sequence[Charge], exact: Sequence[Charge], unit: float) -> float:
    """The money by which charges exceed what is due because each is rounded up; 0: they are not.

    `exact` are the same charges beside amounts due that are not rounded; `unit` is the last decimal
    of what is charged. Rounding to the nearest never adds more than half of it.
    """
    added = [exact_amount(each.cost) - exact_amount(each.due) for each in exact]
    step = exact_amount(unit)
    if any(more < -_DUST or more >= step for more in added):
        return 0.0
    if sum(more > step / 2 + _DUST for more in added) < _FEWEST:
        return 0.0
    money = beyond(charges)
    return money if money >= _MATTERS * sum(each.due for each in charges) else 0.0
