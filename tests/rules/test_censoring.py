"""Percentiles with times whose end was not seen, against every way they may have ended."""

from itertools import product
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.numbers.percentile import nearest_rank
from recording.outcome import OURS, WAITED, Outcome
from recording.record import RequestRecord
from rules.censoring import GAVE_UP, bounds, enough, waited, waited_s
from rules.objectives import judge
from rules.slo import parse
from tests.recording.rows import row

TIMES = st.floats(0.01, 9)


def objectives(**values: float) -> Any:
    return parse(values, "slo").of(None, None)


def ended(count: int, took_s: float, **known: Any) -> list[RequestRecord]:
    return [row(request_index=i, elapsed_sec=took_s, **known) for i in range(count)]


def failed(count: int, outcome: str, took_s: float | None, **known: Any) -> list[RequestRecord]:
    return [
        row(request_index=i, elapsed_sec=took_s, outcome=outcome, success=False, **known)
        for i in range(count)
    ]


@given(st.lists(TIMES, max_size=6), st.lists(TIMES, max_size=5), st.sampled_from([50, 95, 99]))
def test_the_bounds_are_the_extremes_over_every_way_of_ending(
    known: list[float], running: list[float], percent: int
) -> None:
    """Each censored time ends at once, later or never."""
    limits = bounds(known, running, percent)
    if not known and not running:
        assert limits is None
        return
    assert limits is not None
    ends = [(least, least + 1, inf) for least in running]
    possible = [nearest_rank(sorted([*known, *way]), percent) for way in product(*ends)]
    assert all(one is not None for one in possible)
    assert limits.low == pytest.approx(min(one for one in possible if one is not None), abs=1e-8)
    assert limits.high == max(one for one in possible if one is not None)


@given(
    st.lists(TIMES, max_size=8), st.lists(TIMES, max_size=5),
    st.sampled_from([50, 95, 99]), TIMES,
)  # fmt: skip
def test_a_trial_is_met_only_if_every_way_of_ending_meets_it(
    known: list[float], running: list[float], percent: int, limit: float
) -> None:
    """Where one way may miss it, it is missed: unknown is not good enough."""
    rows_of_trial = [row(elapsed_sec=t) for t in known] + [
        row(elapsed_sec=t, outcome="timeout_total", success=False) for t in running
    ]
    attained = judge(
        rows_of_trial, max(1, len(rows_of_trial)), 1000, objectives(**{f"e2e_p{percent}_s": limit})
    )
    worst = nearest_rank(sorted([*known, *(inf for _ in running)]), percent)
    assert attained.met is (worst is not None and round(worst, 12) <= round(limit, 12))


def test_a_tenth_without_an_answer_misses_a_p99_for_sure() -> None:
    """54 of 60 took 52 ms, and six were waited for in vain for 3 s; the limit is 1 s."""
    rows_of_trial = ended(54, 0.052) + failed(6, "timeout_first_byte", 3.0)
    attained = judge(rows_of_trial, 60, 1000, objectives(e2e_p99_s=1))
    assert (attained.met, attained.sure, attained.missed) == (False, True, ("e2e_p99_s",))
    assert judge(rows_of_trial, 60, 1000, objectives(e2e_p50_s=1)).met


def test_a_connection_reset_below_the_limit_misses_it_but_not_for_sure() -> None:
    """After 0.2 s; it might have been answered within the limit of 1 s."""
    rows_of_trial = ended(95, 0.05) + failed(5, "connection_reset", 0.2)
    attained = judge(rows_of_trial, 100, 1000, objectives(e2e_p99_s=1))
    assert (attained.met, attained.sure) == (False, False)


@pytest.mark.parametrize(
    "outcome", sorted(set(Outcome) - {o for o in Outcome if o in WAITED | OURS})
)
def test_refusals_count_in_no_percentile(outcome: str) -> None:
    """Fast or slow, a refusal is no latency."""
    if outcome == Outcome.OK:
        return
    rows_of_trial = ended(200, 0.05) + failed(100, outcome, 30.0)
    assert judge(rows_of_trial, 300, 1000, objectives(e2e_p99_s=1)).met


@pytest.mark.parametrize("status", GAVE_UP)
def test_a_proxys_timeout_counts_as_a_wait(status: int) -> None:
    """A 504 after 30 s is no refusal: the answer had not come by then."""
    rows_of_trial = ended(97, 0.05) + failed(3, "server_error", 30.0, http_status=status)
    assert judge(rows_of_trial, 100, 1000, objectives(e2e_p99_s=1)).missed == ("e2e_p99_s",)
    assert not waited("server_error", 500) and waited("server_error", status)


def test_an_unsent_request_waited_as_long_as_others_were_still_sent() -> None:
    """Due at 1 s, and the last send at 9 s: it waited 8 s; due at 9.5 s: it did not wait."""
    drop = failed(1, "dropped", None, scheduled_offset_s=1.0)[0]
    assert waited_s(drop, 9.0) == 8.0
    assert waited_s(drop, 0.5) is None and waited_s(drop, -inf) is None
    assert waited_s(failed(1, "dropped", None)[0], 9.0) is None
    assert waited_s(failed(1, "lost", None, scheduled_offset_s=1.0)[0], 9.0) is None


def test_a_truncated_stream_has_a_ttft_and_an_unknown_tpot() -> None:
    streams = [
        row(stream=True, elapsed_sec=1.0, ttft_s=0.1, completion_tokens=11) for _ in range(9)
    ]
    cut = failed(1, "timeout_total", 5.0, stream=True, ttft_s=0.1)
    assert judge(streams + cut, 10, 1000, objectives(ttft_p99_s=0.2)).met
    assert not judge(streams + cut, 10, 1000, objectives(tpot_p99_s=9)).met
    silent = failed(1, "timeout_first_byte", 5.0, stream=True)
    assert not judge(streams + silent, 10, 1000, objectives(ttft_p99_s=0.2)).met


@pytest.mark.parametrize(("percent", "count"), [(50, 2), (95, 20), (99, 100)])
def test_a_percentile_is_claimed_only_where_a_time_lies_beyond_it(percent: int, count: int) -> None:
    """With one request fewer its nearest rank is the slowest request."""
    assert enough(percent) == count
    for size, few in ((count - 1, True), (count, False)):
        limits = bounds([float(i) for i in range(size)], [], percent)
        assert limits is not None and limits.few is few
        assert (limits.high == size - 1) is few
