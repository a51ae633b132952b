"""Attempts beside requests, each case made by hand: what is counted, and what is not."""

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.__main__ import main
from analysis.failover.joined import Joined, join
from analysis.failover.numbers import Group, groups, repeats
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
    def start(*given: Any) -> dict[str | None, Group]:
        found = groups(joined(*given))
        return {one.window.fault if one.window else None: one for one in found}

    return start


def test_a_retry_costs_an_attempt_and_its_time(look: Look) -> None:
    found = look([record(0), record(1)], [refused(0), tried(0, 0.51, port=9002), tried(1)])
    one, none = found["error_500"], found[None]
    assert (one.requests, one.attempts, one.most_attempts, one.ok) == (1, 2, 2, 1)
    assert one.lost_p50_s == pytest.approx(0.5) == one.lost_max_s
    assert (one.wasted_cost, one.answered_twice) == (0, 0)
    assert (none.requests, none.attempts, none.failed, none.wasted_cost) == (1, 1, 0, 0)


def test_what_is_charged_beyond_the_answer_is_for_nothing(look: Look) -> None:
    """Of two answers one; of a request that failed all of it; sums are exact."""
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
def test_the_fate_of_a_stream_that_was_cut(
    look: Look, row: RequestRecord, attempts: Attempts, fate: str | None
) -> None:
    """Cut before its first token, or plain, it is a failure like others."""
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
def test_retry_after(look: Look, row: RequestRecord, attempts: int, expected: Any) -> None:
    """Whether the client is told, and whether the gateway waits so long itself: 0.4 s of 2."""
    limited = refused(0, status=429, fault="rate_limited", retry_after_s=2.0)
    found = look([row], [limited, tried(0, 0.51)][:attempts])["rate_limited"]
    assert (found.told_to_wait, found.passed_wait_on, found.waits, found.too_soon) == expected


def test_a_gateway_that_waits_or_asks_another_is_not_too_soon(look: Look) -> None:
    limited = refused(0, status=429, fault="rate_limited", retry_after_s=0.4)
    waited = look([record(0)], [limited, tried(0, 0.55)])["rate_limited"]
    assert (waited.waits, waited.too_soon) == (1, 0)
    another = look([record(0)], [limited, tried(0, 0.12, port=9002)])["rate_limited"]
    assert another.waits == 0


def test_a_dead_upstream_holds_who_was_sent_meanwhile_and_who_was_in_flight(look: Look) -> None:
    """Sent at 0 s; of another one the attempt broke off as it died."""
    schedule = [window(DEAD, -0.5, 1.0)]
    inside = look([record(0)], [tried(0, 0.3, port=9002)], schedule)[DEAD]
    assert (inside.requests, inside.ok, inside.attempts) == (1, 1, 1)
    broken = refused(0, 0.01, status="", fault=DEAD)
    in_flight = look([record(0)], [broken, tried(0, 0.6)], [window(DEAD, 0.3, 1.0)])
    assert in_flight[DEAD].attempts == 2 and in_flight[None].requests == 0
    later = look([record(0)], [tried(0)], [window(DEAD, 10, 11)])
    assert later[DEAD].requests == 0 and later[None].requests == 1


def test_recovery_is_by_the_upstreams_own_clock(look: Look) -> None:
    schedule = [window("error_500", 0, 5)]
    attempts = [
        refused(0, 1.0), tried(0, 1.2, port=9002),
        refused(1, 3.0), refused(1, 7.0, fault=""), tried(1, 8.5),
    ]  # fmt: skip
    found = look([record(0), record(1)], attempts, schedule)["error_500"].recovery
    assert found is not None
    assert (found.sent_there, found.last_there_s) == (2, pytest.approx(3.0, abs=1e-6))
    assert found.tried_s == pytest.approx(2.0, abs=1e-6)
    assert found.answered_s == pytest.approx(3.5, abs=1e-6)


def test_faults_without_a_schedule_are_groups_too(look: Look) -> None:
    found = look([record(0), record(1)], [refused(0), tried(0, 0.5), tried(1)])
    assert [*found] == [None, "error_500"] and found["error_500"].recovery is None


def test_our_own_second_sending_is_no_retry_of_the_gateways(look: Look) -> None:
    refusal = tried(0, status=400, billed="")
    assert look([record(0, refused_sends=1)], [refusal, tried(0, 0.2)])[None].attempts == 1
    assert look([record(0)], [refusal, tried(0, 0.2)])[None].attempts == 2


def test_a_trace_id_joins_what_has_no_task_id(look: Look) -> None:
    found = look([record(0, trace_id="ab" * 16)], [tried(0, task_id="", trace_id="ab" * 16)])
    assert found[None].attempts == 1


def test_what_was_not_sent_is_no_request_and_other_attempts_are_counted(
    joined: Callable[..., Joined],
) -> None:
    left = failed(2, "abandoned", http_status=200)
    found = joined([record(0), dropped(1), left], [tried(0), tried(7), tried(2)])
    assert len(found.requests) == 1 and found.foreign == 1


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


def test_a_clock_that_is_behind_is_told_of(joined: Callable[..., Joined]) -> None:
    found = joined([record(0)], [tried(0, -3.0)])
    assert found.apart_s == pytest.approx(3.0)
    assert "clock is at least 3.00 s behind" in sentences(found, groups(found), Words("en"))[-1]


def test_the_statement_is_whole_in_both_languages(joined: Callable[..., Joined]) -> None:
    rows = [record(0), failed(1, "rate_limited", http_status=429), record(2),
            record(3, stream=True, content="ok-ok-3", marker_ok=False)]  # fmt: skip
    limited = {"status": 429, "fault": "rate_limited", "retry_after_s": 2.0}
    found = joined(
        rows,
        [refused(0), tried(0, 0.3), refused(1, 0.4, **limited), tried(2), tried(2, 0.1), cut(3)],
        [window("error_500", 0, 0.2), window("hang", 50, 60)],
    )
    for lang, words in (("en", "streams repeat their beginning"), ("zh", "个流重复了开头")):
        page = compose(found, groups(found), Words(lang))  # type: ignore[arg-type]
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
def test_another_file_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    (tmp_path / "up.csv").write_text(text, "utf-8")
    run = make(tmp_path / "r", record(0))
    assert main(["failover", str(run), "--upstream-log", str(tmp_path / "up.csv")]) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1


def test_every_fault_that_is_named_here_is_the_simulators() -> None:
    assert {*CUT, *_FAULTS} <= {*FAULTS, DEAD}


@given(st.text(st.sampled_from("abc"), min_size=1, max_size=6), st.integers(1, 6))
def test_a_beginning_that_comes_again_is_seen(text: str, part: int) -> None:
    assert repeats(text[:part] + text, 1)


@given(st.lists(st.integers(0, 9), unique=True, min_size=1, max_size=9))
def test_a_text_of_different_characters_repeats_nothing(digits: list[int]) -> None:
    assert not repeats("".join(map(str, digits)), 1)
