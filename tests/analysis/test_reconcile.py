"""Our money against the price table and the bill: each finding by a case worked by hand."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.reading.load import load
from analysis.reconcile.bill import Bill, Charge, Columns
from analysis.reconcile.reconciliation import Finding, Reconciliation, reconcile
from recording.record import RequestRecord
from rules.prices import Price, Prices
from rules.prices import read as read_prices
from tests.analysis.runs import dropped, failed, make, phase, record
from tests.locust_run import ROOT

TASK = "nl-rpm-gpt-5.4-nano-target-600-req-"
COST = 0.000069
NANO = Price(input=1.4, cached_input=0.14, output=8.75, decimals=6)
TABLE = Prices({"gpt-5.4-nano": NANO}, "CNY")
PLAN = [phase(task_prefix=TASK)]

Look = Callable[..., Reconciliation]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Reconciles made-up records with a bill of (id, cost) rows, or with none."""

    def start(
        *records: RequestRecord,
        bill: list[tuple[str, float]] | None,
        prices: Prices | None = None,
        tolerance: float | None = None,
    ) -> Reconciliation:
        run = load(make(tmp_path / "r", *records, plan=PLAN))
        charges = [Charge((n,), cost, "m", i) for i, (n, cost) in enumerate(bill or [], 2)]
        read = None if bill is None else Bill(Path("bill.csv"), Columns(("id",), "cost"), charges)
        return reconcile(run, prices, read, tolerance)

    return start


def findings(found: Reconciliation) -> dict[str, list[str | None]]:
    """The findings that there are, with the tasks that have them."""
    return {str(f): [line.task_id for line in found.of(f)] for f in Finding if found.of(f)}


def test_a_perfect_bill_agrees(look: Look) -> None:
    found = look(
        record(0), record(1), failed(2), dropped(3), bill=[(f"{TASK}{i}", COST) for i in (0, 1)]
    )
    assert found.agrees and findings(found) == {}
    assert [line.billed for line in found.lines] == [COST, COST, None, None]


def test_a_bill_joins_by_the_gateways_request_id_too(look: Look) -> None:
    found = look(record(0, gateway_request_id="chatcmpl-7"), bill=[("chatcmpl-7", COST)])
    assert found.agrees and found.lines[0].billed == COST


@pytest.mark.parametrize(
    ("row", "bill", "finding"),
    [
        (record(0), [COST + 0.0001], Finding.DIFFERS),
        (record(0), [COST - 0.00005], Finding.DIFFERS),
        (record(0), [], Finding.MISSING),
        (record(0), [0.0], Finding.MISSING),
        (record(0), [COST, COST], Finding.DOUBLED),
        (record(0), [COST, COST / 2], Finding.DOUBLED),
        (record(0), [COST / 4, COST / 4], Finding.DIFFERS),
        (record(0, api_cost=None, cost_source="unknown"), [COST], Finding.UNSTATED),
        (failed(0), [COST], Finding.FAILURE_CHARGED),
        (failed(0, "stream_truncated"), [COST], Finding.FAILURE_CHARGED),
        (failed(0, "cancelled"), [COST], Finding.FAILURE_CHARGED),
        (failed(0, api_cost=0.5, cost_source="body"), [0.25], Finding.DIFFERS),
        (dropped(0), [COST], Finding.NEVER_SENT),
    ],
)  # fmt: skip
def test_each_finding(look: Look, row: RequestRecord, bill: list[float], finding: str) -> None:
    found = look(row, record(1), bill=[*((f"{TASK}0", c) for c in bill), (f"{TASK}1", COST)])
    assert findings(found) == {finding: [f"{TASK}0"]} and not found.agrees


@pytest.mark.parametrize(
    ("row", "bill"),
    [
        (record(0), [COST / 2, COST / 2]),  # a row for the input, one for the output
        (record(0), [COST, COST, -COST]),  # a doubled charge that was refunded
        (record(0), [COST + 1e-6]),  # rounding
        (record(0, api_cost=0.0), []),  # known to be free
        (record(0, api_cost=None, cost_source="unknown"), []),  # nobody knows, nobody charges
        (failed(0, api_cost=0.25, cost_source="body"), [0.25]),  # charged as it was stated
        (failed(0), [0.0]),
        (dropped(0), []),
    ],
)
def test_what_adds_up_is_no_finding(look: Look, row: RequestRecord, bill: list[float]) -> None:
    assert look(row, bill=[(f"{TASK}0", cost) for cost in bill]).agrees


def test_a_charge_for_a_task_that_no_row_has(look: Look) -> None:
    """Under this run's own names it is a finding; of other traffic it is not."""
    found = look(record(0), bill=[(f"{TASK}0", COST), (f"{TASK}99", 0.5), ("somebody-else", 7.0)])
    assert findings(found) == {"unrecorded": [f"{TASK}99"]}
    assert [charge.cost for charge in found.foreign] == [7.0]


