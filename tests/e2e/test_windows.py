"""RPM and TPM windows against the simulator, judged by the simulator's own log."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.locust_run import run
from tests.simulated import Simulator

Start = Callable[..., Simulator]


@pytest.mark.parametrize(("mode", "target"), [("rpm", 600), ("tpm", 200_000)])
@pytest.mark.parametrize("stream", [pytest.param(False, marks=pytest.mark.long), True])
def test_rows_equal_the_simulators_log(
    simulator: Start, tmp_path: Path, mode: str, target: int, stream: bool
) -> None:
    """Counts, task_ids, tokens and cost of a window equal what the server logged."""
    gateway = simulator("--profile", "fast", "--latency", "0.05")
    result = run(
        "-H", gateway.url, "--mode", mode, "--model", "gpt-5.4-nano", "--target", target,
        "--duration", 4, "--task-id-on-streams", *(["--tpm-plan", "seed"] if mode == "tpm" else []),
        *(["--stream"] if stream else []),
        results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0, result.text
    rows, truth = result.rows(), gateway.rows()
    assert len(rows) == len(truth) == (40 if mode == "rpm" else 4)
    served = {row["task_id"]: row for row in truth}
    assert len(served) == len(truth)
    for row in rows:
        logged_row = served[row.task_id or ""]
        assert row.outcome == "ok"
        assert row.http_status == int(logged_row["status"])
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            assert getattr(row, name) == int(logged_row[name]), name
        assert row.api_cost == float(logged_row["cost"])
        assert row.stream == (logged_row["stream"] == "1")
        assert row.marker_ok


def test_no_request_leaves_early(simulator: Start, tmp_path: Path) -> None:
    """By our clock no request is sent before it is due; by the server's they arrive in order."""
    gateway = simulator("--profile", "fast", "--latency", "0.2")
    result = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 1200, "--duration", 3,
        results=tmp_path / "results",
    )  # fmt: skip
    rows = result.rows()
    assert len(rows) == 60
    assert all((row.send_lag_s or 0) >= 0 for row in rows)
    assert [row.scheduled_offset_s for row in rows] == [round(i * 0.05, 6) for i in range(60)]
    arrivals = {row["task_id"]: float(row["arrival_unix_s"]) for row in gateway.rows()}
    order = [arrivals[row.task_id or ""] for row in rows]
    t0 = result.events("phase_start")[0]["t0_unix_s"]
    assert all(arrival - t0 > i * 0.05 - 0.002 for i, arrival in enumerate(order))


def test_requests_that_cannot_be_sent_are_recorded_as_dropped(
    simulator: Start, tmp_path: Path
) -> None:
    """With two users and a slow gateway, requests past the grace time are unsent rows."""
    gateway = simulator("--profile", "fast", "--latency", "1.0")
    result = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 600, "--duration", 2,
        "--max-workers", 2, "--grace", 1, "--output", tmp_path / "out.jsonl",
        results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0, result.text
    rows = result.rows()
    sent = [row for row in rows if row.outcome != "dropped"]
    assert len(rows) == 20
    assert {row.task_id for row in sent} == {row["task_id"] for row in gateway.rows()}
    assert 0 < len(sent) < 20
    assert all(row.sent_offset_s is None for row in rows if row.outcome == "dropped")
    summary = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[-1])
    assert summary["planned_requests"] == 20
    assert summary["success_count"] + summary["failure_count"] == 20
