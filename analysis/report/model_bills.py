"""The bill of each model in mode billing, and the same as in summary.json."""

from math import isfinite

from analysis.numbers.billing import ModelBill, judge
from analysis.numbers.model_numbers import BillingCase, BillingFinding, BillingNumbers
from analysis.report.view import View
from recording.arms import REFERENCE
from rules.prices import Prices


def numbers(view: View) -> list[BillingNumbers]:
    """What summary.json says about each model."""
    return [_numbers(bill) for bill in bills(view)]


def _numbers(bill: ModelBill) -> BillingNumbers:
    counter = bill.counter
    low, high = (None, None) if counter is None or counter.inflation is None else counter.inflation
    return BillingNumbers(
        model=bill.model,
        tokenizer=None if counter is None else counter.tokenizer,
        inflation_low=low,
        inflation_high=high if high is not None and isfinite(high) else None,
        hidden_prompt_tokens=None if counter is None else counter.hidden,
        reference_alike=None if bill.second is None else bill.second.alike,
        priced=bill.priced,
        cost_stated=bill.stated,
        overcharge=bill.overcharge,
        findings=[BillingFinding(**each.as_dict()) for each in bill.findings],
        cases=[
            BillingCase(
                case=one.case,
                sent=one.sent,
                answered=one.answered,
                own_prompt_tokens=one.own,
                reference_prompt_tokens=one.reference,
                prompt_tokens=one.prompt,
                completion_tokens=one.completion,
                cached_tokens=one.cached,
                price_x_stated=one.priced,
                charged=one.charged,
                difference=one.difference,
            )
            for one in bill.cases
        ],
    )


def bills(view: View) -> list[ModelBill]:
    """The bill of each model of a run in mode billing."""
    all_rows = sorted(view.rows("billing"), key=lambda row: str(row["timestamp"]))
    rows = [row for row in all_rows if row["arm"] != REFERENCE]
    reference_rows = [row for row in all_rows if row["arm"] == REFERENCE]
    prices = Prices.from_dict(view.run.manifest.get("prices"))
    models = dict.fromkeys(row["model_requested"] for row in rows)
    return [
        judge(
            model,
            [row for row in rows if row["model_requested"] == model],
            prices,
            [row for row in reference_rows if row["model_requested"] == model],
        )
        for model in models
    ]
