"""The seed's JSONL becomes a run whose report agrees with the seed's own summary row."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.export import article_jsonl, csv_parquet
from analysis.numbers.summarize import of_phases
from analysis.reading import import_jsonl
from analysis.reading.load import RunError, load, rows
from tests.analysis.runs import failed, make, record


def request(index: int, **known: Any) -> dict[str, Any]:
    """A request row as the seed's `run_one` returns it."""
    row = {
        "record_type": "request", "run_id": "nl-throughput-20260519",
        "timestamp": f"2026-05-19T08:00:0{index}+00:00",
        "script_path": "scripts/throughput_test.py",
        "script_version": "2026-05-19-throughput-v1", "mode": "rpm", "target": 600,
        "duration_s": 60, "model_requested": "gpt-5.4-nano", "model_returned": "gpt-5.4-nano",
        "task_id": f"nl-rpm-gpt-5.4-nano-target-600-req-{index}", "request_index": index,
        "scheduled_offset_s": 0.1 * index, "http_status": 200, "success": True,
        "elapsed_sec": 2.0, "prompt_tokens": 12, "completion_tokens": 6, "total_tokens": 18,
        "api_cost": 6.9e-05, "finish_reason": "stop", "content": "ok", "error_type": None,
        "reasoning_content_present": False, "error_message": None, "wall_elapsed_sec": 2.001,
    }  # fmt: skip
    return row | known


def summary(**known: Any) -> dict[str, Any]:
    row = {
        "record_type": "summary", "run_id": "nl-throughput-20260519", "mode": "rpm",
        "target": 600, "model_requested": "gpt-5.4-nano", "wall_sec": 61.859,
        "planned_requests": 3,
    }  # fmt: skip
    return row | known


def write(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_an_imported_run_has_the_seeds_rates_and_no_invented_numbers(tmp_path: Path) -> None:
    """Rates are by the seed's own wall clock; what it did not measure is unknown."""
    path = write(tmp_path / "a.jsonl", request(0), request(1), request(2), summary())
    run = load(import_jsonl.read([path], tmp_path / "results", currency="CNY"))
    assert run.run_id == "nl-throughput-20260519"
    assert not run.interrupted
    (numbers,) = of_phases(run)
    assert numbers.phase == "rpm/gpt-5.4-nano/600"
    assert numbers.observed_rpm == pytest.approx(3 / 61.859 * 60)
    assert numbers.offered_rpm == 3
    assert numbers.window_rpm is None and numbers.send_lag.p99_s is None
    assert numbers.generator_limited is None


def test_an_imported_run_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    """It contains replies, as a recorded run does."""
    path = write(tmp_path / "a.jsonl", request(0), summary())
    folder = import_jsonl.read([path], tmp_path / "results")
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    assert modes == dict.fromkeys(["manifest.json", "events.jsonl", "requests-import.csv"], 0o600)


def test_a_file_without_its_summary_is_an_interrupted_run(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", request(0))
    run = load(import_jsonl.read([path], tmp_path / "results"))
    assert run.interrupted
    assert of_phases(run)[0].observed_rpm is None


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (429, "too many", "rate_limited"),
        (503, "", "server_error"),
        (None, "TimeoutError: The read operation timed out", "timeout_total"),
        (None, "URLError: <urlopen error timed out>", "timeout_connect"),
        (None, "URLError: <urlopen error [Errno 111] Connection refused>", "connection_refused"),
        (None, "URLError: <urlopen error [Errno -2] Name or service not known>", "dns"),
        (None, "URLError: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] x>", "tls"),
        (None, "RemoteDisconnected: Remote end closed connection", "connection_reset"),
        (None, "JSONDecodeError: Expecting value: line 1", "malformed"),
    ],
)
def test_the_seeds_failures_become_outcomes(
    tmp_path: Path, status: int | None, error: str, outcome: str
) -> None:
    kind = error.split(":")[0]
    row = request(
        0, success=False, http_status=status, error_type=kind, error_message=error, api_cost=None
    )
    folder = import_jsonl.read([write(tmp_path / "a.jsonl", row)], tmp_path / "results")
    assert list(load(folder).requests["outcome"]) == [outcome]


def test_an_exported_and_imported_run_exports_the_same_rows(tmp_path: Path) -> None:
    """But for what the seed's format leaves out."""
    records = [record(0, elapsed_sec=2.0), failed(1, error_type="x", error_message="y")]
    first = tmp_path / "first.jsonl"
    article_jsonl.write(load(make(tmp_path / "r", *records)), first)
    again = tmp_path / "again.jsonl"
    article_jsonl.write(load(import_jsonl.read([first], tmp_path / "results")), again)
    before, after = ([json.loads(x) for x in p.read_text().splitlines()] for p in (first, again))
    for one in (*before, *after):
        one.pop("script_version")
    assert after == before


def test_an_export_of_every_column_is_imported_with_every_column(tmp_path: Path) -> None:
    """The same rows, though of another worker."""
    run = load(make(tmp_path / "results" / "r", record(0), failed(1), record(2, ttft_s=0.5)))
    csv_parquet.write_jsonl(run, tmp_path / "rows.jsonl")
    again = load(import_jsonl.read([tmp_path / "rows.jsonl"], tmp_path / "other"))
    before, after = (rows(one.requests.drop(columns="worker")) for one in (run, again))
    assert after == before


def test_a_window_that_occurs_twice_becomes_two_phases(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / f"{name}.jsonl", request(0), summary(planned_requests=1)) for name in "ab"
    ]
    run = load(import_jsonl.read(paths, tmp_path / "results"))
    assert [p.phase for p in of_phases(run)] == ["rpm/gpt-5.4-nano/600", "rpm/gpt-5.4-nano/600#2"]
    assert run.manifest["imported_from"] == ["a.jsonl", "b.jsonl"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "line 2: not a row"),
        ('{"record_type": "other"}', "line 2: not a row"),
        ('{"record_type": "request"}', "line 2: no mode, model_requested, request_index, success"),
        (json.dumps(request(1, total_tokens="many")), "line 2: total_tokens is 'many', not int"),
        (json.dumps(request(0)), "line 2: request_index 0 occurs twice"),
    ],
)
def test_a_malformed_line_is_named_and_no_run_is_made(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(request(0)) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(RunError, match=why):
        import_jsonl.read([path], tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_an_existing_run_is_not_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", request(0))
    import_jsonl.read([path], tmp_path / "results")
    with pytest.raises(RunError, match="exists: give another --run-id"):
        import_jsonl.read([path], tmp_path / "results")
    with pytest.raises(RunError, match="cannot name a run"):
        import_jsonl.read([path], tmp_path / "results", run_id="../outside")


def test_any_text_of_a_reply_is_imported_unchanged(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", request(0, content='=1+1\n"好"'))
    run = load(import_jsonl.read([path], tmp_path / "results"))
    assert rows(run.requests)[0]["content"] == '=1+1\n"好"'
