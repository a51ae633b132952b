"""Our costs against the price table and the bill: each finding by a case worked by hand."""

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
        bill_file = (
            None if bill is None else Bill(Path("bill.csv"), Columns(("id",), "cost"), charges)
        )
        return reconcile(run, prices, bill_file, tolerance)

    return start


def findings(statement: Reconciliation) -> dict[str, list[str | None]]:
    """The findings with the tasks that have them."""
    return {str(f): [line.task_id for line in statement.of(f)] for f in Finding if statement.of(f)}


def test_a_bill_of_the_stated_costs_agrees(look: Look) -> None:
    statement = look(
        record(0), record(1), failed(2), dropped(3), bill=[(f"{TASK}{i}", COST) for i in (0, 1)]
    )
    assert statement.agrees and findings(statement) == {}
    assert [line.billed for line in statement.lines] == [COST, COST, None, None]


def test_a_bill_is_joined_by_the_gateways_request_id_too(look: Look) -> None:
    statement = look(record(0, gateway_request_id="chatcmpl-7"), bill=[("chatcmpl-7", COST)])
    assert statement.agrees and statement.lines[0].billed == COST


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
def test_each_difference_from_the_bill_has_its_finding(
    look: Look, row: RequestRecord, bill: list[float], finding: str
) -> None:
    statement = look(row, record(1), bill=[*((f"{TASK}0", c) for c in bill), (f"{TASK}1", COST)])
    assert findings(statement) == {finding: [f"{TASK}0"]} and not statement.agrees


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
def test_a_bill_that_adds_up_is_no_finding(
    look: Look, row: RequestRecord, bill: list[float]
) -> None:
    assert look(row, bill=[(f"{TASK}0", cost) for cost in bill]).agrees


def test_a_charge_for_a_task_of_this_run_without_a_row_is_a_finding(look: Look) -> None:
    """Charges of other traffic are not."""
    statement = look(
        record(0), bill=[(f"{TASK}0", COST), (f"{TASK}99", 0.5), ("somebody-else", 7.0)]
    )
    assert findings(statement) == {"unrecorded": [f"{TASK}99"]}
    assert [charge.cost for charge in statement.foreign] == [7.0]


def test_an_id_that_two_requests_share_joins_neither(look: Look) -> None:
    twins = [record(i, gateway_request_id="same") for i in (0, 1)]
    statement = look(*twins, bill=[("same", COST)])
    assert statement.ambiguous == 1 and findings(statement) == {"missing": [f"{TASK}0", f"{TASK}1"]}


def test_costs_below_a_millionth_can_disagree(look: Look) -> None:
    """18 tokens of a small model in dollars: twice as much, or nothing, is not rounding."""
    cheap = [record(i, api_cost=0.0000009) for i in range(4)]
    bill = [(f"{TASK}0", 9e-7), (f"{TASK}1", 1.8e-6), *[(f"{TASK}2", 9e-7)] * 2]
    statement = look(*cheap, bill=bill, prices=Prices({"*": Price(input=0.05, output=0.05)}))
    assert findings(statement) == {
        "differs": [f"{TASK}1"], "missing": [f"{TASK}3"], "doubled": [f"{TASK}2"],
    }  # fmt: skip


def test_a_bill_that_is_rounded_to_a_millionth_agrees(look: Look) -> None:
    assert look(record(0, api_cost=0.0001065), bill=[(f"{TASK}0", 0.000107)]).agrees


def test_the_tolerance_is_set_by_the_operator(look: Look) -> None:
    bill = [(f"{TASK}0", COST + 0.00005)]
    assert not look(record(0), bill=bill).agrees
    assert look(record(0), bill=bill, tolerance=0.0001).agrees
    assert not look(record(0), bill=[(f"{TASK}0", COST + 1e-9)], tolerance=0.0).agrees


def test_stated_costs_are_compared_with_the_price_table(look: Look) -> None:
    statement = look(record(0), record(1, api_cost=0.0001), bill=None, prices=TABLE)
    assert findings(statement) == {"off_price": [f"{TASK}1"]}


def test_an_unstated_cost_is_taken_from_the_price_table(look: Look) -> None:
    """The bill is then compared with tokens x price."""
    unstated = record(0, api_cost=None, cost_source="unknown")
    assert look(unstated, bill=[(f"{TASK}0", COST)], prices=TABLE).agrees
    statement = look(unstated, bill=[(f"{TASK}0", 2 * COST)], prices=TABLE)
    assert findings(statement) == {"differs": [f"{TASK}0"]}


def test_a_stated_cost_can_differ_from_both_table_and_bill(look: Look) -> None:
    statement = look(record(0, api_cost=0.5), bill=[(f"{TASK}0", 0.25)], prices=TABLE)
    assert statement.lines[0].findings == (Finding.OFF_PRICE, Finding.DIFFERS)


