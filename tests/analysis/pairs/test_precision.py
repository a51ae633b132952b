"""How many pairs a precision takes, and that stopping at it keeps the interval valid."""

import numpy as np
import pytest

from analysis.pairs.differences import differences
from analysis.pairs.pairing import paired
from estimates.location import location
from estimates.precision import LOOKS, looks, outlook, reached
from tests.analysis.pairs.world import World


def test_half_the_width_takes_four_times_the_pairs_and_their_cost() -> None:
    values = np.random.default_rng(1).normal(0.02, 0.1, 100)
    now = location(values, values)
    assert now is not None and now.half is not None
    forecast = outlook(now.half, now.count, now.half / 2, 0.003)
    assert (forecast.pairs, forecast.more) == (400, 300)
    assert forecast.cost == pytest.approx(0.9)
    enough = outlook(now.half, now.count, 1.0, None)
    assert (enough.pairs, enough.more, enough.cost) == (100, 0, None)


def test_the_forecast_number_of_pairs_gives_the_forecast_width() -> None:
    """From 100 pairs it forecasts how many give 15 ms; so many are that narrow, within a third."""
    (few,) = paired(World().rows(100, 5))
    now = differences(few, "ttft")
    place = location(now.low, now.high)
    assert place is not None and place.half is not None
    forecast = outlook(place.half, place.count, 0.015, None)
    (many,) = paired(World().rows(forecast.pairs, 6))
    then = differences(many, "ttft")
    end = location(then.low, then.high)
    assert end is not None and end.half == pytest.approx(0.015, rel=0.34)


def test_interim_looks_are_at_fixed_counts_and_at_the_end_of_the_plan() -> None:
    assert list(looks(100)) == [60, 90, 100]
    assert list(looks(60)) == [60]
    assert list(looks(2_000)) == [*LOOKS, 1_500, 2_000]


def test_a_precision_must_be_above_zero_and_is_not_reached_without_an_interval() -> None:
    values = np.array([1.0, 2.0, 3.0])
    now = location(values, values)
    assert now is not None and now.half is None and not reached(now, 9.0)
    assert not reached(None, 1.0)
    with pytest.raises(ValueError, match="above 0"):
        outlook(0.1, 60, 0.0, None)


@pytest.mark.slow
@pytest.mark.parametrize("wanted_s", [0.050, 0.035, 0.020])
def test_stopping_at_the_wanted_width_keeps_the_intervals_coverage(wanted_s: float) -> None:
    """200 runs of up to 1,000 pairs, each ended at the first look that is narrow enough."""
    held = pairs = 0
    for seed in range(200):
        (pairs_of_run,) = paired(World().rows(1_000, seed))
        ttft = differences(pairs_of_run, "ttft")
        for count in looks(1_000):
            forecast = location(ttft.low[:count], ttft.high[:count])
            if reached(forecast, wanted_s):
                break
        assert forecast is not None and forecast.low is not None and forecast.high is not None
        held += forecast.low <= 0.020 <= forecast.high
        pairs += count
    print(f"±{wanted_s * 1000:.0f} ms: {held} of 200 hold the truth, {pairs / 200:.0f} pairs")
    assert held >= 180
