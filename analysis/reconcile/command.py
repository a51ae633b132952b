"""The command `python -m analysis reconcile RUN`: arguments in, two files and a verdict out."""

import argparse
import math
from pathlib import Path

from analysis.reading.load import RunError, load
from recording.untrusted_text import shown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="the run's folder")
    add("--prices", type=Path, metavar="TOML", help="price table; default: the run's own")
    add("--bill", type=Path, metavar="CSV", help="the gateway's own export, a row a charge")
    add(
        "--bill-id",
        default="",
        metavar="COLUMNS",
        help="its columns with the task_id or the gateway's request id, commas between; default: "
        "those with a usual name",
    )
    add("--bill-cost", default="", metavar="COLUMN", help="its column with the charge")
    add("--bill-model", default="", metavar="COLUMN", help="its column with the model")
    add(
        "--tolerance",
        default="",
        metavar="MONEY|SHARE%",
        help="amounts so far apart still agree, a request; or, e.g. 5%%, sums that far apart do, "
        "whatever single requests say; default: the last decimal of any of them, at most 0.000001",
    )
    add("--lang", choices=["en", "zh"], default="en", help="default: en")


def run(options: argparse.Namespace) -> bool:
    """Reconcile, write the statement, print its sentence; whether something does not agree.

    Raises RunError, PriceError and OSError.
    """
    from analysis.reconcile import bill, page
    from analysis.reconcile.reconciliation import reconcile
    from rules.prices import Prices, read

    tolerance, share = _tolerance(options.tolerance)
    found = load(options.run)
    plain = found.manifest.get("prices")
    prices = read(options.prices) if options.prices else Prices.from_dict(plain)
    if prices is None and options.bill is None:
        raise RunError(f"{options.run} has no price table: give --prices, --bill, or both.")
    ids = tuple(name.strip() for name in options.bill_id.split(",") if name.strip())
    columns = bill.Columns(ids, options.bill_cost, options.bill_model)
    charged = bill.read(options.bill, columns) if options.bill else None
    reconciled = reconcile(found, prices, charged, tolerance, share)
    said = [page.sentence(reconciled), *page.write(reconciled, options.lang)]
    print(*map(shown, said), sep="\n")
    return not reconciled.agrees


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
