"""Gateway first against reference first: carry-over is detected where it exists, and only there."""

import numpy as np
import pandas as pd
from scipy import stats

from analysis.pairs.differences import Differences, differences
from analysis.pairs.order import first_only, first_p, order
from analysis.pairs.pairing import paired
from tests.analysis.pairs.world import World, constant


def differences_of(rows: pd.DataFrame) -> Differences:
    (pairs,) = paired(rows)
    return differences(pairs, "ttft")


def warmed(rows: pd.DataFrame, by_s: float) -> pd.DataFrame:
    """The reference is faster by `by_s` where the gateway's request warmed a cache for it."""
    sent = rows.pivot(index="request_index", columns="arm", values="sent_offset_s")
    second = rows["request_index"].map(sent["a"] < sent["b"]) & (rows["arm"] == "b")
    return rows.assign(ttft_s=rows["ttft_s"] - by_s * second)


def test_the_p_value_of_the_order_is_mann_whitneys() -> None:
    ttft = differences_of(World().rows(120, 3))
    effect = order(ttft)
    low = ttft.low
    truth = stats.mannwhitneyu(low[ttft.first == 1], low[ttft.first == -1]).pvalue
    assert effect is not None
    assert abs(effect.p - truth) < 0.02 and effect.ab_count + effect.ba_count == 120


def test_the_p_value_of_the_order_is_mann_whitneys_beyond_200_pairs() -> None:
    ttft = differences_of(World().rows(400, 3))
    effect, low = order(ttft), ttft.low
    truth = stats.mannwhitneyu(low[ttft.first == 1], low[ttft.first == -1]).pvalue
    assert effect is not None and abs(effect.p - truth) < 0.005


def test_carry_over_is_detected_and_first_requests_alone_give_the_true_difference() -> None:
    """A reference that is 200 ms faster after the gateway makes 20 ms look like 120."""
    held = 0
    for seed in range(20):
        ttft = differences_of(warmed(World().rows(300, seed), 0.2))
        effect, firsts = order(ttft), first_only(ttft)
        assert effect is not None and effect.matters and effect.ab > effect.ba
        assert firsts is not None and firsts.low is not None and firsts.high is not None
        held += firsts.low <= 0.020 <= firsts.high
    assert held >= 17


def test_without_carry_over_the_order_matters_in_at_most_3_of_60_runs() -> None:
    matters = 0
    for seed in range(60):
        effect = order(differences_of(World(gap_s=1.0).rows(60, seed)), seed)
        matters += effect is not None and effect.matters
    assert matters <= 3


def test_the_p_value_of_first_requests_is_small_only_where_they_differ() -> None:
    assert first_p(differences_of(World(constant(0.4)).rows(100, 1))) < 0.001
    assert first_p(differences_of(World(constant(0.0)).rows(100, 1))) > 0.05


def test_few_pairs_in_either_order_give_no_result() -> None:
    assert order(differences_of(World().rows(12, 1))) is None
    ttft = differences_of(World().rows(30, 1))
    assert first_only(ttft.of(ttft.first == 1)) is None


def test_pairs_whose_order_is_unknown_count_in_neither_order() -> None:
    rows = World().rows(60, 1)
    rows.loc[rows["request_index"] < 10, "sent_offset_s"] = np.nan
    effect = order(differences_of(rows))
    assert effect is not None and effect.ab_count + effect.ba_count == 50
