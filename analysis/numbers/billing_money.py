"""The costs that a gateway states in mode billing: the findings of each case. Pure.

A price table says what is due, or else what a plain request of the same usage costs.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from analysis.numbers.billing_findings import Finding, Kind
from analysis.numbers.billing_rows import FEWEST, Row, as_stated, by_table, cost_of, known
from analysis.numbers.charge_steps import raised_to_minimum, rounded_up
from analysis.numbers.charged_apart import (
    SHARING,
    Apart,
    Charge,
    Unit,
    apart,
    beyond,
    charge,
    times,
)
from analysis.numbers.pricing import COARSEST, last_decimal
from recording.exact_amount import money_sum
from rules.billing_cases import CHOICES
from rules.prices import PRICED, Prices

PLAIN = ("plain", "plain_again")
REFUSED = {"refused": ("bad_request", "auth", "not_found"), "limited": ("rate_limited",)}
"""Outcomes that are refusals, by the case that asks for them."""
_SLIGHT = 0.01
"""The share of what is due below which rounding up is only noted."""


def of_money(rows: Sequence[Row], model: str, prices: Prices | None) -> list[Finding]:
    """What the stated costs of a model's rows show; the rows are in the order of sending."""
    findings = _refused(rows)
    costs = [cost for row in rows if (cost := cost_of(row)) is not None]
    if not costs:
        return findings
    unit = last_decimal(costs) if any(costs) else COARSEST  # 0 has no decimals
    cases = [row["scenario"] for row in rows]
    if prices is not None:
        prices, slack = as_stated(prices, model, rows)
        by_price = _by_table(rows, model, prices, unit, slack)
        comparison = by_price.others
        if comparison.changed:
            return [
                *findings,
                Finding(Kind.PRICE_CHANGED, None, beyond(comparison.off), len(comparison.off)),
            ]
        named = {group.case for group in comparison.units}
        if not named & {*PLAIN} or len(named) <= comparison.right:
            return [
                *findings,
                *by_price.findings,
                *_named(comparison, rows, model, prices, slack),
            ]
        off = comparison.off
        least, most = max(each.low for each in off), min(each.high for each in off)
        factor = (least + most) / 2 if least <= most else 0.0
        findings.append(Finding(Kind.OFF_PRICE, None, beyond(off), len(off), factor=factor))
        findings += by_price.findings
    usual = _plain_costs(rows, unit)
    if usual is None:
        return [*findings, Finding(Kind.PRICE_CHANGED)]
    comparison = apart(_charges(rows, lambda row: usual.get(_usage(row)), 1.5 * unit), cases)
    if comparison.changed:
        return [*findings, Finding(Kind.PRICE_CHANGED)]
    return [*findings, *(replace(finding, beside_plain=True) for finding in _named(comparison))]


def _refused(rows: Sequence[Row]) -> list[Finding]:
    findings = []
    for case, outcomes in REFUSED.items():
        paid = [cost for row in rows if row["outcome"] in outcomes and (cost := cost_of(row))]
        if len(paid) >= FEWEST:
            findings.append(Finding(Kind.REFUSED_CHARGED, case, money_sum(paid), len(paid)))
    return findings


def _charges(rows: Sequence[Row], due: Callable[[Row], float | None], slack: float) -> list[Charge]:
    charges = (charge(row, place, due, slack) for place, row in enumerate(rows))
    return [known for known in charges if known is not None]


@dataclass(frozen=True, slots=True)
class _ByTable:
    """The `findings` that explain charges by themselves, and what all `others` show."""

    findings: Sequence[Finding]
    others: Apart


def _by_table(
    rows: Sequence[Row], model: str, prices: Prices, unit: float, slack: float
) -> _ByTable:
    charges = _charges(rows, lambda row: by_table(row, model, prices), slack)
    raised = raised_to_minimum(charges)
    missed = _as_missed(rows, charges, model, prices, slack)
    explained = {charged.place for charged in (*raised, *missed)}
    others = [charged for charged in charges if charged.place not in explained]
    right = [charged for charged in others if not charged.off]
    places = {charged.place for charged in right}
    unrounded = _charges(rows, lambda row: by_table(row, model, prices.unrounded()), slack)
    up = rounded_up(right, [charged for charged in unrounded if charged.place in places], unit)
    findings = []
    if raised:
        findings.append(
            Finding(Kind.MINIMUM_CHARGE, None, beyond(raised), len(raised), each=raised[0].cost)
        )
    if up:
        due = sum(charged.due for charged in right)
        findings.append(
            Finding(Kind.ROUNDED_UP, None, up, len(right), slight=up < _SLIGHT * due, each=unit)
        )
    if len(missed) >= FEWEST:
        findings.append(Finding(Kind.CACHE_NOT_CREDITED, None, beyond(missed), len(missed)))
    return _ByTable(findings, apart(others, [row["scenario"] for row in rows]))


