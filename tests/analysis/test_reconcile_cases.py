"""A bill beside the cases of mode billing: what it charges for streams that state no usage, and
for cases whose replies state another cost than it has.
"""

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from recording.record import COLUMNS
from tests.analysis.runs import make, phase, record
from tests.analysis.test_billing import MODEL, PRICE, PRICES, rows


def reconciled(
    folder: Path, charge: Callable[[str, float], float], content: str = "1 2 3"
) -> tuple[int, dict[str, Any], list[str]]:
    """The exit code, the JSON and the sentences of a run whose bill charges that for a case whose
    requests cost so much by the table.
    """

    def same_reply(row: dict[str, Any]) -> None:
        if row["scenario"] in ("plain", "stream", "plain_again") and row["success"]:
            row["completion_tokens"] = 20
            row["content"] = "1 2 3"
        if row["scenario"] == "stream_no_usage":
            row["content"] = content

    made = rows(same_reply)
    (plain, *_) = [row["api_cost"] for row in made if row["scenario"] == "plain"]
    stated, bill = [], folder / "bill.csv"
    for row in made:
        known = {name: value for name, value in row.items() if name in COLUMNS}
        known |= {"phase": f"billing/{row['scenario']}/{MODEL}", "mode": "billing"}
        task = f"{row['scenario']}-{known['request_index']}"
        index = known.pop("request_index")
        known.setdefault("content", None)
        stated.append(record(index, **known, model_requested=MODEL, task_id=task))
    with bill.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["task_id", "cost"])
        for row in stated:
            due = plain if row.scenario == "stream_no_usage" else row.api_cost
            if due is not None:
                out.writerow([row.task_id, f"{charge(row.scenario or '', due):.9f}"])
    plan = [
        phase(name, mode="billing", model=MODEL) for name in dict.fromkeys(r.phase for r in stated)
    ]
    run = make(folder / "run", *stated, plan=plan, prices=PRICES.as_dict())
    code = main(["reconcile", str(run), "--bill", str(bill)])
    text = (run / "reconcile.md").read_text("utf-8")
    return code, json.loads((run / "reconcile.json").read_text("utf-8")), text.splitlines()


def test_streams_without_usage_that_are_billed_as_the_same_reply_agree(tmp_path: Path) -> None:
    code, content, _ = reconciled(tmp_path, lambda case, due: due)
    assert (code, content["billing"]) == (0, {MODEL: []})
    assert content["agrees"] and not any(content["findings"].values())


def test_streams_without_usage_that_are_billed_twice_are_named_with_their_amount(
    tmp_path: Path,
) -> None:
    def twice(case: str, due: float) -> float:
        return 2 * due if case == "stream_no_usage" else due

    code, content, lines = reconciled(tmp_path, twice)
    ((finding,),) = content["billing"].values()
    plain = PRICE.charge(rows()[0]["prompt_tokens"], 20, 0, 0)
    assert (finding["kind"], finding["case"]) == ("charged_otherwise", "stream_no_usage")
    assert Decimal(repr(finding["amount"])) == 3 * Decimal(repr(plain))
    assert code == 1 and content["findings"]["unstated"] == 3
    assert any("such replies to the same prompt" in line for line in lines)


def test_a_case_that_is_billed_above_its_stated_cost_is_named_by_the_bill_alone(
    tmp_path: Path,
) -> None:
    def dearer(case: str, due: float) -> float:
        return due + 0.0001 if case == "image" else due

    code, content, _ = reconciled(tmp_path, dearer)
    ((finding,),) = content["billing"].values()
    assert (finding["case"], finding["amount"], code) == ("image", 0.0003, 1)


def test_other_replies_without_usage_are_held_against_what_their_length_may_cost(
    tmp_path: Path,
) -> None:
    """`1 2 3` has 20 tokens, so `4 5 6` has 16 to 25: the amount is what is surely too much."""
    for factor, code in ((1.0, 0), (1.05, 0), (2.0, 1)):
        folder = tmp_path / str(factor)
        folder.mkdir()

        def dearer(case: str, due: float, factor: float = factor) -> float:
            return factor * due if case == "stream_no_usage" else due

        ended, content, lines = reconciled(folder, dearer, content="4 5 6")
        assert ended == code, factor
        (found,) = content["billing"].values()
        assert [each["case"] for each in found] == ["stream_no_usage"] * code
    prompt = rows()[0]["prompt_tokens"]
    paid, most = 2 * PRICE.charge(prompt, 20, 0, 0), PRICE.charge(prompt, 25, 0, 0)
    assert found[0]["amount"] == pytest.approx(3 * (paid - most), abs=1e-9)
    assert any(", at least " in line for line in lines)
