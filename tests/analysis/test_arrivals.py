"""A run beside the gateway's log of it: each kind of difference, and no false alarm."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.__main__ import main
from analysis.reading.load import RunError, load
from analysis.reconcile.arrivals import FAULTS, Arrival, Arrivals, arrivals
from analysis.reconcile.logs.reading import read
from recording.record import RequestRecord
from recording.trace_ids import trace_ids
from tests.analysis.runs import PHASE, dropped, failed, make, phase, record
from tests.analysis.test_logs import OBSERVATION, ONEAPI, SPEND, otlp, span, written
from tests.locust_run import ROOT

TASK = "nl-rpm-gpt-5.4-nano-target-600-req-"
PLAN = [phase(task_prefix=TASK)]
Look = Callable[..., Arrivals]


def trace(index: int) -> str:
    return trace_ids("demo", PHASE, f"{TASK}{index}")[0]


def sent(index: int, **known: Any) -> RequestRecord:
    return record(index, trace_id=trace(index), **known)


def lost(index: int, outcome: str = "connection_reset", **known: Any) -> RequestRecord:
    return failed(index, outcome, trace_id=trace(index), **known)


def entry(index: int, **known: Any) -> dict[str, Any]:
    """LiteLLM's entry for a request: it took 1.9 s, without a retry."""
    times = {"startTime": "2026-11-24T00:00:00Z", "endTime": "2026-11-24T00:00:01.900Z"}
    names = {"session_id": trace(index), "request_id": f"chatcmpl-{index}", "metadata": "{}"}
    return SPEND | times | names | known


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Joins made-up records with a log's entries, between one sound request at each end."""

    def start(rows: list[RequestRecord], log: list[Any], bare: bool = False) -> Arrivals:
        ends = [] if bare else [sent(0), sent(99)]
        all_rows = [*ends[:1], *rows, *ends[1:]]
        entries = log if bare else [entry(0), *log, entry(99)]
        run = load(make(tmp_path / "r", *all_rows, plan=PLAN))
        return arrivals(run, read(written(tmp_path, *entries)))

    return start


def tasks_by_kind(statement: Arrivals) -> dict[str, list[str | None]]:
    return {
        str(kind): [one.task_id for one in statement.of(kind)]
        for kind in Arrival
        if statement.of(kind)
    }


@pytest.mark.parametrize(
    ("row", "log", "kind"),
    [
        (sent(1), [], Arrival.NOT_LOGGED),
        (lost(1), [], Arrival.NEVER_ARRIVED),
        (lost(1, "connection_refused"), [], Arrival.NEVER_ARRIVED),
        (sent(1), [entry(1), entry(1)], Arrival.ANSWERED_TWICE),
        (lost(1), [entry(1)], Arrival.FAILED_OUTSIDE),
        (lost(1, "server_error", http_status=500), [entry(1)], Arrival.FAILED_OUTSIDE),
        (lost(1, "stream_truncated", http_status=200), [entry(1)], Arrival.FAILED_OUTSIDE),
        (sent(1), [entry(1, status="failure"), entry(1)], Arrival.RETRIED_INSIDE),
        (sent(1), [entry(1, metadata={"attempted_retries": 2})], Arrival.RETRIED_INSIDE),
        (sent(1), [entry(1)], None),
        (lost(1), [entry(1, status="failure")], None),
        (lost(1, "cancelled", http_status=200), [entry(1)], None),
        (lost(1, "empty", http_status=200), [entry(1)], None),
        (sent(1, refused_sends=1), [entry(1, status="failure"), entry(1)], None),
        (sent(1, refused_sends=1), [entry(1), entry(1)], None),
        (dropped(1), [], None),
        (lost(1, "rate_limited", http_status=429), [], None),
    ],
)  # fmt: skip
def test_each_difference_from_the_log_has_its_kind(
    look: Look, row: RequestRecord, log: list[Any], kind: Arrival | None
) -> None:
    statement = look([row], log)
    assert tasks_by_kind(statement) == ({} if kind is None else {str(kind): [f"{TASK}1"]})
    assert statement.agrees is (kind not in FAULTS)


