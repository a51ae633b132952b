"""The bill, case by case: what was sent, what is stated, what is charged. Pure.

Nobody is accused on one sample: a finding needs FEWEST requests of a case, and all of them. Money
may be off by a unit of the last decimal stated. Where the price changed during the run, or several
providers answered, nothing is said of money. Of reasoning that is not shown nothing is claimed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum
from typing import Any

from analysis.numbers.pricing import STATED, unit_of
from analysis.numbers.token_line import HIDDEN_TOKENS, Counter, counter
from rules.billing_cases import CASES, CHOICES, NAMED, repeats
from rules.prices import PRICED, Prices

Row = Mapping[str, Any]
FEWEST = 2
PLAIN, AGAIN = "plain", "plain_again"


class Kind(StrEnum):
    """What can be found."""

    INFLATED = "inflated"  # every count is so many times the tokenizer's
    OTHER_TOKENIZER = "other_tokenizer"  # counted as another tokenizer than the model's counts
    NO_LINE = "no_line"  # one prompt is counted in several ways
    HIDDEN_PROMPT = "hidden_prompt"  # tokens in every prompt that were not sent
    STATED_OTHERWISE = "stated_otherwise"  # the prompt of this case is counted otherwise than plain
    OVER_BUDGET = "over_budget"  # more output than was allowed
    OFF_PRICE = "off_price"  # plain replies already cost otherwise than by the price table
    CHARGED_OTHERWISE = "charged_otherwise"  # this case costs otherwise than its tokens
    CACHE_NOT_CREDITED = "cache_not_credited"  # tokens from the cache cost as any others
    REFUSED_CHARGED = "refused_charged"  # a refusal states a cost
    PRICE_CHANGED = "price_changed"  # meanwhile: nothing is said of money


_MONEY = (
    Kind.OFF_PRICE, Kind.CHARGED_OTHERWISE, Kind.CACHE_NOT_CREDITED, Kind.REFUSED_CHARGED,
)  # fmt: skip
_UNITS = {
    Kind.INFLATED: "times", Kind.HIDDEN_PROMPT: "tokens", Kind.STATED_OTHERWISE: "tokens",
    **dict.fromkeys(_MONEY, "money"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: of which case (None: of all), by how much, of how many requests.

    `amount`: tokens or money; of `inflated` the least factor that fits.
    """

    kind: Kind
    case: str | None = None
    amount: float = 0.0
    rows: int = 0

    @property
    def grave(self) -> bool:
        """Whether it costs the customer, and a healthy gateway has none."""
        if self.kind in (Kind.STATED_OTHERWISE, Kind.CHARGED_OTHERWISE):
            return self.case != "n" and self.amount > 0
        return self.kind in (Kind.INFLATED, Kind.CACHE_NOT_CREDITED, Kind.REFUSED_CHARGED)

    @property
    def unit(self) -> str:
        """What its amount is in: `money`, `tokens`, `times`; empty: it has none."""
        return _UNITS.get(self.kind, "")


@dataclass(frozen=True, slots=True)
class CaseBill:
    """One case: how many were sent and answered; sums of what was counted, stated and charged.

    `own` is what the line says of the prompts, `priced` price x stated. None: not known.
    `charged` is the sum of the `with_cost` costs stated.
    """

    case: str
    sent: int
    answered: int
    own: int | None
    prompt: int | None
    completion: int | None
    cached: int | None
    priced: float | None
    charged: float | None
    with_cost: int

    @property
    def difference(self) -> float | None:
        """Charged - price x stated."""
        return None if self.priced is None or self.charged is None else self.charged - self.priced


@dataclass(frozen=True, slots=True)
class ModelBill:
    """One model: who counts, every case, and what was found. `several`: providers answered."""

    model: str
    counter: Counter | None
    cases: Sequence[CaseBill]
    findings: Sequence[Finding]
    priced: bool
    stated: bool
    several: bool

    @property
    def overcharge(self) -> float | None:
        """Money charged beyond what the price table, or plain requests of the same usage, say.

        None: not known, for no cost is stated, the price changed, or several providers answered.
        """
        if not self.stated or self.several:
            return None
        if any(one.kind is Kind.PRICE_CHANGED for one in self.findings):
            return None
        amounts = (one.amount for one in self.findings if one.unit == "money")
        return fsum(amount for amount in amounts if amount > 0)


