"""Cancelled requests beside the upstream's log: whether it went on generating, and at what cost."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.failover.hung_up import HungUp, Statement, hung_up
from analysis.failover.hung_up_page import compose, sentences
from analysis.failover.upstream_log import read
from analysis.page import markdown
from analysis.page.words import Words
from analysis.reading.load import load
from recording.record import RequestRecord
from tests.analysis.runs import failed, make, record
from tests.analysis.test_failover import SENT, T0, Attempts, log_of, tried


def left(index: int, **known: Any) -> RequestRecord:
    """A stream that we cancelled at T0, 2 s after it was sent and after three chunks."""
    row = failed(index, "abandoned", stream=True)
    return replace(row, cancel_after="3chunks", chunks=3, **known)


def stopped(index: int, after_s: float, **known: Any) -> dict[str, Any]:
    """An attempt that the upstream stopped writing `after_s` after we had cancelled."""
    values = {
        "fault": "client_gone", "stream": 1, "client_gone_unix_s": T0 + 0.05,
        "produced_tokens": 4, "produced_until_unix_s": T0 + after_s, "last_byte_unix_s": T0 + 0.05,
        "billed": "0.000025",
    }  # fmt: skip
    return tried(index, **(values | known))


def unnoticed(index: int, after_s: float) -> dict[str, Any]:
    """An attempt that was answered to its end, as if we were still connected."""
    return tried(index, stream=1, last_byte_unix_s=T0 + after_s, completion_tokens=60)


def stated(place: Path, rows: list[RequestRecord], attempts: Attempts) -> Statement:
    return hung_up(load(make(place / "r", *rows)), read([log_of(place, attempts, [])]))


def only_group(place: Path, rows: list[RequestRecord], attempts: Attempts) -> HungUp:
    (group,) = stated(place, rows, attempts).phases
    return group


def test_an_upstream_that_stops_is_reported_with_what_it_charged(tmp_path: Path) -> None:
    statement = stated(
        tmp_path, [left(0), left(1), record(2)], [stopped(0, 0.1), stopped(1, 0.3), tried(2)]
    )
    (group,) = statement.phases
    assert (group.requests, group.arrived, group.noticed, group.went_on) == (2, 2, 2, 0)
    assert (group.charged, group.whole) == (Decimal("0.000050"), Decimal("0.0002"))
    assert (group.chunks_p50, group.tokens_p50, group.went_on_max_s) == (
        3,
        4,
        pytest.approx(0.3, abs=1e-4),
    )
    (text,) = sentences(statement, Words("en"))
    assert "stopped with all 2 cancelled requests that reached it, 0.300s after at the" in text
    assert text.endswith("0.000050 was charged, 25% of what as many whole replies cost.")


@pytest.mark.parametrize("attempt", [unnoticed, lambda i, s: stopped(i, s, produced_tokens=60)])
def test_an_upstream_that_goes_on_is_reported_whether_or_not_it_noticed(
    tmp_path: Path, attempt: Any
) -> None:
    statement = stated(tmp_path, [left(0), left(1)], [attempt(0, 3.0), attempt(1, 2.5)])
    (group,) = statement.phases
    assert (group.went_on, group.tokens_max, group.went_on_max_s) == (
        2,
        60,
        pytest.approx(3.0, abs=1e-4),
    )
    assert group.noticed == (0 if attempt is unnoticed else 2)
    assert (
        "went on with 2 of 2 cancelled requests, for 3.000s at most"
        in (sentences(statement, Words("en"))[0])
    )
    assert "⚠️" in markdown.render(compose(statement, Words("zh")))


def test_one_request_that_went_on_is_only_a_note(tmp_path: Path) -> None:
    statement = stated(tmp_path, [left(0), left(1)], [unnoticed(0, 3.0), stopped(1, 0.1)])
    assert statement.phases[0].went_on == 1 and "⚠️" not in markdown.render(
        compose(statement, Words("en"))
    )


def test_a_reply_that_had_ended_by_then_is_not_judged(tmp_path: Path) -> None:
    statement = stated(tmp_path, [left(0), left(1)], [unnoticed(0, -0.5), unnoticed(1, 0.4)])
    assert statement.phases[0].went_on == 0
    assert "2 of 2 replies were over within 1 s" in sentences(statement, Words("en"))[0]


def test_requests_that_never_arrived_or_arrived_after_the_cancellation_are_counted(
    tmp_path: Path,
) -> None:
    group = only_group(tmp_path, [left(0), left(1)], [stopped(1, 0.1), tried(1, T0 - SENT + 2)])
    assert (group.requests, group.arrived, group.asked_after, group.went_on) == (2, 1, 1, 1)


def test_a_gateway_that_takes_a_hang_up_for_a_failure_and_asks_again_is_named(
    tmp_path: Path,
) -> None:
    """Its second attempt, at a fallback, arrives at once and is stopped as fast as the first."""
    again = {"arrival_unix_s": T0 + 0.02, "port": 9002, "client_gone_unix_s": T0 + 0.1}
    twice = [stopped(i, 0.1, **more) for i in (0, 1) for more in ({}, again)]
    statement = stated(tmp_path, [left(0), left(1), left(2)], [*twice, stopped(2, 0.1)])
    (group,) = statement.phases
    assert (group.again, group.asked_after, group.noticed) == (2, 2, 3)
    (text,) = sentences(statement, Words("en"))
    assert "asked an upstream 2 times for 2 of 3 requests after they were cancelled" in text
    assert "⚠️" in markdown.render(compose(statement, Words("en")))


def test_a_fallback_before_the_hang_up_is_no_question_after_it(tmp_path: Path) -> None:
    before = {"arrival_unix_s": T0 - 0.5, "port": 9002}
    attempts = [stopped(0, 0.1), stopped(0, 0.1, **before)]
    assert only_group(tmp_path, [left(0)], attempts).asked_after == 0


def test_conditions_fail_the_command_and_are_in_its_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make(tmp_path / "r", left(0), left(1))
    log = str(log_of(tmp_path, [unnoticed(0, 3.0), unnoticed(1, 3.0)], []))
    arguments = ["hung-up", str(run), "--upstream-log", log]
    assert main(arguments) == 0
    assert main([*arguments, "--fail-on", "went_on>0,asked_after>0"]) == 1
    checks = json.loads((run / "hung_up.json").read_text("utf-8"))["checks"]
    assert [(one["found"], one["holds"]) for one in checks] == [(2, False), (0, True)]
    assert main([*arguments, "--fail-on", "went_on>2"]) == 0
    assert "the check passed" in capsys.readouterr().out
    assert main([*arguments, "--fail-on", "p95_s>2"]) == 2


def test_a_run_without_cancelled_requests_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, log = make(tmp_path / "r", record(0)), log_of(tmp_path, [tried(0)], [])
    assert main(["hung-up", str(run), "--upstream-log", str(log)]) == 2
    assert "no request of this run was cancelled on purpose" in capsys.readouterr().err
