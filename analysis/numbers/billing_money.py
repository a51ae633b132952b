"""The costs that a gateway states in mode billing: the findings of each case. Pure.

A price table says what is due, or else what a plain request of the same usage costs.
"""

from collections.abc import Callable, Sequence
from typing import Any

from analysis.numbers.billing_findings import Finding, Kind
from analysis.numbers.billing_rows import FEWEST, Row, by_table, cost_of, known
from analysis.numbers.charged_apart import Apart, Charge, Unit, apart, beyond, charge
from analysis.numbers.pricing import last_decimal
from recording.exact_amount import money_sum
from rules.prices import PRICED, Prices

PLAIN = ("plain", "plain_again")
REFUSED = {"refused": ("bad_request", "auth", "not_found"), "limited": ("rate_limited",)}
"""Outcomes that are refusals, by the case that asks for them."""


def of_money(rows: Sequence[Row], model: str, prices: Prices | None) -> list[Finding]:
    """What the stated costs of a model's rows show; the rows are in the order of sending."""
    findings = _refused(rows)
    costs = [cost for row in rows if (cost := cost_of(row)) is not None]
    if not costs:
        return findings
    unit = last_decimal(costs)
    if prices is not None:
        missed, judged = _by_table(rows, model, prices, unit)
        if judged.changed:
            return [*findings, Finding(Kind.PRICE_CHANGED)]
        plain = [group for group in judged.units if group.case in PLAIN]
        if not plain or len(judged.units) <= judged.right:
            uncredited = beyond(missed)
            more = Finding(Kind.CACHE_NOT_CREDITED, None, uncredited, len(missed))
            return [*findings, *_named(judged), *([more] if len(missed) >= FEWEST else [])]
        charges = [charged for group in plain for charged in group.charges]
        off = beyond(charges)
        findings.append(Finding(Kind.OFF_PRICE, None, off, len(charges)))
    usual = _plain_costs(rows, unit)
    if usual is None:
        return [*findings, Finding(Kind.PRICE_CHANGED)]
    judged = apart(_charges(rows, lambda row: usual.get(_usage(row)), 1.5 * unit))
    if judged.changed:
        return [*findings, Finding(Kind.PRICE_CHANGED)]
    return [*findings, *_named(judged)]


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


def _by_table(
    rows: Sequence[Row], model: str, prices: Prices, unit: float
) -> tuple[list[Charge], Apart]:
    """The hits that cost as much as misses, and what all other charges show."""
    slack = 1.01 * unit
    charges = _charges(rows, lambda row: by_table(row, model, prices), slack)
    as_missed = {
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
    missed = [
        charged
        for of_case in hits.values()
        if all(charged.off and not as_missed[charged.place].off for charged in of_case)
        for charged in of_case
    ]
    return missed, apart([charged for charged in charges if charged not in missed])


def _named(judged: Apart) -> list[Finding]:
    """A finding for each case that costs otherwise (`hits`: only if it read from the cache), and
    one of the strays.
    """
    by_case: dict[str, list[Unit]] = {}
    for group in judged.units:
        by_case.setdefault(group.case, []).append(group)
    findings = []
    for case, units in by_case.items():
        kind = (
            Kind.CHARGED_OTHERWISE
            if any(group.apart for group in units)
            else Kind.NOT_TOLD_FROM_TIME
        )
        amount, count = (
            money_sum(group.amount for group in units),
            sum(len(group.charges) for group in units),
        )
        hits = all(group.hit for group in units)
        findings.append(Finding(kind, case, amount, count, hits=hits))
    if judged.strays:
        amount = beyond(judged.strays)
        findings.append(Finding(Kind.SINGLE_CHARGES, None, amount, len(judged.strays)))
    return findings


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
