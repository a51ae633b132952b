"""Page one judges what the operator asked for, objectives and conditions, before anything else."""

from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.page.words import Lang
from analysis.reading.load import load
from analysis.report import report, terminal
from analysis.report.run_checks import judge
from analysis.report.verdicts import asked, verdicts
from analysis.report.view import View
from tests.analysis.runs import PHASE, failed, make, probe, record

SLO = {"e2e_p50_s": 1.0, "success_rate": 0.9}


def look(folder: Path, lang: Lang = "en", **made: Any) -> View:
    return report.look(load(make(folder, *(record(i) for i in range(5)), **made)), lang)


def remark_texts(view: View) -> list[str]:
    return [f"{one.level} {one.text}" for one in asked.remarks(view)]


def test_a_missed_objective_is_the_first_verdict_everywhere(tmp_path: Path) -> None:
    """On page one, on the terminal and in the report; it was once hidden behind a good verdict."""
    view = look(tmp_path / "r", slo=SLO)
    first = verdicts(view)[0]
    assert (first.level, first.text) == (
        "bad",
        f"1 of 2 objectives missed: {PHASE}: e2e_p50_s is 2 s (fails if >1).",
    )
    assert first.text in terminal.of_phases(view)
    assert "1 of 2 objectives missed" in report.markdown.render(report.compose(view))


def test_met_objectives_are_reported_as_met(tmp_path: Path) -> None:
    assert remark_texts(look(tmp_path / "r", slo={"e2e_p50_s": 3.0})) == [
        "good Every objective is met (1 judged, phase by phase)."
    ]
    assert remark_texts(look(tmp_path / "none")) == []


def test_the_failed_conditions_of_the_run_stand_in_the_report(tmp_path: Path) -> None:
    options = {"fail_on": "p50_s>1,success_rate<0.5,cost>1"}
    assert remark_texts(look(tmp_path / "r", options=options)) == [
        f"bad --fail-on: 1 of 3 checks failed: {PHASE}: p50_s is 2 s (fails if >1)."
    ]
    assert remark_texts(look(tmp_path / "zh", "zh", options=options)) == [
        f"bad --fail-on：3 项检查中 1 项未通过：{PHASE}：p50_s 为 2（要求 ≤ 1）。"
    ]
    assert remark_texts(look(tmp_path / "good", options={"fail_on": "p50_s>9"})) == [
        "good Every condition of --fail-on holds (checks: 1)."
    ]


def test_conditions_given_to_the_report_replace_those_of_the_run(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", record(0), options={"fail_on": "p50_s>9"})
    assert main(["report", str(folder), "--fail-on", "p50_s>1"]) == 1
    page = (folder / "report.md").read_text("utf-8")
    assert "--fail-on: 1 of 1 check failed" in page


def test_conditions_of_another_version_are_not_judged(tmp_path: Path) -> None:
    assert remark_texts(look(tmp_path / "r", options={"fail_on": "no_such_metric>1"})) == []


def test_a_window_states_how_many_of_the_offered_requests_were_served(tmp_path: Path) -> None:
    """757 RPM observed beside a target of 1,200 reads as if the gateway had been too slow."""
    page = report.markdown.render(report.compose(look(tmp_path / "r")))
    assert "gpt-5.4-nano: offered 600 RPM, all 5 served (observed " in page
    some = make(tmp_path / "s", *(record(i) for i in range(3)), failed(3))
    page = report.markdown.render(report.compose(report.look(load(some))))
    assert "gpt-5.4-nano: offered 600 RPM, 3 of 4 served (observed " in page


def test_mode_smoke_fails_where_a_model_answered_nothing(tmp_path: Path) -> None:
    rows = [
        probe("smoke", "good", phase="smoke/chat/good"),
        probe("smoke", "bad", phase="smoke/chat/bad", success=False, outcome="auth"),
        probe("smoke", "bad", phase="smoke/stream/bad", success=False, outcome="auth"),
    ]
    view = report.look(load(make(tmp_path / "r", *rows, mode="smoke")))
    failures = [str(check) for check in judge(view, ()) if not check.passed]
    assert failures == ["bad answered nothing"]
    full_mode = report.look(load(make(tmp_path / "s", *rows, mode="full")))
    assert all(check.passed for check in judge(full_mode, ()))


@pytest.mark.parametrize(("under", "unstated"), [(0.0, 0), (0.001, 0), (0.0, 3)])
def test_a_budget_mentions_underestimates_and_missing_costs_only_where_there_are_any(
    tmp_path: Path, under: float, unstated: int
) -> None:
    """It once reported a worst case that was exceeded by 0.000000."""
    money = {"limit": 1.0, "spent": 0.5, "largest_underestimate": under, "unstated": unstated}
    events = [{"event": "accounts", "money": money}, {"event": "run_end"}]
    texts = [v.text for v in verdicts(look(tmp_path / "r", events=events)) if "Budget" in v.text]
    assert len(texts) == 1 and texts[0].startswith("Budget: ¥0.500000 of ¥1.000000 used")
    assert ("worst case reserved" in texts[0]) is (under > 0)
    assert ("state no cost" in texts[0]) is (unstated > 0)