def judge(model: str, rows: Sequence[Row], prices: Prices | None) -> ModelBill:
    """Judge the rows of `--mode billing` of one model."""
    by_case: dict[str, list[Row]] = {}
    for row in rows:
        by_case.setdefault(row["scenario"], []).append(row)
    found = counter(
        model,
        [
            (*place, row["prompt_tokens"])
            for row in by_case.get("count", ())
            if _counted(row) and (place := repeats("count", row["request_index"])) is not None
        ],
    )
    priced = prices is not None and prices.of(model) is not None
    several = len({row["provider"] for row in rows} - {None}) > 1
    findings = [*_of_counter(found), *_of_counts(by_case, found)]
    if not several:
        findings += _of_money(by_case, model, prices if priced else None)
    return ModelBill(
        model=model,
        counter=found,
        cases=[
            _bill(name, by_case[name], model, found, prices if priced else None)
            for name in (case.name for case in CASES)
            if name in by_case
        ],
        findings=findings,
        priced=priced,
        stated=any(_cost(row) is not None for row in rows),
        several=several,
    )


def _counted(row: Row) -> bool:
    return bool(row["success"] or row["outcome"] == "budget_spent") and _known(row["prompt_tokens"])


def _known(value: Any) -> bool:
    return value is not None and value == value


def _cost(row: Row) -> float | None:
    """The cost that the gateway states; of a stream not in a header, which leaves too early."""
    sources = ("body",) if row["stream"] else STATED
    return row["api_cost"] if row["cost_source"] in sources and _known(row["api_cost"]) else None


# ---- counts


def _of_counter(found: Counter | None) -> list[Finding]:
    if found is None:
        return []
    if found.no_line:
        return [Finding(Kind.NO_LINE)]
    findings = []
    if found.inflated and found.inflation is not None:
        findings.append(Finding(Kind.INFLATED, amount=found.inflation[0]))
    if found.other:
        findings.append(Finding(Kind.OTHER_TOKENIZER))
    if found.hidden is not None and found.hidden > HIDDEN_TOKENS:
        findings.append(Finding(Kind.HIDDEN_PROMPT, amount=found.hidden))
    return findings


def _of_counts(by_case: Mapping[str, Sequence[Row]], found: Counter | None) -> list[Finding]:
    findings = []
    for name, rows in by_case.items():
        case = NAMED.get(name)
        counted = [row for row in rows if _counted(row)]
        if case is None or len(counted) < FEWEST:
            continue
        if found is not None and not found.no_line and case.prompt is not None:
            text, k = case.prompt
            own = found.own(text, k)
            off = [row for row in counted if not found.fits(text, k, row["prompt_tokens"])]
            if own is not None and len(off) == len(counted):
                amount = sum(row["prompt_tokens"] - own for row in off)
                findings.append(Finding(Kind.STATED_OTHERWISE, name, amount, len(off)))
        over = [row for row in counted if _over_budget(row)]
        # An inflated count, or one of streams alone, exceeds the budget too: that is told already.
        told = found is not None and found.inflated
        told = told or any(one.case == name for one in findings)
        if len(over) >= FEWEST and len(over) == len(counted) and not told:
            findings.append(Finding(Kind.OVER_BUDGET, name, rows=len(over)))
    return findings


def _over_budget(row: Row) -> bool:
    """Whether more output is stated than was allowed, where none of it is said to be reasoning."""
    budget, completion = row["max_tokens"], row["completion_tokens"]
    if not _known(budget) or not _known(completion):
        return False
    if _known(row["reasoning_tokens"]) and row["reasoning_tokens"]:
        return False
    choices = CHOICES if row["scenario"] == "n" else 1
    return bool(row["finish_reason"] == "length" and completion > budget * choices)


# ---- money


def _of_money(
    by_case: Mapping[str, Sequence[Row]], model: str, prices: Prices | None
) -> list[Finding]:
    refused = [
        row
        for rows in by_case.values()
        for row in rows
        if row["outcome"] in ("bad_request", "rate_limited", "auth", "not_found") and _cost(row)
    ]
    findings = []
    if len(refused) >= FEWEST:
        paid = fsum(_cost(row) or 0.0 for row in refused)
        findings.append(Finding(Kind.REFUSED_CHARGED, "refused", paid, len(refused)))
    costs = [cost for rows in by_case.values() for row in rows if (cost := _cost(row)) is not None]
    if not costs:
        return findings
    unit = unit_of(costs)
    ends = [row for name in (PLAIN, AGAIN) for row in by_case.get(name, ()) if row["success"]]
    if _changed(ends, model, prices, unit):
        return [*findings, Finding(Kind.PRICE_CHANGED)]
    if prices is None:
        return [*findings, *_unlike_plain(by_case, ends, unit)]
    off = [one for row in ends if (one := _off(row, model, prices, unit)) is not None]
    if any(off):
        if len(off) >= FEWEST and all(off):
            findings.append(Finding(Kind.OFF_PRICE, None, fsum(off), len(off)))
        return [*findings, *_unlike_plain(by_case, ends, unit)]
    return [*findings, *_off_cases(by_case, model, prices, unit)]


