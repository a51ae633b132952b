"""Requests in flight at a crash are rows, a sentence and a worst case; sent again, they are a
remark.
"""

from pathlib import Path

import pytest

from analysis.reading.load import RunError, load
from analysis.report.report import look
from analysis.report.verdicts import verdicts
from engine.interrupted import read
from recording.in_flight_file import InFlight
from tests.analysis.runs import PHASE, failed, make, part, record


def died(folder: Path, *indices: int, phase: str = PHASE) -> Path:
    """The run, with these requests in flight when its process died."""
    held = InFlight(folder, "local", folder.name, "local", 1)
    for index in indices:
        held.sent(phase, index)
    held.close()
    return folder


def remark_text(folder: Path) -> str:
    return "\n".join(remark.text for remark in verdicts(look(load(folder))))


def test_requests_in_flight_at_a_crash_are_rows_with_outcome_lost(tmp_path: Path) -> None:
    run = load(died(make(tmp_path / "r", record(0, api_cost=0.5), events=[]), 1, 2))
    assert list(run.requests["outcome"]) == ["ok", "lost", "lost"]
    assert list(run.requests["request_index"]) == [0, 1, 2]
    assert run.requests["api_cost"].isna().tolist() == [False, True, True]


def test_the_report_counts_lost_requests_and_their_highest_possible_cost(tmp_path: Path) -> None:
    rows = (record(0, api_cost=0.5), record(1, api_cost=0.25))
    text = remark_text(died(make(tmp_path / "r", *rows, events=[]), 2, 3, 4))
    assert "3 requests were held by a process that died or was lost" in text
    assert "at the highest cost seen for their model, ¥1.500000 together" in text


def test_lost_requests_have_an_unknown_cost_where_no_cost_is_known(tmp_path: Path) -> None:
    text = remark_text(died(make(tmp_path / "r", record(0, api_cost=None), events=[]), 1))
    assert "at an unknown cost." in text and "together" not in text


def test_a_finished_request_in_the_in_flight_file_is_not_lost(tmp_path: Path) -> None:
    """The process died after the row was written and before the slot was emptied."""
    run = load(died(make(tmp_path / "r", record(0, attempt=1), record(1, attempt=1)), 1))
    assert list(run.requests["outcome"]) == ["ok", "ok"]
    assert run.remarks == []


def test_a_lost_request_sent_again_is_remarked_as_perhaps_paid_twice(tmp_path: Path) -> None:
    folder = died(make(tmp_path / "r", record(0, attempt=1)), 1, 2)
    part(folder, record(1, attempt=2), record(2, attempt=2), worker="local.2")
    run = load(folder)
    assert list(run.requests["outcome"]) == ["ok"] * 3
    assert "2 requests were in flight when an attempt at the run ended and were sent again" in (
        run.remarks[0].en
    )


def test_a_lost_request_that_the_master_wrote_off_is_one_row(tmp_path: Path) -> None:
    folder = died(make(tmp_path / "r", record(0)), 1)
    part(folder, failed(1, "lost", attempt=1), worker="master")
    assert list(load(folder).requests["outcome"]) == ["ok", "lost"]


def test_resume_sends_lost_requests_again_and_budgets_count_them_at_the_highest_cost(
    tmp_path: Path,
) -> None:
    rows = (record(0, api_cost=0.5, total_tokens=10), record(1, api_cost=0.2, total_tokens=30))
    interrupted = read(died(make(tmp_path / "r", *rows, events=[]), 2, 3))
    assert interrupted.finished == {PHASE: {0, 1}}
    assert interrupted.spent == pytest.approx({"money": 0.7 + 2 * 0.5, "tokens": 40 + 2 * 30})


def test_recorded_rows_leave_out_what_is_in_flight(tmp_path: Path) -> None:
    """With `export --recorded`, which is what the browser downloads while a run goes on."""
    folder = died(make(tmp_path / "r", record(0), events=[]), 1, 2)
    assert list(load(folder, 0).requests["outcome"]) == ["ok"]


def test_a_damaged_in_flight_file_is_one_sentence(tmp_path: Path) -> None:
    folder = died(make(tmp_path / "r", record(0)), 1, phase="other")
    with pytest.raises(RunError, match="not in the manifest: restore the file, or remove it"):
        load(folder)
    with pytest.raises(ValueError, match="not in the manifest"):
        read(folder)
