"""The gateway's attempts beside the run's requests, each case made by hand:

what is counted, and how.
"""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.__main__ import main
from analysis.failover.joined import Joined, join
from analysis.failover.numbers import Group, added_s, groups, repeats
from analysis.failover.page import _FAULTS, compose, sentences
from analysis.failover.upstream_log import CUT, DEAD, read
from analysis.page.words import Words
from analysis.reading.load import RunError, load
from recording.record import RequestRecord
from simulator.faults import FAULTS
from simulator.ledger import COLUMNS
from tests.analysis.runs import dropped, failed, make, record

T0 = 1795478400.0  # 2026-11-24T00:00:00Z, when each of `record` ended; it was sent 2 s before
TASK = "nl-rpm-gpt-5.4-nano-target-600-req-"
SENT = T0 - 2.0
Attempts = list[dict[str, Any]]
Look = Callable[..., dict[str | None, Group]]


def tried(index: int, after_s: float = 0.01, **known: Any) -> dict[str, Any]:
    """An attempt for a request, so long after it was sent; whole unless told."""
    values = {
        "request_id": f"x-{index}", "task_id": f"{TASK}{index}", "status": 200, "port": 9001,
        "arrival_unix_s": SENT + after_s, "last_byte_unix_s": SENT + after_s + 0.1, "stream": 0,
        "billed": "0.000100", "completion_tokens": 6,
    }  # fmt: skip
    return values | known


def refused(index: int, after_s: float = 0.01, **known: Any) -> dict[str, Any]:
    return tried(index, after_s, **({"status": 500, "fault": "error_500", "billed": ""} | known))


def cut(index: int, **known: Any) -> dict[str, Any]:
    return tried(index, **({"fault": "truncated_stream", "stream": 1, "chunks": 3} | known))


def log_of(folder: Path, attempts: Attempts, schedule: list[dict[str, Any]]) -> Path:
    path = folder / "up.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [*COLUMNS], restval="")
        table.writeheader()
        table.writerows(attempts)
    if schedule:
        text = "".join(json.dumps(one) + "\n" for one in schedule)
        (folder / "up.csv.schedule.jsonl").write_text(text, encoding="utf-8")
    return path


def window(fault: str, from_s: float, to_s: float, port: int = 9001) -> dict[str, Any]:
    """Seconds after the requests were sent."""
    return {"fault": fault, "port": port, "share": 1.0, "from_unix_s": SENT + from_s,
            "to_unix_s": SENT + to_s}  # fmt: skip


@pytest.fixture
def joined(tmp_path: Path) -> Callable[..., Joined]:
    def start(
        rows: list[RequestRecord], attempts: Attempts, schedule: list[dict[str, Any]] | None = None
    ) -> Joined:
        run = load(make(tmp_path / "r", *rows))
        return join(run, read([log_of(tmp_path, attempts, schedule or [])]))

    return start


@pytest.fixture
def look(joined: Callable[..., Joined]) -> Look:
    def start(*rows_and_log: Any) -> dict[str | None, Group]:
        all_groups = groups(joined(*rows_and_log))
        return {one.window.fault if one.window else None: one for one in all_groups}

    return start


def test_a_retry_counts_as_an_attempt_and_as_lost_time(look: Look) -> None:
    by_fault = look([record(0), record(1)], [refused(0), tried(0, 0.51, port=9002), tried(1)])
    retried, none = by_fault["error_500"], by_fault[None]
    assert (retried.requests, retried.attempts, retried.most_attempts, retried.ok) == (1, 2, 2, 1)
    assert retried.lost_p50_s == pytest.approx(0.5) == retried.lost_max_s
    assert (retried.wasted_cost, retried.answered_twice) == (0, 0)
    assert (none.requests, none.attempts, none.failed, none.wasted_cost) == (1, 1, 0, 0)


def test_charges_beyond_the_one_answer_received_are_wasted(look: Look) -> None:
    """One of two answers; all that a failed request cost; sums are exact."""
    twice = look([record(0)], [tried(0), tried(0, 0.2)])[None]
    assert (twice.answered_twice, twice.wasted_tokens, twice.wasted_cost) == (
        1, 6, Decimal("0.0001"),
    )  # fmt: skip
    lost = look([failed(0, "timeout_total")], [tried(0, fault="client_gone")])[None]
    assert lost.wasted_cost == Decimal("0.0001") and lost.outcomes == {"timeout_total": 1}


