"""Trials judged by plain definitions and exact binomials, and why they miss."""

from fractions import Fraction
from math import comb
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.numbers.percentile import nearest_rank
from recording.record import RequestRecord
from rules.objectives import Attained, binomial, good_enough, judge
from rules.slo import Objectives, parse
from tests.recording.rows import row


def rows(count: int, **known: Any) -> list[RequestRecord]:
    values = {"elapsed_sec": 1.0, "send_lag_s": 0.001, "in_flight": 1, "api_cost": 0.1} | known
    return [row(request_index=i, **values) for i in range(count)]


def failed(count: int, outcome: str, **known: Any) -> list[RequestRecord]:
    return rows(count, outcome=outcome, success=False, elapsed_sec=None, api_cost=None, **known)


def dropped(count: int) -> list[RequestRecord]:
    return failed(count, "dropped", send_lag_s=None, in_flight=None)


def objectives(**values: float) -> Objectives:
    return parse(values, "slo").of(None, None)


@pytest.mark.parametrize(
    ("asked", "trial_rows", "expected"),
    [
        ({"success_rate": 0.99}, rows(600), Attained(True, True)),
        ({"success_rate": 0.99}, rows(100), Attained(True, False)),  # 0.99^100 = 37 %
        ({"success_rate": 1}, rows(600), Attained(True, False)),  # no number of them proves all
        (
            {"success_rate": 0.9},
            rows(80) + failed(20, "rate_limited"),
            Attained(False, True, ("success_rate",), "429"),
        ),
        (
            {"success_rate": 0.9},
            rows(88) + failed(12, "server_error"),
            Attained(False, False, ("success_rate",), "errors"),
        ),
        (
            {"e2e_p95_s": 2},
            rows(90) + rows(10, elapsed_sec=3.0),
            Attained(False, False, ("e2e_p95_s",), "latency"),
        ),
        (
            {"e2e_p95_s": 2},
            rows(60) + rows(40, elapsed_sec=3.0),
            Attained(False, True, ("e2e_p95_s",), "latency"),
        ),
        (
            {"e2e_s": 2, "attainment": 0.9},
            rows(60) + rows(40, elapsed_sec=3.0),
            Attained(False, True, ("attainment",), "latency"),
        ),
        ({"cost_per_success": 0.1}, rows(10), Attained(True, True)),
        (
            {"cost_per_success": 0.09},
            rows(10),
            Attained(False, True, ("cost_per_success",), "cost"),
        ),
        (
            {"cost_per_success": 9},
            rows(10) + rows(1, api_cost=None),  # unknown is not cheap
            Attained(False, True, ("cost_per_success",), "cost"),
        ),
        (
            {"success_rate": 0.9},
            rows(50, in_flight=50) + dropped(50),
            Attained(False, True, ("success_rate",), "users"),
        ),
        ({"e2e_p95_s": 2}, failed(5, "dns"), Attained(False, True, ("e2e_p95_s",), "errors")),
        ({"success_rate": 0.5}, [], Attained(False, False, ("success_rate",), "errors")),
    ],
)
def test_a_trial_is_judged_as_worked_by_hand(
    asked: dict[str, float], trial_rows: list[RequestRecord], expected: Attained
) -> None:
    """Met or not, surely or not, what is missed and why; bad requests come in no waves."""
    trial_rows = Random(len(trial_rows)).sample(trial_rows, len(trial_rows))
    assert judge(trial_rows, len(trial_rows), 50, objectives(**asked)) == expected


def test_a_trial_sent_late_is_missed_because_of_the_generator() -> None:
    """Two of 100 sends are later than 5 % of the latency; a single one does not count."""
    late = rows(2, send_lag_s=0.2)
    attained = judge(rows(98) + late, 100, 50, objectives(success_rate=0.9))
    assert (attained.met, attained.sure, attained.cause) == (False, True, "generator")
    assert judge(rows(99) + late[:1], 100, 50, objectives(success_rate=0.9)).met


def test_sends_that_waited_for_a_busy_user_are_missed_because_of_latency() -> None:
    """With all 50 users busy the lag is queueing at the gateway."""
    slow = rows(100, send_lag_s=5.0, in_flight=50, elapsed_sec=9.0)
    assert judge(slow, 100, 50, objectives(e2e_p95_s=2)).cause == "latency"


@pytest.mark.parametrize("asked", [{"e2e_p95_s": 10}, {"success_rate": 0.9}])
def test_a_rate_that_too_few_users_could_not_offer_is_missed_because_of_users(
    asked: dict[str, float],
) -> None:
    """What was sent came back in time, but was sent late, and half of it never."""
    sent = rows(50, send_lag_s=5.0, in_flight=50)
    late = sent + (dropped(50) if "e2e_p95_s" in asked else rows(50, send_lag_s=9.0))
    attained = judge(late, 100, 50, objectives(**asked))
    assert attained == Attained(False, True, (), "users")


