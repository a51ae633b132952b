"""Compares our sum with tokens x price, and with the gateway's own bill, row by row.

A request's own cost is that of its row: stated by the gateway, else by the price table, else
unknown. Unknown is not 0: what the bill charges for it is a finding of its own.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING

from analysis.numbers.pricing import COLUMNS, STATED, beyond, rounding, table_costs
from analysis.reading.load import Run
from analysis.reconcile.arrivals import Arrivals
from analysis.reconcile.balances import Balances
from analysis.reconcile.bill import Bill, Charge
from analysis.reconcile.joining import NAMES, Names, known
from recording.exact_amount import money_sum
from recording.outcome import ON_PURPOSE, Outcome
from rules.prices import Prices

if TYPE_CHECKING:
    from pandas import DataFrame


class Finding(StrEnum):
    """What can be wrong with one request's money; a row has at most one of each source."""

    OFF_PRICE = "off_price"  # the gateway states another cost than the table
    DIFFERS = "differs"  # the bill charges another amount than the row holds
    MISSING = "missing"  # the row holds a cost, the bill charges nothing
    DOUBLED = "doubled"  # the bill charges it several times, and too much
    FAILURE_CHARGED = "failure_charged"  # it failed and stated no cost, yet the bill charges it
    UNSTATED = "unstated"  # it succeeded, its cost is unknown, and the bill charges it
    NEVER_SENT = "never_sent"  # the row was dropped, and the bill charges it
    UNRECORDED = "unrecorded"  # the bill names a task of this run that no row has