@pytest.mark.parametrize(
    ("row", "attempts", "fate"),
    [
        (record(0, stream=True), [cut(0), tried(0, 0.5, stream=1)], "whole"),
        (record(0, stream=True, content="ok-ok-0", marker_ok=False),
         [cut(0), tried(0, 0.5, stream=1)], "repeated"),
        (record(0, stream=True, content="ok", marker_ok=False), [cut(0)], "wrong"),
        (record(0, stream=True, content="prose", marker_ok=None), [cut(0)], "unjudged"),
        (failed(0, "stream_truncated", stream=True), [cut(0)], "passed_on"),
        (record(0, stream=True), [cut(0, chunks=0), tried(0, 0.5, stream=1)], None),
        (record(0), [cut(0, stream=0), tried(0, 0.5)], None),
    ],
)  # fmt: skip
def test_each_truncated_stream_has_its_fate(
    look: Look, row: RequestRecord, attempts: Attempts, fate: str | None
) -> None:
    """A stream cut before its first token, or a plain reply, is a failure like others."""
    streams = look([row], attempts)["truncated_stream"].streams
    assert streams.count == (fate is not None)
    assert fate is None or getattr(streams, fate) == 1


@pytest.mark.parametrize(
    ("row", "attempts", "expected"),
    [
        (failed(0, "rate_limited", http_status=429, retry_after_s=2.0), 1, (1, 1, 0, 0)),
        (failed(0, "rate_limited", http_status=429), 1, (1, 0, 0, 0)),
        (record(0), 2, (0, 0, 1, 1)),
    ],
)
def test_retry_after_is_counted_as_passed_on_waited_for_or_ignored(
    look: Look, row: RequestRecord, attempts: int, expected: Any
) -> None:
    """The gateway passes it to the client, or retries itself: here after 0.4 of the 2 s."""
    limited = refused(0, status=429, fault="rate_limited", retry_after_s=2.0)
    limited_group = look([row], [limited, tried(0, 0.51)][:attempts])["rate_limited"]
    assert (
        limited_group.told_to_wait,
        limited_group.passed_wait_on,
        limited_group.waits,
        limited_group.too_soon,
    ) == expected


def test_a_retry_after_the_wait_or_at_another_upstream_is_not_too_soon(look: Look) -> None:
    limited = refused(0, status=429, fault="rate_limited", retry_after_s=0.4)
    waited = look([record(0)], [limited, tried(0, 0.55)])["rate_limited"]
    assert (waited.waits, waited.too_soon) == (1, 0)
    another = look([record(0)], [limited, tried(0, 0.12, port=9002)])["rate_limited"]
    assert another.waits == 0


def test_requests_during_or_in_flight_at_an_outage_are_in_its_group(look: Look) -> None:
    """One was sent during it; another's attempt broke off as the upstream died."""
    schedule = [window(DEAD, -0.5, 1.0)]
    inside = look([record(0)], [tried(0, 0.3, port=9002)], schedule)[DEAD]
    assert (inside.requests, inside.ok, inside.attempts) == (1, 1, 1)
    broken = refused(0, 0.01, status="", fault=DEAD)
    in_flight = look([record(0)], [broken, tried(0, 0.6)], [window(DEAD, 0.3, 1.0)])
    assert in_flight[DEAD].attempts == 2 and in_flight[None].requests == 0
    later = look([record(0)], [tried(0)], [window(DEAD, 10, 11)])
    assert later[DEAD].requests == 0 and later[None].requests == 1


def test_recovery_is_measured_from_the_upstreams_schedule(look: Look) -> None:
    schedule = [window("error_500", 0, 5)]
    attempts = [
        refused(0, 1.0), tried(0, 1.2, port=9002),
        refused(1, 3.0), refused(1, 7.0, fault=""), tried(1, 8.5),
    ]  # fmt: skip
    recovery = look([record(0), record(1)], attempts, schedule)["error_500"].recovery
    assert recovery is not None
    assert (recovery.sent_there, recovery.last_there_s) == (2, pytest.approx(3.0, abs=1e-6))
    assert recovery.tried_s == pytest.approx(2.0, abs=1e-6)
    assert recovery.answered_s == pytest.approx(3.5, abs=1e-6)


def test_faults_without_a_schedule_are_grouped_without_a_recovery(look: Look) -> None:
    by_fault = look([record(0), record(1)], [refused(0), tried(0, 0.5), tried(1)])
    assert [*by_fault] == [None, "error_500"] and by_fault["error_500"].recovery is None


def test_a_request_that_we_sent_again_is_no_retry_of_the_gateways(look: Look) -> None:
    refusal = tried(0, status=400, billed="")
    assert look([record(0, refused_sends=1)], [refusal, tried(0, 0.2)])[None].attempts == 1
    assert look([record(0)], [refusal, tried(0, 0.2)])[None].attempts == 2


def test_a_trace_id_joins_an_attempt_without_a_task_id(look: Look) -> None:
    by_fault = look([record(0, trace_id="ab" * 16)], [tried(0, task_id="", trace_id="ab" * 16)])
    assert by_fault[None].attempts == 1


def test_unsent_and_abandoned_requests_are_left_out_and_foreign_attempts_counted(
    joined: Callable[..., Joined],
) -> None:
    abandoned = failed(2, "abandoned", http_status=200)
    pairing = joined([record(0), dropped(1), abandoned], [tried(0), tried(7), tried(2)])
    assert len(pairing.requests) == 1 and pairing.foreign == 1


