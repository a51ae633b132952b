"""Account balances before and after a run: exact sums, and what else could explain a difference."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.reading.load import load
from analysis.reconcile.balances import Balances, balances, read
from recording.record import RequestRecord
from tests.analysis.runs import dropped, failed, make, record

COST = 0.000069


def saved(folder: Path, name: str, body: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(body), encoding="utf-8")
    return path


def credits_of(usage: float, total: float = 10.0) -> Any:
    return {"data": {"total_credits": total, "total_usage": usage}}


def quota(used: int, left: int, count: int = 0) -> Any:
    data = {"id": 1, "quota": left, "used_quota": used, "request_count": count}
    return {"success": True, "message": "", "data": data}


def key(spend: float) -> Any:
    return {"key": "hashed", "info": {"spend": spend, "max_budget": None}}


def key_usage(spent: float) -> Any:
    return {"data": {"label": "sk-or-...", "limit": None, "limit_remaining": None, "usage": spent}}


def token_usage(used: int) -> Any:
    data = {"object": "token_usage", "total_used": used, "total_available": -used,
            "total_granted": 0, "unlimited_quota": True}  # fmt: skip
    return {"code": True, "message": "ok", "data": data}


def cents(usage: float) -> Any:
    return {"object": "list", "total_usage": usage}


def look(
    folder: Path, before: Any, after: Any, *rows: RequestRecord, tolerance: float | None = None
) -> Balances:
    run = load(make(folder / "r", *rows, currency="USD"))
    balance_files = [saved(folder, name, body) for name, body in (("b", before), ("a", after))]
    return balances(run, *map(read, balance_files), tolerance)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (credits_of(1.5), credits_of(1.500138)),
        (key(1.5), key(1.500138)),
        (quota(750_000, 9_999, 3), quota(750_069, 9_930, 5)),
        ({"data": {"quota": 9_999}}, {"data": {"quota": 9_930}}),  # what is left alone
        (key_usage(1.5), key_usage(1.500138)),
        (token_usage(750_000), token_usage(750_069)),
        (cents(150.0), cents(150.01380000000001)),
    ],
)
def test_a_gateway_that_charges_what_it_states_agrees(
    tmp_path: Path, before: Any, after: Any
) -> None:
    statement = look(tmp_path, before, after, record(0), record(1))
    assert statement.agrees and round(statement.charged, 15) == Decimal("0.000138")
    assert statement.difference is not None and abs(statement.difference) < Decimal("1e-15")


def test_a_request_charged_twice_is_a_difference_with_its_amount(tmp_path: Path) -> None:
    statement = look(tmp_path, credits_of(1.5), credits_of(1.500207), record(0), record(1))
    assert not statement.agrees and statement.difference == Decimal("0.000069")


def test_rounding_of_every_charge_is_within_the_tolerance(tmp_path: Path) -> None:
    """Half a unit of the last stated decimal for each charge, or half a unit of quota."""
    rows = [record(i) for i in range(10)]
    assert look(tmp_path, credits_of(0), credits_of(0.000695), *rows).agrees
    assert not look(tmp_path, credits_of(0), credits_of(0.000696), *rows).agrees
    assert look(tmp_path, quota(0, 9), quota(355, 9), *rows).agrees
    assert not look(tmp_path, quota(0, 9), quota(356, 9), *rows).agrees
    assert look(tmp_path, credits_of(0), credits_of(0.0007), *rows, tolerance=0.0001).agrees


def test_other_explanations_of_a_difference_are_counted(tmp_path: Path) -> None:
    rows = [
        record(0), record(1, api_cost=None, cost_source="unknown"),
        failed(2, "stream_truncated"), failed(3, "rate_limited", http_status=429), dropped(4),
    ]  # fmt: skip
    statement = look(tmp_path, quota(0, 9, 10), quota(300, 9, 13), *rows)
    assert (statement.counted, statement.unknown, statement.failed, statement.other_requests) == (
        1,
        1,
        1,
        2,
    )


def test_balances_in_another_currency_are_not_compared(tmp_path: Path) -> None:
    run = load(make(tmp_path / "r", record(0)))  # in CNY
    in_usd = [read(saved(tmp_path, n, credits_of(u))) for n, u in (("b", 1.0), ("a", 2.0))]
    statement = balances(run, *in_usd, None)
    assert statement.difference is None and statement.agrees and statement.charged == 1
    in_cny = [read(saved(tmp_path, "q", quota(q, 9)), Decimal(100), "CNY") for q in (0, 7)]
    assert balances(run, *in_cny, None).charged == Decimal("0.07")


def command(folder: Path, *more: object) -> int:
    return main(["reconcile", str(folder), *map(str, more)])


def test_the_command_prints_the_difference_and_its_explanations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path / "r", record(0), record(1, api_cost=None), currency="USD")
    before, after = saved(tmp_path, "b", credits_of(0)), saved(tmp_path, "a", credits_of(0.5))
    assert command(folder, "--balance-before", before, "--balance-after", after) == 1
    out = capsys.readouterr().out
    assert "the account was charged 0.5 USD, the run's rows come to 0.000069" in out
    assert "do not agree (difference 0.499931" in out
    assert "1 successful request states no cost" in out and "Other traffic" in out
    written_json = json.loads((folder / "reconcile.json").read_text("utf-8"))["balances"]
    assert written_json["difference"] == "0.499931" and written_json["unknown_count"] == 1
    assert command(folder, "--balance-before", before, "--balance-after", after,
                   "--lang", "zh") == 1  # fmt: skip
    before, after = saved(tmp_path, "qb", quota(0, 9)), saved(tmp_path, "qa", quota(9, 0))
    assert command(folder, "--balance-before", before, "--balance-after", after) == 1
    assert "was charged 0.000018 USD (500,000 quota = 1 USD)" in capsys.readouterr().out
    assert command(folder, "--balance-before", before, "--balance-after", after,
                   "--lang", "zh") == 1  # fmt: skip
    assert "运行前后余额" in (folder / "reconcile.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--balance-before", "B"), "--balance-before and --balance-after go together"),
        (("--balance-before", "B", "--balance-after", "K"), "give both of one account"),
        (("--balance-before", "B", "--balance-after", "X"), "is not a balance that"),
        (("--balance-before", "B", "--balance-after", "T"), "is not JSON"),
        (("--balance-before", "B", "--balance-after", "B", "--quota-per-unit", "5"),
         "leave out --quota-per-unit"),
        (("--balance-before", "B", "--balance-after", "B", "--quota-per-unit", "-1"),
         "--quota-per-unit must be a number above 0"),
    ],
)  # fmt: skip
def test_an_operator_error_is_one_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], says: str
) -> None:
    folder = make(tmp_path / "r", record(0), currency="USD")
    (tmp_path / "T").write_text("nothing", "utf-8")
    for name, body in (("B", credits_of(1)), ("K", key(1)), ("X", {"balance": 1})):
        saved(tmp_path, name, body)
    arguments = [tmp_path / word if word in "BKXT" else word for word in more]
    assert command(folder, *arguments) == 2
    stderr = capsys.readouterr().err
    assert says in stderr and stderr.count("\n") == 1
