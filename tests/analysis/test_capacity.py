"""What a capacity search found, told from its rows alone."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.page import html, markdown
from analysis.reading.load import load
from analysis.report import check, report
from analysis.report.sections import capacity as section_of
from analysis.report.summary import Summary
from recording.record import RequestRecord
from rules.slo import parse
from tests.analysis.runs import failed, make, phase, record

SLO = {"success_rate": 0.9, "e2e_p95_s": 5.0}


def trial(level: int, number: int, bad: int = 0, **known: Any) -> list[RequestRecord]:
    """Sixty requests of a try, the last so many refused."""
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


def test_the_bracket_its_confidence_and_why_it_broke(tmp_path: Path) -> None:
    told = text(searched(tmp_path / "r", *FOUND))
    assert re.search(
        r"m meets its objectives at 85 RPM and not at 90 RPM \(confidence \d\d%, 5 windows\)\. "
        r"It broke by refusals \(429\) \(success_rate\)\.",
        told,
    )
    assert "| 1 | 60 | met | - |" in told
    # All bad ones came at once: one wave, which is not sure.
    assert "| 5 | 90 | missed | refusals (429) (success_rate) |" in told
    assert "few independent requests" in told


def waves(level: int, number: int, slow: int) -> list[RequestRecord]:
    """Sixty requests, of which so many in a row took longer than the limit: one wave."""
    return [
        replace(one, elapsed_sec=6.0 if 20 <= place < 20 + slow else 1.0)
        for place, one in enumerate(trial(level, number))
    ]


def test_windows_of_one_wave_state_no_confidence(tmp_path: Path) -> None:
    """However often they say the same: the number is absent, and the reason stands there."""
    tries = [(60, n, 2) for n in (1, 2, 3)] + [(66, n, 20) for n in (1, 2, 3)]
    run = searched(tmp_path / "r", *(waves(*one) for one in tries))
    told = text(run)
    assert "at 60 RPM and not at 66 RPM (6 windows, too short for a confidence)." in told
    assert "the capacity may well be lower. Give a --duration twice as long" in told
    assert "confidence 9" not in told
    assert "窗口过短，无法给出置信度" in text(run, "zh")
    (found,) = section_of.numbers(report.look(load(run), "en"))
    assert found.confidence is None and (found.met, found.missed) == (60, 66)


def test_windows_that_hold_too_few_requests_to_tell_are_named(tmp_path: Path) -> None:
    """One failure of 60 is more than 1 %: a gateway that fails 1 % at random has no such edge."""
    few = searched(tmp_path / "few", *FOUND, slo={"success_rate": 0.99, "e2e_p95_s": 5.0})
    assert (
        "m: with 60 requests in a window, a single bad one misses success_rate, so chance decides. "
        "--duration 100 or longer tells more."
    ) in text(few)
    chinese = text(few, "zh")
    assert "m：每个窗口仅 60 个请求，一个不合格即未达到 success_rate，结果由偶然决定。" in chinese
    assert "so chance decides" not in text(searched(tmp_path / "r", *FOUND))


def test_it_is_told_in_chinese(tmp_path: Path) -> None:
    told = text(searched(tmp_path / "r", *FOUND), "zh")
    assert re.search("m 在 85 RPM 达到目标，在 90 RPM 未达到（置信度 [0-9]+%，5 个窗口）", told)
    assert "| 5 | 90 | 未达到 | 拒绝（429）（success_rate） |" in told


def test_the_curves_are_drawn(tmp_path: Path) -> None:
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
def test_other_ends_are_told(tmp_path: Path, trials: list[list[RequestRecord]], says: str) -> None:
    assert says in text(searched(tmp_path / "r", *trials))


def test_a_closed_loop_that_the_generator_slowed_is_our_limit(tmp_path: Path) -> None:
    """Latency rose, and the event loop was as late: nobody knows whose latency it was."""
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
        (told,) = Summary.of(report.look(load(folder))).capacity
        assert told.limited_by_us is ours


def test_a_late_trial_at_the_bracket_does_not_make_the_limit_ours(tmp_path: Path) -> None:
    """It is no answer, so it says nothing of why the level was missed."""
    late = trial(120, 2, bad=30, send_lag_s=2.0)
    folder = searched(tmp_path / "r", trial(60, 1), trial(120, 1, bad=30), late)
    told = text(folder)
    assert "It broke by refusals (429) (success_rate)." in told
    assert "That limit is ours" not in told
    (found,) = Summary.of(report.look(load(folder))).capacity
    assert (found.windows, found.answered) == (3, 2)
    assert (found.causes, found.limited_by_us) == (["429"], False)


def test_a_trial_that_was_cut_short_is_no_answer(tmp_path: Path) -> None:
    """By the budget, by hand, or by a crash: its dropped requests are not the gateway's fault."""
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
        told = text(folder)
        assert "up to 60 RPM, the highest level tried (confidence " in told
        assert "| 2 | 120 | cut short | - |" in told


def test_a_search_misses_its_objectives_on_purpose(tmp_path: Path) -> None:
    """`check` does not fail it for that."""
    view = report.look(load(searched(tmp_path / "r", *FOUND)))
    assert check.objectives(view, parse(SLO, "slo")) == []
