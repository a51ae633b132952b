"""Hodges-Lehmann and the signed-rank interval: by enumeration, by scipy, by censored values."""

from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from estimates.location import Location, location, signed_ranks

DIFFERENCES = st.lists(st.integers(-50, 50).map(lambda n: n / 4), min_size=6, max_size=11)


def of(values: "list[float] | np.ndarray") -> Location:
    array = np.asarray(values, dtype=np.float64)
    found = location(array, array)
    assert found is not None
    return found


def means_of_two(values: list[float]) -> list[float]:
    return sorted((a + b) / 2 for a, b in combinations_with_replacement(values, 2))


def test_the_interval_ends_where_enumeration_of_all_signs_puts_it() -> None:
    """Of 6 to 12 independent differences: 2^n signs, the largest k with P(W < k) <= 2.5 %."""
    dice = np.random.default_rng(2)
    for count in range(6, 13):
        values = list(dice.normal(1, 1, count))
        found = of(values)
        sums = [sum(rank for rank, up in enumerate(ways, 1) if up)
                for ways in product((0, 1), repeat=count)]  # fmt: skip
        chance = [sum(w < k for w in sums) / len(sums) for k in range(count * (count + 1) // 2)]
        rank = max(k for k, p in enumerate(chance) if p <= 0.025)
        total = count * (count + 1) // 2
        rank = int(total / 2 - (total / 2 - rank) * found.memory**0.5)
        means = means_of_two(values)
        assert found.least == found.most == pytest.approx(np.median(means))
        if rank >= 1:
            assert (found.low, found.high) == (means[rank - 1], means[len(means) - rank])
        else:
            assert found.low is None


def test_the_interval_excludes_zero_exactly_where_scipy_s_test_rejects() -> None:
    """Of independent differences (memory 1), shifted by more and more; exact below 100, else not.

    scipy has the p-value of Wilcoxon's test; the interval is the same test asked of every shift.
    """
    dice = np.random.default_rng(8)
    asked = 0
    for count, method in ((30, "exact"), (90, "exact"), (400, "approx")):
        values = dice.normal(0, 1, count)
        found = of(values)
        widened = found.memory**0.5
        if found.memory > 1.2:
            continue
        for shift in np.linspace(-0.8, 0.8, 41):
            p = stats.wilcoxon(values + shift, method=method, correction=True).pvalue
            low, high = of(values + shift).low, of(values + shift).high
            assert low is not None and high is not None
            outside = low > 0 or high < 0
            if p > 0.051:
                assert not outside
            elif p < 0.05 / widened**6:
                assert outside
                asked += 1
    assert asked > 20


@settings(max_examples=60)
@given(DIFFERENCES, st.integers(-20, 20), st.sampled_from([-2.0, -1.0, 0.5, 3.0]))
def test_it_moves_and_turns_with_the_differences(
    values: list[float], shift: int, times: float
) -> None:
    plain, moved, turned = of(values), of([v + shift for v in values]), of([-v for v in values])
    assert moved.least == pytest.approx(plain.least + shift)
    assert turned.least == pytest.approx(-plain.least)
    if plain.low is not None and plain.high is not None and moved.memory == plain.memory:
        assert moved.low == pytest.approx(plain.low + shift)
        assert (turned.low, turned.high) == (pytest.approx(-plain.high), pytest.approx(-plain.low))


def test_neighbours_that_are_alike_widen_the_interval() -> None:
    """An AR(1) of 0.9 has a memory of 19: its interval is several times as wide as of the same
    values in random order."""
    dice = np.random.default_rng(1)
    values = np.zeros(2_000)
    for place in range(1, len(values)):
        values[place] = 0.9 * values[place - 1] + dice.normal()
    alike, mixed = of(values), of(dice.permutation(values))
    assert alike.half is not None and mixed.half is not None
    assert 10 < alike.memory < 80 and mixed.memory < 1.5
    assert 3 < alike.half / mixed.half < 9


def test_ar1_differences_are_covered() -> None:
    """Of 200 series of 400, AR(1) 0.8 about 5: at least 180 intervals hold 5."""
    held = 0
    for seed in range(200):
        shocks = np.random.default_rng(seed).normal(size=450)
        values = np.zeros(450)
        for place in range(1, 450):
            values[place] = 0.8 * values[place - 1] + shocks[place]
        found = of(values[50:] + 5)
        held += found.low is not None and found.high is not None and found.low <= 5 <= found.high
    assert held >= 180


@settings(max_examples=80)
@given(DIFFERENCES, st.data())
def test_of_censored_differences_every_way_they_may_have_ended_is_within(
    values: list[float], data: st.DataObject
) -> None:
    """A gateway's request that ran on: its difference is at least what was seen."""
    array = np.array(values)
    running = np.array(data.draw(st.lists(st.booleans(), min_size=len(array), max_size=len(array))))
    found = location(array, np.where(running, np.inf, array))
    assert found is not None
    ended = array + running * data.draw(st.floats(0, 1_000))
    truth = np.median(means_of_two(list(ended)))
    assert found.least - 1e-9 <= truth <= found.most + 1e-9


def test_one_censored_of_many_hardly_moves_the_interval_and_half_of_them_unbound_it() -> None:
    values = np.random.default_rng(4).normal(0.02, 0.01, 100)
    one, half = values.copy(), values.copy()
    one[7] = np.inf
    half[:60] = np.inf
    plain, few, many = of(values), location(values, one), location(values, half)
    assert few is not None and many is not None
    assert few.low == pytest.approx(plain.low, abs=1e-3)
    assert few.high == pytest.approx(plain.high, abs=1e-3)
    assert many.high == np.inf and many.half is None and many.low is not None


def test_signed_ranks_are_scipy_s_and_a_known_sign_alone_is_the_largest() -> None:
    values = np.array([0.5, -1.5, 2.0, -2.0, 3.0])
    assert list(signed_ranks(values, values)) == [1, -2, 3.5, -3.5, 5]
    low, high = np.array([0.5, 1.0, -1.0, -np.inf]), np.array([0.5, np.inf, np.inf, -0.1])
    assert list(signed_ranks(low, high)) == [2, 3.5, 0, -3.5]


def test_few_have_no_interval_and_none_nothing() -> None:
    assert of([1.0, 2.0, 3.0]).low is None
    assert location(np.empty(0), np.empty(0)) is None


@pytest.mark.slow
def test_a_million_differences_are_told_apart_in_bounded_memory() -> None:
    """5 * 10^11 means of two; the truth, 20 ms, lies in an interval of some tenths of a ms."""
    values = np.round(np.random.default_rng(1).normal(0.020, 0.15, 1_000_000), 6)
    found = of(values)
    assert found.low is not None and found.high is not None and found.half is not None
    assert found.low <= 0.020 <= found.high and found.half < 0.0004
