"""The sums of a reconciliation by model and by outcome, and all of it as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, isfinite
from typing import Any

from analysis.reconcile.beside import plain_arrivals, plain_balances
from analysis.reconcile.reconciliation import Finding, Line, Reconciliation
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


def plain(found: Reconciliation) -> dict[str, Any]:
    """What reconcile.json holds: every sum, and every line with a finding."""
    bill = found.bill
    total = balance(found.lines)
    return {
        "schema_version": STATEMENT_VERSION,
        "run_id": found.run.run_id,
        "currency": found.run.currency,
        "simulated": found.run.simulated,
        "tolerance": found.tolerance,
        "share": found.share,
        "differences": {k: v if isfinite(v) else None for k, v in found.differences.items()},
        "agrees": found.agrees,
        "bill": None
        if bill is None
        else {
            "path": str(bill.path),
            "id_columns": list(bill.columns.ids),
            "cost_column": bill.columns.cost,
            "rows": len(bill.charges),
            "foreign_rows": len(found.foreign),
            "foreign_sum": fsum(charge.cost for charge in found.foreign),
            "ambiguous_ids": found.ambiguous,
        },
        "log": plain_arrivals(found.arrivals),
        "balances": plain_balances(found.balances),
        "requests": total.lines,
        "ours_sum": total.ours,
        "table_sum": total.table,
        "billed_sum": total.billed,
        "unknown_count": sum(line.ours is None for line in sent_lines(found.lines)),
        "findings": {str(name): len(found.of(name)) for name in Finding},
        "by_model": _plain_sums(found.lines, "model"),
        "by_outcome": _plain_sums(found.lines, "outcome"),
        "lines": [_plain_line(line) for line in found.lines if line.findings],
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
        for key, mine in grouped(lines, name).items()
        for total in [balance(mine)]
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
    found: dict[Any, list[Line]] = {}
    for line in lines:
        found.setdefault(getattr(line, name) or "", []).append(line)
    return found


def balance(lines: Sequence[Line]) -> Balance:
    """The sums of the lines."""

    def sum_of(name: str) -> float | None:
        known = [amount for line in lines if (amount := getattr(line, name)) is not None]
        return fsum(known) if known else None

    charged = sum((line.billed or 0) > 0 for line in lines)
    return Balance(len(lines), sum_of("ours"), sum_of("table"), sum_of("billed"), charged)