def _as_missed(
    rows: Sequence[Row], charges: Sequence[Charge], model: str, prices: Prices, slack: float
) -> list[Charge]:
    """The hits that cost as much as misses, of cases where all of them do."""
    uncredited = {
        charged.place: charged
        for charged in _charges(
            rows,
            lambda row: by_table({**row, "cached_tokens": 0, "tokens_beside": None}, model, prices),
            slack,
        )
    }
    hits: dict[str, list[Charge]] = {}
    for charged in charges:
        if charged.hit:
            hits.setdefault(charged.case, []).append(charged)
    return [
        charged
        for of_case in hits.values()
        if all(charged.off and not uncredited[charged.place].off for charged in of_case)
        for charged in of_case
    ]


def _named(
    comparison: Apart,
    rows: Sequence[Row] = (),
    model: str = "",
    prices: Prices | None = None,
    slack: float = 0.0,
) -> list[Finding]:
    """A finding for each case that costs otherwise (`hits`: only if it read from the cache), and
    one of the strays. Of two replies the usage may be that of one.
    """
    by_case: dict[str, list[Unit]] = {}
    for group in comparison.units:
        by_case.setdefault(group.case, []).append(group)
    findings = []
    for case, units in by_case.items():
        kind = (
            Kind.CHARGED_OTHERWISE
            if any(group.apart for group in units)
            else Kind.NOT_TOLD_FROM_TIME
        )
        charges = [charged for group in units for charged in group.charges]
        findings.append(
            Finding(
                kind,
                case,
                beyond(charges),
                len(charges),
                slight=case == "n" and _of_one_reply(charges, rows, model, prices, slack),
                hits=all(group.hit for group in units),
                partly=any(not group.whole for group in units),
                at_least=any(charged.at_most for charged in charges),
            )
        )
    if comparison.strays:
        strays, amount = comparison.strays, beyond(comparison.strays)
        kind = (
            Kind.CHARGED_AFTER
            if comparison.after
            else Kind.READ_AGAIN
            if comparison.again
            else Kind.SINGLE_CHARGES
        )
        counts = Counter(charged.case for charged in strays)
        findings.append(
            Finding(
                kind,
                comparison.after or None,
                amount,
                len(strays),
                slight=(
                    not _one_by_one(strays)
                    if kind is Kind.SINGLE_CHARGES
                    else len(strays) < SHARING
                ),
                cases=tuple(counts.items()),
                factor=times(strays),
            )
        )
    return findings


def _one_by_one(strays: Sequence[Charge]) -> bool:
    """Whether several charges are a whole multiple of what is due, and no two are neighbours: no
    price comes and goes so often.
    """
    alone = all(later.place - each.place > 1 for each, later in pairwise(strays))
    return len(strays) >= SHARING and alone and times(strays) > 1


def _of_one_reply(
    charges: Sequence[Charge],
    rows: Sequence[Row],
    model: str,
    prices: Prices | None,
    slack: float,
) -> bool:
    """Whether each charge is what is due for CHOICES times the stated output."""
    doubled = _charges(
        [{**rows[each.place], "total_tokens": None,
          "completion_tokens": rows[each.place]["completion_tokens"] * CHOICES}
         for each in charges if rows],
        lambda row: by_table(row, model, prices),
        slack,
    )  # fmt: skip
    return bool(doubled) and not any(charged.off for charged in doubled)


def _plain_costs(rows: Sequence[Row], unit: float) -> dict[tuple[Any, ...], float] | None:
    """The cost of plain replies by usage, where such replies came early and late in a round.

    None: of one usage they have several costs, so the price changed.
    """
    by_usage: dict[tuple[Any, ...], dict[str, float]] = {}
    for row in rows:
        cost = cost_of(row)
        if row["scenario"] not in PLAIN or not row["success"] or cost is None:
            continue
        costs = by_usage.setdefault(_usage(row), {})
        if any(abs(cost - other) > 1.5 * unit for other in costs.values()):
            return None
        costs.setdefault(row["scenario"], cost)
    return {usage: costs[PLAIN[0]] for usage, costs in by_usage.items() if len(costs) == len(PLAIN)}


def _usage(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] if known(row[name]) else None for name in PRICED)
