"""What an interrupted run has spent: what its rows state, and what they do not."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from recording.record import COLUMNS, RequestRecord, encode
from recording.remains import read
from tests.recording.rows import row


def left(folder: Path, *rows: RequestRecord, events: list[dict[str, Any]] | None = None) -> Path:
    """A run folder with these rows."""
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"plan": []}), encoding="utf-8")
    told = [{"event": "run_start"}, *(events or [])]
    lines = "".join(json.dumps(event) + "\n" for event in told)
    (folder / "events.jsonl").write_text(lines, encoding="utf-8")
    with (folder / "requests-local.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *map(encode, rows)])
    return folder


def failed(index: int, outcome: str, **known: Any) -> RequestRecord:
    return row(request_index=index, outcome=outcome, success=False, **known)


KNOWN = (
    row(request_index=0, api_cost=0.01, total_tokens=100),
    row(request_index=1, api_cost=0.03, total_tokens=300),
)


def test_what_rows_state_is_spent_once(tmp_path: Path) -> None:
    """A worker's row is here twice: in its own part file and in the master's copy."""
    folder = left(tmp_path / "run", *KNOWN)
    copy = (folder / "requests-local.csv").read_bytes()
    (folder / "requests-other.csv").write_bytes(copy)
    assert read(folder).spent == pytest.approx({"money": 0.04, "tokens": 400})


@pytest.mark.parametrize("outcome", ["timeout_total", "stream_truncated", "cancelled", "ok"])
def test_an_unknown_cost_is_not_free_when_the_run_goes_on(tmp_path: Path, outcome: str) -> None:
    """It may have cost as much as the dearest of its model."""
    unknown = failed(2, outcome)
    folder = left(tmp_path / "run", unknown, *KNOWN, unknown)
    assert read(folder).spent == pytest.approx({"money": 0.07, "tokens": 700})


@pytest.mark.parametrize("outcome", ["dropped", "rate_limited", "connection_refused"])
def test_what_never_arrived_or_was_refused_is_free(tmp_path: Path, outcome: str) -> None:
    folder = left(tmp_path / "run", *KNOWN, failed(2, outcome))
    assert read(folder).spent == pytest.approx({"money": 0.04, "tokens": 400})


def test_a_cancelled_request_is_paid_and_sent_again(tmp_path: Path) -> None:
    remains = read(left(tmp_path / "run", *KNOWN, failed(2, "cancelled", api_cost=0.02)))
    assert remains.spent["money"] == pytest.approx(0.06)
    assert remains.finished == {"rpm/m/60": {0, 1}}


def test_what_the_run_itself_counted_is_spent(tmp_path: Path) -> None:
    """Its accounts have the worst cases, and the shares of workers that were lost."""
    accounts = {"event": "accounts", "money": {"limit": 1.0, "spent": 0.5}}
    folder = left(tmp_path / "run", *KNOWN, events=[accounts])
    assert read(folder).spent == pytest.approx({"money": 0.5, "tokens": 400})
