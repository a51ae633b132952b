"""Page one judges what was asked: objectives and conditions, before the generator's tick."""

from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.page.words import Lang
from analysis.reading.load import load
from analysis.report import report, terminal
from analysis.report.check import judge
from analysis.report.verdicts import asked, verdicts
from analysis.report.view import View
from tests.analysis.runs import PHASE, failed, make, probe, record

SLO = {"e2e_p50_s": 1.0, "success_rate": 0.9}


def look(folder: Path, lang: Lang = "en", **made: Any) -> View:
    return report.look(load(make(folder, *(record(i) for i in range(5)), **made)), lang)


def told(view: View) -> list[str]:
    return [f"{one.level} {one.text}" for one in asked.remarks(view)]


def test_a_missed_objective_is_the_first_verdict(tmp_path: Path) -> None:
    """Where the generator kept time, a tick was all that the page said."""
    view = look(tmp_path / "r", slo=SLO)
    first = verdicts(view)[0]
    assert (first.level, first.text) == (
        "bad",
        f"1 of 2 objectives missed: {PHASE}: e2e_p50_s is 2 s (fails if >1).",
    )
    assert first.text in terminal.of_phases(view)
    assert "1 of 2 objectives missed" in report.markdown.render(report.compose(view))


def test_objectives_that_are_met_are_said_to_be(tmp_path: Path) -> None:
    assert told(look(tmp_path / "r", slo={"e2e_p50_s": 3.0})) == [
        "good Every objective is met (1 judged, phase by phase)."
    ]
    assert told(look(tmp_path / "none")) == []


def test_the_failed_conditions_of_the_run_stand_in_the_report(tmp_path: Path) -> None:
    options = {"fail_on": "p50_s>1,success_rate<0.5,cost>1"}
    assert told(look(tmp_path / "r", options=options)) == [
        f"bad --fail-on: 1 of 3 checks failed: {PHASE}: p50_s is 2 s (fails if >1)."
    ]
    assert told(look(tmp_path / "zh", "zh", options=options)) == [
        f"bad --fail-on：3 项检查中 1 项未通过：{PHASE}：p50_s 为 2（要求不得 >1）。"
    ]
    assert told(look(tmp_path / "good", options={"fail_on": "p50_s>9"})) == [
        "good Every condition of --fail-on holds (checks: 1)."
    ]


def test_conditions_given_to_the_report_are_those_it_shows(tmp_path: Path) -> None:
    """Instead of the run's own."""
    folder = make(tmp_path / "r", record(0), options={"fail_on": "p50_s>9"})
    assert main(["report", str(folder), "--fail-on", "p50_s>1"]) == 1
    page = (folder / "report.md").read_text("utf-8")
    assert "--fail-on: 1 of 1 checks failed" in page


def test_conditions_of_another_version_are_left_alone(tmp_path: Path) -> None:
    assert told(look(tmp_path / "r", options={"fail_on": "no_such_metric>1"})) == []


def test_a_window_says_what_was_offered_and_what_was_served(tmp_path: Path) -> None:
    """757 RPM observed beside 1,200 asked for reads as if the gateway had been too slow."""
    page = report.markdown.render(report.compose(look(tmp_path / "r")))
    assert "gpt-5.4-nano: offered 600 RPM, all 5 served (observed " in page
    some = make(tmp_path / "s", *(record(i) for i in range(3)), failed(3))
    page = report.markdown.render(report.compose(report.look(load(some))))
    assert "gpt-5.4-nano: offered 600 RPM, 3 of 4 served (observed " in page


def test_a_smoke_in_which_a_model_answered_nothing_fails(tmp_path: Path) -> None:
    rows = [
        probe("smoke", "good", phase="smoke/chat/good"),
        probe("smoke", "bad", phase="smoke/chat/bad", success=False, outcome="auth"),
        probe("smoke", "bad", phase="smoke/stream/bad", success=False, outcome="auth"),
    ]
    view = report.look(load(make(tmp_path / "r", *rows, mode="smoke")))
    failures = [str(check) for check in judge(view, ()) if not check.passed]
    assert failures == ["bad answered nothing"]
    other = report.look(load(make(tmp_path / "s", *rows, mode="full")))
    assert all(check.passed for check in judge(other, ()))


@pytest.mark.parametrize(("under", "unstated"), [(0.0, 0), (0.001, 0), (0.0, 3)])
def test_an_account_says_only_what_happened(tmp_path: Path, under: float, unstated: int) -> None:
    """It used to tell of a worst case that was exceeded by 0.000000."""
    money = {"limit": 1.0, "spent": 0.5, "largest_underestimate": under, "unstated": unstated}
    events = [{"event": "accounts", "money": money}, {"event": "run_end"}]
    texts = [v.text for v in verdicts(look(tmp_path / "r", events=events)) if "Budget" in v.text]
    assert len(texts) == 1 and texts[0].startswith("Budget: ¥0.500000 of ¥1.000000 used")
    assert ("worst case that was set aside" in texts[0]) is (under > 0)
    assert ("state no cost" in texts[0]) is (unstated > 0)
