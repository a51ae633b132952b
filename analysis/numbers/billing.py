"""The bill, case by case: what was sent, what is stated, what is charged. Pure.

Nobody is accused on one sample: a finding needs FEWEST requests of a case, and all of them. Money
may be off by a unit of the last decimal stated. If the price changed during the run, or several
providers answered, costs are not judged (analysis/numbers/billing_money.py). Reasoning that is not
shown is not judged either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.numbers.billing_findings import OF_OUTPUT, Finding, Kind
from analysis.numbers.billing_money import REFUSED, of_money
from analysis.numbers.billing_rows import FEWEST, Row, as_stated, by_table, cost_of, counted, known
from analysis.numbers.second_count import SecondCount, findings_beside, second_count
from analysis.numbers.token_line import HIDDEN_TOKENS, TokenLine, fit_line
from recording.exact_amount import exact_amount, money_sum
from rules.billing_cases import CASES, CHOICES, NAMED, repeats
from rules.prices import Prices


@dataclass(frozen=True, slots=True)
class CaseBill:
    """One case: how many were sent and answered; sums of what was counted, stated and charged.

    `own` is what the line says of the prompts, `reference` what the reference of `--against` states
    of the same ones, `priced` price x stated. None: not known. `charged` is the sum of the
    `with_cost` costs stated. `refused` is how many were refused as the case asks, `stated_limit`
    the limit on requests that headers state.
    """

    case: str
    sent: int
    answered: int
    own: int | None
    reference: int | None
    prompt: int | None
    completion: int | None
    cached: int | None
    priced: float | None
    charged: float | None
    with_cost: int
    refused: int
    stated_limit: int | None

    @property
    def difference(self) -> float | None:
        """Charged - price x stated, exact."""
        if self.priced is None or self.charged is None:
            return None
        return float(exact_amount(self.charged) - exact_amount(self.priced))

    @property
    def above_reference(self) -> int | None:
        """Stated prompt tokens - the reference's."""
        return (
            None
            if self.reference is None or self.prompt is None
            else (self.prompt - self.reference)
        )


@dataclass(frozen=True, slots=True)
class ModelBill:
    """One model: who counts, every case, and what was found. `several`: providers answered.

    `second`: what a reference counts; None: the run had none.
    """

    model: str
    counter: TokenLine | None
    second: SecondCount | None
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
        unknown = (Kind.PRICE_CHANGED, Kind.NOT_TOLD_FROM_TIME)
        if any(finding.kind in unknown for finding in self.findings):
            return None
        paid = [finding for finding in self.findings if finding.unit == "money"]
        if any(finding.kind is Kind.OFF_PRICE for finding in paid):  # it has all of them
            paid = [finding for finding in paid if not finding.beside_plain]
        return money_sum(finding.amount for finding in paid if finding.amount > 0)


def judge(
    model: str, rows: Sequence[Row], prices: Prices | None, beside: Sequence[Row] = ()
) -> ModelBill:
    """Judge the rows of `--mode billing` of one model, in the order of sending; `beside` are those
    of its reference.
    """
    by_case: dict[str, list[Row]] = {}
    for row in rows:
        by_case.setdefault(row["scenario"], []).append(row)
    line = fit_line(
        model,
        [
            (*place, row["prompt_tokens"])
            for row in by_case.get("count", ())
            if counted(row) and (place := repeats("count", row["request_index"])) is not None
        ],
    )
    priced = prices is not None and prices.of(model) is not None
    prices = prices if priced else None
    exact = None if prices is None else as_stated(prices, model, rows)[0]
    several = len({row["provider"] for row in rows} - {None}) > 1
    second = second_count(by_case, beside)
    findings = [*_of_counter(line), *_of_counts(by_case, line)]
    beyond = findings_beside(second, by_case, line, findings, model, exact)
    # What the reference shows says more than over_budget does.
    dearer = {finding.case for finding in beyond if finding.kind in OF_OUTPUT}
    inflated = any(finding.kind is Kind.ABOVE_REFERENCE for finding in beyond)
    findings = [
        finding
        for finding in findings
        if finding.kind is not Kind.OVER_BUDGET or not (inflated or finding.case in dearer)
    ]
    findings += beyond
    if not several:
        findings += of_money(rows, model, prices)
    return ModelBill(
        model=model,
        counter=line,
        second=second,
        cases=[
            _bill(name, by_case[name], model, line, second, exact)
            for name in (case.name for case in CASES)
            if name in by_case
        ],
        findings=findings,
        priced=priced,
        stated=any(cost_of(row) is not None for row in rows),
        several=several,
    )


