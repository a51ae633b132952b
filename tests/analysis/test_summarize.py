"""The numbers of a phase, against hand-worked tables and plain Python."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from analysis.numbers.summarize import of_groups, of_phases
from analysis.reading.load import load
from analysis.report.report import look
from analysis.report.verdicts import verdicts
from recording.record import RequestRecord
from tests.analysis.runs import dropped, failed, make, phase, record


def numbers(folder: Path, *records: RequestRecord, **made: Any) -> dict[str, Any]:
    (phase_numbers,) = of_phases(load(make(folder, *records, **made)))
    return phase_numbers.as_dict()


def test_the_numbers_of_a_window_are_those_worked_by_hand(tmp_path: Path) -> None:
    """599 of 600 in 61.859 s are the article's 581 RPM."""
    records = [record(i, done_offset_s=61.859, elapsed_sec=1 + i / 1000) for i in range(599)]
    phase_numbers = numbers(tmp_path / "r", *records, failed(599, done_offset_s=50.0))
    assert phase_numbers["planned"] == phase_numbers["sent"] == 600
    assert (phase_numbers["success"], phase_numbers["failures"], phase_numbers["dropped"]) == (
        599,
        1,
        0,
    )
    assert phase_numbers["status_counts"] == {"200": 599, "None": 1}
    assert phase_numbers["outcomes"] == {"ok": 599, "connection_reset": 1}
    assert phase_numbers["observed_rpm"] == pytest.approx(599 / 61.859 * 60)
    assert phase_numbers["observed_tpm"] == pytest.approx(599 * 18 / 61.859 * 60)
    assert phase_numbers["offered_rpm"] == 600
    assert phase_numbers["window_rpm"] == 0
    assert phase_numbers["latency_p50_s"] == 1.299  # the 300th of 599
    assert phase_numbers["latency_p95_s"] == 1 + 569 / 1000
    assert phase_numbers["latency_p99_s"] == 1 + 593 / 1000
    assert phase_numbers["cost_sum"] == pytest.approx(float(599 * Fraction("0.000069")))
    assert phase_numbers["total_tokens"] == 599 * 18


def test_rates_inside_the_window_count_requests_that_ended_in_it(tmp_path: Path) -> None:
    ends = [10.0, 60.0, 60.001, 70.0]
    records = [record(i, done_offset_s=end) for i, end in enumerate(ends)]
    phase_numbers = numbers(tmp_path / "r", *records)
    assert phase_numbers["window_rpm"] == 2
    assert phase_numbers["window_tpm"] == 36
    assert phase_numbers["wall_s"] == 70


def test_numbers_without_a_success_are_none_and_not_zero(tmp_path: Path) -> None:
    """Latency, token sum and cost."""
    phase_numbers = numbers(tmp_path / "r", failed(0), dropped(1))
    absent = [
        "latency_p50_s", "latency_p99_s", "latency_mean_s", "total_tokens", "cost_sum",
        "cost_per_request", "cost_per_success", "ttft_p50_s", "tpot_p50_s", "marker_rate",
        "cost_on_failures", "observed_tpm",
    ]  # fmt: skip
    assert {name: phase_numbers[name] for name in absent} == dict.fromkeys(absent)
    assert phase_numbers["observed_rpm"] == 0
    assert phase_numbers["cost_unknown_count"] == 1  # the dropped one was never sent


def test_cost_is_split_into_that_of_successes_and_of_failures(tmp_path: Path) -> None:
    records = [
        record(0, api_cost=0.5),
        record(1, api_cost=0.25, cost_source="header"),
        failed(2, "stream_truncated", api_cost=0.125, cost_source="body"),
        failed(3),
    ]
    phase_numbers = numbers(tmp_path / "r", *records)
    assert phase_numbers["cost_sum"] == 0.875
    assert phase_numbers["cost_on_failures"] == 0.125
    assert phase_numbers["cost_per_request"] == 0.875 / 3
    assert phase_numbers["cost_per_success"] == 0.4375
    assert (phase_numbers["cost_unknown_count"], phase_numbers["cost_unknown_success_count"]) == (
        1,
        0,
    )
    assert phase_numbers["cost_sources"] == {"body": 2, "header": 1, "unknown": 1}