@pytest.mark.parametrize(
    ("attempts", "says"),
    [
        ([tried(7)], "give the log of the same hour"),
        ([tried(0, task_id="")], "let the gateway pass on the body's task_id"),
    ],
)
def test_a_log_that_joins_nothing_is_refused(
    joined: Callable[..., Joined], attempts: Attempts, says: str
) -> None:
    with pytest.raises(RunError, match=says):
        joined([record(0)], attempts)


def test_an_upstream_clock_that_is_behind_is_reported(joined: Callable[..., Joined]) -> None:
    pairing = joined([record(0)], [tried(0, -3.0)])
    assert pairing.apart_s == pytest.approx(3.0)
    assert "clock is at least 3.00 s behind" in sentences(pairing, groups(pairing), Words("en"))[-1]


def test_the_statement_is_complete_in_both_languages(joined: Callable[..., Joined]) -> None:
    rows = [record(0), failed(1, "rate_limited", http_status=429), record(2),
            record(3, stream=True, content="ok-ok-3", marker_ok=False)]  # fmt: skip
    limited = {"status": 429, "fault": "rate_limited", "retry_after_s": 2.0}
    pairing = joined(
        rows,
        [refused(0), tried(0, 0.3), refused(1, 0.4, **limited), tried(2), tried(2, 0.1), cut(3)],
        [window("error_500", 0, 0.2), window("hang", 50, 60)],
    )
    for lang, words in (("en", "1 stream repeats its beginning"), ("zh", "个流重复了开头")):
        page = compose(pairing, groups(pairing), Words(lang))  # type: ignore[arg-type]
        assert len(page.sections) == 6
        text = "".join(getattr(block, "text", "") for block in page.sections[0].blocks)
        assert words in text and ("no request met it" in text or "没有请求遇到" in text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "has no column task_id: give the --log of the simulator behind"),
        (",".join(COLUMNS) + "\n" + "," * (len(COLUMNS) - 1) + "\n", "arrival_unix_s must be a"),
    ],
)
def test_a_file_that_is_no_upstream_log_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    (tmp_path / "up.csv").write_text(text, "utf-8")
    run = make(tmp_path / "r", record(0))
    assert main(["failover", str(run), "--upstream-log", str(tmp_path / "up.csv")]) == 2
    stderr = capsys.readouterr().err
    assert says in stderr and stderr.count("\n") == 1


def test_every_fault_named_in_the_analysis_is_one_of_the_simulators() -> None:
    assert {*CUT, *_FAULTS} <= {*FAULTS, DEAD}


@given(st.text(st.sampled_from("abc"), min_size=1, max_size=6), st.integers(1, 6))
def test_a_reply_that_begins_again_is_detected(text: str, part: int) -> None:
    assert repeats(text[:part] + text, 1)


@given(st.lists(st.integers(0, 9), unique=True, min_size=1, max_size=9))
def test_a_text_of_different_characters_has_no_repeated_beginning(digits: list[int]) -> None:
    assert not repeats("".join(map(str, digits)), 1)


@pytest.mark.parametrize("drift_s", [0.0, 0.05, -0.02])
def test_what_a_fault_adds_is_not_mixed_with_a_gateway_that_changes_by_itself(
    look: Look, drift_s: float
) -> None:
    """A request a second, each slower (or quicker) than the last; two faults add 1 s each."""
    begins = {"error_500": 20, "hang": 70}
    rows, attempts = [], []
    for second in range(100):
        fault = next((name for name, at in begins.items() if at <= second < at + 10), "")
        took_s = 3.0 + drift_s * second + bool(fault)
        at = datetime.fromtimestamp(SENT + second + took_s, UTC).isoformat()
        rows.append(record(second, elapsed_sec=took_s, timestamp=at))
        attempts.append(tried(second, second + 0.01, fault=fault, port=9001))
    schedule = [window(name, at, at + 10) for name, at in begins.items()]
    by_fault = look(rows, attempts, schedule)
    for name in begins:
        assert added_s(by_fault[name]) == pytest.approx(1.0, abs=0.51 * abs(drift_s) + 1e-6)
    assert added_s(by_fault[None]) is None


def test_a_log_whose_attempts_are_mostly_nameless_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who asked for them is unknown, so no request may be said not to have reached an upstream."""
    rows = [record(0), *(record(i, outcome="abandoned", success=False) for i in range(1, 4))]
    attempts = [tried(0), *(tried(i, task_id="") for i in range(1, 4))]
    run, log = make(tmp_path / "r", *rows), log_of(tmp_path, attempts, [])
    for command in ("failover", "hung-up"):
        assert main([command, str(run), "--upstream-log", str(log)]) == 2
        said = capsys.readouterr().err
        assert "3 of 4 attempts in the upstream's log have neither a task_id nor a trace id" in said


def test_a_few_nameless_attempts_such_as_health_checks_are_no_obstacle(look: Look) -> None:
    attempts = [tried(0), tried(1), tried(9, task_id="")]
    assert look([record(0), record(1)], attempts)[None].attempts == 2