def test_a_failure_missing_from_the_log_counts_only_where_the_log_has_failures(look: Look) -> None:
    """Many gateways log no refusals; one that logs some and not this one has lost it."""
    refused = lost(1, "rate_limited", http_status=429)
    assert look([refused], []).omitted_failures == 1
    statement = look([refused, lost(2)], [entry(2, status="failure")])
    assert (
        tasks_by_kind(statement) == {"not_logged": [f"{TASK}1"]} and statement.omitted_failures == 0
    )


def test_requests_missing_at_the_ends_of_a_log_are_not_held_against_it(look: Look) -> None:
    rows = [sent(i) for i in range(6)]
    statement = look(rows, [entry(i) for i in (1, 2, 4)], bare=True)
    assert tasks_by_kind(statement) == {"not_logged": [f"{TASK}3"]} and statement.omitted_ends == 2


def test_any_id_of_a_request_joins_it_to_the_log(look: Look) -> None:
    row = record(1, trace_id=trace(1), gateway_request_id="g-1", completion_id="chatcmpl-x")
    for name in (trace(1), "g-1", "chatcmpl-x", f"{TASK}1"):
        assert tasks_by_kind(look([row], [entry(1, session_id=name, request_id="other")])) == {}


def test_a_logged_task_of_this_run_without_a_row_is_unrecorded(look: Look) -> None:
    statement = look([], [entry(1, request_id=f"{TASK}7")])
    assert [e.ids[-1] for e in statement.unrecorded] == [f"{TASK}7"] and not statement.agrees
    others = look([], [entry(1, request_id="somebody-else")])
    assert others.foreign == 1 and others.agrees


def test_time_beside_the_gateway_is_the_requests_time_minus_the_logs(look: Look) -> None:
    """One request takes 2.0 s outside and 1.9 s inside; another has two tries, first to last."""
    times = look([sent(1, elapsed_sec=2.5)], [
        entry(1, status="failure", endTime="2026-11-24T00:00:00.200Z"),
        entry(1, startTime="2026-11-24T00:00:00.300Z", endTime="2026-11-24T00:00:02.300Z"),
    ]).times  # fmt: skip
    assert times.count == 3
    assert times.inside_p50_s == pytest.approx(1.9) and times.outside_p50_s == 2.0
    assert times.beside_p50_s == pytest.approx(0.1) and times.beside_p95_s == pytest.approx(0.2)


def test_spans_of_calls_are_tries_of_one_request(look: Look) -> None:
    root = span(traceId=trace(1))
    model = [{"key": "gen_ai.request.model", "value": {"stringValue": "m"}}]
    calls = [
        span(traceId=trace(1), spanId=f"{i:016x}", parentSpanId=root["spanId"], kind=3,
             attributes=model) for i in (1, 2)
    ]  # fmt: skip
    statement = look([sent(1)], [otlp(root, *calls)], bare=True)
    assert tasks_by_kind(statement) == {"retried_inside": [f"{TASK}1"]}


def test_generations_of_one_trace_are_tries_of_one_request(look: Look) -> None:
    log = [OBSERVATION | {"traceId": trace(1), "level": level} for level in ("ERROR", "DEFAULT")]
    statement = look([sent(1)], log, bare=True)
    assert tasks_by_kind(statement) == {"retried_inside": [f"{TASK}1"]}


@pytest.mark.parametrize(
    ("log", "says"),
    [
        ([entry(5, session_id="x", request_id="y")], "names no request of this run by trace id"),
        ([{k: v for k, v in ONEAPI.items() if k != "request_id"}], "--balance-before"),
        ([ONEAPI | {"type": 3}], "holds no entry for a request"),
    ],
)
def test_a_log_that_joins_nothing_is_the_wrong_log(look: Look, log: list[Any], says: str) -> None:
    with pytest.raises(RunError, match=says):
        look([sent(1)], log, bare=True)


