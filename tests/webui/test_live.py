"""The live numbers: compared with exact ranks, in bounded memory, row by row. No Locust."""

import math
import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from loadshapes.plan import Plan
from recording.events import LoopLag, PhaseEnd
from recording.histogram import ERROR, Histogram
from recording.outcome import Outcome
from recording.record import RequestRecord
from recording.tally import Tally
from tests.builders import phase_of
from webui.live import LiveRun
from webui.series import MOST_CELLS, Series, Span

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


def live(*records: RequestRecord) -> LiveRun:
    run = FakeRun()
    live_run = LiveRun(run, "CNY")
    for each in records:
        run.tallies[each.phase].add(each)
        live_run.add(each, now=103.0)
    return live_run


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


def finished(at_s: float, phase: str = "a", **facts: Any) -> RequestRecord:
    """A request that was completed `at_s` after its phase began."""
    return record(phase=phase, done_offset_s=at_s, **facts)


def points_of(records: list[RequestRecord], **spans: Span) -> list[dict[str, Any]]:
    series = Series()
    for each in records:
        series.add(each, each.done_offset_s or 0.0)
    return series.points(spans)


def over(begin_s: float, end_s: float) -> Span:
    return Span(begin_s, end_s, over=True)


def test_a_long_run_keeps_its_points_bounded_and_its_sums_whole() -> None:
    records = [finished(second + 0.5) for second in range(10_000)]
    points = points_of(records, a=over(0.0, 9_999.5))
    assert MOST_CELLS // 2 <= len(points) <= MOST_CELLS
    assert points[-1]["cost"] == pytest.approx(5000.0)
    assert [p["rpm"] for p in points[:-1]] == pytest.approx([60.0] * (len(points) - 1))


def test_two_hundred_phases_have_a_point_each_and_bounded_memory() -> None:
    names = [f"p{i}" for i in range(200)]
    records = [finished(at_s, name) for name in names for at_s in (1.0, 9.0)]
    spans = {name: over(i * 10.0, i * 10.0 + 9.0) for i, name in enumerate(names)}
    points = points_of(records, **spans)
    assert {point["phase"] for point in points} == set(names)
    assert len(points) <= MOST_CELLS + len(names)
    assert points[-1]["cost"] == pytest.approx(200.0)


def test_the_open_second_of_a_running_phase_is_not_drawn() -> None:
    records = [finished(at_s) for at_s in (0.0, 0.4, 1.2)]
    points = points_of(records, a=Span(0.0, 1.5, over=False))
    assert [(p["second"], p["rpm"]) for p in points] == [(1, 120.0)]


@pytest.mark.parametrize("end_s", [0.4, 2.0, 3.7, 9.99])
def test_the_last_point_of_a_burst_is_the_rate_of_the_whole_burst(end_s: float) -> None:
    """As in the table and the report: what was completed, over the time to the last of it."""
    records = [finished(end_s * (i + 1) / 20) for i in range(20)]
    last = points_of(records, a=over(0.0, end_s))[-1]
    assert (last["second"], last["rpm"]) == (end_s, pytest.approx(20 / end_s * 60))
    assert last["tpm"] == pytest.approx(200 / end_s * 60)


def test_one_request_every_two_seconds_is_thirty_per_minute_and_not_sixty_and_zero() -> None:
    records = [finished(second + 1.0) for second in range(0, 60, 2)]
    points = points_of(records, a=over(0.0, 59.0))
    assert {point["rpm"] for point in points if 10 <= point["second"] < 59} == {30.0}


def test_no_point_stands_between_two_phases_and_none_mixes_them() -> None:
    """One phase at 60 per minute until second 20, a pause, one at 600 from second 30."""
    records = [finished(float(i + 1), "a") for i in range(20)]
    records += [finished((i + 1) / 10, "b") for i in range(200)]
    points = points_of(records, a=over(0.0, 20.0), b=over(30.0, 50.0))
    assert [p["second"] for p in points] == [*range(1, 21), *range(31, 51)]
    rates = {(p["phase"], round(p["rpm"], 6)) for p in points}
    assert rates == {("a", 60.0), ("b", 600.0)}