def _changed(ends: Sequence[Row], model: str, prices: Prices | None, unit: float) -> bool:
    """Whether plain replies of one usage cost one thing at first and another at last."""
    seen: dict[tuple[Any, ...], float] = {}
    for row in ends:
        if (cost := _cost(row)) is not None and (
            abs(seen.setdefault(_usage(row), cost) - cost) > 1.5 * unit
        ):
            return True
    off = [one for row in ends if (one := _off(row, model, prices, unit)) is not None]
    return any(off) and not all(off)


def _off_cases(
    by_case: Mapping[str, Sequence[Row]], model: str, prices: Prices, unit: float
) -> list[Finding]:
    findings, uncredited = [], list[float]()
    for name, rows in by_case.items():
        good = [row for row in rows if row["success"] and _cost(row) is not None]
        cached = [row for row in good if _known(row["cached_tokens"]) and row["cached_tokens"]]
        missed = [
            one
            for row in cached
            if (one := _off(row, model, prices, unit))
            and not _off({**row, "cached_tokens": 0, "tokens_beside": None}, model, prices, unit)
        ]
        if missed and len(missed) == len(cached):
            uncredited += missed
            good = [row for row in good if row not in cached]
        off = [one for row in good if (one := _off(row, model, prices, unit)) is not None]
        same_way = all(one > 0 for one in off) or all(one < 0 for one in off)
        if len(off) >= FEWEST and same_way:
            findings.append(Finding(Kind.CHARGED_OTHERWISE, name, fsum(off), len(off)))
    if len(uncredited) >= FEWEST:
        findings.append(Finding(Kind.CACHE_NOT_CREDITED, None, fsum(uncredited), len(uncredited)))
    return findings


def _unlike_plain(
    by_case: Mapping[str, Sequence[Row]], ends: Sequence[Row], unit: float
) -> list[Finding]:
    """Without usable prices: the cases that cost otherwise than plain replies of the same usage."""
    plain = {_usage(row): cost for row in ends if (cost := _cost(row)) is not None}
    findings = []
    for name, rows in by_case.items():
        alike = [
            cost - plain[_usage(row)]
            for row in rows
            if row["success"] and (cost := _cost(row)) is not None and _usage(row) in plain
        ]
        off = [one for one in alike if abs(one) > 1.5 * unit]
        same_way = all(one > 0 for one in off) or all(one < 0 for one in off)
        if len(off) >= FEWEST and len(off) == len(alike) and same_way:
            findings.append(Finding(Kind.CHARGED_OTHERWISE, name, fsum(off), len(off)))
    return findings


def _usage(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] if _known(row[name]) else None for name in PRICED)


def _table(row: Row, model: str, prices: Prices | None) -> float | None:
    if prices is None:
        return None
    return prices.cost(model, *(row[name] if _known(row[name]) else None for name in PRICED))


def _off(row: Row, model: str, prices: Prices | None, unit: float) -> float | None:
    """Charged - price x stated; 0: rounding explains it; None: not known."""
    cost, table = _cost(row), _table(row, model, prices)
    if cost is None or table is None:
        return None
    return cost - table if abs(cost - table) > max(1.01 * unit, 1e-9 * abs(table)) else 0.0


def _bill(
    name: str, rows: Sequence[Row], model: str, found: Counter | None, prices: Prices | None
) -> CaseBill:
    def known(column: str) -> int | None:
        values = [row[column] for row in rows if _known(row[column])]
        return int(sum(values)) if values else None

    paid = [(row, cost) for row in rows if (cost := _cost(row)) is not None]
    tables = [_table(row, model, prices) for row, _ in paid]
    owns = [
        None if found is None or found.no_line or place is None else found.own(*place)
        for row in rows
        if _counted(row)
        for place in [repeats(name, row["request_index"])]
    ]
    return CaseBill(
        case=name,
        sent=sum(row["outcome"] != "dropped" for row in rows),
        answered=sum(bool(row["success"]) for row in rows),
        own=sum(own for own in owns if own is not None) if owns and None not in owns else None,
        prompt=known("prompt_tokens"),
        completion=known("completion_tokens"),
        cached=known("cached_tokens"),
        priced=fsum(t for t in tables if t is not None) if tables and None not in tables else None,
        charged=fsum(cost for _, cost in paid) if paid else None,
        with_cost=len(paid),
    )