def test_a_trial_with_all_users_busy_and_no_lag_is_met() -> None:
    """In a closed loop they are always busy, and there are no due times."""
    asked = objectives(success_rate=0.9)
    assert judge(rows(100, in_flight=50), 100, 50, asked).met
    assert judge(rows(100, in_flight=50, send_lag_s=None), 100, 50, asked).met


def test_a_trial_ended_by_the_stop_rule_is_missed() -> None:
    """Whatever share of failures the objectives allow."""
    trial_rows = rows(80) + failed(20, "timeout_total")
    attained = judge(trial_rows, 100, 50, objectives(success_rate=0.5), halted=True)
    assert attained == Attained(False, True, (), "errors")


@given(
    st.lists(st.floats(0.1, 10), min_size=1, max_size=150),
    st.sampled_from([50, 95, 99]),
    st.floats(0.1, 10),
)
def test_percentile_objectives_are_judged_by_nearest_rank(
    times: list[float], percent: int, limit: float
) -> None:
    """Counting gives what sorting gives."""
    trial_rows = [row(request_index=i, elapsed_sec=t) for i, t in enumerate(times)]
    attained = judge(trial_rows, len(trial_rows), 1000, objectives(**{f"e2e_p{percent}_s": limit}))
    exact = nearest_rank(sorted(times), percent)
    assert exact is not None
    assert attained.met is (round(exact, 12) <= round(limit, 12))


@given(st.integers(1, 60), st.fractions(0, 1, max_denominator=50), st.data())
def test_binomial_probabilities_are_exact(count: int, share: Fraction, data: st.DataObject) -> None:
    least = data.draw(st.integers(0, count))
    exact = sum(
        comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(least, count + 1)
    )
    assert binomial(count, float(share), range(least, count + 1)) == pytest.approx(float(exact))


@pytest.mark.parametrize(
    ("known", "good"),
    [
        ({}, True),
        ({"elapsed_sec": 2.1}, False),
        ({"elapsed_sec": None}, False),
        ({"stream": True, "ttft_s": 0.5, "completion_tokens": 6}, True),
        ({"stream": True, "ttft_s": 0.6, "completion_tokens": 6}, False),
        ({"stream": True, "ttft_s": None, "completion_tokens": 6}, False),
        ({"stream": True, "ttft_s": 0.5, "completion_tokens": 5}, False),  # 0.125 s a token
        ({"stream": True, "ttft_s": 0.5, "completion_tokens": 1}, True),
        ({"stream": True, "ttft_s": 0.5, "completion_tokens": None}, False),
    ],
)
def test_a_request_is_good_by_rows_as_by_columns(known: dict[str, Any], good: bool) -> None:
    """The cases of tests/analysis/test_goodput.py: two implementations, one meaning."""
    (request,) = rows(1, **known)
    limits = objectives(e2e_s=2, ttft_s=0.5, tpot_s=0.1, attainment=1)
    assert good_enough(request, limits) is good


def test_a_trial_that_met_our_machines_limits_is_missed_because_of_the_generator() -> None:
    """Then it is tried again, as one sent late is."""
    goal = objectives(success_rate=0.9)
    short = rows(99) + failed(1, "local_limit")
    assert judge(short, 100, 1, goal).cause == "generator"
    assert judge(rows(80) + failed(20, "local_limit"), 100, 1, goal).cause == "generator"
    assert judge(rows(80) + failed(20, "unreachable"), 100, 200, goal).cause == "errors"


@pytest.mark.parametrize(
    ("key", "trial_rows", "expected"),
    [
        ("e2e_p99_9_s", rows(200), Attained(False, True, ("e2e_p99_9_s",), "few")),
        ("e2e_p99_9_s", rows(999), Attained(False, True, ("e2e_p99_9_s",), "few")),
        ("e2e_p99_9_s", rows(1000), Attained(True, False)),
        ("e2e_p99_9_s", rows(9000), Attained(True, True)),
        ("e2e_p90_s", rows(95) + rows(5, elapsed_sec=3.0), Attained(True, False)),
        ("e2e_p90_s", rows(60) + rows(40, elapsed_sec=3.0),
         Attained(False, True, ("e2e_p90_s",), "latency")),
        ("e2e_p99_9_s", rows(100) + rows(100, elapsed_sec=3.0),
         Attained(False, True, ("e2e_p99_9_s",), "latency")),
    ],
)  # fmt: skip
def test_a_percentile_is_met_only_by_a_window_with_enough_requests(
    key: str, trial_rows: list[RequestRecord], expected: Attained
) -> None:
    """P99.9 of too few requests is neither met nor the gateway's fault: the cause is few."""
    trial_rows = Random(len(trial_rows)).sample(trial_rows, len(trial_rows))
    assert judge(trial_rows, len(trial_rows), 50, objectives(**{key: 2})) == expected


def test_a_real_miss_takes_precedence_over_too_few_requests() -> None:
    trial_rows = rows(100) + failed(100, "rate_limited")
    attained = judge(trial_rows, 200, 50, objectives(e2e_p99_9_s=2, success_rate=0.99))
    assert (attained.met, attained.missed, attained.cause) == (False, ("success_rate",), "429")
