"""A run with failures says so and why:

one verdict per phase, with the gateway's commonest message.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.page import html
from analysis.reading.load import load
from analysis.report import report, terminal
from analysis.report.failure_causes import failures
from analysis.report.verdicts import failures as verdict
from recording.outcome import ENDED_BY_US, Outcome
from recording.record import RequestRecord
from recording.untrusted_text import markup, quoted
from tests.analysis.runs import PHASE, dropped, failed, make, phase, probe, record

WORDS = "Incorrect API key provided: sk-x{}."


def remark_texts(folder: Path, *records: RequestRecord, lang: Any = "en", **made: Any) -> list[str]:
    view = report.look(load(make(folder, *records, **made)), lang)
    return [f"{one.level} {one.text}" for one in verdict.remarks(view)]


def refused(index: int, words: str = WORDS, **known: Any) -> RequestRecord:
    message = words.format(index)
    return failed(index, "auth", **{"http_status": 401, "error_message": message, **known})


def test_a_failed_phase_states_count_outcome_status_message_and_what_to_do(tmp_path: Path) -> None:
    records = [refused(i) for i in range(10)]
    assert remark_texts(tmp_path / "r", *records) == [
        f"bad {PHASE}: nothing succeeded, 10 of 10 requests failed: 10 auth (HTTP 401), "
        '"Incorrect API key provided: sk-x0.". Check the API key.'
    ]
    assert remark_texts(tmp_path / "zh", *records, lang="zh") == [
        f"bad {PHASE}：没有一个请求成功，10 个请求中 10 个失败：10 auth（HTTP 401），"
        "“Incorrect API key provided: sk-x0.”。请检查 API 密钥。"
    ]


def test_failures_are_on_the_terminal_and_on_page_one(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", *(refused(i) for i in range(5)))
    view = report.look(load(folder))
    summary = terminal.of_phases(view)
    first = report.compose(view).sections[0]
    assert "BAD  rpm/gpt-5.4-nano/600: nothing succeeded, 5 of 5 requests failed" in summary
    assert any("nothing succeeded, 5 of 5" in getattr(b, "text", "") for b in first.blocks)
    assert "Incorrect API key" in summary.split("\n\n")[0]


def test_the_commonest_of_several_causes_comes_first_with_its_message(tmp_path: Path) -> None:
    records = [failed(i, "server_error", http_status=500, error_message="down") for i in range(3)]
    records += [failed(9, "connection_reset", error_message="closed")]
    records += [record(i) for i in range(10, 16)]
    assert remark_texts(tmp_path / "r", *records) == [
        f'bad {PHASE}: 4 of 10 requests failed (40%): 3 server_error (HTTP 500), "down"; '
        "1 connection_reset."
    ]


def test_messages_that_differ_only_in_numbers_count_as_one(
    tmp_path: Path,
) -> None:
    messages = ["odd one out"] + [f"request 7f{i}e812ab took {i} s" for i in range(9)]
    records = [failed(i, error_message=words) for i, words in enumerate(messages)]
    (text,) = remark_texts(tmp_path / "r", *records)
    assert '"request 7f0e812ab took 0 s"' in text


@pytest.mark.parametrize(
    ("bad", "good", "level"), [(1, 99, "note"), (2, 98, "bad"), (10, 990, "note"), (11, 989, "bad")]
)
def test_failures_of_1_percent_or_fewer_are_a_note(
    tmp_path: Path, bad: int, good: int, level: str
) -> None:
    records = [failed(i) for i in range(bad)] + [record(bad + i) for i in range(good)]
    (text,) = remark_texts(tmp_path / "r", *records)
    assert text.startswith(f"{level} {PHASE}: {bad} of {bad + good:,} requests failed")


def test_requests_that_we_ended_are_no_failures(tmp_path: Path) -> None:
    stopped = failed(1, "cancelled")
    assert remark_texts(tmp_path / "r", record(0), stopped, dropped(2)) == []


def test_refusals_that_mode_limits_provokes_are_no_failures(tmp_path: Path) -> None:
    known = {"mode": "limits", "phase": "limits/m/search", "http_status": 429}
    records = [failed(i, "rate_limited", **known) for i in range(5)]
    plan = [phase("limits/m/search", mode="limits")]
    assert remark_texts(tmp_path / "r", *records, plan=plan) == []
    (text,) = remark_texts(tmp_path / "s", *records, refused(9, **known), plan=plan)
    assert "1 of 6 requests failed" in text and "auth" in text


def test_refusals_in_a_capacity_trial_are_bad_only_where_all_requests_fail(
    tmp_path: Path,
) -> None:
    known = {"mode": "capacity", "phase": "capacity/m/900"}
    some = [failed(i, "rate_limited", http_status=429, **known) for i in range(5)]
    plan = [phase("capacity/m/900", mode="capacity")]
    (text,) = remark_texts(tmp_path / "r", *some, record(5, **known), plan=plan)
    assert text.startswith("note ")
    (text,) = remark_texts(tmp_path / "s", *some, plan=plan)
    assert text.startswith("bad ")


def test_long_and_hostile_messages_are_escaped_and_shortened(tmp_path: Path) -> None:
    (text,) = remark_texts(tmp_path / "r", failed(0, error_message="\x1b[2J" + "x" * 5000))
    assert "\x1b" not in text and "\\x1b[2Jxxx" in text and len(text) < 400


OUTCOMES = st.sampled_from([o.value for o in Outcome])


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(OUTCOMES, st.sampled_from([None, 200, 404, 500])), max_size=30))
def test_failures_are_counted_by_outcome_and_status(
    tmp_path_factory: pytest.TempPathFactory, ends: list[tuple[str, int | None]]
) -> None:
    folder = tmp_path_factory.mktemp("runs") / "r"
    records = [
        record(i, http_status=200) if outcome == "ok" else failed(i, outcome, http_status=status)
        for i, (outcome, status) in enumerate(ends)
    ]
    other_phase = [probe("smoke", "other", 0), failed(1, "dns", phase="smoke/other", mode="smoke")]
    summary = failures(report.look(load(make(folder, *other_phase, *records))), PHASE)
    sent = [(o, s) for o, s in ends if o not in ENDED_BY_US]
    expected = Counter((o, s) for o, s in sent if o != "ok")
    assert {(c.outcome, c.status): c.count for c in summary.causes} == dict(expected)
    assert (summary.sent, summary.failed) == (len(sent), expected.total())
    counts = [cause.count for cause in summary.causes]
    assert counts == sorted(counts, reverse=True)


def test_a_404_names_the_likely_model_or_base_url_found_before_the_run(tmp_path: Path) -> None:
    rows = [failed(i, "not_found", http_status=404) for i in range(5)]
    end = {"event": "run_end"}
    near = {"event": "doubt", "kind": "model", "asked": "gpt-5.4-nano", "near": ["gpt-5.4-mini"]}
    (text,) = remark_texts(tmp_path / "a", *rows, events=[near, end])
    assert text.endswith("The gateway does not list this model: did you mean gpt-5.4-mini?")
    base = {"event": "doubt", "kind": "base_url", "asked": "http://h", "near": ["http://h/v1"]}
    (text,) = remark_texts(tmp_path / "b", *rows, events=[base, end])
    assert "Did you mean the base URL http://h/v1?" in text
    (text,) = remark_texts(tmp_path / "c", *rows, events=[near | {"asked": "another"}, end])
    assert text.endswith("Most end in /v1, and none ends in /chat/completions.")


def test_only_the_expected_400_of_mode_billing_is_no_failure(tmp_path: Path) -> None:
    known = {"mode": "billing", "scenario": "refused", "phase": "billing/refused/m"}
    plan = [phase("billing/refused/m", mode="billing", scenario="refused")]
    rows = [failed(i, "bad_request", http_status=400, **known) for i in range(3)]
    assert remark_texts(tmp_path / "a", *rows, plan=plan) == []
    rows = [failed(i, "server_error", http_status=500, **known) for i in range(3)]
    assert len(remark_texts(tmp_path / "b", *rows, plan=plan)) == 1
    plain_case = known | {"scenario": "plain", "phase": "billing/plain/m"}
    rows = [failed(i, "bad_request", http_status=400, **plain_case) for i in range(3)]
    plan = [phase("billing/plain/m", mode="billing", scenario="plain")]
    assert len(remark_texts(tmp_path / "c", *rows, plan=plan)) == 1


HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07<script>alert(1)</script>\u202e" + "x" * 1500,
    "\x07\x1b\u200b\u202e" * 400,
    "</td><img src=x onerror=alert(1)>{}",
)


@pytest.mark.parametrize("words", HOSTILE, ids=range(3))
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_messages_of_500s_are_escaped_and_bounded_everywhere(
    tmp_path: Path, words: str, lang: Any
) -> None:
    rows = [failed(i, "server_error", http_status=500, error_message=words) for i in range(12)]
    (remark,) = remark_texts(tmp_path / "r", *rows, lang=lang)
    assert quoted(words) in remark and "HTTP 500" in remark
    assert remark.isprintable() and len(remark) < 500
    view = report.look(load(tmp_path / "r"), lang)
    summary = terminal.of_phases(view)
    assert quoted(words)[:40] in summary and "\x1b" not in summary
    page = html.render(report.compose(view))
    assert markup(quoted(words)) in page
    for raw in ("<script>alert", "<img src=x", "\x1b", "\u202e"):
        assert raw not in page
