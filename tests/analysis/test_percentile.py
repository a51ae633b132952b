"""Percentiles against a slow exact oracle."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.numbers.percentile import nearest_rank, rank

VALUES = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=200)


def oracle(ordered: list[float], percent: Fraction) -> float:
    """The smallest value that at least `percent` of the values do not exceed, found by counting."""
    for place, value in enumerate(ordered, 1):
        if Fraction(place, len(ordered)) * 100 >= percent:
            return value
    raise AssertionError


@given(VALUES, st.fractions(0, 100))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(
    values: list[float], percent: Fraction
) -> None:
    ordered = sorted(values)
    assert nearest_rank(ordered, percent) == oracle(ordered, percent)


def test_the_rank_of_a_percentile_is_free_of_float_errors() -> None:
    """0.07 * 100 is 7.000000000000001 in floats, whose ceiling would be 8."""
    assert rank(100, Fraction(7)) == 7
    assert rank(100, Fraction("0.07") * 100) == 7
    assert rank(1000, Fraction("99.9")) == 999


def test_percentiles_are_those_of_a_hand_worked_table() -> None:
    """Of 25 values the P95 is the 24th and the P99 the 25th; of 13 both are the 13th."""
    assert [rank(25, p) for p in (50, 95, 99)] == [13, 24, 25]
    assert [rank(13, p) for p in (50, 95, 99)] == [7, 13, 13]
    assert [rank(600, p) for p in (50, 95, 99)] == [300, 570, 594]


def test_no_values_have_no_percentile() -> None:
    assert nearest_rank([], 50) is None
    assert nearest_rank(np.array([]), 50) is None


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_percent_outside_0_to_100_is_refused(percent: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 100"):
        nearest_rank([1.0], percent)
