"""`analysis failover --fail-on`: each number of a fault is judged, and an unknown one fails."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.failover.checks import METRICS
from recording.record import RequestRecord
from tests.analysis.runs import failed, make, record
from tests.analysis.test_failover import Attempts, cut, log_of, refused, tried, window


def judged(
    place: Path, rows: list[RequestRecord], attempts: Attempts, fail_on: str, *schedule: Any
) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and the checks of failover.json."""
    run = make(place / "r", *rows)
    log = log_of(place, attempts, [*schedule])
    code = main(["failover", str(run), "--upstream-log", str(log), "--fail-on", fail_on])
    written_json = (
        json.loads((run / "failover.json").read_text("utf-8")) if code < 2 else {"checks": []}
    )
    return code, written_json["checks"]


ROWS = [record(0), record(1)]
RETRIED = [refused(0), tried(0, 0.51, port=9002), tried(1)]


@pytest.mark.parametrize(
    ("fail_on", "found", "code"),
    [
        ("most_attempts>2", 2, 0),
        ("most_attempts>1", 2, 1),
        ("failed>0", 0, 0),
        ("answered<1", 1, 0),
        ("answered_twice>0", 0, 0),
        ("wasted_cost>0", 0, 0),
        ("slowest_s>9", 2, 0),
        ("added_s>0.5", 0, 0),
    ],
)
def test_each_number_is_judged_within_its_faults_group(
    tmp_path: Path, fail_on: str, found: float, code: int
) -> None:
    ended, checks = judged(tmp_path, ROWS, RETRIED, fail_on)
    assert ended == code
    (one,) = [check for check in checks if check["fault"].startswith("HTTP 500")]
    assert one["found"] == pytest.approx(found) and one["holds"] is (code == 0)


def test_a_stream_continued_wrongly_fails_and_a_complete_one_passes(tmp_path: Path) -> None:
    wrong = record(0, stream=True, content="ok", marker_ok=False)
    assert judged(tmp_path / "a", [wrong], [cut(0)], "wrong_streams>0")[0] == 1
    recovered = [cut(0), tried(0, 0.5, stream=1)]
    row = record(0, stream=True)
    assert judged(tmp_path / "b", [row], recovered, "wrong_streams>0,repeated_streams>0")[0] == 0


def test_an_unknown_number_fails_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = [failed(0, "server_error"), record(1)]
    gone = [refused(0), tried(1, port=9002)]
    code, checks = judged(
        tmp_path, lost, gone, "added_s>1,recovered_s>5", window("error_500", 0, 1)
    )
    assert code == 1 and [one["found"] for one in checks] == [None, None]
    printed = capsys.readouterr().out
    assert "not known, none of its requests was answered (fails if added_s>1)" in printed
    assert (
        "not known, it gave no answer after its end in this run (fails if recovered_s>5)" in printed
    )


def test_a_condition_fails_where_no_request_met_a_fault(tmp_path: Path) -> None:
    code, checks = judged(tmp_path, [record(0)], [tried(0)], "failed>0")
    assert code == 1 and checks[-1]["why"] == "no request met a fault"


@pytest.mark.parametrize("fail_on", ["p95_s>1", "answered<2", "nonsense"])
def test_an_unknown_condition_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fail_on: str
) -> None:
    assert judged(tmp_path, ROWS, RETRIED, fail_on)[0] == 2
    assert capsys.readouterr().err.startswith("weighbridge: --fail-on")


def test_every_metric_of_failover_can_be_judged(tmp_path: Path) -> None:
    code, checks = judged(
        tmp_path, ROWS, [*RETRIED, tried(1, 3.0)], ",".join(f"{name}<0" for name in METRICS),
        window("error_500", 0, 1),
    )  # fmt: skip
    assert code == 0 and {one["condition"].split("<")[0] for one in checks} == {*METRICS}
