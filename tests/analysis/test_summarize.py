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
    (found,) = of_phases(load(make(folder, *records, **made)))
    return found.as_dict()


def test_a_hand_worked_window(tmp_path: Path) -> None:
    """599 of 600 in 61.859 s is the article's 581 RPM."""
    records = [record(i, done_offset_s=61.859, elapsed_sec=1 + i / 1000) for i in range(599)]
    found = numbers(tmp_path / "r", *records, failed(599, done_offset_s=50.0))
    assert found["planned"] == found["sent"] == 600
    assert (found["success"], found["failures"], found["dropped"]) == (599, 1, 0)
    assert found["status_counts"] == {"200": 599, "None": 1}
    assert found["outcomes"] == {"ok": 599, "connection_reset": 1}
    assert found["observed_rpm"] == pytest.approx(599 / 61.859 * 60)
    assert found["observed_tpm"] == pytest.approx(599 * 18 / 61.859 * 60)
    assert found["offered_rpm"] == 600
    assert found["window_rpm"] == 0
    assert found["latency_p50_s"] == 1.299  # the 300th of 599
    assert found["latency_p95_s"] == 1 + 569 / 1000
    assert found["latency_p99_s"] == 1 + 593 / 1000
    assert found["cost_sum"] == pytest.approx(float(599 * Fraction("0.000069")))
    assert found["total_tokens"] == 599 * 18


def test_inside_the_window_counts_what_ended_in_it(tmp_path: Path) -> None:
    ends = [10.0, 60.0, 60.001, 70.0]
    records = [record(i, done_offset_s=end) for i, end in enumerate(ends)]
    found = numbers(tmp_path / "r", *records)
    assert found["window_rpm"] == 2
    assert found["window_tpm"] == 36
    assert found["wall_s"] == 70


def test_none_is_not_zero(tmp_path: Path) -> None:
    """With no success there is no latency, no token sum and no cost, rather than zeros."""
    found = numbers(tmp_path / "r", failed(0), dropped(1))
    absent = [
        "latency_p50_s", "latency_p99_s", "latency_mean_s", "total_tokens", "cost_sum",
        "cost_per_request", "cost_per_success", "ttft_p50_s", "tpot_p50_s", "marker_rate",
        "cost_on_failures", "observed_tpm",
    ]  # fmt: skip
    assert {name: found[name] for name in absent} == dict.fromkeys(absent)
    assert found["observed_rpm"] == 0
    assert found["cost_unknown_count"] == 1  # the dropped one was never sent


def test_money_is_split_by_what_it_bought(tmp_path: Path) -> None:
    records = [
        record(0, api_cost=0.5),
        record(1, api_cost=0.25, cost_source="header"),
        failed(2, "stream_truncated", api_cost=0.125, cost_source="body"),
        failed(3),
    ]
    found = numbers(tmp_path / "r", *records)
    assert found["cost_sum"] == 0.875
    assert found["cost_on_failures"] == 0.125
    assert found["cost_per_request"] == 0.875 / 3
    assert found["cost_per_success"] == 0.4375
    assert (found["cost_unknown_count"], found["cost_unknown_success_count"]) == (1, 0)
    assert found["cost_sources"] == {"body": 2, "header": 1, "unknown": 1}


def test_cost_per_success_is_absent_while_a_success_is_unpriced(tmp_path: Path) -> None:
    found = numbers(tmp_path / "r", record(0), record(1, api_cost=None, cost_source="unknown"))
    assert found["cost_per_success"] is None
    assert found["cost_sum"] == 0.000069


def test_tpot_needs_two_tokens(tmp_path: Path) -> None:
    """TPOT = (last byte - first token) / (tokens - 1)."""
    stream = {"stream": True, "ttft_s": 0.5, "elapsed_sec": 2.5}
    records = [record(0, completion_tokens=1, **stream), record(1, completion_tokens=5, **stream)]
    found = numbers(tmp_path / "r", *records)
    assert found["tpot_p50_s"] == found["tpot_p99_s"] == 0.5
    assert found["streams"] == 2
    assert found["ttft_p95_s"] == 0.5


def test_what_left_no_row_was_still_planned(tmp_path: Path) -> None:
    found = numbers(tmp_path / "r", record(0), plan=[phase(count=10)])
    assert (found["planned"], found["recorded"], found["success_rate"]) == (10, 1, 0.1)


def test_groups_over_phases_share_their_walls(tmp_path: Path) -> None:
    """A model's wall clock is the sum of its phases', for they run one after another."""
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
    """A burst of 50 that so many attempts sent, each part released at its own time 0."""
    rows, index = [], 0
    for attempt, count in enumerate(parts, 1):
        for place in range(count):
            known = {"sent_offset_s": place * 0.001, "done_offset_s": 2.0 + attempt}
            number = attempt if len(parts) > 1 else None
            rows.append(record(index, attempt=number, target=50, mode="ladder", **known))
            index += 1
    plan = [phase(kind="burst", mode="ladder", count=50, target=50, duration_s=None)]
    return make(folder, *rows, plan=plan)


def test_a_burst_that_was_resumed_is_told_as_what_it_was(tmp_path: Path) -> None:
    """Offsets begin anew with each part: they are not laid over one another (F7)."""
    whole, parted = look(load(burst(tmp_path / "a", 50))), look(load(burst(tmp_path / "b", 20, 30)))
    (one,), (other,) = whole.phases, parted.phases
    assert (one.parts, one.wall_s) == (None, 3.0)
    assert (other.parts, other.wall_s) == ([20, 30], 3.0 + 4.0)
    assert other.observed_rpm == pytest.approx(50 / 7.0 * 60)
    assert other.release_skew_s == pytest.approx(0.029)
    assert one.release_skew_s == pytest.approx(0.049)
    said = [remark.text for remark in verdicts(parted) if "in 2 parts" in remark.text]
    assert "of 20, 30 requests, and never as 50 at once" in said[0]
    assert not [remark for remark in verdicts(whole) if "parts" in remark.text]
