"""Requests without an answer: by columns as by rows, and where the report counts them."""

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.numbers.unanswered import READ, percentile, time_and_percent, waits_s
from analysis.page import markdown
from analysis.reading.load import load
from analysis.report import report, terminal
from analysis.report.view import View
from recording.outcome import Outcome
from recording.record import RequestRecord
from rules.censoring import bounds, times
from rules.objectives import TAKEN
from rules.slo import parse
from tests.analysis.runs import PHASE, dropped, failed, make, record

SOME_S = st.none() | st.floats(0.1, 9)


def rows(drawn: list[dict[str, Any]]) -> list[RequestRecord]:
    return [
        record(i, **one, success=one["outcome"] == "ok") if one["outcome"] != "dropped"
        else dropped(i, scheduled_offset_s=one["scheduled_offset_s"])
        for i, one in enumerate(drawn)
    ]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "outcome": st.sampled_from([str(one) for one in Outcome]),
                "http_status": st.sampled_from([None, 200, 500, 504]),
                "stream": st.booleans(),
                "elapsed_sec": SOME_S,
                "ttft_s": SOME_S,
                "completion_tokens": st.sampled_from([None, 1, 6]),
                "scheduled_offset_s": SOME_S,
                "sent_offset_s": SOME_S,
            }
        ),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([50, 95, 99]),
)
def test_censored_percentiles_by_columns_are_those_by_rows(
    tmp_path_factory: Any, drawn: list[dict[str, Any]], percent: int
) -> None:
    """So the report and CI judge as the capacity search does while it runs."""
    records = rows(drawn)
    frame = load(make(tmp_path_factory.mktemp("run") / "r", *records)).rows.frame(READ)
    for time in ("e2e", "ttft", "tpot"):
        known, running = times(records, time, TAKEN[time])
        expected, percentile_found = (
            bounds(known, running, percent),
            percentile(frame, time, percent),
        )
        assert (percentile_found is None) is (expected is None)
        if percentile_found is not None and expected is not None:
            assert (percentile_found.count, percentile_found.unanswered) == (
                expected.count,
                expected.unanswered,
            )
            assert abs(percentile_found.low - expected.low) < 1e-9
            assert (
                percentile_found.high == expected.high
                or abs(percentile_found.high - expected.high) < 1e-9
            )


def test_percentiles_of_censored_times_have_their_names() -> None:
    assert time_and_percent("p95_s") == ("e2e", 95) and time_and_percent("ttft_p99_s") == (
        "ttft",
        99,
    )
    assert time_and_percent("send_lag_p99_s") is None and time_and_percent("success_rate") is None


def view(tmp_path: Path, lang: Any = "en", **made: Any) -> View:
    made_of = [record(i) for i in range(9)] + [failed(9, "timeout_total", elapsed_sec=3.0)]
    return report.look(load(make(tmp_path / "r", *made_of, **made)), lang)


def test_the_number_without_an_answer_is_beside_the_percentiles(tmp_path: Path) -> None:
    """In summary.json, on the terminal and in the tables of the report."""
    view_of_run = view(tmp_path)
    assert view_of_run.phases[0].unanswered == 1
    head, line = terminal.of_phases(view_of_run).splitlines()[-2:]
    assert "p99  no answer" in head and line.startswith(PHASE)
    text = markdown.render(report.compose(view_of_run))
    assert "| P99 latency | API cost | No answer |" in text
    assert "无应答" in markdown.render(report.compose(view(tmp_path, "zh")))


def test_only_dropped_requests_that_waited_count_as_unanswered(tmp_path: Path) -> None:
    """What was due after the last send was stopped, and was not slow."""
    records = [
        record(0, sent_offset_s=5.0),
        *(dropped(i, scheduled_offset_s=i * 1.0) for i in (4, 6)),
    ]
    waits = waits_s(load(make(tmp_path / "r", *records)).rows.frame(READ))
    assert waits["waited_s"].tolist() == [1.0]


def test_an_slo_of_times_alone_gets_a_warning(tmp_path: Path) -> None:
    """An objective on a share of requests beside it, in its own table or above, is enough."""
    assert parse({"e2e_p99_s": 1}, "slo").blind
    assert parse({"success_rate": 0.9, "model": {"m": {"e2e_p99_s": 1}}}, "slo").blind is False
    assert parse({"model": {"m": {"e2e_p99_s": 1}}}, "slo").blind
    assert not parse({"success_rate": 0.9}, "slo").blind
    text = markdown.render(report.compose(view(tmp_path, slo={"e2e_p99_s": 1.0})))
    assert "Add success_rate or attainment." in text
