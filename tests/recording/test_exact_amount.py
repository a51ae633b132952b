"""Amounts of money are the decimals that were meant."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.exact_amount import exact_amount, money_sum


@pytest.mark.parametrize(
    ("stated", "meant"),
    [
        (0.1 + 0.2, "0.3"),
        (3 * 3e-06, "0.000009"),
        ("8.999999999999999e-06", "0.000009"),
        (Decimal("0.30000000000000004"), "0.3"),
        (1.17e-05, "0.0000117"),
        ("12345678.123456", "12345678.123456"),
        (0.0, "0"),
    ],
)
def test_what_arithmetic_in_binary_leaves_is_no_part_of_an_amount(
    stated: float | str | Decimal, meant: str
) -> None:
    assert exact_amount(stated) == Decimal(meant)


@given(st.lists(st.integers(0, 10**8), max_size=50))
def test_a_sum_is_that_of_the_decimals(millionths: list[int]) -> None:
    """Against exact fractions: what is printed is the sum, plainly."""
    total = money_sum(count / 10**6 for count in millionths)
    assert Fraction(repr(total)) == Fraction(sum(millionths), 10**6)
