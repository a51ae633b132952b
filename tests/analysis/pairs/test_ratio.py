"""The ratio, and growth with the output: by scipy and by known worlds."""

import numpy as np
import pytest
from scipy import stats

from analysis.pairs.ratio import growth, ratio


def test_twice_as_slow_is_a_ratio_of_two() -> None:
    dice = np.random.default_rng(1)
    b = dice.lognormal(0, 0.3, 200)
    a = 2 * b * dice.lognormal(0, 0.1, 200)
    found = ratio(a, a, b, b)
    assert found is not None and found.low is not None and found.high is not None
    assert found.low < 2 < found.high and found.least == pytest.approx(2, rel=0.03)


def test_a_ratio_is_of_values_above_zero() -> None:
    none = np.zeros(30)
    assert ratio(none, none, none, none) is None


def test_growth_is_scipy_s_theil_sen_with_its_interval() -> None:
    dice = np.random.default_rng(4)
    tokens = dice.integers(1, 40, 80).astype(np.float64)
    apart = 0.02 + 0.001 * tokens + dice.normal(0, 0.01, 80)
    found, truth = growth(apart, tokens), stats.theilslopes(apart, tokens)
    assert found is not None and found.shown
    assert found.per_token == pytest.approx(truth.slope)
    # Neighbours' likeness widens it a little; alone it is scipy's.
    assert found.low == pytest.approx(truth.low_slope, rel=0.05)
    assert found.high == pytest.approx(truth.high_slope, rel=0.05)


def test_of_many_pairs_a_seeded_part_is_looked_at() -> None:
    dice = np.random.default_rng(4)
    tokens = dice.integers(1, 400, 20_000).astype(np.float64)
    found = growth(0.0001 * tokens + dice.normal(0, 0.01, 20_000), tokens, seed=1)
    assert found is not None and found.count == 1_500
    assert found.low < 0.0001 < found.high and found.shown


def test_one_length_has_no_growth_and_a_level_difference_shows_none() -> None:
    dice = np.random.default_rng(4)
    assert growth(dice.normal(size=50), np.full(50, 20.0)) is None
    shown = 0
    for seed in range(100):
        own = np.random.default_rng(seed)
        found = growth(own.normal(size=60), own.integers(1, 40, 60).astype(np.float64))
        shown += found is not None and found.shown
    assert shown <= 11
