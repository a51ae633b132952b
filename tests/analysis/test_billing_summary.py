"""What summary.json says of mode billing, and the conditions that a run can be failed on by it."""

from pathlib import Path
from typing import Any

import pytest

from analysis.reading.load import load
from analysis.report.check import held
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
    made: list[RequestRecord] = []
    for row in rows() if change is None else rows(change):
        known = {name: value for name, value in row.items() if name in COLUMNS}
        name = f"billing/{row['scenario']}/{MODEL}"
        index, known["phase"], known["mode"] = known.pop("request_index"), name, "billing"
        task = f"{row['scenario']}-{index}"
        made.append(record(index, **known, model_requested=MODEL, task_id=task, content=None))
    plan = [
        phase(name, mode="billing", model=MODEL) for name in dict.fromkeys(r.phase for r in made)
    ]
    return look(load(make(folder, *made, plan=plan, **{"prices": PRICES.as_dict()} | manifest)))


def judged(seen: View) -> Judged:
    asked = parse("billing_findings>0,billing_overcharge>0")
    return {
        one.condition.metric: (one.verdict, one.value) for one in held(seen, asked) if one.condition
    }


def test_an_honest_run_passes_both_and_holds_every_case(tmp_path: Path) -> None:
    seen = view(tmp_path / "r")
    assert judged(seen) == {"billing_findings": ("passed", 0), "billing_overcharge": ("passed", 0)}
    (found,) = Summary.of(seen).as_dict()["billing"]
    assert (found["model"], found["tokenizer"], found["findings"]) == (MODEL, "o200k", [])
    assert found["overcharge"] == 0 and found["priced"] and found["cost_stated"]
    cases = {one["case"]: one for one in found["cases"]}
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
def test_a_finding_fails_the_run_with_its_amount(
    tmp_path: Path, change: Change, kind: str, unit: str
) -> None:
    seen = view(tmp_path / "r", change)
    (found,) = Summary.of(seen).as_dict()["billing"]
    (one,) = found["findings"]
    assert (one["kind"], one["unit"], one["grave"]) == (kind, unit, True)
    verdicts = judged(seen)
    assert verdicts["billing_findings"] == ("failed", 1)
    if unit == "money":
        assert verdicts["billing_overcharge"] == ("failed", pytest.approx(one["amount"]))
        assert one["amount"] == pytest.approx(found["overcharge"]) and one["amount"] > 0
    else:  # prices of what is stated are kept
        assert verdicts["billing_overcharge"] == ("passed", 0) and 1 < one["amount"] <= 1.05


@pytest.mark.parametrize("metric", ["billing_findings", "billing_overcharge"])
def test_what_cannot_be_judged_is_unknown_and_fails_no_other_way(
    tmp_path: Path, metric: str
) -> None:
    """A price that changed tells nothing of money, and no other mode has a bill."""
    changed = judged(view(tmp_path / "a", dearer_later))
    assert changed["billing_findings"] == ("passed", 0)
    assert changed["billing_overcharge"] == ("unknown", None)
    other = look(load(make(tmp_path / "b", record(0))))
    assert judged(other)[metric] == ("unknown", None)
    assert Summary.of(other).as_dict()["billing"] == []

    def silent(row: dict[str, Any]) -> None:
        row |= dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens"))
        row["cost_source"] = "unknown"

    assert judged(view(tmp_path / "c", silent))[metric] == ("unknown", None)
