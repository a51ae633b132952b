"""Mode billing in summary.json, and the conditions of --fail-on that read it."""

from pathlib import Path
from typing import Any

import pytest

from analysis.reading.load import load
from analysis.report.condition_checks import judge_conditions
from analysis.report.report import look
from analysis.report.summary import Summary
from analysis.report.view import View
from recording.record import COLUMNS, RequestRecord
from rules.conditions import parse
from tests.analysis.runs import make, phase, record
from tests.analysis.test_billing import (
    MODEL,
    PRICES,
    Change,
    charge_refused,
    dear_tools,
    dearer_later,
    inflate,
    no_credit,
    rows,
)

Judged = dict[str, tuple[str, float | None]]


def view(folder: Path, change: Change | None = None, **manifest: Any) -> View:
    stated: list[RequestRecord] = []
    for row in rows() if change is None else rows(change):
        known = {name: value for name, value in row.items() if name in COLUMNS}
        name = f"billing/{row['scenario']}/{MODEL}"
        index, known["phase"], known["mode"] = known.pop("request_index"), name, "billing"
        task = f"{row['scenario']}-{index}"
        stated.append(record(index, **known, model_requested=MODEL, task_id=task, content=None))
    plan = [
        phase(name, mode="billing", model=MODEL) for name in dict.fromkeys(r.phase for r in stated)
    ]
    return look(load(make(folder, *stated, plan=plan, **{"prices": PRICES.as_dict()} | manifest)))


def judged(view_of_run: View) -> Judged:
    parsed = parse("billing_findings>0,billing_overcharge>0")
    return {
        one.condition.metric: (one.verdict, one.value)
        for one in judge_conditions(view_of_run, parsed)
        if one.condition
    }


def test_an_honest_run_passes_both_conditions_and_lists_every_case(tmp_path: Path) -> None:
    view_of_run = view(tmp_path / "r")
    assert judged(view_of_run) == {
        "billing_findings": ("passed", 0),
        "billing_overcharge": ("passed", 0),
    }
    (bill,) = Summary.of(view_of_run).as_dict()["billing"]
    assert (bill["model"], bill["tokenizer"], bill["findings"]) == (MODEL, "o200k", [])
    assert bill["overcharge"] == 0 and bill["priced"] and bill["cost_stated"]
    cases = {one["case"]: one for one in bill["cases"]}
    assert len(cases) == 17 and cases["left_midway"]["charged"] is None
    assert cases["plain"]["difference"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "kind", "unit"),
    [
        (no_credit, "cache_not_credited", "money"),
        (dear_tools, "charged_otherwise", "money"),
        (charge_refused, "refused_charged", "money"),
        (inflate, "inflated", "times"),
    ],
)
def test_a_finding_fails_the_run_and_states_its_amount(
    tmp_path: Path, change: Change, kind: str, unit: str
) -> None:
    view_of_run = view(tmp_path / "r", change)
    (bill,) = Summary.of(view_of_run).as_dict()["billing"]
    (finding,) = bill["findings"]
    assert (finding["kind"], finding["unit"], finding["grave"]) == (kind, unit, True)
    verdicts = judged(view_of_run)
    assert verdicts["billing_findings"] == ("failed", 1)
    if unit == "money":
        assert verdicts["billing_overcharge"] == ("failed", pytest.approx(finding["amount"]))
        assert finding["amount"] == pytest.approx(bill["overcharge"]) and finding["amount"] > 0
    else:  # prices of what is stated are kept
        assert verdicts["billing_overcharge"] == ("passed", 0) and 1 < finding["amount"] <= 1.05


@pytest.mark.parametrize("metric", ["billing_findings", "billing_overcharge"])
def test_a_condition_that_cannot_be_judged_is_unknown(tmp_path: Path, metric: str) -> None:
    """After a price change no amount is known, and no other mode has a bill."""
    changed = judged(view(tmp_path / "a", dearer_later))
    assert changed["billing_findings"] == ("passed", 0)
    assert changed["billing_overcharge"] == ("unknown", None)
    other_mode = look(load(make(tmp_path / "b", record(0))))
    assert judged(other_mode)[metric] == ("unknown", None)
    assert Summary.of(other_mode).as_dict()["billing"] == []

    def silent(row: dict[str, Any]) -> None:
        row |= dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens"))
        row["cost_source"] = "unknown"

    assert judged(view(tmp_path / "c", silent))[metric] == ("unknown", None)
