"""The command `python -m analysis reconcile RUN`: writes two files and a verdict."""

import argparse
import math
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.reading.load import Run, RunError, load
from recording.chinese.parser import add_lang
from recording.untrusted_text import printable

if TYPE_CHECKING:
    from analysis.reconcile.balances import Balances
    from analysis.reconcile.logs.reading import Log


def add_command(commands: Any) -> None:
    """Declare the command and what it takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "reconcile", help="compare the costs with prices and a bill"
    )
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="the run's folder")
    add("--prices", type=Path, metavar="TOML", help="price table; default: the run's own")
    add("--bill", type=Path, metavar="CSV", help="the gateway's own export, one row per charge")
    add(
        "--bill-id",
        default="",
        metavar="COLUMNS",
        help="its columns with the task_id or the gateway's request id, separated by commas; "
        "default: those with a usual name",
    )
    add("--bill-cost", default="", metavar="COLUMN", help="its column with the charge")
    add("--bill-model", default="", metavar="COLUMN", help="its column with the model")
    add(
        "--log",
        type=Path,
        metavar="FILE",
        help="the gateway's own log of requests: LiteLLM spend logs, one-api or new-api logs, "
        "OpenRouter /generation, Langfuse, OTLP-JSON, recognised by its content",
    )
    add(
        "--log-currency",
        default="",
        metavar="CODE",
        help="what its amounts and balances are in, e.g. CNY; default: USD",
    )
    add(
        "--quota-per-unit",
        default="",
        metavar="N",
        help="quota of one-api and new-api in one unit of that currency; default: 500000",
    )
    add("--balance-before", type=Path, metavar="JSON", help="the account as it was saved before")
    add(
        "--balance-after",
        type=Path,
        metavar="JSON",
        help="and after: OpenRouter /credits, /api/user/self (one-api, new-api), LiteLLM /key/info",
    )
    add(
        "--tolerance",
        default="",
        metavar="MONEY|SHARE%",
        help="amounts so far apart still agree, a request; or, e.g. 5%%, sums that far apart do, "
        "whatever single requests say; default: the last decimal of any of them, at most 0.000001",
    )
    add_lang(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> bool:
    """Reconcile, write the statement, print its sentence; returns whether something disagrees.

    Raises RunError, PriceError and OSError.
    """
    from analysis.page.words import Words
    from analysis.reconcile import bill, billing_cases, page
    from analysis.reconcile.arrivals import arrivals
    from analysis.reconcile.reconciliation import reconcile
    from rules.prices import Prices, read

    tolerance, share = _tolerance(options.tolerance)
    loaded = load(options.run)
    plain = loaded.manifest.get("prices")
    prices = read(options.prices) if options.prices else Prices.from_dict(plain)
    ids = tuple(name.strip() for name in options.bill_id.split(",") if name.strip())
    columns = bill.Columns(ids, options.bill_cost, options.bill_model)
    charged = bill.read(options.bill, columns) if options.bill else None
    log, accounts = _log(options), _balances(options, loaded, tolerance)
    if prices is None and charged is None and log is None and accounts is None:
        raise RunError(
            f"{options.run} has no price table: give --prices, --bill, or both; or --log, or "
            "--balance-before and --balance-after."
        )
    arrived = arrivals(loaded, log) if log else None
    if charged is None and log is not None and loaded.currency in (None, log.currency):
        charged = bill.of_log(log)
    compared = reconcile(loaded, prices, charged, tolerance, share)
    if not compared.compares and log is None and accounts is None:
        raise RunError(
            f"no reply of {options.run} states a cost, so its price table has nothing to check: "
            "give the gateway's own bill with --bill."
            if charged is None
            else f"no charge in {options.bill} names a request of {options.run}, and no reply "
            "states a cost: check --bill-id and --bill-cost."
        )
    compared = billing_cases.explained(compared, compared.tolerance)
    reconciled = replace(compared, arrivals=arrived, balances=accounts)
    sentences = page.sentences(reconciled, Words(options.lang))
    print(*map(printable, [*sentences, *page.write(reconciled, options.lang)]), sep="\n")
    return not reconciled.agrees


def _log(options: argparse.Namespace) -> "Log | None":
    from analysis.reconcile.logs import reading

    if options.log is None:
        return None
    return reading.read(options.log, _per_unit(options.quota_per_unit), options.log_currency)


def _balances(
    options: argparse.Namespace, loaded: Run, tolerance: float | None
) -> "Balances | None":
    from analysis.reconcile.balances import balances, read

    paths = [path for path in (options.balance_before, options.balance_after) if path is not None]
    if not paths:
        return None
    if len(paths) == 1:
        raise RunError("--balance-before and --balance-after go together: give both.")
    unit = _per_unit(options.quota_per_unit)
    before, after = (read(path, unit, options.log_currency) for path in paths)
    return balances(loaded, before, after, tolerance)


def _per_unit(text: str) -> Decimal | None:
    """The value of --quota-per-unit; None: not given. Raises RunError."""
    if not text:
        return None
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or value <= 0:
        raise RunError(f"--quota-per-unit must be a number above 0, e.g. 500000, not {text!r}.")
    return value


def _tolerance(text: str) -> tuple[float | None, float | None]:
    """An amount for each request, or a share of the sums; None: not given. Raises RunError."""
    if not text:
        return None, None
    number, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise RunError(
            "--tolerance must be an amount not below 0 for each request, such as 0.00001, or a "
            f"share of the sums, such as 5%, not {text!r}."
        )
    return (None, value / 100) if percent else (value, None)
