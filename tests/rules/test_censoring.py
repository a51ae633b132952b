"""Percentiles with times that nobody saw the end of, against every way they may have ended."""

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
def test_the_bounds_hold_every_way_it_may_have_ended_and_no_more(
    known: list[float], running: list[float], percent: int
) -> None:
    """Each censored time ends at once, later or never: the percentiles' least and most."""
    found = bounds(known, running, percent)
    if not known and not running:
        assert found is None
        return
    assert found is not None
    ends = [(least, least + 1, inf) for least in running]
    seen = [nearest_rank(sorted([*known, *way]), percent) for way in product(*ends)]
    assert all(one is not None for one in seen)
    assert found.low == pytest.approx(min(one for one in seen if one is not None), abs=1e-8)
    assert found.high == max(one for one in seen if one is not None)


@given(
    st.lists(TIMES, max_size=8), st.lists(TIMES, max_size=5),
    st.sampled_from([50, 95, 99]), TIMES,
)  # fmt: skip
def test_a_trial_is_met_only_where_no_way_misses_it(
    known: list[float], running: list[float], percent: int, limit: float
) -> None:
    """And it is missed where one may: what is not known is not good enough."""
    made = [row(elapsed_sec=t) for t in known] + [
        row(elapsed_sec=t, outcome="timeout_total", success=False) for t in running
    ]
    found = judge(made, max(1, len(made)), 1000, objectives(**{f"e2e_p{percent}_s": limit}))
    worst = nearest_rank(sorted([*known, *(inf for _ in running)]), percent)
    assert found.met is (worst is not None and round(worst, 12) <= round(limit, 12))


def test_one_in_ten_that_is_never_answered_is_in_the_tail() -> None:
    """54 of 60 in 52 ms, six waited for 3 s in vain: a P99 of 1 s is missed, for sure by P50."""
    made = ended(54, 0.052) + failed(6, "timeout_first_byte", 3.0)
    found = judge(made, 60, 1000, objectives(e2e_p99_s=1))
    assert (found.met, found.sure, found.missed) == (False, True, ("e2e_p99_s",))
    assert judge(made, 60, 1000, objectives(e2e_p50_s=1)).met


def test_what_was_cut_below_the_limit_decides_nothing_for_sure() -> None:
    """Reset after 0.2 s, it might have been answered within 1 s: not met, and not surely missed."""
    made = ended(95, 0.05) + failed(5, "connection_reset", 0.2)
    found = judge(made, 100, 1000, objectives(e2e_p99_s=1))
    assert (found.met, found.sure) == (False, False)


@pytest.mark.parametrize(
    "outcome", sorted(set(Outcome) - {o for o in Outcome if o in WAITED | OURS})
)
def test_refusals_stay_out(outcome: str) -> None:
    """Fast or slow, a refusal is no latency: it neither helps nor hurts a percentile."""
    if outcome == Outcome.OK:
        return
    made = ended(200, 0.05) + failed(100, outcome, 30.0)
    assert judge(made, 300, 1000, objectives(e2e_p99_s=1)).met


@pytest.mark.parametrize("status", GAVE_UP)
def test_a_proxy_that_gave_up_waited(status: int) -> None:
    """504 after 30 s is no refusal: the answer had not come by then."""
    made = ended(97, 0.05) + failed(3, "server_error", 30.0, http_status=status)
    assert judge(made, 100, 1000, objectives(e2e_p99_s=1)).missed == ("e2e_p99_s",)
    assert not waited("server_error", 500) and waited("server_error", status)


def test_what_was_never_sent_waited_while_others_were_sent() -> None:
    """Due at 1 s and still not sent when another was at 9 s: 8 s; due at 9.5 s: it did not wait."""
    drop = failed(1, "dropped", None, scheduled_offset_s=1.0)[0]
    assert waited_s(drop, 9.0) == 8.0
    assert waited_s(drop, 0.5) is None and waited_s(drop, -inf) is None
    assert waited_s(failed(1, "dropped", None)[0], 9.0) is None
    assert waited_s(failed(1, "lost", None, scheduled_offset_s=1.0)[0], 9.0) is None


def test_a_stream_that_was_cut_after_its_first_token_has_a_ttft() -> None:
    """Its TTFT is known, its time per token may be anything."""
    streams = [
        row(stream=True, elapsed_sec=1.0, ttft_s=0.1, completion_tokens=11) for _ in range(9)
    ]
    cut = failed(1, "timeout_total", 5.0, stream=True, ttft_s=0.1)
    assert judge(streams + cut, 10, 1000, objectives(ttft_p99_s=0.2)).met
    assert not judge(streams + cut, 10, 1000, objectives(tpot_p99_s=9)).met
    silent = failed(1, "timeout_first_byte", 5.0, stream=True)
    assert not judge(streams + silent, 10, 1000, objectives(ttft_p99_s=0.2)).met


@pytest.mark.parametrize(("percent", "count"), [(50, 2), (95, 20), (99, 100)])
def test_a_percentile_is_claimed_where_a_time_lies_beyond_it(percent: int, count: int) -> None:
    """Of one request fewer its nearest rank is the slowest request, whatever the percent."""
    assert enough(percent) == count
    for size, few in ((count - 1, True), (count, False)):
        found = bounds([float(i) for i in range(size)], [], percent)
        assert found is not None and found.few is few
        assert (found.high == size - 1) is few
