"""Sums of money by every dialect that states a cost, to the last decimal.

The oracle is the simulator's own log, added up in decimal arithmetic: what it stated against the
report's sum, and what it charged against both sums of a reconciliation with its bill.
"""

import csv
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from analysis.__main__ import main
from analysis.reading.load import load
from analysis.report.report import look
from analysis.report.summary import Summary
from recording.record import RequestRecord
from simulator.dialects import DIALECTS
from tasks.prompts import Request
from tests.analysis.runs import make
from tests.locust_run import CANARY
from tests.simulated import Simulator
from tests.tasks.sending import sender
from tests.tasks.test_dialects import logged

PROFILE = """
any_model = true
[latency]
fixed_s = 0.0
[prices]
input = 1.37
cached_input = 0.137
output = 4.91
decimals = 9
"""
LAST_DECIMAL = Decimal("1e-9")
STATING = [
    name
    for name in DIALECTS
    if DIALECTS[name]().states_cost_of(stream=False) and name != "byok"  # it charges 0
]


def sent(url: str, stream: bool) -> list[RequestRecord]:
    """Forty requests of many lengths, a few of which are long enough for the cache."""
    dice = Random(7)
    with sender(url, key=CANARY) as user:
        return [
            user.send(
                index,
                request=Request("x " * dice.choice([3, 50, 400, 1300]), named=True),
                stream=stream,
                model=f"m-{stream}",
                max_tokens=dice.randint(1, 90),
            )
            for index in range(40)
        ]


def total(rows: Sequence[dict[str, str]], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows if row[column]), Decimal(0))


def exact(amount: float) -> Decimal:
    """A sum as it is printed, to the last decimal that is charged."""
    return Decimal(repr(amount)).quantize(LAST_DECIMAL)


@pytest.mark.parametrize("dialect", STATING)
def test_the_sums_of_a_run_equal_those_of_the_gateways_log(dialect: str, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(PROFILE)
    gateway = Simulator(
        tmp_path / "log.csv", "--profile", tmp_path / "p.toml", "--dialect", dialect
    )
    try:
        for stream in (False, True):
            rows = sent(gateway.url, stream)
            truth = logged(gateway, f"m-{stream}", len(rows))
            assert {row.outcome for row in rows} == {"ok"} and len(truth) == len(rows)
            check(tmp_path / str(stream), rows, truth)
    finally:
        gateway.stop()


def test_what_a_provider_charges_to_your_own_key_is_the_sum_of_its_log(tmp_path: Path) -> None:
    """The gateway itself charges nothing then, and no sum of costs has the provider's."""
    (tmp_path / "p.toml").write_text(PROFILE)
    gateway = Simulator(tmp_path / "log.csv", "--profile", tmp_path / "p.toml", "--dialect", "byok")
    try:
        for stream in (False, True):
            rows = sent(gateway.url, stream)
            truth = logged(gateway, f"m-{stream}", len(rows))
            paid, run = total(truth, "cost"), make(tmp_path / str(stream), *rows)
            summary = Summary.of(look(load(run))).as_dict()
            assert [phase["cost_sum"] for phase in summary["phases"]] == [0]
            said = [verdict["text"] for verdict in summary["verdicts"]]
            (text,) = [sentence for sentence in said if "your own key" in sentence]
            assert f"{paid.normalize():f} for this" in text and paid > 0
    finally:
        gateway.stop()


def check(place: Path, rows: Sequence[RequestRecord], truth: Sequence[dict[str, str]]) -> None:
    place.mkdir()
    folder = make(place / "run", *rows)
    (numbers,) = Summary.of(look(load(folder))).as_dict()["phases"]
    stated = [row for row in truth if row["cost"]]
    assert numbers["cost_known_count"] == len(stated)
    if stated:
        assert exact(numbers["cost_sum"]) == total(truth, "cost") > 0
    bill = place / "bill.csv"
    with bill.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, ["request_id", "task_id", "billed"], extrasaction="ignore")
        out.writeheader()
        out.writerows(truth)
    assert main(["reconcile", str(folder), "--bill", str(bill)]) == (0 if stated else 1)
    statement = json.loads((folder / "reconcile.json").read_text("utf-8"))
    assert exact(statement["billed_sum"]) == total(truth, "billed") > 0
    if stated:
        assert exact(statement["ours_sum"]) == total(truth, "cost")
    else:
        assert statement["findings"]["unstated"] == len(rows)