# ---- counts


def _of_counter(line: TokenLine | None) -> list[Finding]:
    if line is None:
        return []
    if line.no_line:
        return [Finding(Kind.NO_LINE)]
    findings = []
    if line.inflated and line.inflation is not None:
        findings.append(Finding(Kind.INFLATED, amount=line.inflation[0]))
    if line.other:
        findings.append(Finding(Kind.OTHER_TOKENIZER))
    if line.hidden is not None and line.hidden > HIDDEN_TOKENS:
        findings.append(Finding(Kind.HIDDEN_PROMPT, amount=line.hidden))
    return findings


def _of_counts(by_case: Mapping[str, Sequence[Row]], line: TokenLine | None) -> list[Finding]:
    findings = []
    for name, rows in by_case.items():
        case = NAMED.get(name)
        counted_rows = [row for row in rows if counted(row)]
        if case is None or len(counted_rows) < FEWEST:
            continue
        if line is not None and not line.no_line and case.prompt is not None:
            text, k = case.prompt
            expected = line.expected(text, k)
            off = [row for row in counted_rows if not line.fits(text, k, row["prompt_tokens"])]
            if expected is not None and len(off) == len(counted_rows):
                amount = sum(row["prompt_tokens"] - expected for row in off)
                findings.append(Finding(Kind.STATED_OTHERWISE, name, amount, len(off)))
        over = [row for row in counted_rows if _over_budget(row)]
        # An inflated count, or one of streams alone, exceeds the budget too: already reported.
        reported = line is not None and line.inflated
        reported = reported or any(finding.case == name for finding in findings)
        if len(over) >= FEWEST and len(over) == len(counted_rows) and not reported:
            findings.append(Finding(Kind.OVER_BUDGET, name, rows=len(over)))
    return findings


def _over_budget(row: Row) -> bool:
    """Whether more output is stated than was allowed, and none of it as reasoning."""
    budget, completion = row["max_tokens"], row["completion_tokens"]
    if not known(budget) or not known(completion):
        return False
    if known(row["reasoning_tokens"]) and row["reasoning_tokens"]:
        return False
    choices = CHOICES if row["scenario"] == "n" else 1
    return bool(row["finish_reason"] == "length" and completion > budget * choices)


def _bill(
    name: str,
    rows: Sequence[Row],
    model: str,
    line: TokenLine | None,
    second: SecondCount | None,
    prices: Prices | None,
) -> CaseBill:
    def total(column: str) -> int | None:
        values = [row[column] for row in rows if known(row[column])]
        return int(sum(values)) if values else None

    paid = [(row, cost) for row in rows if (cost := cost_of(row)) is not None]
    tables = [by_table(row, model, prices) for row, _ in paid]
    owns = [
        None if line is None or line.no_line or place is None else line.expected(*place)
        for row in rows
        if counted(row)
        for place in [repeats(name, row["request_index"])]
    ]
    stated_limits = [row.get("ratelimit_limit_requests") for row in rows]
    limits = [int(limit) for limit in stated_limits if limit is not None and known(limit)]
    return CaseBill(
        case=name,
        sent=sum(row["outcome"] != "dropped" for row in rows),
        answered=sum(bool(row["success"]) for row in rows),
        reference=None if second is None else second.total(rows),
        own=sum(expected for expected in owns if expected is not None)
        if owns and None not in owns
        else None,
        prompt=total("prompt_tokens"),
        completion=total("completion_tokens"),
        cached=total("cached_tokens"),
        priced=money_sum(t for t in tables if t is not None)
        if tables and None not in tables
        else None,
        charged=money_sum(cost for _, cost in paid) if paid else None,
        with_cost=len(paid),
        refused=sum(row["outcome"] in REFUSED.get(name, ()) for row in rows),
        stated_limit=max(limits) if limits else None,
    )
