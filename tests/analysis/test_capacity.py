"""What a capacity search found, computed from its rows alone."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.page import html, markdown
from analysis.reading.load import load
from analysis.report import report
from analysis.report.condition_checks import judge_objectives
from analysis.report.sections import capacity as section_of
from analysis.report.summary import Summary
from recording.record import RequestRecord
from rules.slo import parse
from tests.analysis.runs import failed, make, phase, record

SLO = {"success_rate": 0.9, "e2e_p95_s": 5.0}


def trial(level: int, number: int, bad: int = 0, **known: Any) -> list[RequestRecord]:
    """Sixty requests of a trial, the last `bad` of which are refused."""
    name = f"capacity/m/{level}/{number}"
    values = {"phase": name, "mode": "capacity", "model_requested": "m", "target": level,
              "in_flight": 1} | known  # fmt: skip
    good = [record(i, **values) for i in range(60 - bad)]
    return good + [
        failed(i, "rate_limited", http_status=429, **values) for i in range(60 - bad, 60)
    ]


def searched(folder: Path, *trials: list[RequestRecord], **made: Any) -> Path:
    rows = [row for one in trials for row in one]
    names = dict.fromkeys(row.phase for row in rows)
    plan = [phase(name, mode="capacity", model="m", count=60, users=50) for name in names]
    ends = [{"event": "phase_end", "phase": name} for name in names] + [{"event": "run_end"}]
    known = {"plan": plan, "events": ends, "slo": SLO} | made
    return make(folder, *rows, **known)


def text(folder: Path, lang: Any = "en") -> str:
    return markdown.render(report.compose(report.look(load(folder), lang)))


FOUND = (trial(60, 1), trial(120, 1, bad=30), trial(60, 2), trial(85, 1), trial(90, 1, bad=20))


def test_the_report_states_the_bracket_its_confidence_and_what_limited_it(tmp_path: Path) -> None:
    shown_text = text(searched(tmp_path / "r", *FOUND))
    assert re.search(
        r"m meets its objectives at 85 RPM and not at 90 RPM \(confidence \d\d%, 5 windows\)\. "
        r"It broke by refusals \(429\) \(success_rate\)\.",
        shown_text,
    )
    assert "| 1 | 60 | met | - |" in shown_text
    # All bad ones came at once: one wave, which is not sure.
    assert "| 5 | 90 | missed | refusals (429) (success_rate) |" in shown_text
    assert "few independent requests" in shown_text


@pytest.mark.parametrize(
    ("search", "en", "zh"),
    [
        ("rate", "a search for the highest rate (60 to 120 requests per minute tried)",
         "搜索最高速率（试过 60 至 120 请求/分钟）"),
        ("concurrency", "a search for the highest concurrency (60 to 120 requests at once tried)",
         "搜索最高并发（试过 60 至 120 并发）"),
    ],
)  # fmt: skip
def test_the_first_screen_says_what_was_searched(
    tmp_path: Path, search: str, en: str, zh: str
) -> None:
    run = searched(tmp_path / "r", *FOUND, options={"search": search})
    assert f"300 requests in 5 phases, {en}. Required: " in text(run)
    assert zh in text(run, "zh")


def waves(level: int, number: int, slow: int) -> list[RequestRecord]:
    """Sixty requests, of which so many in a row took longer than the limit: one wave."""
    return [
        replace(one, elapsed_sec=6.0 if 20 <= place < 20 + slow else 1.0)
        for place, one in enumerate(trial(level, number))
    ]


def test_no_confidence_is_stated_where_slow_requests_come_in_one_wave(tmp_path: Path) -> None:
    """However often the trials agree: the reason stands in place of the number."""
    tries = [(60, n, 2) for n in (1, 2, 3)] + [(66, n, 20) for n in (1, 2, 3)]
    run = searched(tmp_path / "r", *(waves(*one) for one in tries))
    shown_text = text(run)
    assert "at 60 RPM and not at 66 RPM (6 windows, too short for a confidence)." in shown_text
    assert "the capacity may well be lower. Make --duration at least twice as long" in shown_text
    assert "confidence 9" not in shown_text
    assert "窗口过短，无法给出置信度" in text(run, "zh")
    (search,) = section_of.numbers(report.look(load(run), "en"))
    assert search.confidence is None and (search.met, search.missed) == (60, 66)


def test_windows_with_too_few_requests_for_the_objective_are_named(tmp_path: Path) -> None:
    """One failure of 60 is more than 1 %: a gateway that fails 1 % at random has no such limit."""
    few = searched(tmp_path / "few", *FOUND, slo={"success_rate": 0.99, "e2e_p95_s": 5.0})
    assert (
        "m: with 60 requests in a window, a single bad one misses success_rate, so chance decides. "
        "Use --duration 100 or longer."
    ) in text(few)
    chinese = text(few, "zh")
    assert "m：每个窗口仅 60 个请求，一个不合格即未达到 success_rate，结果由偶然决定。" in chinese
    assert "so chance decides" not in text(searched(tmp_path / "r", *FOUND))


def test_the_section_is_written_in_chinese(tmp_path: Path) -> None:
    shown_text = text(searched(tmp_path / "r", *FOUND), "zh")
    assert re.search(
        "m 在 85 RPM 达到目标，在 90 RPM 未达到（置信度 [0-9]+%，5 个窗口）", shown_text
    )
    assert "| 5 | 90 | 未达到 | 拒绝（429）（success_rate） |" in shown_text


@pytest.mark.parametrize(
    ("trials", "level", "says"),
    [
        ([trial(6, 1, bad=50)], "bad", "m misses its objectives even at 6 RPM, the lowest level"),
        (FOUND, "note", "m meets its objectives at 85 RPM and not at 90 RPM (confidence "),
    ],
)
def test_the_first_page_states_the_capacity(
    tmp_path: Path, trials: list[list[RequestRecord]], level: str, says: str
) -> None:
    """Requests that all succeeded do not mean that the objectives were met."""
    _, found, _ = report.compose(report.look(load(searched(tmp_path / "r", *trials)))).answers
    assert says in found.text and found.text.endswith(".")
    assert found.level == level


def test_the_curves_of_the_search_are_drawn(tmp_path: Path) -> None:
    page = html.render(report.compose(report.look(load(searched(tmp_path / "r", *FOUND)))))
    for title in ("P95 latency by level: m", "Success and attainment by level", "Goodput by level"):
        assert f"<figcaption>{title}" in page


@pytest.mark.parametrize(
    ("trials", "says"),
    [
        ([trial(60, 1), trial(60, 2)], "up to 60 RPM, the highest level tried (confidence "),
        ([trial(6, 1, bad=50)], "misses its objectives even at 6 RPM, the lowest level tried"),
        (
            [trial(60, 1), *(trial(85, n, send_lag_s=0.5) for n in (1, 2, 3))],
            "It broke by the generator, which was late. That is the generator's limit, not the "
            "gateway's.",
        ),
        (
            [trial(60, 1), *(trial(85, n, send_lag_s=0.5) for n in (1, 2))],  # no answers yet
            "up to 60 RPM, the highest level tried (confidence ",
        ),
        (
            [trial(60, 1), trial(85, 1, elapsed_sec=9.0)],
            "It broke by latency (e2e_p95_s).",
        ),
    ],
)
def test_each_way_a_search_can_end_has_its_sentence(
    tmp_path: Path, trials: list[list[RequestRecord]], says: str
) -> None:
    assert says in text(searched(tmp_path / "r", *trials))


def test_a_closed_loop_slowed_by_the_generator_is_limited_by_us(tmp_path: Path) -> None:
    """Latency rose, and the event loop was as late: nobody can tell the gateway's from ours."""
    held = {"send_lag_s": None, "scheduled_offset_s": None}
    trials = [trial(8, 1, **held), trial(16, 1, elapsed_sec=9.0, **held)]
    for lag_s, ours in ((1.0, True), (0.01, False)):
        ends = [
            {"event": "phase_end", "phase": f"capacity/m/{level}/1",
             "generator": {"loop_lag_p99_s": lag_s if level == 16 else 0.001}}
            for level in (8, 16)
        ]  # fmt: skip
        folder = searched(tmp_path / str(lag_s), *trials, events=[*ends, {"event": "run_end"}])
        assert (
            "It broke by latency (e2e_p95_s). That is the generator's limit" in text(folder)
        ) is ours
        (search,) = Summary.of(report.look(load(folder))).capacity
        assert search.limited_by_us is ours


