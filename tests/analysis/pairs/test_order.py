"""AB against BA: carry-over is found where it is, and not where it is not."""

import numpy as np
import pandas as pd
from scipy import stats

from analysis.pairs.differences import Differences, differences
from analysis.pairs.order import first_only, first_p, order
from analysis.pairs.pairing import paired
from tests.analysis.pairs.world import World, constant


def of(rows: pd.DataFrame) -> Differences:
    (pairs,) = paired(rows)
    return differences(pairs, "ttft")


def warmed(rows: pd.DataFrame, by_s: float) -> pd.DataFrame:
    """The reference is faster where the gateway's request warmed a cache for it."""
    sent = rows.pivot(index="request_index", columns="arm", values="sent_offset_s")
    second = rows["request_index"].map(sent["a"] < sent["b"]) & (rows["arm"] == "b")
    return rows.assign(ttft_s=rows["ttft_s"] - by_s * second)


def test_its_p_value_is_mann_whitney_s() -> None:
    found = of(World().rows(120, 3))
    asked = order(found)
    low = found.low
    truth = stats.mannwhitneyu(low[found.first == 1], low[found.first == -1]).pvalue
    assert asked is not None
    assert abs(asked.p - truth) < 0.02 and asked.ab_count + asked.ba_count == 120


def test_of_more_than_200_pairs_too() -> None:
    found = of(World().rows(400, 3))
    asked, low = order(found), found.low
    truth = stats.mannwhitneyu(low[found.first == 1], low[found.first == -1]).pvalue
    assert asked is not None and abs(asked.p - truth) < 0.005


def test_carry_over_is_found_and_the_first_requests_tell_the_truth() -> None:
    """A reference that is 200 ms faster behind the gateway makes 20 ms look like 120."""
    held = 0
    for seed in range(20):
        found = of(warmed(World().rows(300, seed), 0.2))
        asked, firsts = order(found), first_only(found)
        assert asked is not None and asked.matters and asked.ab > asked.ba
        assert firsts is not None and firsts.low is not None and firsts.high is not None
        held += firsts.low <= 0.020 <= firsts.high
    assert held >= 17


def test_without_carry_over_order_matters_rarely() -> None:
    matters = 0
    for seed in range(60):
        asked = order(of(World(gap_s=1.0).rows(60, seed)), seed)
        matters += asked is not None and asked.matters
    assert matters <= 3


def test_a_large_difference_of_first_requests_has_a_small_p_and_none_a_large_one() -> None:
    assert first_p(of(World(constant(0.4)).rows(100, 1))) < 0.001
    assert first_p(of(World(constant(0.0)).rows(100, 1))) > 0.05


def test_few_pairs_in_an_order_say_nothing() -> None:
    assert order(of(World().rows(12, 1))) is None
    found = of(World().rows(30, 1))
    assert first_only(found.of(found.first == 1)) is None


def test_pairs_of_which_nobody_knows_who_was_first_are_in_neither() -> None:
    rows = World().rows(60, 1)
    rows.loc[rows["request_index"] < 10, "sent_offset_s"] = np.nan
    asked = order(of(rows))
    assert asked is not None and asked.ab_count + asked.ba_count == 50
