"""Verdicts on two routes whose truth is known:

intervals that hold it, and no false alarms. `make statistics` takes 200 runs of each, and prints
what docs/explanation/pairs.md holds.
"""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from analysis.pairs.differences import differences
from analysis.pairs.pairing import paired
from analysis.pairs.verdict import NEEDED, Comparison, Conclusion, Verdict, judge_pairs
from estimates.location import location
from recording.record import COLUMNS
from tests.analysis.pairs.world import World, constant, heavy_noise, lognormal, stalls

WORLDS = {
    "constant": World(),
    "lognormal": World(lognormal(0.020)),
    "1 % stalls of 2 s": World(stalls(0.020)),
    "drift of ±25 %": World(swing=0.25),
    "heavy tails": World(noise=heavy_noise),
}
LENGTHS = {60: 180, 400: 180}


def verdict_of(comparison: Comparison, metric: str) -> Verdict:
    return next(v for v in comparison.verdicts if v.metric == metric)


def holding(world: World, runs: int, pairs: int = 60) -> tuple[int, Counter[Conclusion]]:
    """How many intervals of TTFT hold the truth, and how often each word was the verdict."""
    truth, held, words = world.truth_s(), 0, Counter[Conclusion]()
    for seed in range(runs):
        ttft = verdict_of(judge_pairs(world.rows(pairs, seed), seed), "ttft")
        words[ttft.conclusion] += 1
        held += ttft.low is not None and ttft.high is not None and ttft.low <= truth <= ttft.high
    return held, words


def speaking(world: World, runs: int, pairs: int = 60) -> int:
    """In how many runs of two equal routes anything at all is said to differ."""
    spoken = (Conclusion.ADDS, Conclusion.SAVES)
    return sum(
        any(v.conclusion in spoken for v in judge_pairs(world.rows(pairs, seed), seed).verdicts)
        for seed in range(runs)
    )


def test_53_of_60_intervals_hold_the_truth_under_drift() -> None:
    held = 0
    for seed in range(60):
        (pairs,) = paired(World(swing=0.25).rows(60, seed))
        ttft = differences(pairs, "ttft")
        estimate = location(ttft.low, ttft.high)
        assert estimate is not None
        if estimate.low is not None and estimate.high is not None:
            held += estimate.low <= 0.020 <= estimate.high
    assert held >= 53


def test_equal_drifting_routes_are_called_different_in_at_most_2_of_8_runs() -> None:
    assert speaking(World(constant(0.0), swing=0.25), 8) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("pairs", LENGTHS)
def test_180_of_200_intervals_hold_the_truth(name: str, pairs: int) -> None:
    held, verdicts = holding(WORLDS[name], 200, pairs)
    words = ", ".join(f"{word} {count}" for word, count in verdicts.items())
    print(f"{name}, {pairs} pairs: {held} of 200 hold the truth ({words})")
    assert held >= LENGTHS[pairs]


@pytest.mark.slow
@pytest.mark.parametrize("swing", [0.0, 0.25])
@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize("pairs", LENGTHS)
def test_at_most_10_of_200_runs_of_equal_routes_show_a_difference(
    swing: float, heavy: bool, pairs: int
) -> None:
    world = World(constant(0.0), swing=swing)
    if heavy:
        world = World(constant(0.0), noise=heavy_noise, swing=swing)
    count = speaking(world, 200, pairs)
    print(f"null, swing {swing:.0%}, heavy tails {heavy}, {pairs} pairs: {count} of 200 say a word")
    assert count <= 10


def test_a_large_overhead_is_shown_with_an_interval_that_holds_it() -> None:
    comparison = judge_pairs(World(constant(0.3)).rows(60, 1))
    ttft, tpot = verdict_of(comparison, "ttft"), verdict_of(comparison, "tpot")
    assert ttft.conclusion is Conclusion.ADDS and tpot.conclusion is Conclusion.NOT_SHOWN
    assert ttft.low is not None and ttft.high is not None and ttft.low < 0.3 < ttft.high
    assert ttft.adjusted is not None and ttft.p is not None and ttft.p <= ttft.adjusted <= 0.05
    assert ttft.ratio is not None and 1.4 < ttft.ratio.least < 2.2


