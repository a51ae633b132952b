"""Trials judged: by plain definitions, by exact binomials, and why they fail."""

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
    ("asked", "made", "found"),
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
def test_a_trial_worked_by_hand(
    asked: dict[str, float], made: list[RequestRecord], found: Attained
) -> None:
    """Whether it is met, whether surely, what is missed and why; bad ones come in no waves."""
    made = Random(len(made)).sample(made, len(made))
    assert judge(made, len(made), 50, objectives(**asked)) == found


def test_a_late_generator_answers_nothing_but_that() -> None:
    """Two of 100 sends later than 5 % of the latency; of one only, nothing is said."""
    late = rows(2, send_lag_s=0.2)
    found = judge(rows(98) + late, 100, 50, objectives(success_rate=0.9))
    assert (found.met, found.sure, found.cause) == (False, True, "generator")
    assert judge(rows(99) + late[:1], 100, 50, objectives(success_rate=0.9)).met


def test_sends_that_waited_for_a_user_are_the_gateways_slowness() -> None:
    """With all 50 users busy the lag is queueing, and the latency says why."""
    slow = rows(100, send_lag_s=5.0, in_flight=50, elapsed_sec=9.0)
    assert judge(slow, 100, 50, objectives(e2e_p95_s=2)).cause == "latency"


@pytest.mark.parametrize("asked", [{"e2e_p95_s": 10}, {"success_rate": 0.9}])
def test_a_level_that_too_few_users_could_not_offer_is_not_met(asked: dict[str, float]) -> None:
    """What was sent came back in time; but it was sent late, half of it never: no such rate was."""
    sent = rows(50, send_lag_s=5.0, in_flight=50)
    late = sent + (dropped(50) if "e2e_p95_s" in asked else rows(50, send_lag_s=9.0))
    found = judge(late, 100, 50, objectives(**asked))
    assert found == Attained(False, True, (), "users")


def test_users_that_are_all_busy_for_a_moment_are_enough() -> None:
    """A held concurrency has them always busy, and no due times to be late for."""
    asked = objectives(success_rate=0.9)
    assert judge(rows(100, in_flight=50), 100, 50, asked).met
    assert judge(rows(100, in_flight=50, send_lag_s=None), 100, 50, asked).met


def test_a_trial_that_the_stop_rule_ended_is_missed() -> None:
    """Whatever share of failures the objectives allow."""
    made = rows(80) + failed(20, "timeout_total")
    found = judge(made, 100, 50, objectives(success_rate=0.5), halted=True)
    assert found == Attained(False, True, (), "errors")


@given(
    st.lists(st.floats(0.1, 10), min_size=1, max_size=150),
    st.sampled_from([50, 95, 99]),
    st.floats(0.1, 10),
)
def test_percentiles_are_nearest_ranks(times: list[float], percent: int, limit: float) -> None:
    """Counting gives what sorting does."""
    made = [row(request_index=i, elapsed_sec=t) for i, t in enumerate(times)]
    found = judge(made, len(made), 1000, objectives(**{f"e2e_p{percent}_s": limit}))
    exact = nearest_rank(sorted(times), percent)
    assert exact is not None
    assert found.met is (round(exact, 12) <= round(limit, 12))


@given(st.integers(1, 60), st.fractions(0, 1, max_denominator=50), st.data())
def test_binomials_are_exact(count: int, share: Fraction, data: st.DataObject) -> None:
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
def test_one_request_is_good_as_the_report_counts_it(known: dict[str, Any], good: bool) -> None:
    """The same cases as in tests/analysis/test_goodput.py: two codes, one meaning."""
    (made,) = rows(1, **known)
    limits = objectives(e2e_s=2, ttft_s=0.5, tpot_s=0.1, attainment=1)
    assert good_enough(made, limits) is good


def test_a_trial_that_met_our_own_limits_is_no_answer() -> None:
    """Neither of the gateway nor of too few users: it is tried again, as one sent late is."""
    goal = objectives(success_rate=0.9)
    short = rows(99) + failed(1, "local_limit")
    assert judge(short, 100, 1, goal).cause == "generator"
    assert judge(rows(80) + failed(20, "local_limit"), 100, 1, goal).cause == "generator"
    assert judge(rows(80) + failed(20, "unreachable"), 100, 200, goal).cause == "errors"


@pytest.mark.parametrize(
    ("key", "made", "found"),
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
def test_a_percentile_of_any_rank_is_met_only_where_the_window_can_bear_it(
    key: str, made: list[RequestRecord], found: Attained
) -> None:
    """Of too few requests P99.9 is neither met nor the gateway's fault: they are too few."""
    made = Random(len(made)).sample(made, len(made))
    assert judge(made, len(made), 50, objectives(**{key: 2})) == found


def test_a_real_miss_is_told_before_too_few() -> None:
    made = rows(100) + failed(100, "rate_limited")
    found = judge(made, 200, 50, objectives(e2e_p99_9_s=2, success_rate=0.99))
    assert (found.met, found.missed, found.cause) == (False, ("success_rate",), "429")