def test_an_id_of_two_requests_joins_nothing(look: Look) -> None:
    """Neither is charged on the other's account."""
    twins = [record(i, gateway_request_id="same") for i in (0, 1)]
    found = look(*twins, bill=[("same", COST)])
    assert found.ambiguous == 1 and findings(found) == {"missing": [f"{TASK}0", f"{TASK}1"]}


def test_what_costs_less_than_a_millionth_can_disagree(look: Look) -> None:
    """18 tokens of a small model in dollars: twice as much, and nothing, are not rounding."""
    cheap = [record(i, api_cost=0.0000009) for i in range(4)]
    bill = [(f"{TASK}0", 9e-7), (f"{TASK}1", 1.8e-6), *[(f"{TASK}2", 9e-7)] * 2]
    found = look(*cheap, bill=bill, prices=Prices({"*": Price(input=0.05, output=0.05)}))
    assert findings(found) == {
        "differs": [f"{TASK}1"], "missing": [f"{TASK}3"], "doubled": [f"{TASK}2"],
    }  # fmt: skip


def test_a_bill_that_is_rounded_to_a_millionth_agrees(look: Look) -> None:
    assert look(record(0, api_cost=0.0001065), bill=[(f"{TASK}0", 0.000107)]).agrees


def test_the_tolerance_is_the_operators(look: Look) -> None:
    bill = [(f"{TASK}0", COST + 0.00005)]
    assert not look(record(0), bill=bill).agrees
    assert look(record(0), bill=bill, tolerance=0.0001).agrees
    assert not look(record(0), bill=[(f"{TASK}0", COST + 1e-9)], tolerance=0.0).agrees


def test_stated_costs_are_held_against_the_table(look: Look) -> None:
    found = look(record(0), record(1, api_cost=0.0001), bill=None, prices=TABLE)
    assert findings(found) == {"off_price": [f"{TASK}1"]}


def test_what_is_not_stated_is_held_at_its_price(look: Look) -> None:
    """With a table an unstated cost is tokens x price, and the bill is held against that."""
    unstated = record(0, api_cost=None, cost_source="unknown")
    assert look(unstated, bill=[(f"{TASK}0", COST)], prices=TABLE).agrees
    found = look(unstated, bill=[(f"{TASK}0", 2 * COST)], prices=TABLE)
    assert findings(found) == {"differs": [f"{TASK}0"]}


def test_a_stated_cost_can_miss_both(look: Look) -> None:
    found = look(record(0, api_cost=0.5), bill=[(f"{TASK}0", 0.25)], prices=TABLE)
    assert found.lines[0].findings == (Finding.OFF_PRICE, Finding.DIFFERS)


def test_the_most_money_comes_first(look: Look) -> None:
    costs = (0.1, 0.3, 0.2)
    found = look(
        *(record(i) for i in range(3)), bill=[(f"{TASK}{i}", c) for i, c in enumerate(costs)]
    )
    assert findings(found)["differs"] == [f"{TASK}1", f"{TASK}2", f"{TASK}0"]


def written(folder: Path, *rows: tuple[str, object]) -> Path:
    path = folder / "bill.csv"
    path.write_text("".join(f"{n},{c}\n" for n, c in [("task_id", "cost"), *rows]), "utf-8")
    return path


def test_the_command_writes_both_files_and_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path / "r", record(0), failed(1, "cancelled"), plan=PLAN)
    bill = written(tmp_path, (f"{TASK}0", COST), (f"{TASK}1", 0.5), ("other", 3))
    assert main(["reconcile", str(folder), "--bill", str(bill)]) == 1
    out = capsys.readouterr().out
    assert "1 of 2 requests do not agree with the bill: 1 failure_charged." in out
    text = (folder / "reconcile.md").read_text("utf-8")
    assert f"| {TASK}1 | gpt-5.4-nano | cancelled | - | unknown | - | ¥0.500000 | 3 |" in text
    assert "| cancelled | 1 | 1 | - | ¥0.500000 |" in text
    assert "| The bill | 2 | ¥0.500069 | ¥0.000000 | ¥0.500000 |" in text
    assert "1 rows of the bill (¥3.000000) name no request of this run" in text
    found: dict[str, Any] = json.loads((folder / "reconcile.json").read_text("utf-8"))
    assert found["agrees"] is False and found["findings"]["failure_charged"] == 1
    assert found["billed_sum"] == 0.500069 and found["ours_sum"] == COST
    assert found["unknown_count"] == 1 and found["bill"]["foreign_sum"] == 3.0
    assert found["by_outcome"]["cancelled"]["charged"] == 1
    assert found["lines"][0]["bill_lines"] == [3] and found["lines"][0]["ours"] is None