def test_findings_are_in_the_order_of_their_amounts(look: Look) -> None:
    costs = (0.1, 0.3, 0.2)
    statement = look(
        *(record(i) for i in range(3)), bill=[(f"{TASK}{i}", c) for i, c in enumerate(costs)]
    )
    assert findings(statement)["differs"] == [f"{TASK}1", f"{TASK}2", f"{TASK}0"]


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
    assert "1 of 2 requests does not agree with the bill: 1 failure_charged." in out
    text = (folder / "reconcile.md").read_text("utf-8")
    assert f"| {TASK}1 | gpt-5.4-nano | cancelled | - | unknown | - | ¥0.500000 | 3 |" in text
    assert "| cancelled | 1 | 1 | - | ¥0.500000 |" in text
    assert "| The bill | 2 | ¥0.500069 | ¥0.000000 | ¥0.500000 |" in text
    assert "1 row of the bill (¥3.000000) names no request of this run" in text
    written_json: dict[str, Any] = json.loads((folder / "reconcile.json").read_text("utf-8"))
    assert written_json["agrees"] is False and written_json["findings"]["failure_charged"] == 1
    assert written_json["billed_sum"] == 0.500069 and written_json["ours_sum"] == COST
    assert written_json["unknown_count"] == 1 and written_json["bill"]["foreign_sum"] == 3.0
    assert written_json["by_outcome"]["cancelled"]["charged"] == 1
    assert (
        written_json["lines"][0]["bill_lines"] == [3] and written_json["lines"][0]["ours"] is None
    )


def test_the_command_exits_with_0_when_all_agrees(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the run's own table, and in Chinese."""
    folder = make(tmp_path / "r", record(0), plan=PLAN, prices=TABLE.as_dict())
    bill = written(tmp_path, (f"{TASK}0", COST))
    assert main(["reconcile", str(folder), "--bill", str(bill), "--lang", "zh"]) == 0
    assert "1 个请求与价格表、账单一致" in capsys.readouterr().out
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
def test_an_operator_error_is_one_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], says: str
) -> None:
    folder = make(tmp_path / "r", record(0), plan=PLAN)
    bill = str(written(tmp_path, (f"{TASK}0", COST)))
    arguments = [bill if word == "BILL" else word for word in more]
    assert main(["reconcile", str(folder), *arguments]) == 2
    stderr = capsys.readouterr().err
    assert says in stderr and stderr.count("\n") == 1
    assert not (folder / "reconcile.md").exists()


def test_many_findings_are_shortened_in_the_text_and_complete_in_the_json(tmp_path: Path) -> None:
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
def test_a_tolerance_in_percent_is_of_the_sums_and_an_amount_of_each_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tolerance: str, code: int
) -> None:
    """0.000069 stated where the table makes 0.000060: 15 % of the sum, or 0.000009 per request."""
    table = tmp_path / "p.toml"
    table.write_text(
        'currency = "CNY"\n[models."gpt-5.4-nano"]\ninput = 2.0\noutput = 6.0\n', "utf-8"
    )
    folder = make(tmp_path / "r", *(record(i) for i in range(4)))
    arguments = ["reconcile", str(folder), "--prices", str(table), "--tolerance", tolerance]
    assert main(arguments) == code
    printed = capsys.readouterr().out
    assert ("15.00% from the price table" in printed) is tolerance.endswith("%")


def test_with_a_tolerance_in_percent_errors_that_cancel_out_agree(tmp_path: Path) -> None:
    """It does not judge single requests, but their findings stay in the statement."""
    costs = (0.000030, 0.000090)
    rows = [record(i, api_cost=cost) for i, cost in enumerate(costs)]
    run = load(make(tmp_path / "r", *rows))
    prices = Prices({"gpt-5.4-nano": Price(input=2.0, output=6.0)})
    by_sum = reconcile(run, prices, None, None, 0.01)
    assert by_sum.agrees and len(by_sum.of(Finding.OFF_PRICE)) == 2
    assert not reconcile(run, prices, None, None).agrees


@pytest.mark.parametrize("text", ["inf", "nan", "-1", "x", "%", "-5%", "inf%"])
def test_a_tolerance_that_is_no_number_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    folder = make(tmp_path / "r", record(0))
    assert main(["reconcile", str(folder), f"--tolerance={text}"]) == 2
    assert "must be an amount not below 0 for each request" in capsys.readouterr().err


def test_a_price_table_is_not_said_to_agree_with_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing states a cost, so each row's cost is the table's own: that is no agreement."""
    rows = [record(i, api_cost=None, cost_source="unknown") for i in range(3)]
    folder = make(tmp_path / "r", *rows, plan=PLAN)
    prices = tmp_path / "p.toml"
    prices.write_text('currency = "CNY"\n[models."*"]\ninput = 1.4\noutput = 8.75\n', "utf-8")
    assert main(["reconcile", str(folder), "--prices", str(prices)]) == 2
    assert "states a cost, so its price table has nothing to check" in capsys.readouterr().err


def test_a_bill_that_names_no_request_is_not_said_to_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [record(i, api_cost=None, cost_source="unknown") for i in range(3)]
    folder = make(tmp_path / "r", *rows, plan=PLAN)
    bill = tmp_path / "bill.csv"
    bill.write_text("id,cost\nother-1,0.1\nother-2,0.2\n", "utf-8")
    assert main(["reconcile", str(folder), "--bill", str(bill), "--bill-id", "id"]) == 2
    assert "names a request of" in capsys.readouterr().err


def test_successes_without_two_amounts_are_left_out_of_the_agreement(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(
        tmp_path / "r", record(0), record(1, api_cost=None, cost_source="unknown"), plan=PLAN
    )
    prices = tmp_path / "p.toml"
    prices.write_text(
        'currency = "CNY"\n[models."*"]\ninput = 1.4\ncached_input = 0.14\noutput = 8.75\n'
        "decimals = 6\n",
        "utf-8",
    )
    main(["reconcile", str(folder), "--prices", str(prices)])
    printed = capsys.readouterr().out
    assert printed.startswith("1 request agrees with the price table"), printed
    assert "Not compared, for want of a second amount: 1." in printed