def test_cost_per_success_is_unknown_while_a_success_has_no_cost(tmp_path: Path) -> None:
    phase_numbers = numbers(
        tmp_path / "r", record(0), record(1, api_cost=None, cost_source="unknown")
    )
    assert phase_numbers["cost_per_success"] is None
    assert phase_numbers["cost_sum"] == 0.000069


def test_tpot_is_unknown_for_fewer_than_two_tokens(tmp_path: Path) -> None:
    """TPOT = (last byte - first token) / (tokens - 1)."""
    stream = {"stream": True, "ttft_s": 0.5, "elapsed_sec": 2.5}
    records = [record(0, completion_tokens=1, **stream), record(1, completion_tokens=5, **stream)]
    phase_numbers = numbers(tmp_path / "r", *records)
    assert phase_numbers["tpot_p50_s"] == phase_numbers["tpot_p99_s"] == 0.5
    assert phase_numbers["streams"] == 2
    assert phase_numbers["ttft_p95_s"] == 0.5


def test_planned_requests_without_a_row_are_counted_as_planned(tmp_path: Path) -> None:
    phase_numbers = numbers(tmp_path / "r", record(0), plan=[phase(count=10)])
    assert (phase_numbers["planned"], phase_numbers["recorded"], phase_numbers["success_rate"]) == (
        10,
        1,
        0.1,
    )


def test_the_wall_clock_of_a_group_is_the_sum_of_its_phases(tmp_path: Path) -> None:
    """They run one after another."""
    records = [
        record(0, phase="a", done_offset_s=30.0, task_id="nl-rpm-gpt-5.4-nano-target-1-req-0"),
        record(0, phase="b", done_offset_s=10.0, task_id="nl-tool-gpt-5.4-nano-run-1"),
        record(1, phase="b", done_offset_s=5.0, task_id=None),
    ]
    run = load(make(tmp_path / "r", *records))
    ((name, model),) = of_groups(run, "model_requested")
    assert (model.wall_s, model.success, model.observed_rpm) == (40, 3, 4.5)
    prefixes = {name: group.success for name, group in of_groups(run, "task_prefix")}
    assert prefixes == {"nl-rpm": 1, "nl-tool": 1, None: 1}


def test_a_run_without_rows_has_no_numbers(tmp_path: Path) -> None:
    assert of_phases(load(make(tmp_path / "r"))) == []


def burst(folder: Path, *parts: int) -> Path:
    """A burst of 50 sent by so many attempts, each part released at its own time 0."""
    rows, index = [], 0
    for attempt, count in enumerate(parts, 1):
        for place in range(count):
            known = {"sent_offset_s": place * 0.001, "done_offset_s": 2.0 + attempt}
            number = attempt if len(parts) > 1 else None
            rows.append(record(index, attempt=number, target=50, mode="ladder", **known))
            index += 1
    plan = [phase(kind="burst", mode="ladder", count=50, target=50, duration_s=None)]
    return make(folder, *rows, plan=plan)


def test_a_resumed_burst_is_reported_in_parts(tmp_path: Path) -> None:
    """Offsets begin anew with each part: they are not laid over one another (F7)."""
    whole, parted = look(load(burst(tmp_path / "a", 50))), look(load(burst(tmp_path / "b", 20, 30)))
    (whole_burst,), (resumed_burst,) = whole.phases, parted.phases
    assert (whole_burst.parts, whole_burst.wall_s) == (None, 3.0)
    assert (resumed_burst.parts, resumed_burst.wall_s) == ([20, 30], 3.0 + 4.0)
    assert resumed_burst.observed_rpm == pytest.approx(50 / 7.0 * 60)
    assert resumed_burst.release_skew_s == pytest.approx(0.029)
    assert whole_burst.release_skew_s == pytest.approx(0.049)
    remarks = [remark.text for remark in verdicts(parted) if "in 2 parts" in remark.text]
    assert "of 20, 30 requests, and never as 50 at once" in remarks[0]
    assert not [remark for remark in verdicts(whole) if "parts" in remark.text]
