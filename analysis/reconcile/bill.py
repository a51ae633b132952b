"""The gateway's own bill: a CSV export with one row per charge, in any columns."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from analysis.reading.load import RunError
from analysis.reconcile.logs.reading import Log

ID_COLUMNS = ("task_id", "request_id", "id", "generation_id", "call_id", "gateway_request_id")
COST_COLUMNS = ("cost", "charge", "amount", "billed", "spend", "total_cost", "fee")
MODEL_COLUMNS = ("model", "model_name", "model_requested")
_LONGEST_CELL = 1 << 24  # the simulator's log has a stream's chunk times in one cell
_MONEY = re.compile(
    r"(?:[A-Z]{2,4}\s*)?[¥￥$€£]?\s*(?P<sign>[+\u2212-]?)[¥￥$€£]?"
    r"(?P<number>[1-9]\d{0,2}(?:(?:,\d{3})+\.\d*|(?:,\d{3}){2,})"
    r"|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(?:[A-Z]{3,4}|[Cc]redits?|元)?"
)


@dataclass(frozen=True, slots=True)
class Charge:
    """One row of the bill: the names it gives the request, the money, and the line it is on.

    A refund is below 0; an empty cell charges nothing.
    """

    ids: tuple[str, ...]
    cost: float
    model: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of an export hold what; an empty name: find it by its usual names."""

    ids: tuple[str, ...] = ()
    cost: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Bill:
    """An export as it was read: the columns that were used, and every charge in order."""

    path: Path
    columns: Columns
    charges: Sequence[Charge]


def read(path: Path, named: Columns) -> Bill:
    """Read an export: UTF-8 CSV with a header, separated by comma, semicolon or tab.

    Raises RunError, naming the column or the line, for what cannot be read, and OSError.
    """
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            header = file.readline()
            separator = max(",;\t", key=header.count)
            names = next(csv.reader([header], delimiter=separator), [])
            columns = _columns(path, [name.strip() for name in names], named)
            lines = csv.DictReader(file, [name.strip() for name in names], delimiter=separator)
            return Bill(path, columns, list(_charges(path, columns, lines)))
        except (UnicodeDecodeError, csv.Error) as error:
            raise RunError(f"{path} must be a CSV in UTF-8, export it again: {error}.") from None


def of_log(log: Log) -> Bill | None:
    """A gateway's log as its bill; None: it states no amounts."""
    charges = [
        Charge(entry.ids, float(amount), entry.model, entry.line)
        for entry in log.entries
        if (amount := log.money(entry)) is not None
    ]
    return Bill(log.path, Columns(("ids",), log.reader.name), charges) if charges else None


def _columns(path: Path, names: Sequence[str], named: Columns) -> Columns:
    for flag, column in (*(("--bill-id", name) for name in named.ids),
                         ("--bill-cost", named.cost), ("--bill-model", named.model)):  # fmt: skip
        if column and column not in names:
            raise RunError(
                f"{path} has no column {column} for {flag}: name one of {', '.join(names)}."
            )
    ids = named.ids or tuple(name for name in names if name.lower() in ID_COLUMNS)
    if not ids:
        raise RunError(
            f"{path}: name the column with the task_id or the gateway's request id by --bill-id; "
            f"it has {', '.join(names)}."
        )
    costs = [named.cost] if named.cost else [n for n in names if n.lower() in COST_COLUMNS]
    if len(costs) != 1:
        hint = f"{' and '.join(costs)} might be it" if costs else f"it has {', '.join(names)}"
        raise RunError(f"{path}: name the column with the charge by --bill-cost; {hint}.")
    models = [n for n in names if n.lower() in MODEL_COLUMNS]
    return Columns(ids, costs[0], named.model or (models[0] if models else ""))


def _charges(path: Path, columns: Columns, lines: "csv.DictReader[str]") -> Iterator[Charge]:
    for row in lines:
        line = lines.line_num + 1  # the header was read before
        text = row.get(columns.cost)
        if text is None or None in row:
            raise RunError(f"{path}, line {line}: it must have as many cells as the header.")
        cost = money(text)
        if cost is None:
            raise RunError(f"{path}, line {line}: {columns.cost} must be an amount, not {text!r}.")
        ids = tuple(cell.strip() for name in columns.ids if (cell := row[name]) and cell.strip())
        yield Charge(ids, cost, (row.get(columns.model) or "").strip() or None, line)


def money(text: str) -> float | None:
    """An amount as exports write it: `0.000107`, `¥1,234.50`, `-0.5 USD`; an empty one is 0.

    None if it is not an amount. Commas group thousands; `0,25` and `1,234` are refused, because
    they might mean 0.25 and 1.234.
    """
    if not text.strip():
        return 0.0
    match = _MONEY.fullmatch(text.strip())
    if match is None:
        return None
    amount = float(match["sign"].replace("\u2212", "-") + match["number"].replace(",", ""))
    return amount if isfinite(amount) else None
