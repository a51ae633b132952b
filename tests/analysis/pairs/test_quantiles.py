"""Differences of percentiles: by plain resampling, by coverage, and not claimed of few."""

import numpy as np
import pytest

from analysis.pairs import quantiles as module
from analysis.pairs.quantiles import enough, quantiles
from tests.analysis.pairs.world import stalls


def test_it_is_what_plain_resampling_of_pairs_gives() -> None:
    """The same blocks drawn with whole copies of the values: bounds within a few ms."""
    dice = np.random.default_rng(3)
    a, b = dice.lognormal(-0.9, 0.3, 400) + 0.05, dice.lognormal(-0.9, 0.3, 400)
    found = quantiles(a, a, b, b, 95, 1.0)
    assert found is not None
    assert found.a == np.sort(a)[379] and found.b == np.sort(b)[379]
    drawn = []
    for _ in range(2_000):
        picked = (dice.integers(0, 20, 20)[:, None] * 20 + np.arange(20)).ravel()
        drawn.append(np.sort(a[picked])[379] - np.sort(b[picked])[379])
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert (found.low, found.high) == (pytest.approx(low, abs=0.02), pytest.approx(high, abs=0.02))


def test_a_percentile_needs_ten_pairs_beyond_it() -> None:
    assert [enough(percent) for percent in (50, 95, 99)] == [20, 200, 1_000]
    values = np.random.default_rng(1).normal(1, 0.1, 199)
    assert quantiles(values, values, values, values, 95, 1.0) is None
    assert quantiles(values, values, values, values, 50, 20.0) is None


def test_counting_at_some_thousand_values_is_as_good_as_at_all(
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
def test_of_many_pairs_that_differ_much_it_is_what_plain_resampling_gives(percent: int) -> None:
    """40,000 pairs a standard deviation apart: each arm's percentile is far from that of both."""
    dice = np.random.default_rng(3)
    a, b = dice.normal(2, 1, 40_000), dice.normal(1, 1, 40_000)
    found = quantiles(a, a, b, b, percent, 1.0)
    drawn = [np.percentile(dice.choice(a, 40_000), percent)
             - np.percentile(dice.choice(b, 40_000), percent) for _ in range(200)]  # fmt: skip
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert found is not None and found.p < 0.001
    assert found.low < found.difference < found.high
    near = 0.25 * (high - low)
    assert (found.low, found.high) == (pytest.approx(low, abs=near), pytest.approx(high, abs=near))


def test_a_request_that_ran_on_widens_the_interval_upwards_alone() -> None:
    dice = np.random.default_rng(2)
    a, b = dice.normal(1, 0.1, 300), dice.normal(1, 0.1, 300)
    high = np.where(np.arange(300) % 20 == 0, np.inf, a)
    plain, found = quantiles(a, a, b, b, 95, 1.0), quantiles(a, high, b, b, 95, 1.0)
    assert plain is not None and found is not None
    assert found.low == plain.low and found.high > plain.high


@pytest.mark.slow
def test_the_intervals_of_percentiles_cover() -> None:
    """Of 200 runs each, P50 of 60 pairs, P95 of 400, P99 of 2,000: at least 180 hold the truth.

    Without what a provider's state does to both arms, the truth is that of the marginals.
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
            found = quantiles(a, a, b, b, percent, 1.0, seed)
            assert found is not None
            held += found.low <= truth <= found.high
        print(f"P{percent} of {count} pairs: {held} of 200")
        assert held >= 180
