"""The export against the article's own script, run on the same rows."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.export import article_jsonl
from analysis.reading.load import load
from tests.analysis.runs import PHASE, dropped, failed, make, phase, record
from tests.seed import _common

sys.modules["_common"] = _common  # the script imports it as its neighbour
from tests.seed import throughput_test as theirs  # noqa: E402

REQUEST_FIELDS = [
    "record_type",
    "run_id",
    "timestamp",
    "script_path",
    "script_version",
    "mode",
    "target",
    "duration_s",
    "model_requested",
    "model_returned",
    "task_id",
    "request_index",
    "scheduled_offset_s",
    "http_status",
    "success",
    "elapsed_sec",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "api_cost",
    "finish_reason",
    "content",
    "reasoning_content_present",
    "error_type",
    "error_message",
    "wall_elapsed_sec",
]
SUMMARY_FIELDS = [
    "record_type",
    "run_id",
    "timestamp",
    "script_path",
    "script_version",
    "mode",
    "target",
    "target_rpm",
    "target_tpm",
    "duration_s",
    "wall_sec",
    "model_requested",
    "planned_requests",
    "success_count",
    "failure_count",
    "success_rate",
    "status_counts",
    "observed_rpm",
    "observed_tpm",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "api_cost_sum",
    "latency_avg_sec",
    "latency_p50_sec",
    "latency_p95_sec",
    "latency_p99_sec",
    "stop_rule",
]


def exported(folder: Path) -> list[dict[str, Any]]:
    path = folder / "deep" / "er" / "out.jsonl"
    article_jsonl.write(load(folder), path)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_fields_are_the_seeds_in_the_seeds_order(tmp_path: Path) -> None:
    first, last = exported(make(tmp_path / "r", record(0)))
    assert list(first)[: len(REQUEST_FIELDS)] == REQUEST_FIELDS
    assert list(last)[: len(SUMMARY_FIELDS)] == SUMMARY_FIELDS


@settings(max_examples=25, deadline=None)
@given(
    latencies=st.lists(st.floats(0.001, 50), min_size=1, max_size=60),
    failures=st.integers(0, 5),
    cost=st.floats(0, 1),
)
def test_the_summary_row_is_what_the_seeds_code_computes(
    tmp_path_factory: pytest.TempPathFactory, latencies: list[float], failures: int, cost: float
) -> None:
    """The seed's code, run on our request rows, gives our summary row."""
    records = [
        record(i, elapsed_sec=s, done_offset_s=i * 0.1 + s, api_cost=cost)
        for i, s in enumerate(latencies)
    ]
    records += [failed(len(latencies) + i, done_offset_s=1.0) for i in range(failures)]
    *requests, ours = exported(make(tmp_path_factory.mktemp("r"), *records))
    wall_sec = max(one.done_offset_s or 0 for one in records)
    args = SimpleNamespace(
        run_id="demo", mode="rpm", target=600, duration=60, model="gpt-5.4-nano",
        planned_requests=len(records),
    )  # fmt: skip
    expected = theirs.summarize(args, requests, wall_sec)
    own = {"timestamp", "script_path", "script_version"}  # each script names itself
    assert {name: ours[name] for name in expected if name not in own} == {
        name: value for name, value in expected.items() if name not in own
    }


def test_a_request_row_rounds_as_the_seed_does(tmp_path: Path) -> None:
    one = record(3, scheduled_offset_s=0.30004, elapsed_sec=2.34567, connect_s=0.1, content="好的")
    folder = make(tmp_path / "r", one)
    row, _ = exported(folder)
    assert row["scheduled_offset_s"] == 0.3
    assert row["elapsed_sec"] == 2.346
    assert row["wall_elapsed_sec"] == 2.446
    assert row["duration_s"] == 60 and isinstance(row["duration_s"], int)
    assert row["script_path"] == "locustfile.py"
    assert row["script_version"] == "weighbridge-0.1.0"
    assert row["error_type"] is None and row["error_message"] is None
    line = (folder / "deep/er/out.jsonl").read_text(encoding="utf-8").splitlines()[0]
    assert '"content":"好的"' in line and ", " not in line


def test_fields_that_the_seed_lacks_follow_where_they_are_known(tmp_path: Path) -> None:
    row, _ = exported(make(tmp_path / "r", record(0, ttft_s=0.5, cached_tokens=0)))
    assert row["ttft_s"] == 0.5 and row["cached_tokens"] == 0
    assert "chunks" not in row and "check" not in row


def test_a_dropped_request_is_a_failure_without_a_status(tmp_path: Path) -> None:
    _, row, last = exported(make(tmp_path / "r", record(0), dropped(1)))
    assert row["http_status"] is None and row["success"] is False and row["elapsed_sec"] is None
    assert last["failure_count"] == 1 and last["status_counts"] == {"200": 1, "None": 1}


def test_an_unknown_cost_is_counted_as_missing_and_not_as_zero(tmp_path: Path) -> None:
    records = [record(0), record(1, api_cost=None, cost_source="unknown")]
    assert exported(make(tmp_path / "a", *records))[-1]["cost_unknown_count"] == 1
    last = exported(make(tmp_path / "b", records[1]))[-1]
    assert last["api_cost_sum"] is None and last["cost_unknown_count"] == 1


def test_each_phase_ends_with_its_summary_row(tmp_path: Path) -> None:
    plan = [phase("b"), phase("a")]
    records = [record(1, phase="a"), record(0, phase="a"), record(0, phase="b")]
    rows = exported(make(tmp_path / "r", *records, plan=plan))
    kinds = [(row["phase"], row["record_type"], row.get("request_index")) for row in rows]
    assert kinds == [
        ("b", "request", 0),
        ("b", "summary", None),
        ("a", "request", 0),
        ("a", "request", 1),
        ("a", "summary", None),
    ]


def test_a_stop_is_reported_after_the_seeds_sentence(tmp_path: Path) -> None:
    stop = {
        "at": "2026-11-26T00:00:00+00:00",
        "event": "stop_rule",
        "phase": PHASE,
        "reason": "7 of 20 were 429",
    }
    last = exported(make(tmp_path / "r", record(0), events=[stop]))[-1]
    assert last["stop_rule"] == article_jsonl.STOP_RULE + "；reason: 7 of 20 were 429"


def test_a_failed_export_leaves_the_old_file(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("old", encoding="utf-8")
    run = load(make(tmp_path / "r", record(0)))

    def burst(_: Any) -> Any:
        yield {"a": 1}
        raise OSError("no space")

    monkeypatch.setattr(article_jsonl, "lines", burst)
    with pytest.raises(OSError, match="no space"):
        article_jsonl.write(run, path)
    assert path.read_text(encoding="utf-8") == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.jsonl", "r"]
