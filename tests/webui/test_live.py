"""The live numbers: compared with exact ranks, in bounded memory, row by row. No Locust."""

import math
import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from loadshapes.plan import Plan
from recording.histogram import ERROR, Histogram
from recording.outcome import Outcome
from recording.record import RequestRecord
from recording.tally import Tally
from tests.builders import phase_of
from webui.live import LiveRun
from webui.series import MOST_BUCKETS, Series

PHASE = phase_of(name="rpm/m/60", mode="rpm", scenario="chat", model="m", kind="arrivals",
              request="marker", users=4, count=10, duration_s=10.0)  # fmt: skip


def record(**facts: Any) -> RequestRecord:
    base: dict[str, Any] = {
        "run_id": "r", "timestamp": "2026-01-01T00:00:00+00:00", "worker": "local",
        "phase": PHASE.name, "mode": "rpm", "scenario": "chat", "model_requested": "m",
        "stream": False, "request_index": 0, "outcome": "ok", "success": True,
        "sent_offset_s": 0.0, "done_offset_s": 1.0, "elapsed_sec": 1.0, "total_tokens": 10,
        "target": 60, "duration_s": 10.0, "task_id": "t", "api_cost": 0.5,
    }  # fmt: skip
    return RequestRecord(**{**base, **facts})


@dataclass
class FakeRun:
    plan: Plan = Plan((PHASE,))
    began: dict[str, float] = field(default_factory=lambda: {PHASE.name: 100.0})
    tallies: dict[str, Tally] = field(default_factory=lambda: {PHASE.name: Tally()})
    left: dict[str, float] = field(default_factory=dict)

    def budget_left(self) -> dict[str, float]:
        return self.left


def live(*records: RequestRecord) -> LiveRun:
    run = FakeRun()
    live_run = LiveRun(run, "CNY")
    for each in records:
        run.tallies[each.phase].add(each)
        live_run.add(each, now=103.0)
    return live_run


def test_the_remaining_budget_is_shown_with_the_running_phase() -> None:
    """A phase that is over, and a run without a budget, show none."""
    live_run = LiveRun(FakeRun(left={"money": 0.25, "tokens": 12_345.0}), "CNY")
    (running,) = live_run.rows(104.0, PHASE.name, 1)
    (over,) = live_run.rows(104.0, None, 0)
    assert (running["left"], over["left"]) == ("0.25 CNY, 12,345 tokens", "")
    assert LiveRun(FakeRun(), "CNY").rows(104.0, PHASE.name, 1)[0]["left"] == ""


@pytest.mark.parametrize("count", [1, 2, 19, 20, 100, 5000])
def test_a_percentile_is_the_nearest_rank_within_the_stated_error(count: int) -> None:
    source = random.Random(count)
    values = [source.lognormvariate(0, 2) for _ in range(count)]
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    for percent in (50, 95, 99, 100):
        exact = sorted(values)[math.ceil(percent * count / 100) - 1]
        assert histogram.percentile(percent) == pytest.approx(exact, rel=ERROR * 1.0001)


def test_an_empty_sample_has_no_percentile() -> None:
    assert Histogram().percentile(50) is None


def test_a_million_durations_need_a_bounded_number_of_buckets() -> None:
    histogram, source = Histogram(), random.Random(1)
    for _ in range(100_000):
        histogram.add(10 ** source.uniform(-7, 4))
    assert len(histogram._buckets) < 12_000


def test_a_long_run_keeps_its_points_bounded_and_its_sums_whole() -> None:
    series = Series()
    for second in range(10_000):
        series.add(record(), at=50.0 + second)
    points = series.points(None)
    assert MOST_BUCKETS // 2 <= len(points) <= MOST_BUCKETS
    assert points[-1]["cost"] == pytest.approx(5000.0)
    assert {point["rpm"] for point in points[:-1]} == {60.0}


def test_the_current_second_is_not_drawn() -> None:
    series = Series()
    for at in (10.0, 10.4, 11.2):
        series.add(record(), at)
    assert [(p["second"], p["rpm"]) for p in series.points(now=11.5)] == [(1, 120.0)]


def test_rates_are_successes_over_the_wall_clock_to_the_last_completion() -> None:
    run = live(record(done_offset_s=2.0), record(done_offset_s=4.0, total_tokens=20))
    row = run.rows(now=500.0, running=None, in_flight=0)[0]
    assert (row["rpm"], row["tpm"], row["cost"]) == (30.0, 450, 1.0)


def test_a_running_phases_rates_are_over_the_time_since_it_began() -> None:
    row = live(record(), record()).rows(now=106.0, running=PHASE.name, in_flight=3)[0]
    assert (row["rpm"], row["sent"], row["flight"]) == (20.0, 5, 3)


def test_failures_have_an_outcome_and_a_cost_but_no_latency() -> None:
    bad = record(outcome=Outcome.SERVER_ERROR.value, success=False, elapsed_sec=9.0)
    row = live(record(), bad).rows(200.0, None, 0)[0]
    assert row["outcomes"] == "1 ok, 1 server_error"
    assert row["p99"] == pytest.approx(1.0, rel=ERROR)
    assert row["cost"] == 1.0


def test_a_cost_that_was_not_stated_is_unknown_not_zero() -> None:
    assert live(record(api_cost=None)).rows(200.0, None, 0)[0]["cost"] == "unknown"


def test_dropped_requests_were_not_sent() -> None:
    dropped = record(outcome="dropped", success=False, sent_offset_s=None, done_offset_s=None,
                     elapsed_sec=None, api_cost=None)  # fmt: skip
    row = live(record(), dropped).rows(200.0, None, 0)[0]
    assert (row["sent"], row["outcomes"]) == (1, "1 ok, 1 dropped")


@pytest.mark.parametrize(("lag_s", "says"), [(0.04, "on time"), (0.06, "generator-limited")])
def test_a_lag_above_a_twentieth_of_the_median_latency_is_generator_limited(
    lag_s: float, says: str
) -> None:
    row = live(record(send_lag_s=lag_s)).rows(200.0, None, 0)[0]
    assert row["lag"] == f"{lag_s * 1000:.1f} ms: {says}"


def test_requests_held_back_by_the_budget_are_not_blamed_on_the_generator() -> None:
    live_run = live(record(send_lag_s=6.4))
    live_run._run.tallies[PHASE.name].held = True
    assert live_run.rows(200.0, None, 0)[0]["lag"].endswith(" ms: held back by the budget")


def test_a_phase_that_has_not_begun_has_no_row() -> None:
    run = FakeRun(began={})
    assert LiveRun(run, "").rows(200.0, None, 0) == []
