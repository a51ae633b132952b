"""What an interrupted run has spent: what its rows state, and what they do not."""

import csv
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from engine.interrupted import read
from recording.record import COLUMNS, RequestRecord, encode
from tests.locust_run import ROOT
from tests.recording.rows import row


def run_folder(
    folder: Path, *rows: RequestRecord, events: list[dict[str, Any]] | None = None
) -> Path:
    """A run folder with these rows."""
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(
        json.dumps({"plan": [], "schema_version": 1}), encoding="utf-8"
    )
    all_events = [{"event": "run_start"}, *(events or [])]
    lines = "".join(json.dumps(event) + "\n" for event in all_events)
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


def test_the_cost_of_a_row_counts_once(tmp_path: Path) -> None:
    """A worker's row exists twice: in its own part file and in the master's copy."""
    folder = run_folder(tmp_path / "run", *KNOWN)
    copy = (folder / "requests-local.csv").read_bytes()
    (folder / "requests-other.csv").write_bytes(copy)
    assert read(folder).spent == pytest.approx({"money": 0.04, "tokens": 400})


@pytest.mark.parametrize("outcome", ["timeout_total", "stream_truncated", "cancelled", "ok"])
def test_an_unknown_cost_counts_as_the_highest_of_its_model_on_resume(
    tmp_path: Path, outcome: str
) -> None:
    unknown = failed(2, outcome)
    folder = run_folder(tmp_path / "run", unknown, *KNOWN, unknown)
    assert read(folder).spent == pytest.approx({"money": 0.07, "tokens": 700})


@pytest.mark.parametrize("outcome", ["dropped", "rate_limited", "connection_refused"])
def test_requests_that_never_arrived_or_were_refused_cost_nothing(
    tmp_path: Path, outcome: str
) -> None:
    folder = run_folder(tmp_path / "run", *KNOWN, failed(2, outcome))
    assert read(folder).spent == pytest.approx({"money": 0.04, "tokens": 400})


def test_a_cancelled_request_is_counted_as_paid_and_sent_again(tmp_path: Path) -> None:
    remains = read(run_folder(tmp_path / "run", *KNOWN, failed(2, "cancelled", api_cost=0.02)))
    assert remains.spent["money"] == pytest.approx(0.06)
    assert remains.finished == {"rpm/m/60": {0, 1}}


def test_what_the_runs_own_accounts_counted_is_spent(tmp_path: Path) -> None:
    """They have the worst cases, and the shares of workers that were lost."""
    accounts = {
        "event": "accounts",
        "money": {"limit": 1.0, "spent": 0.5, "largest_underestimate": 0.0, "unstated": 0},
    }
    folder = run_folder(tmp_path / "run", *KNOWN, events=[accounts])
    assert read(folder).spent == pytest.approx({"money": 0.5, "tokens": 400})


OLD = ROOT / "tests" / "data" / "runs-0.1"