@dataclass(frozen=True, slots=True)
class Line:
    """One request: its cost by its row, by the table and by the bill. None: unknown.

    `charges` are the bill's rows for it, `billed` their sum. Of an `unrecorded` task there is only
    its id, its bill rows and the model they name.
    """

    task_id: str | None
    request_id: str | None
    phase: str | None
    model: str | None
    outcome: str | None
    source: str | None
    ours: float | None
    table: float | None
    billed: float | None
    charges: tuple[Charge, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Every request of a run with its money, and what the bill has besides.

    `arrivals` compares it with the gateway's log, `balances` with its account.

    `foreign` are the bill's rows for other traffic; `ambiguous` how many ids named two requests
    (they join nothing). With `share` the sums decide, which may differ by that share; findings on
    single requests are then only reported.
    """

    run: Run
    bill: Bill | None
    prices: Prices | None
    tolerance: float
    lines: Sequence[Line]
    foreign: Sequence[Charge] = ()
    ambiguous: int = 0
    share: float | None = None
    arrivals: Arrivals | None = None
    balances: Balances | None = None

    def of(self, finding: Finding) -> list[Line]:
        """The lines with a finding, the most money first."""
        lines = [line for line in self.lines if finding in line.findings]
        return sorted(lines, key=lambda line: -abs(at_stake(line, finding)))

    @property
    def agrees(self) -> bool:
        """Whether everything agrees."""
        beside = (self.arrivals, self.balances)
        return self.money_agrees and all(other is None or other.agrees for other in beside)

    @property
    def money_agrees(self) -> bool:
        """Whether there is no finding at all; with `share`, whether the sums agree."""
        if self.share is None:
            return not any(line.findings for line in self.lines)
        shares = self.differences
        return bool(shares) and all(share <= self.share + _DUST for share in shares.values())

    @property
    def uncompared(self) -> int:
        """How many successes have no two amounts to compare: neither a stated cost and a price,
        nor a charge and a cost."""
        return sum(
            line.outcome == Outcome.OK
            and not self._priced(line)
            and not (self.bill is not None and (line.ours is not None or line.billed is not None))
            for line in self.lines
        )

    @property
    def compares(self) -> bool:
        """Whether there is a success whose amounts could be compared, or no success at all."""
        successes = sum(line.outcome == Outcome.OK for line in self.lines)
        return not successes or self.uncompared < successes

    @property
    def compares_prices(self) -> bool:
        """Whether any stated cost could be compared with the price table."""
        return any(map(self._priced, self.lines))

    @staticmethod
    def _priced(line: Line) -> bool:
        return line.source in STATED and line.ours is not None and line.table is not None

    @property
    def differences(self) -> dict[str, float]:
        """By how much the sums differ, as a share: stated costs from the `table`, over the
        requests that have both, and the `bill` from the rows' costs."""
        shares = {}
        both = [
            (line.ours, line.table)
            for line in self.lines
            if line.source in STATED and line.ours is not None and line.table is not None
        ]
        if both:
            shares["table"] = _apart(money_sum(o for o, _ in both), money_sum(t for _, t in both))
        if self.bill is not None:
            billed = money_sum(line.billed for line in self.lines if line.billed is not None)
            ours = money_sum(line.ours for line in self.lines if line.ours is not None)
            shares["bill"] = _apart(billed, ours)
        return shares


_DUST = 1e-12  # binary dust of a share


def _apart(amount: float, due: float) -> float:
    """How far an amount is from what it should be, as a share of that."""
    if not due:
        return inf if amount else 0.0
    return abs(amount - due) / due


def at_stake(line: Line, finding: Finding) -> float:
    """The money of a finding: charged or stated, minus what it should be."""
    if finding is Finding.OFF_PRICE:
        return (line.ours or 0.0) - (line.table or 0.0)
    return (line.billed or 0.0) - (line.ours or 0.0)


_HELD = (
    "task_id", "gateway_request_id", "phase", "model_requested", "outcome", "cost_source",
    "api_cost",
)  # fmt: skip


def reconcile(
    run: Run,
    prices: Prices | None,
    bill: Bill | None,
    tolerance: float | None,
    share: float | None = None,
) -> Reconciliation:
    """Compare; a request's amounts agree if they are at most `tolerance` (money) apart.

    None: what rounding explains. With `share`, sums that differ by at most that share agree. With
    two routes only the gateway's requests are on its bill.
    """
    run = run.gateway_alone()
    frame = run.rows.frame(list(dict.fromkeys([*_HELD, *COLUMNS, *NAMES])))
    if tolerance is None:
        tolerance = rounding(frame, prices, [c.cost for c in bill.charges] if bill else ())
    matched, rest, ambiguous = _join(frame, bill)
    tables = known(table_costs(frame, prices)) if prices else [None] * len(frame)
    columns = [known(frame[name]) for name in _HELD]
    lines = []
    for place, (*names, source, ours) in enumerate(zip(*columns, strict=True)):
        task, request, phase, model, outcome = names
        table, charges = tables[place], tuple(matched.get(place, ()))
        if ours is None and table is not None:
            ours, source = table, "price_table"
        billed = money_sum(c.cost for c in charges) if charges else None
        line = Line(task, request, phase, model, outcome, source, ours, table, billed, charges)
        lines.append(_with_findings(line, bill is not None, tolerance))
    unrecorded, foreign = _split(run, rest)
    return Reconciliation(
        run, bill, prices, tolerance, [*lines, *unrecorded], foreign, ambiguous, share
    )


def _join(
    frame: "DataFrame", bill: Bill | None
) -> tuple[dict[int, list[Charge]], list[Charge], int]:
    """The bill's rows by the place of our row, those that match none, and the ambiguous ids."""
    names = Names(frame)
    matched: dict[int, list[Charge]] = defaultdict(list)
    rest = []
    for charge in bill.charges if bill else ():
        place = names.place(charge.ids)
        rest.append(charge) if place is None else matched[place].append(charge)
    return matched, rest, names.ambiguous


def _with_findings(line: Line, has_bill: bool, tolerance: float) -> Line:
    findings = _against_table(line, tolerance)
    if has_bill:
        findings += _against_bill(line, tolerance)
    return replace(line, findings=tuple(findings)) if findings else line


def _against_table(line: Line, tolerance: float) -> list[Finding]:
    if line.source not in STATED or line.ours is None or line.table is None:
        return []
    return [Finding.OFF_PRICE] if beyond(line.ours - line.table, tolerance) else []


def _against_bill(line: Line, tolerance: float) -> list[Finding]:
    billed, ours = line.billed or 0.0, line.ours or 0.0
    if not beyond(billed - ours, tolerance):
        return []
    if line.outcome == Outcome.DROPPED:
        return [Finding.NEVER_SENT]
    if line.outcome in ON_PURPOSE:  # nobody stated what it should cost; the table does
        return []
    if line.ours is None:
        return [Finding.UNSTATED if line.outcome == Outcome.OK else Finding.FAILURE_CHARGED]
    if not beyond(billed, tolerance):
        return [Finding.MISSING]
    several = sum(charge.cost > 0 for charge in line.charges) > 1
    return [Finding.DOUBLED if several and billed > ours else Finding.DIFFERS]


def _split(run: Run, unmatched: Sequence[Charge]) -> tuple[list[Line], list[Charge]]:
    """Charges that match no row: tasks with a name of this run, and other traffic."""
    prefixes = tuple(prefix for p in run.plan if (prefix := p.get("task_prefix")))
    of_this_run: dict[str, list[Charge]] = defaultdict(list)
    foreign = []
    for charge in unmatched:
        name = next((key for key in charge.ids if prefixes and key.startswith(prefixes)), None)
        foreign.append(charge) if name is None else of_this_run[name].append(charge)
    lines = []
    for name, charges in of_this_run.items():
        billed, model = money_sum(c.cost for c in charges), charges[0].model
        findings = (Finding.UNRECORDED,) if billed else ()
        lines.append(
            Line(name, None, None, model, None, None, None, None, billed, tuple(charges), findings)
        )
    return lines, foreign
