"""An amount of money as the decimal that was meant by it. Pure."""

from collections.abc import Iterable
from decimal import Context, Decimal
from math import fsum

_MEANT = Context(prec=15)
"""A double holds every decimal of 15 digits; what it prints beyond is left by arithmetic."""
_MOST_DIGITS = 17
"""What a double prints at most: a number of more digits was never one."""


def exact_amount(amount_stated: float | str | Decimal) -> Decimal:
    """The amount that `amount_stated` is, a number or its text.

    Gateways that multiply a price in binary state 0.30000000000000004 or 8.999999999999999e-06 for
    0.3 and 0.000009: sums of these would not be those of a bill, and their last decimal is no unit.
    Raises InvalidOperation for text that is no number.
    """
    amount = amount_stated if isinstance(amount_stated, Decimal) else Decimal(str(amount_stated))
    if len(amount.as_tuple().digits) > _MOST_DIGITS:
        return amount
    return amount.normalize(_MEANT)


def money_sum(amounts: Iterable[float]) -> float:
    """The sum of amounts as a bill has it: 0.3 for 0.1 and 0.2; right to 15 digits."""
    return float(exact_amount(fsum(amounts)))
