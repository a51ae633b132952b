"""Mode billing on an honest or dishonest simulator: the report says exactly what it does."""

import json
import time
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.reading.load import load
from analysis.report.model_bills import bills
from analysis.report.report import look
from tests.e2e.test_reconcile import print_bill
from tests.locust_run import run
from tests.simulated import Simulator

PROFILE = """
any_model = true
[latency]
fixed_s = 0.0
[prices]
input = 1.0
cached_input = 0.1
output = 4.0
[reply]
tokens = 40
[billing]
"""
PRICES = """
[models."*"]
input = 1.0
cached_input = 0.1
output = 4.0
decimals = 6
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "kinds"),
    [
        ("", []),
        ("inflate = 1.05", ["inflated"]),
        ("hidden_prompt_tokens = 400", ["hidden_prompt"]),
        ("stream_factor = 1.2", ["stated_otherwise"]),
        ("cache_credit = false", ["cache_not_credited"]),
    ],
)
def test_the_report_finds_exactly_what_the_gateway_does(
    tmp_path: Path, rule: str, kinds: list[str]
) -> None:
    """The rows equal the gateway's own log, request by request."""
    (tmp_path / "p.toml").write_text(PROFILE + rule)
    (tmp_path / "prices.toml").write_text(PRICES)
    gateway = Simulator(tmp_path / "log.csv", "--profile", tmp_path / "p.toml")
    try:
        result = run(
            "-H", gateway.url, "--mode", "billing", "--model", "gpt-5.4-nano",
            "--prices", tmp_path / "prices.toml", results=tmp_path / "r",
        )  # fmt: skip
        logged = {row["task_id"]: row for row in gateway.rows()}
    finally:
        gateway.stop()
    assert result.code == 0 and result.folder is not None, result.text
    rows = result.rows()
    assert {row.task_id for row in rows} == set(logged) and len(rows) == len(logged)
    for row in rows:
        if row.prompt_tokens is not None:
            logged_row = logged[row.task_id or ""]
            assert row.prompt_tokens == int(logged_row["prompt_tokens"])
            assert row.api_cost == float(logged_row["cost"])
    (bill,) = bills(look(load(result.folder)))
    assert [one.kind.value for one in bill.findings] == kinds


@pytest.mark.long
def test_a_bill_that_charges_streams_without_usage_twice_is_named_and_an_honest_one_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The gateway's own account is the bill; no reply states what those streams cost."""
    (tmp_path / "p.toml").write_text(PROFILE)
    (tmp_path / "prices.toml").write_text(PRICES)
    gateway = Simulator(tmp_path / "log.csv", "--profile", tmp_path / "p.toml")
    try:
        result = run(
            "-H", gateway.url, "--mode", "billing", "--model", "glm-5",
            "--prices", tmp_path / "prices.toml", results=tmp_path / "r",
        )  # fmt: skip
        rows = gateway.rows()
    finally:
        gateway.stop()
    assert result.folder is not None, result.text
    assert "as far as replies state it, no case is counted or charged differently" in result.text
    silent = {row.task_id for row in result.rows() if row.scenario == "stream_no_usage"}
    doubled = [
        {**row, "billed": f"{2 * float(row['billed']):.6f}"} if row["task_id"] in silent else row
        for row in rows
    ]
    # Replies differ, so only the budget of 64 output tokens bounds what they may cost at most.
    most = [(int(row["prompt_tokens"]) + 64 * 4) / 1e6 for row in rows if row["task_id"] in silent]
    paid = [2 * float(row["billed"]) for row in rows if row["task_id"] in silent]
    for bill, code, sentence in (
        (rows, 0, "the bill charges every case by its stated tokens"),
        (doubled, 1, "streamed, usage not asked for: all 3 requests are not charged as such"),
    ):
        assert main(["reconcile", str(result.folder), *print_bill(tmp_path / "b", bill)]) == code
        assert sentence in capsys.readouterr().out
    content = json.loads((result.folder / "reconcile.json").read_text("utf-8"))
    ((finding,),) = content["billing"].values()
    assert sum(paid) - sum(most) <= finding["amount"] <= sum(paid) / 2 and finding["grave"]


CANCELLED = """
any_model = true
[latency]
ttft_s = 0.3
tokens_per_s = 80.0
[prices]
input = 1.0
output = 4.0
[reply]
tokens = 400
[billing]
{billing}
[hang_up]
goes_on = {goes_on}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "goes_on", "first", "midway"),
    [
        ("aborted = 0.0", False, "part", "part"),
        ("aborted = 1.0", False, "whole", "whole"),
        ("aborted = 1.0", True, "whole", "whole"),
        ("aborted_free = true", True, "nothing", "nothing"),
    ],
)
def test_what_a_bill_charges_for_cancelled_requests(
    tmp_path: Path, rule: str, goes_on: bool, first: str, midway: str
) -> None:
    """The gateway's own account is the bill; without it nothing is reported."""
    profile = CANCELLED.format(billing=rule, goes_on=str(goes_on).lower())
    (tmp_path / "p.toml").write_text(profile)
    gateway = Simulator(tmp_path / "log.csv", "--profile", tmp_path / "p.toml")
    try:
        result = run(
            "-H", gateway.url, "--mode", "billing", "--model", "gpt-5.4-nano",
            results=tmp_path / "r",
        )  # fmt: skip
        time.sleep(3 if goes_on else 0.3)
        logged = gateway.rows()
    finally:
        gateway.stop()
    assert result.code == 0 and result.folder is not None, result.text
    abandoned = [row for row in result.rows() if row.outcome == "abandoned"]
    assert {row.scenario: row.cancel_after for row in abandoned} == {
        "left_first": "0chunks", "left_midway": "3chunks", "timed_out": "1000ms"
    }  # fmt: skip
    assert len(abandoned) == 9 and all(row.api_cost is None for row in abandoned)
    (bill,) = bills(look(load(result.folder)))
    assert not bill.findings
    assert "The cost of the cancelled requests is not stated" in (
        result.folder / "report.md"
    ).read_text("utf-8")
    main(["reconcile", str(result.folder), *print_bill(tmp_path / "bill.csv", logged)])
    content = json.loads((result.folder / "reconcile.json").read_text("utf-8"))
    words = {one["case"]: one["said"] for one in content["cancelled"]}
    assert words == {"left_first": first, "left_midway": midway, "timed_out": midway}
    billed = {row["task_id"]: float(row["billed"] or 0) for row in logged}
    for one in content["cancelled"]:
        mine = [billed[row.task_id or ""] for row in abandoned if row.scenario == one["case"]]
        assert one["charged"] == pytest.approx(sum(mine))
