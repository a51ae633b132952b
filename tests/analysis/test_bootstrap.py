"""Bootstrap intervals of a mean and of a difference of means, against formulas and coverage."""

from random import Random
from statistics import NormalDist, fmean

import pytest

from analysis.numbers.bootstrap import difference_interval, mean_interval


def test_the_interval_of_400_normal_values_is_near_the_formulas() -> None:
    """Each bound is within a fifth of the half-width of mean +- 1.96 s / 20."""
    dice = Random(5)
    values = [dice.gauss(10, 2) for _ in range(400)]
    interval = mean_interval(values)
    assert interval is not None and interval.low is not None and interval.high is not None
    fitted = NormalDist.from_samples(values)
    half = 1.96 * fitted.stdev / 20
    assert interval.mean == pytest.approx(fmean(values))
    assert interval.low == pytest.approx(fitted.mean - half, abs=0.2 * half)
    assert interval.high == pytest.approx(fitted.mean + half, abs=0.2 * half)


@pytest.mark.long
def test_about_95_percent_of_intervals_hold_the_true_mean() -> None:
    """178 to 198 of 200 samples of 30 from a skewed distribution of mean 1, as latencies are."""
    dice = Random(11)
    held = 0
    for seed in range(200):
        interval = mean_interval([dice.expovariate(1.0) for _ in range(30)], seed)
        assert interval is not None and interval.low is not None and interval.high is not None
        held += interval.low <= 1.0 <= interval.high
    assert 178 <= held <= 198


def test_a_difference_is_that_of_the_two_means_and_its_interval_holds_the_true_one() -> None:
    dice = Random(3)
    slower, faster = ([dice.gauss(mean, 1) for _ in range(200)] for mean in (5, 3))
    interval = difference_interval(slower, faster)
    assert interval is not None and interval.low is not None and interval.high is not None
    assert interval.mean == pytest.approx(fmean(slower) - fmean(faster))
    assert interval.low < 2 < interval.high and interval.excludes_zero


def test_the_interval_is_fixed_by_the_seed() -> None:
    values = [n**0.5 for n in range(20)]
    assert mean_interval(values, 7) == mean_interval(values, 7)
    assert mean_interval(values, 7) != mean_interval(values, 8)


def test_fewer_than_five_values_have_a_mean_and_no_interval() -> None:
    interval = mean_interval([1.0, 2.0, 3.0, 4.0])
    assert interval is not None and (interval.mean, interval.low, interval.high) == (
        2.5,
        None,
        None,
    )
    assert not interval.excludes_zero
    assert mean_interval([]) is None and difference_interval([], [1.0]) is None
    apart = difference_interval([1.0] * 9, [2.0, 2.0])
    assert apart is not None and (apart.mean, apart.low) == (-1.0, None)


def test_equal_values_have_an_interval_of_zero_width() -> None:
    interval = mean_interval([0.25] * 10)
    assert (
        interval is not None
        and (interval.low, interval.high) == (0.25, 0.25)
        and interval.excludes_zero
    )