def test_the_command_exits_with_0_when_all_agrees(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the run's own table, and in Chinese."""
    folder = make(tmp_path / "r", record(0), plan=PLAN, prices=TABLE.as_dict())
    bill = written(tmp_path, (f"{TASK}0", COST))
    assert main(["reconcile", str(folder), "--bill", str(bill), "--lang", "zh"]) == 0
    assert "1 requests agree with the price table and the bill" in capsys.readouterr().out
    assert "1 个请求与价格表、账单一致" in (folder / "reconcile.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ((), "has no price table: give --prices, --bill, or both"),
        (("--prices", "none.toml"), "none.toml cannot be read"),
        (("--bill", "none.csv"), "none.csv cannot be used (No such file"),
        (("--bill", "BILL", "--bill-cost", "price"), "has no column price for --bill-cost"),
        (("--bill", "BILL", "--tolerance", "-1"), "--tolerance must be an amount not below 0"),
        (("--bill", "BILL", "--tolerance", "nan"), "--tolerance must be an amount not below 0"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], says: str
) -> None:
    folder = make(tmp_path / "r", record(0), plan=PLAN)
    bill = str(written(tmp_path, (f"{TASK}0", COST)))
    given = [bill if word == "BILL" else word for word in more]
    assert main(["reconcile", str(folder), *given]) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1
    assert not (folder / "reconcile.md").exists()


def test_many_findings_are_cut_in_the_text_and_whole_in_the_data(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", *(record(i) for i in range(60)), plan=PLAN)
    assert main(["reconcile", str(folder), "--bill", str(written(tmp_path))]) == 1
    text = (folder / "reconcile.md").read_text("utf-8")
    assert text.count(f"| {TASK}") == 50 and "the first 50 here" in text
    assert len(json.loads((folder / "reconcile.json").read_text("utf-8"))["lines"]) == 60


def test_a_hostile_bill_cannot_break_the_page(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", record(0), plan=PLAN)
    bill = tmp_path / "bill.csv"
    bill.write_text(f"id,cost,model\n{TASK}0,1,<img src=x>|# H\n", "utf-8")
    assert main(["reconcile", str(folder), "--bill", str(bill)]) == 1
    text = (folder / "reconcile.md").read_text("utf-8")
    assert "<img" not in text and "\\|# H" in text


def test_the_documentation_holds_a_price_table_and_names_every_finding(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "how-to" / "cost.md").read_text(encoding="utf-8")
    table = re.search(r"```toml\n(.*?)```", text, re.S)
    assert table is not None
    (tmp_path / "prices.toml").write_text(table[1], encoding="utf-8")
    assert read_prices(tmp_path / "prices.toml").cost("claude-sonnet-4.6", 16, 8) == 0.001176
    named = re.findall(r"^\| `(\w+)` \|", text.partition("| finding |")[2], re.M)
    assert named == [str(finding) for finding in Finding]


@pytest.mark.parametrize(
    ("tolerance", "code"),
    [("16%", 0), ("15%", 0), ("14.9%", 1), ("0.00001", 0), ("0.000001", 1), ("5%", 1), ("0%", 1)],
)
def test_a_share_is_of_the_sums_and_an_amount_of_each_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tolerance: str, code: int
) -> None:
    """0.000069 stated where the table makes 0.000060: 15 % of the sum, 0.000009 a request."""
    table = tmp_path / "p.toml"
    table.write_text(
        'currency = "CNY"\n[models."gpt-5.4-nano"]\ninput = 2.0\noutput = 6.0\n', "utf-8"
    )
    folder = make(tmp_path / "r", *(record(i) for i in range(4)))
    asked = ["reconcile", str(folder), "--prices", str(table), "--tolerance", tolerance]
    assert main(asked) == code
    said = capsys.readouterr().out
    assert ("15.00% from the price table" in said) is tolerance.endswith("%")


def test_errors_that_cancel_out_agree_by_their_sums_alone(tmp_path: Path) -> None:
    """A share says nothing of single requests, and their findings stay in the statement."""
    costs = (0.000030, 0.000090)
    rows = [record(i, api_cost=cost) for i, cost in enumerate(costs)]
    run = load(make(tmp_path / "r", *rows))
    prices = Prices({"gpt-5.4-nano": Price(input=2.0, output=6.0)})
    by_sum = reconcile(run, prices, None, None, 0.01)
    assert by_sum.agrees and len(by_sum.of(Finding.OFF_PRICE)) == 2
    assert not reconcile(run, prices, None, None).agrees


@pytest.mark.parametrize("text", ["inf", "nan", "-1", "x", "%", "-5%", "inf%"])
def test_a_tolerance_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    folder = make(tmp_path / "r", record(0))
    assert main(["reconcile", str(folder), f"--tolerance={text}"]) == 2
    assert "must be an amount not below 0 for each request" in capsys.readouterr().err