@pytest.mark.parametrize("name", ["interrupted", "interrupted-window", "two-workers", "held"])
def test_finished_requests_of_a_run_of_an_earlier_version_are_those_of_its_rows(name: str) -> None:
    """Every row that is not torn, counted here without our reader."""
    finished: dict[str, set[int]] = {}
    for path in (OLD / name).glob("requests-*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for cells in csv.DictReader(file):
                if cells["outcome"] not in ("dropped", "cancelled"):
                    finished.setdefault(cells["phase"], set()).add(int(cells["request_index"]))
    assert read(OLD / name).finished == finished


def damaged(folder: Path, change: Any) -> Path:
    """A stored run in which one part file was changed."""
    shutil.copytree(OLD / "interrupted", folder)
    part = folder / "requests-local.csv"
    part.write_bytes(change(part.read_bytes()))
    return folder


@pytest.mark.parametrize(
    ("change", "line", "why"),
    [
        (lambda t: t.replace(b",interrupted,", b",interrupted", 1), 2, "cells instead of"),
        (lambda t: t.replace(b",ok,", b",ok,,", 2).replace(b",ok,,", b",ok,", 1), 3, "cells"),
        (lambda t: t.replace(b",ok,true,", b",ok,perhaps,", 1), 2, "success is 'perhaps'"),
        (lambda t: t.replace(b",steady,", b"").replace(b",burst,", b"")[:-40] + b"\r\n", 11, ""),
        (lambda t: t.replace(b"local", b"lo\xffcal", 1), 2, "utf-8"),
        (lambda t: t.replace(b",local,", b',"local,', 1), 2, "a quote is never closed"),
        (lambda t: t.replace(b"run_id,", b"", 1), 1, "missing: run_id"),
        (lambda t: t.replace(b"in_flight", b"in_flight,colour", 1), 1, "not know \\(colour\\)"),
    ],
)
def test_an_unreadable_row_stops_the_resume(
    tmp_path: Path, change: Any, line: int, why: str
) -> None:
    """It may be a finished one: passing over it would mean paying for it again."""
    folder = damaged(tmp_path / "run", change)
    with pytest.raises(ValueError, match=f"requests-local.csv, line {line}: .*{why}"):
        read(folder)


@pytest.mark.parametrize("lost", [1, 2, 3, 30, 150])
def test_a_torn_last_row_is_unfinished(tmp_path: Path, lost: int) -> None:
    before = read(OLD / "interrupted").finished
    after = read(damaged(tmp_path / "run", lambda text: text[:-lost])).finished
    assert sum(map(len, before.values())) == sum(map(len, after.values())) + 1


def test_a_run_of_a_newer_version_is_not_resumed(tmp_path: Path) -> None:
    folder = shutil.copytree(OLD / "interrupted", tmp_path / "run")
    manifest = json.loads((folder / "manifest.json").read_text())
    newer = manifest | {"schema_version": 99, "needs_version": "0.9"}
    (folder / "manifest.json").write_text(json.dumps(newer))
    with pytest.raises(
        ValueError, match="it is of schema version 99.*use Weighbridge 0.9 or newer"
    ):
        read(folder)


@pytest.mark.parametrize(
    ("names", "attempts"),
    [(["local"], 1), (["local", "local.2"], 2), (["worker-0.4@master"], 4), (["a.b"], 1)],
)
def test_an_attempt_never_writes_to_the_file_of_an_earlier_one(
    tmp_path: Path, names: list[str], attempts: int
) -> None:
    """Even if the line of events.jsonl about that attempt is lost."""
    folder = run_folder(tmp_path / "run", *KNOWN)
    for name in names:
        shutil.copy(folder / "requests-local.csv", folder / f"requests-{name}.csv.new")
    for name in names:
        (folder / f"requests-{name}.csv.new").replace(folder / f"requests-{name}.csv")
    assert read(folder).attempts == attempts


def phase_events(*names: str, **more: Any) -> list[dict[str, Any]]:
    """Events: `start`, then these, then `end` of the phase w."""
    between = [{"event": name, "phase": "w", "worker": "worker-1"} for name in names]
    return [
        {"event": "phase_start", "phase": "w"},
        *between,
        {"event": "phase_end", "phase": "w"} | more,
    ]


@pytest.mark.parametrize(
    ("events", "over"),
    [
        (phase_events(), True),
        (phase_events(cut=""), True),
        (phase_events(cut="the run was stopped"), False),
        (phase_events("worker_lost"), False),
        (phase_events("worker_lost", "worker_back"), True),
        (phase_events("worker_late"), True),
        (phase_events("budget"), False),
        (phase_events("ended"), False),
        (phase_events("stop_rule"), False),
        (phase_events()[:-1], False),
        ([*phase_events()[:-1], {"event": "stopped", "phase": "w"}], False),
        ([*phase_events("ended"), {"event": "run_start"}, *phase_events()], True),
    ],
)
def test_a_phase_is_over_when_it_reached_its_own_end(
    tmp_path: Path, events: list[dict[str, Any]], over: bool
) -> None:
    """Version 1 does not say so itself, but the event before the end does."""
    assert (read(run_folder(tmp_path / "run", *KNOWN, events=events)).over == {"w"}) is over


def test_the_phases_of_a_complete_old_run_are_over() -> None:
    """Steps with hold have no count, and all their requests used to be sent again (F2)."""
    held = read(OLD / "held")
    assert {p["name"] for p in held.manifest["plan"] if p["count"] is None} <= held.over
    assert read(OLD / "interrupted-window").over == set()


def test_a_resumed_budget_knows_the_usage_of_earlier_requests() -> None:
    """Otherwise a resumed burst under a budget would send one request at a time."""
    budgets = read(OLD / "interrupted").budgets
    worst = budgets["tokens"].worst(("gpt-5.4-nano", "marker"), 16)
    assert worst is not None and worst >= 15


def test_the_last_use_of_a_phase_is_the_time_of_its_last_sent_row(tmp_path: Path) -> None:
    """Dropped requests were never sent; a clock that was ahead counts as now."""
    at = "2026-05-19T12:00:0{}+00:00"
    later = failed(3, "dropped", timestamp=at.format(9))
    rows = [row(request_index=i, timestamp=at.format(i)) for i in (2, 7, 5)]
    ahead = row(phase="p", timestamp="2999-01-01T00:00:00.5+00:00")
    interrupted = read(run_folder(tmp_path / "run", *rows, later, ahead))
    assert interrupted.last_use("rpm/m/60") == 1779192007.0
    assert time.time() - 5 < (interrupted.last_use("p") or 0) <= time.time()
    assert interrupted.last_use("other") is None


@pytest.mark.parametrize("outcome", ["lost", "cancelled"])
def test_the_last_use_of_a_phase_with_requests_in_flight_is_now(
    tmp_path: Path, outcome: str
) -> None:
    interrupted = read(run_folder(tmp_path / "run", *KNOWN, failed(2, outcome)))
    assert time.time() - 5 < (interrupted.last_use("rpm/m/60") or 0) <= time.time()
