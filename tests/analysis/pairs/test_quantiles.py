"""Differences of percentiles against plain resampling, their coverage, and how many pairs they
need.
"""

import numpy as np
import pytest

from analysis.pairs import quantiles as module
from analysis.pairs.quantiles import enough, quantiles
from tests.analysis.pairs.world import stalls


def test_the_interval_is_that_of_plain_block_resampling() -> None:
    """The same blocks drawn with whole copies of the values: bounds within a few ms."""
    dice = np.random.default_rng(3)
    a, b = dice.lognormal(-0.9, 0.3, 400) + 0.05, dice.lognormal(-0.9, 0.3, 400)
    p95 = quantiles(a, a, b, b, 95, 1.0)
    assert p95 is not None
    assert p95.a == np.sort(a)[379] and p95.b == np.sort(b)[379]
    drawn = []
    for _ in range(2_000):
        picked = (dice.integers(0, 20, 20)[:, None] * 20 + np.arange(20)).ravel()
        drawn.append(np.sort(a[picked])[379] - np.sort(b[picked])[379])
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert (p95.low, p95.high) == (pytest.approx(low, abs=0.02), pytest.approx(high, abs=0.02))


def test_a_percentile_needs_ten_pairs_beyond_its_rank() -> None:
    assert [enough(percent) for percent in (50, 95, 99)] == [20, 200, 1_000]
    values = np.random.default_rng(1).normal(1, 0.1, 199)
    assert quantiles(values, values, values, values, 95, 1.0) is None
    assert quantiles(values, values, values, values, 50, 20.0) is None


def test_the_coarse_grid_gives_the_interval_of_the_full_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dice = np.random.default_rng(9)
    a, b = np.round(dice.lognormal(0, 0.5, 500), 6), np.round(dice.lognormal(0, 0.5, 500), 6)
    coarse = [quantiles(a, a, b, b, percent, 1.0) for percent in (50, 95)]
    monkeypatch.setattr(module, "_GRID", 10**6)
    fine = [quantiles(a, a, b, b, percent, 1.0) for percent in (50, 95)]
    for one, other in zip(coarse, fine, strict=True):
        assert one is not None and other is not None
        assert one.low == pytest.approx(other.low, abs=0.01)
        assert one.high == pytest.approx(other.high, abs=0.01)
        assert one.p == pytest.approx(other.p, abs=0.02)


@pytest.mark.parametrize("percent", [50, 95, 99])
def test_the_interval_is_that_of_plain_resampling_for_arms_far_apart(percent: int) -> None:
    """40,000 pairs a standard deviation apart: each arm's percentile is far from that of both."""
    dice = np.random.default_rng(3)
    a, b = dice.normal(2, 1, 40_000), dice.normal(1, 1, 40_000)
    estimate = quantiles(a, a, b, b, percent, 1.0)
    drawn = [np.percentile(dice.choice(a, 40_000), percent)
             - np.percentile(dice.choice(b, 40_000), percent) for _ in range(200)]  # fmt: skip
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert estimate is not None and estimate.p < 0.001
    assert estimate.low < estimate.difference < estimate.high
    near = 0.25 * (high - low)
    assert (estimate.low, estimate.high) == (
        pytest.approx(low, abs=near),
        pytest.approx(high, abs=near),
    )


def test_an_unfinished_request_widens_the_interval_only_upwards() -> None:
    dice = np.random.default_rng(2)
    a, b = dice.normal(1, 0.1, 300), dice.normal(1, 0.1, 300)
    high = np.where(np.arange(300) % 20 == 0, np.inf, a)
    plain, censored = quantiles(a, a, b, b, 95, 1.0), quantiles(a, high, b, b, 95, 1.0)
    assert plain is not None and censored is not None
    assert censored.low == plain.low and censored.high > plain.high


@pytest.mark.slow
def test_180_of_200_intervals_of_percentiles_hold_the_truth() -> None:
    """P50 of 60 pairs, P95 of 400 and P99 of 2,000.

    The arms share no provider state here, so that the truth is the difference of their marginal
    percentiles.
    """
    dice = np.random.default_rng(7)
    big = dice.lognormal(0, 0.3, 4_000_000)
    slow = stalls(0.05)(dice, 4_000_000)
    for percent, count in ((50, 60), (95, 400), (99, 2_000)):
        truth = np.percentile(big + slow, percent) - np.percentile(big, percent)
        held = 0
        for seed in range(200):
            own = np.random.default_rng(seed)
            b, a = own.lognormal(0, 0.3, count), own.lognormal(0, 0.3, count)
            a = a + stalls(0.05)(own, count)
            estimate = quantiles(a, a, b, b, percent, 1.0, seed)
            assert estimate is not None
            held += estimate.low <= truth <= estimate.high
        print(f"P{percent} of {count} pairs: {held} of 200")
        assert held >= 180
