"""What a precision takes, and that ending a run when it is reached keeps the interval true."""

import numpy as np
import pytest

from analysis.pairs.differences import differences
from analysis.pairs.pairing import paired
from estimates.location import location
from estimates.precision import LOOKS, looks, outlook, reached
from tests.analysis.pairs.world import World


def test_half_the_width_takes_four_times_the_pairs_at_their_price() -> None:
    values = np.random.default_rng(1).normal(0.02, 0.1, 100)
    now = location(values, values)
    assert now is not None and now.half is not None
    found = outlook(now.half, now.count, now.half / 2, 0.003)
    assert (found.pairs, found.more) == (400, 300)
    assert found.cost == pytest.approx(0.9)
    enough = outlook(now.half, now.count, 1.0, None)
    assert (enough.pairs, enough.more, enough.cost) == (100, 0, None)


def test_what_it_foretells_comes_true() -> None:
    """Of 100 pairs: how many for 15 ms; with so many, the interval is that wide within a third."""
    (few,) = paired(World().rows(100, 5))
    now = differences(few, "ttft")
    place = location(now.low, now.high)
    assert place is not None and place.half is not None
    found = outlook(place.half, place.count, 0.015, None)
    (many,) = paired(World().rows(found.pairs, 6))
    then = differences(many, "ttft")
    end = location(then.low, then.high)
    assert end is not None and end.half == pytest.approx(0.015, rel=0.34)


def test_looks_are_fixed_and_end_with_the_plan() -> None:
    assert list(looks(100)) == [60, 90, 100]
    assert list(looks(60)) == [60]
    assert list(looks(2_000)) == [*LOOKS, 1_500, 2_000]


def test_without_a_width_nothing_is_reached_and_a_precision_is_above_zero() -> None:
    values = np.array([1.0, 2.0, 3.0])
    now = location(values, values)
    assert now is not None and now.half is None and not reached(now, 9.0)
    assert not reached(None, 1.0)
    with pytest.raises(ValueError, match="above 0"):
        outlook(0.1, 60, 0.0, None)


@pytest.mark.slow
@pytest.mark.parametrize("wanted_s", [0.050, 0.035, 0.020])
def test_the_interval_holds_the_truth_when_the_width_ends_the_run(wanted_s: float) -> None:
    """200 runs of up to 1,000 pairs, each ended at the first look that is narrow enough."""
    held = pairs = 0
    for seed in range(200):
        (whole,) = paired(World().rows(1_000, seed))
        told = differences(whole, "ttft")
        for count in looks(1_000):
            found = location(told.low[:count], told.high[:count])
            if reached(found, wanted_s):
                break
        assert found is not None and found.low is not None and found.high is not None
        held += found.low <= 0.020 <= found.high
        pairs += count
    print(f"±{wanted_s * 1000:.0f} ms: {held} of 200 hold the truth, {pairs / 200:.0f} pairs")
    assert held >= 180