def test_a_late_trial_at_the_bracket_does_not_make_the_limit_ours(tmp_path: Path) -> None:
    """A late trial is no answer, so it says nothing about why the level was missed."""
    late = trial(120, 2, bad=30, send_lag_s=2.0)
    folder = searched(tmp_path / "r", trial(60, 1), trial(120, 1, bad=30), late)
    shown_text = text(folder)
    assert "It broke by refusals (429) (success_rate)." in shown_text
    assert "That is the generator's limit" not in shown_text
    (search,) = Summary.of(report.look(load(folder))).capacity
    assert (search.windows, search.answered) == (3, 2)
    assert (search.causes, search.limited_by_us) == (["429"], False)


def test_a_trial_that_was_cut_short_does_not_count(tmp_path: Path) -> None:
    """Cut by the budget, by hand or by a crash:

    its dropped requests are not the gateway's fault.
    """
    for number, events in enumerate(
        [
            [{"event": "phase_end", "phase": "capacity/m/60/1"}],
            [{"event": "phase_end", "phase": f"capacity/m/{n}/1"} for n in (60, 120)]
            + [{"event": "budget", "phase": "capacity/m/120/1"}],
        ]
    ):
        folder = searched(
            tmp_path / str(number), trial(60, 1), trial(120, 1, bad=30), events=events
        )
        shown_text = text(folder)
        assert "up to 60 RPM, the highest level tried (confidence " in shown_text
        assert "| 2 | 120 | cut short | - |" in shown_text


def test_check_does_not_fail_a_search_for_the_objectives_it_missed(tmp_path: Path) -> None:
    """A search goes beyond the limit on purpose."""
    view = report.look(load(searched(tmp_path / "r", *FOUND)))
    assert judge_objectives(view, parse(SLO, "slo")) == []
