"""Paired success rates against a slow likelihood, scipy, and coverage by enumeration."""

from itertools import product
from math import comb, sqrt

import numpy as np
import pytest
from scipy import optimize, stats

from analysis.pairs.success import mcnemar, success, tango


def score(only_a: int, only_b: int, count: int, apart: float) -> float:
    """Tango's statistic with the likelihood maximised by search."""

    def unlikely(q: float) -> float:
        p, rest = q + apart, 1 - 2 * q - apart
        terms = ((only_a, p), (only_b, q), (count - only_a - only_b, rest))
        return -sum(n * np.log(max(chance, 1e-300)) for n, chance in terms if n)

    least, most = max(0.0, -apart), (1 - apart) / 2
    q = float(optimize.minimize_scalar(
        unlikely, bounds=(least, most), method="bounded", options={"xatol": 1e-12}
    ).x)  # fmt: skip
    return (only_a - only_b - count * apart) / sqrt(count * (2 * q + apart * (1 - apart)))


@pytest.mark.parametrize(("only_a", "only_b", "count"), [(9, 3, 60), (1, 7, 44), (20, 18, 200)])
def test_the_interval_ends_where_the_score_is_196(only_a: int, only_b: int, count: int) -> None:
    low, high = tango(only_a, only_b, count)
    assert score(only_a, only_b, count, low) == pytest.approx(1.959964, abs=2e-3)
    assert score(only_a, only_b, count, high) == pytest.approx(-1.959964, abs=2e-3)


def test_the_interval_is_mirrored_by_swapped_arms_and_never_of_zero_width() -> None:
    low, high = tango(9, 3, 60)
    assert tango(3, 9, 60) == (pytest.approx(-high), pytest.approx(-low))
    low, high = tango(0, 0, 60)
    assert low == pytest.approx(-high) and 0.05 < high < 0.08


@pytest.mark.parametrize(("p", "q"), [(0.02, 0.02), (0.1, 0.02), (0.3, 0.1)])
def test_the_interval_covers_93_percent_of_all_tables(p: float, q: float) -> None:
    """Every table of 60 pairs, weighted by its probability."""
    held = 0.0
    for a, b in product(range(31), repeat=2):
        if a + b > 60:
            continue
        chance = comb(60, a) * comb(60 - a, b) * p**a * q**b * (1 - p - q) ** (60 - a - b)
        if chance > 1e-9:
            low, high = tango(a, b, 60)
            held += chance * (low <= p - q <= high)
    assert held > 0.93


def test_mcnemars_p_value_is_scipys_binomial_test() -> None:
    for a, b in ((0, 0), (1, 0), (0, 6), (3, 9), (40, 20), (300, 310)):
        truth = stats.binomtest(a, a + b).pvalue if a + b else 1.0
        assert mcnemar(a, b) == pytest.approx(truth, rel=1e-9)


def test_failures_in_bursts_widen_the_interval_of_the_same_rate() -> None:
    """60 failures of 1,000, one by one or in three bursts."""
    none = np.ones(1_000, dtype=bool)
    single, burst = none.copy(), none.copy()
    single[np.random.default_rng(3).choice(1_000, 60, replace=False)] = False
    for begin in (100, 480, 850):
        burst[begin : begin + 20] = False
    scattered, bursty = success(single, none), success(burst, none)
    assert scattered is not None and bursty is not None
    assert scattered.difference == bursty.difference == -0.06
    assert bursty.high - bursty.low > 2 * (scattered.high - scattered.low)