def test_a_gateway_that_hangs_is_drawn_from_the_runs_begin_to_its_failures() -> None:
    """Three timeouts at 8 s: eight seconds of nothing, not one second with failures."""
    timeouts = [finished(8.0, success=False, outcome="timeout", api_cost=None) for _ in range(3)]
    points = points_of(timeouts, a=over(0.0, 8.0))
    assert [p["second"] for p in points] == list(range(1, 9))
    assert [p["failed"] for p in points] == [0.0] * 7 + [22.5]
    assert {p["rpm"] for p in points} == {0.0}


def test_what_is_not_known_has_no_point() -> None:
    """A cost before any is stated, and the latency of a time without successes."""
    records = [finished(1.0, api_cost=None), finished(13.0, elapsed_sec=4.0)]
    points = points_of(records, a=over(0.0, 13.0))
    assert [p["cost"] for p in points] == [None] * 12 + [0.5]
    assert [p["p95"] is None for p in points] == [False] * 10 + [True] * 2 + [False]


def test_the_cost_goes_on_from_phase_to_phase() -> None:
    records = [finished(1.0, "a"), finished(1.0, "b", api_cost=None), finished(1.0, "c")]
    points = points_of(records, a=over(0.0, 1.0), b=over(2.0, 3.0), c=over(4.0, 5.0))
    assert [p["cost"] for p in points] == [0.5, 0.5, 1.0]


def test_a_row_that_comes_late_corrects_the_points_that_were_drawn() -> None:
    series, spans = Series(), {"a": Span(0.0, 5.0, over=False)}
    series.add(finished(1.0), 1.0)
    before = [point["rpm"] for point in series.points(spans)]
    series.add(finished(2.0), 2.0)
    after = [point["rpm"] for point in series.points(spans)]
    assert (before, after) == ([60.0, 30.0, 20.0, 15.0, 12.0], [60.0, 60.0, 40.0, 30.0, 24.0])


def test_the_charts_and_the_table_have_the_same_numbers_of_a_phase() -> None:
    run = live(record(done_offset_s=2.0), record(done_offset_s=4.0, total_tokens=20))
    row, last = run.rows(500.0, None, 0)[0], run.points(500.0, None)[-1]
    assert (last["second"], last["rpm"], last["tpm"]) == (4.0, row["rpm"], row["tpm"])
    assert last["p95"] == pytest.approx(row["p95"], abs=1e-4) and last["cost"] == row["cost"]
    assert run.marks() == [{"phase": PHASE.name, "second": 0.0}]


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


@pytest.mark.parametrize(
    ("loop_lag_s", "says"),
    [(0.04, "1.0 ms: on time"), (0.06, "1.0 ms, event loop 60.0 ms: generator-limited")],
)
def test_a_late_event_loop_is_generator_limited_as_in_the_report(
    loop_lag_s: float, says: str
) -> None:
    live_run = live(*[record(send_lag_s=0.001)] * 3)
    live_run.note(PhaseEnd(phase=PHASE.name, generator=LoopLag(loop_lag_s, loop_lag_s)))
    assert live_run.rows(200.0, None, 0)[0]["lag"] == says


def test_the_loop_lag_of_one_or_two_requests_is_no_verdict() -> None:
    """Its P99 is the one latest probe: the report has it as a note."""
    live_run = live(record(), record())
    live_run.note(PhaseEnd(phase=PHASE.name, generator=LoopLag(0.06, 0.06)))
    assert live_run.rows(200.0, None, 0)[0]["lag"] == ""


def test_a_closed_loop_has_no_send_lag_but_a_verdict() -> None:
    live_run = live(*[record()] * 3)
    assert live_run.rows(200.0, None, 0)[0]["lag"] == ""
    live_run.note(PhaseEnd(phase=PHASE.name, generator=LoopLag(0.001, 0.001)))
    assert live_run.rows(200.0, None, 0)[0]["lag"] == "on time"


def test_a_phase_without_a_completion_has_no_rate() -> None:
    row = LiveRun(FakeRun(), "").rows(200.0, None, 0)[0]
    assert (row["rpm"], row["tpm"]) == (None, None)


def test_requests_held_back_by_the_budget_are_not_blamed_on_the_generator() -> None:
    live_run = live(record(send_lag_s=6.4))
    live_run._run.tallies[PHASE.name].waited_for_budget = True
    assert live_run.rows(200.0, None, 0)[0]["lag"].endswith(" ms: held back by the budget")


def test_a_phase_that_has_not_begun_has_no_row() -> None:
    run = FakeRun(began={})
    assert LiveRun(run, "").rows(200.0, None, 0) == []
