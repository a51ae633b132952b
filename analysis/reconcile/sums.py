"""The sums of a reconciliation by model and by outcome, and all of it as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from analysis.reconcile.beside import plain_arrivals, plain_balances
from analysis.reconcile.reconciliation import Finding, Line, Reconciliation
from recording.exact_amount import money_sum
from recording.outcome import Outcome

STATEMENT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Balance:
    """The sums of some lines, in money (None: no line has any); `charged` counts billed ones."""

    lines: int
    ours: float | None
    table: float | None
    billed: float | None
    charged: int


def plain(result: Reconciliation) -> dict[str, Any]:
    """What reconcile.json holds: every sum, and every line with a finding."""
    bill = result.bill
    total = balance(result.lines)
    return {
        "schema_version": STATEMENT_VERSION,
        "run_id": result.run.run_id,
        "currency": result.run.currency,
        "simulated": result.run.simulated,
        "tolerance": result.tolerance,
        "share": result.share,
        "differences": {k: v if isfinite(v) else None for k, v in result.differences.items()},
        "agrees": result.agrees,
        "bill": None
        if bill is None
        else {
            "path": str(bill.path),
            "id_columns": list(bill.columns.ids),
            "cost_column": bill.columns.cost,
            "rows": len(bill.charges),
            "foreign_rows": len(result.foreign),
            "foreign_sum": money_sum(charge.cost for charge in result.foreign),
            "ambiguous_ids": result.ambiguous,
        },
        "log": plain_arrivals(result.arrivals),
        "balances": plain_balances(result.balances),
        "requests": total.lines,
        "ours_sum": total.ours,
        "table_sum": total.table,
        "billed_sum": total.billed,
        "unknown_count": sum(line.ours is None for line in sent_lines(result.lines)),
        "findings": {str(name): len(result.of(name)) for name in Finding},
        "by_model": _plain_sums(result.lines, "model"),
        "by_outcome": _plain_sums(result.lines, "outcome"),
        "lines": [_plain_line(line) for line in result.lines if line.findings],
    }


def _plain_sums(lines: Sequence[Line], name: str) -> dict[str, dict[str, Any]]:
    return {
        key: {
            "requests": total.lines,
            "charged": total.charged,
            "ours_sum": total.ours,
            "table_sum": total.table,
            "billed_sum": total.billed,
        }
        for key, group in grouped(lines, name).items()
        for total in [balance(group)]
    }


def _plain_line(line: Line) -> dict[str, Any]:
    names = ("task_id", "request_id", "phase", "model", "outcome", "source")
    return {
        **{name: getattr(line, name) for name in names},
        "ours": line.ours,
        "table": line.table,
        "billed": line.billed,
        "bill_lines": [charge.line for charge in line.charges],
        "findings": [str(name) for name in line.findings],
    }


def sent_lines(lines: Sequence[Line]) -> list[Line]:
    """The lines of requests that were sent."""
    return [line for line in lines if line.outcome not in (Outcome.DROPPED, None)]


def grouped(lines: Sequence[Line], name: str) -> dict[Any, list[Line]]:
    """The lines by one of their fields (empty: it has none), in order of appearance."""
    groups: dict[Any, list[Line]] = {}
    for line in lines:
        groups.setdefault(getattr(line, name) or "", []).append(line)
    return groups


def balance(lines: Sequence[Line]) -> Balance:
    """The sums of the lines."""

    def sum_of(name: str) -> float | None:
        known = [amount for line in lines if (amount := getattr(line, name)) is not None]
        return money_sum(known) if known else None

    charged = sum((line.billed or 0) > 0 for line in lines)
    return Balance(len(lines), sum_of("ours"), sum_of("table"), sum_of("billed"), charged)
