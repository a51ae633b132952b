"""Ratios, and growth per output token, against scipy and against simulated truths."""

import numpy as np
import pytest
from scipy import stats

from analysis.pairs.ratio import growth, ratio


def test_twice_as_slow_is_a_ratio_of_two() -> None:
    dice = np.random.default_rng(1)
    b = dice.lognormal(0, 0.3, 200)
    a = 2 * b * dice.lognormal(0, 0.1, 200)
    estimate = ratio(a, a, b, b)
    assert estimate is not None and estimate.low is not None and estimate.high is not None
    assert estimate.low < 2 < estimate.high and estimate.least == pytest.approx(2, rel=0.03)


def test_zeros_have_no_ratio() -> None:
    none = np.zeros(30)
    assert ratio(none, none, none, none) is None


def test_growth_is_scipys_theil_sen_with_its_interval() -> None:
    dice = np.random.default_rng(4)
    tokens = dice.integers(1, 40, 80).astype(np.float64)
    apart = 0.02 + 0.001 * tokens + dice.normal(0, 0.01, 80)
    estimate, truth = growth(apart, tokens), stats.theilslopes(apart, tokens)
    assert estimate is not None and estimate.shown
    assert estimate.per_token == pytest.approx(truth.slope)
    # Neighbours' likeness widens it a little; alone it is scipy's.
    assert estimate.low == pytest.approx(truth.low_slope, rel=0.05)
    assert estimate.high == pytest.approx(truth.high_slope, rel=0.05)


def test_growth_of_20000_pairs_is_estimated_from_a_seeded_sample() -> None:
    dice = np.random.default_rng(4)
    tokens = dice.integers(1, 400, 20_000).astype(np.float64)
    estimate = growth(0.0001 * tokens + dice.normal(0, 0.01, 20_000), tokens, seed=1)
    assert estimate is not None and estimate.count == 1_500
    assert estimate.low < 0.0001 < estimate.high and estimate.shown


def test_growth_is_not_shown_where_the_difference_does_not_depend_on_length() -> None:
    dice = np.random.default_rng(4)
    assert growth(dice.normal(size=50), np.full(50, 20.0)) is None
    alarms = 0
    for seed in range(100):
        own = np.random.default_rng(seed)
        estimate = growth(own.normal(size=60), own.integers(1, 40, 60).astype(np.float64))
        alarms += estimate is not None and estimate.shown
    assert alarms <= 11
