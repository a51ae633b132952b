"""Hodges-Lehmann and the signed-rank interval: against enumeration, scipy and censored values."""

from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from estimates.location import Location, location, signed_ranks

DIFFERENCES = st.lists(st.integers(-50, 50).map(lambda n: n / 4), min_size=6, max_size=11)


def location_of(values: "list[float] | np.ndarray") -> Location:
    array = np.asarray(values, dtype=np.float64)
    estimate = location(array, array)
    assert estimate is not None
    return estimate


def means_of_two(values: list[float]) -> list[float]:
    return sorted((a + b) / 2 for a, b in combinations_with_replacement(values, 2))


def test_the_interval_is_that_of_enumerating_all_signs() -> None:
    """For 6 to 12 independent differences: 2^n signs, the largest k with P(W < k) <= 2.5 %."""
    dice = np.random.default_rng(2)
    for count in range(6, 13):
        values = list(dice.normal(1, 1, count))
        estimate = location_of(values)
        sums = [sum(rank for rank, up in enumerate(ways, 1) if up)
                for ways in product((0, 1), repeat=count)]  # fmt: skip
        chance = [sum(w < k for w in sums) / len(sums) for k in range(count * (count + 1) // 2)]
        rank = max(k for k, p in enumerate(chance) if p <= 0.025)
        total = count * (count + 1) // 2
        rank = int(total / 2 - (total / 2 - rank) * estimate.memory**0.5)
        means = means_of_two(values)
        assert estimate.least == estimate.most == pytest.approx(np.median(means))
        if rank >= 1:
            assert (estimate.low, estimate.high) == (means[rank - 1], means[len(means) - rank])
        else:
            assert estimate.low is None


def test_the_interval_excludes_zero_exactly_where_scipys_test_rejects() -> None:
    """For independent differences (memory 1) with growing shifts; exact below 100.

    scipy has the p-value of Wilcoxon's test; the interval is that test for every shift.
    """
    dice = np.random.default_rng(8)
    compared = 0
    for count, method in ((30, "exact"), (90, "exact"), (400, "approx")):
        values = dice.normal(0, 1, count)
        estimate = location_of(values)
        widened = estimate.memory**0.5
        if estimate.memory > 1.2:
            continue
        for shift in np.linspace(-0.8, 0.8, 41):
            p = stats.wilcoxon(values + shift, method=method, correction=True).pvalue
            low, high = location_of(values + shift).low, location_of(values + shift).high
            assert low is not None and high is not None
            outside = low > 0 or high < 0
            if p > 0.051:
                assert not outside
            elif p < 0.05 / widened**6:
                assert outside
                compared += 1
    assert compared > 20


@settings(max_examples=60)
@given(DIFFERENCES, st.integers(-20, 20), st.sampled_from([-2.0, -1.0, 0.5, 3.0]))
def test_the_estimate_shifts_and_scales_with_the_differences(
    values: list[float], shift: int, times: float
) -> None:
    plain, moved, turned = (
        location_of(values),
        location_of([v + shift for v in values]),
        location_of([-v for v in values]),
    )
    assert moved.least == pytest.approx(plain.least + shift)
    assert turned.least == pytest.approx(-plain.least)
    if plain.low is not None and plain.high is not None and moved.memory == plain.memory:
        assert moved.low == pytest.approx(plain.low + shift)
        assert (turned.low, turned.high) == (pytest.approx(-plain.high), pytest.approx(-plain.low))


def test_correlated_neighbours_widen_the_interval() -> None:
    """An AR(1) of 0.9 has a memory of 19:

    its interval is several times as wide as that of the same values in random order.
    """
    dice = np.random.default_rng(1)
    values = np.zeros(2_000)
    for place in range(1, len(values)):
        values[place] = 0.9 * values[place - 1] + dice.normal()
    alike, mixed = location_of(values), location_of(dice.permutation(values))
    assert alike.half is not None and mixed.half is not None
    assert 10 < alike.memory < 80 and mixed.memory < 1.5
    assert 3 < alike.half / mixed.half < 9


def test_180_of_200_intervals_of_ar1_differences_hold_the_truth() -> None:
    """Series of 400, AR(1) of 0.8 about 5."""
    held = 0
    for seed in range(200):
        shocks = np.random.default_rng(seed).normal(size=450)
        values = np.zeros(450)
        for place in range(1, 450):
            values[place] = 0.8 * values[place - 1] + shocks[place]
        estimate = location_of(values[50:] + 5)
        held += (
            estimate.low is not None
            and estimate.high is not None
            and estimate.low <= 5 <= estimate.high
        )
    assert held >= 180


@settings(max_examples=80)
@given(DIFFERENCES, st.data())
def test_bounds_of_censored_differences_hold_every_way_of_ending(
    values: list[float], data: st.DataObject
) -> None:
    """The difference of an unfinished request is at least what was seen."""
    array = np.array(values)
    running = np.array(data.draw(st.lists(st.booleans(), min_size=len(array), max_size=len(array))))
    estimate = location(array, np.where(running, np.inf, array))
    assert estimate is not None
    ended = array + running * data.draw(st.floats(0, 1_000))
    truth = np.median(means_of_two(list(ended)))
    assert estimate.least - 1e-9 <= truth <= estimate.most + 1e-9


def test_the_interval_is_unbounded_where_half_are_censored_and_not_where_one_is() -> None:
    values = np.random.default_rng(4).normal(0.02, 0.01, 100)
    one_censored, half = values.copy(), values.copy()
    one_censored[7] = np.inf
    half[:60] = np.inf
    plain, few, many = location_of(values), location(values, one_censored), location(values, half)
    assert few is not None and many is not None
    assert few.low == pytest.approx(plain.low, abs=1e-3)
    assert few.high == pytest.approx(plain.high, abs=1e-3)
    assert many.high == np.inf and many.half is None and many.low is not None


def test_signed_ranks_are_scipys_and_a_censored_one_ranks_highest() -> None:
    values = np.array([0.5, -1.5, 2.0, -2.0, 3.0])
    assert list(signed_ranks(values, values)) == [1, -2, 3.5, -3.5, 5]
    low, high = np.array([0.5, 1.0, -1.0, -np.inf]), np.array([0.5, np.inf, np.inf, -0.1])
    assert list(signed_ranks(low, high)) == [2, 3.5, 0, -3.5]


def test_few_differences_have_no_interval_and_none_no_estimate() -> None:
    assert location_of([1.0, 2.0, 3.0]).low is None
    assert location(np.empty(0), np.empty(0)) is None


@pytest.mark.slow
def test_a_million_differences_take_bounded_memory() -> None:
    """5 * 10^11 means of two; the truth, 20 ms, lies in an interval of some tenths of a ms."""
    values = np.round(np.random.default_rng(1).normal(0.020, 0.15, 1_000_000), 6)
    estimate = location_of(values)
    assert estimate.low is not None and estimate.high is not None and estimate.half is not None
    assert estimate.low <= 0.020 <= estimate.high and estimate.half < 0.0004
