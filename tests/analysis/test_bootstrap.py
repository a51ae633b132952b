"""The interval of a mean: by slow and by known answers."""

from random import Random
from statistics import NormalDist, fmean

import pytest

from analysis.numbers.bootstrap import difference_interval, mean_interval


def test_the_interval_is_near_the_normal_ones_for_many_values() -> None:
    """Of 400 normal draws the bootstrap and mean +- 1.96 s / 20 differ by a few percent."""
    dice = Random(5)
    values = [dice.gauss(10, 2) for _ in range(400)]
    found = mean_interval(values)
    assert found is not None and found.low is not None and found.high is not None
    fitted = NormalDist.from_samples(values)
    half = 1.96 * fitted.stdev / 20
    assert found.mean == pytest.approx(fmean(values))
    assert found.low == pytest.approx(fitted.mean - half, abs=0.2 * half)
    assert found.high == pytest.approx(fitted.mean + half, abs=0.2 * half)


@pytest.mark.long
def test_95_of_100_intervals_hold_the_true_mean() -> None:
    """Of 200 samples of 30 from a skewed distribution with mean 1, as latencies are."""
    dice = Random(11)
    held = 0
    for seed in range(200):
        found = mean_interval([dice.expovariate(1.0) for _ in range(30)], seed)
        assert found is not None and found.low is not None and found.high is not None
        held += found.low <= 1.0 <= found.high
    assert 178 <= held <= 198


def test_a_difference_is_of_the_two_means() -> None:
    dice = Random(3)
    one, other = ([dice.gauss(mean, 1) for _ in range(200)] for mean in (5, 3))
    found = difference_interval(one, other)
    assert found is not None and found.low is not None and found.high is not None
    assert found.mean == pytest.approx(fmean(one) - fmean(other))
    assert found.low < 2 < found.high and found.excludes_zero


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [n**0.5 for n in range(20)]
    assert mean_interval(values, 7) == mean_interval(values, 7)
    assert mean_interval(values, 7) != mean_interval(values, 8)


def test_few_values_have_a_mean_and_no_interval() -> None:
    found = mean_interval([1.0, 2.0, 3.0, 4.0])
    assert found is not None and (found.mean, found.low, found.high) == (2.5, None, None)
    assert not found.excludes_zero
    assert mean_interval([]) is None and difference_interval([], [1.0]) is None
    apart = difference_interval([1.0] * 9, [2.0, 2.0])
    assert apart is not None and (apart.mean, apart.low) == (-1.0, None)


def test_equal_values_have_an_interval_of_no_width() -> None:
    found = mean_interval([0.25] * 10)
    assert found is not None and (found.low, found.high) == (0.25, 0.25) and found.excludes_zero