@settings(max_examples=200, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_an_honest_log_is_never_accused(
    tmp_path_factory: pytest.TempPathFactory, tries: list[int], dice: Random
) -> None:
    """However often it retried, in whatever order it logs, with others' entries in between, and
    whether it logs its refusals or not."""
    rows, log = list[RequestRecord](), [entry(77, session_id="other", request_id="other")]
    logs_failures = dice.random() < 0.5
    for index, failures in enumerate(tries):
        good = dice.random() < 0.8
        rows.append(sent(index) if good else lost(index, "server_error", http_status=500))
        log += [entry(index, status="failure")] * failures * logs_failures
        log += [entry(index)] if good else [entry(index, status="failure")] * logs_failures
    if len(log) == 1:
        return
    dice.shuffle(log)
    folder = tmp_path_factory.mktemp("honest")
    statement = arrivals(load(make(folder / "r", *rows, plan=PLAN)), read(written(folder, *log)))
    assert statement.agrees and not statement.of(Arrival.NEVER_ARRIVED)


def test_amounts_that_a_gateway_multiplied_in_binary_are_summed_as_decimals(look: Look) -> None:
    """LiteLLM writes 8.999999999999999e-06 for three tokens at 0.000003."""
    rows, log = [sent(0), sent(1)], [entry(0, spend=3 * 3e-06), entry(1, spend=0.1 + 0.2)]
    statement = look(rows, log, bare=True)
    assert str(statement.log.total) == "0.300009"


def test_the_command_prints_counts_times_and_exact_sums(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It also compares the log's amounts with the rows', as it does a bill's."""
    rows = [*(sent(i) for i in range(3)), sent(3, api_cost=0.00007)]
    folder = make(tmp_path / "r", *rows, plan=PLAN, currency="USD")
    log = written(tmp_path, *(entry(i) for i in range(3)), entry(3), entry(3))
    assert main(["reconcile", str(folder), "--log", str(log)]) == 1
    out = capsys.readouterr().out
    assert "1 of 4 requests does not agree with the bill: 1 doubled." in out
    assert "The log (LiteLLM) has 4 of 4 requests: 1 answered more often inside" in out
    written_json = json.loads((folder / "reconcile.json").read_text("utf-8"))
    assert written_json["log"]["charged"] == "0.000345" == written_json["log"]["log_sum"]
    assert written_json["log"]["arrivals"]["answered_twice"] == 1
    assert written_json["log"]["lines"][0]["log_lines"] == [4, 5]
    text = (folder / "reconcile.md").read_text("utf-8")
    assert "By the log this run's requests cost 0.000345 USD" in text
    assert "median 2.000s and 1.900s" in text
    assert main(["reconcile", str(folder), "--log", str(log), "--lang", "zh"]) == 1
    assert "网关日志" in (folder / "reconcile.md").read_text("utf-8")


def test_currencies_are_not_mixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make(tmp_path / "r", sent(0), sent(1), plan=PLAN)  # in CNY
    log = written(tmp_path, entry(0, spend=7), entry(1, spend=7))
    assert main(["reconcile", str(folder), "--log", str(log)]) == 0
    assert "doubled" not in capsys.readouterr().out
    text = (folder / "reconcile.md").read_text("utf-8")
    assert "in USD and the run's in CNY: they are not compared" in text
    assert main(["reconcile", str(folder), "--log", str(log), "--log-currency", "CNY"]) == 1
    assert "2 differs" in capsys.readouterr().out


def test_the_page_on_logs_names_every_kind() -> None:
    text = (ROOT / "docs" / "how-to" / "gateway-log.md").read_text(encoding="utf-8")
    assert [kind for kind in Arrival if f"| `{kind}` |" not in text] == []