def test_swapping_the_arms_turns_adds_into_saves_and_negates_every_difference() -> None:
    rows = World(constant(0.3)).rows(60, 1)
    swapped = judge_pairs(rows.assign(arm=rows["arm"].map({"a": "b", "b": "a"})))
    plain = judge_pairs(rows)
    assert verdict_of(swapped, "ttft").conclusion is Conclusion.SAVES
    for verdict, mirrored in zip(plain.verdicts, swapped.verdicts, strict=True):
        assert verdict.least == pytest.approx(-(mirrored.least or 0.0), abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("pairs", [60, 200])
def test_pairs_scatter_half_as_much_as_runs_one_after_the_other(pairs: int) -> None:
    """200 estimates each of a true 20 ms: the difference of medians, and that of pairs."""
    apart, paired_s = list[float](), list[float]()
    for seed in range(200):
        rows = World(swing=0.25).rows(pairs, seed, mixed=False)
        middle = rows.groupby("arm")["ttft_s"].median()
        apart.append(float(middle["a"] - middle["b"]))
        (both,) = paired(World(swing=0.25).rows(pairs, seed))
        ttft = differences(both, "ttft")
        estimate = location(ttft.low, ttft.high)
        assert estimate is not None
        paired_s.append(estimate.least)
    for name, values in (("one after the other", apart), ("pairs", paired_s)):
        mean, spread = np.mean(values) * 1000, np.std(values) * 1000
        print(f"{name}, {pairs} requests an arm: {mean:.0f} ms, standard deviation {spread:.0f}")
    assert np.std(paired_s) < np.std(apart) / 2


@pytest.mark.slow
def test_an_overhead_of_the_visible_size_is_shown_in_most_runs() -> None:
    """It promises four of five; at least 30 of 50 do."""
    visible = verdict_of(judge_pairs(World(constant(0.0)).rows(100, 3)), "ttft").visible
    assert visible is not None and 0.03 < visible < 0.2
    shown = sum(
        verdict_of(judge_pairs(World(constant(visible)).rows(100, 100 + seed)), "ttft").conclusion
        is Conclusion.ADDS
        for seed in range(50)
    )
    print(f"{shown} of 50 show what would have been")
    assert shown >= 30


def test_fewer_than_20_pairs_are_not_enough_for_a_verdict() -> None:
    for pairs in (1, 5, 19):
        comparison = judge_pairs(World(constant(5.0)).rows(pairs, 1))
        assert {v.conclusion for v in comparison.verdicts} == {Conclusion.NOT_ENOUGH}
        assert all(v.p is None and v.low is None for v in comparison.verdicts)


def test_holms_adjustment_counts_all_phases() -> None:
    slower, equal = World(constant(0.3)).rows(60, 1), World(constant(0.0)).rows(60, 2, "pairs/n")
    alone, both = judge_pairs(slower), judge_pairs(pd.concat([slower, equal]))
    assert {v.phase for v in both.verdicts} == {"pairs/m", "pairs/n"}
    assert verdict_of(both, "ttft").p == verdict_of(alone, "ttft").p
    assert (verdict_of(both, "ttft").adjusted or 0) > (verdict_of(alone, "ttft").adjusted or 0)
    assert (verdict_of(both, "ttft").visible or 0) > (verdict_of(alone, "ttft").visible or 0)


def test_failures_of_one_arm_lower_its_success_rate() -> None:
    rows = World(constant(0.0)).rows(100, 1)
    hit = (rows["arm"] == "a") & (rows["request_index"] % 5 == 0)
    rows.loc[hit, ["success", "outcome", "http_status"]] = [False, "server_error", 500]
    success = verdict_of(judge_pairs(rows), "success")
    assert success.conclusion is Conclusion.SAVES and success.least == pytest.approx(-0.2)


def test_a_pair_with_a_cancelled_request_is_left_out_of_success() -> None:
    rows = World(constant(0.0)).rows(100, 1)
    hit = (rows["arm"] == "a") & (rows["request_index"] % 5 == 0)
    rows.loc[hit, ["success", "outcome"]] = [False, "cancelled"]
    success = verdict_of(judge_pairs(rows), "success")
    assert success.conclusion is Conclusion.NOT_SHOWN and success.pairs == 80


def test_the_needed_columns_with_nullable_types_give_the_same_verdicts() -> None:
    rows = World().rows(60, 1)
    rows.loc[rows["request_index"] == 3, ["ttft_s", "completion_tokens", "completion_id"]] = None
    read_columns = [name for name in NEEDED if name in rows.columns]
    assert set(NEEDED) - set(COLUMNS) <= {"arm"}
    assert judge_pairs(rows[read_columns].convert_dtypes()) == judge_pairs(rows)


def test_costs_are_summed_over_pairs_in_which_both_state_one() -> None:
    rows = World().rows(60, 1)
    rows.loc[(rows["request_index"] < 5) & (rows["arm"] == "a"), "api_cost"] = None
    rows.loc[(rows["request_index"] >= 5) & (rows["arm"] == "a"), "api_cost"] = 0.0003
    comparison = judge_pairs(rows)
    bill = comparison.costs["pairs/m"]
    assert (bill.a, bill.b) == (pytest.approx(0.0165), pytest.approx(0.0055))
    assert (bill.pairs, bill.unknown) == (55, 5) and bill.per_pair == pytest.approx(0.0004)
    cost = verdict_of(comparison, "cost")
    assert cost.conclusion is Conclusion.ADDS and cost.low == cost.high == pytest.approx(0.0002)


def test_the_overhead_that_the_gateway_states_is_kept_apart() -> None:
    rows = World().rows(60, 1)
    assert judge_pairs(rows).stated_overheads == {}
    own = judge_pairs(rows.assign(stated_overhead_s=0.003)).stated_overheads["pairs/m"]
    assert (own.median_s, own.count) == (0.003, 60)


def test_verdicts_do_not_depend_on_the_order_of_rows() -> None:
    rows = World().rows(60, 1)
    assert judge_pairs(rows, 7) == judge_pairs(rows.sample(frac=1, random_state=1), 7)
