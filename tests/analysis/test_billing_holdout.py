"""Costs of mode billing that were not foreseen case by case: a gateway that charges more for what
its requests share is found with its exact amount, and an honest one is not accused.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from random import Random
from typing import Any

import pytest

from analysis.numbers.billing import ModelBill, judge
from analysis.numbers.billing_findings import Kind
from analysis.page.words import Words
from analysis.report.billing_words import sentence
from rules.prices import Price, Prices
from tests.analysis.test_billing import MODEL, rows

PRICE = Price(input=1.37, cached_input=0.137, output=4.91, decimals=6)
TABLE = Prices({MODEL: PRICE})
Row = dict[str, Any]


def due(row: Row) -> float:
    return PRICE.charge(row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"], 0)


def charged(raised: Callable[[list[Row]], None], seed: int = 0) -> tuple[ModelBill, Decimal, int]:
    """The bill after `raised` changed some costs; what that added, and to how many requests."""
    made = rows(lambda row: row.update(price=PRICE), seed)
    raised(made)
    more = [
        Decimal(repr(row["api_cost"])) - Decimal(repr(due(row)))
        for row in made
        if row["prompt_tokens"] is not None
    ]
    return judge(MODEL, made, TABLE), sum(more, Decimal(0)), sum(one != 0 for one in more)


def multiply(made: list[Row], chosen: Callable[[int, Row], bool], factor: int = 2) -> None:
    for place, row in enumerate(made):
        if row["prompt_tokens"] is not None and chosen(place, row):
            row["api_cost"] = float(Decimal(repr(row["api_cost"])) * factor)


def least(made: list[Row]) -> None:
    for row in made:
        if row["api_cost"] is not None:
            row["api_cost"] = max(row["api_cost"], 0.0005)


def up(made: list[Row]) -> None:
    rounded(made, 4, ROUND_UP)


def rounded(made: list[Row], decimals: int, how: str) -> None:
    exact = Prices({MODEL: PRICE}).unrounded().models[MODEL]
    for row in made:
        if row["api_cost"] is not None:
            tokens = row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"]
            cost = Decimal(repr(exact.charge(*tokens, 0)))
            row["api_cost"] = float(cost.quantize(Decimal(1).scaleb(-decimals), how))


def after_refused(made: list[Row]) -> None:
    multiply(made, lambda place, _: made[place - 1]["scenario"] == "refused")


def read_again(made: list[Row]) -> None:
    hits = [row for row in made if row["cached_tokens"]]
    first = {row["scenario"]: id(row) for row in reversed(hits)}.values()
    multiply(made, lambda _, row: bool(row["cached_tokens"]) and id(row) not in first)


def small_prompts(made: list[Row]) -> None:
    for row in made:
        if row["scenario"] == "count" and row["prompt_tokens"] < 100:
            row["api_cost"] = float(Decimal(repr(row["api_cost"])) + Decimal("0.00003"))


def twice_in_ten(made: list[Row]) -> None:
    counts = [place for place, row in enumerate(made) if row["scenario"] == "count"]
    chosen = counts[1], counts[7], counts[15]
    multiply(made, lambda place, _: place in chosen)


@pytest.mark.parametrize(
    ("raised", "kind", "case"),
    [
        (least, Kind.MINIMUM_CHARGE, None),
        (up, Kind.ROUNDED_UP, None),
        (after_refused, Kind.CHARGED_AFTER, "refused"),
        (read_again, Kind.READ_AGAIN, None),
        (small_prompts, Kind.CHARGED_OTHERWISE, "count"),
        (twice_in_ten, Kind.SINGLE_CHARGES, None),
    ],
)
def test_a_charge_that_depends_on_something_else_than_the_case_is_named_with_its_exact_amount(
    raised: Callable[[list[Row]], None], kind: Kind, case: str | None
) -> None:
    for seed in range(20):
        bill, more, count = charged(raised, seed)
        if count < 3:  # of some orders less is charged after a refusal than tells it from chance
            assert raised is after_refused and not any(one.grave for one in bill.findings)
            continue
        assert [(one.kind, one.case, one.grave) for one in bill.findings] == [(kind, case, True)]
        (finding,) = bill.findings
        assert Decimal(repr(finding.amount)) == more == Decimal(repr(bill.overcharge)), seed
        assert finding.rows == count or kind is Kind.ROUNDED_UP
        assert f"{more:.6f}" in sentence(Words("en"), MODEL, finding)


def test_two_replies_that_cost_two_prompts_are_a_fault_and_unstated_output_of_one_is_none() -> None:
    def prompts(made: list[Row]) -> None:
        for row in made:
            if row["scenario"] == "n":
                twice = 2 * row["prompt_tokens"], row["completion_tokens"], 0, 0
                row["api_cost"] = PRICE.charge(*twice)

    def outputs(made: list[Row]) -> None:
        for row in made:
            if row["scenario"] == "n":
                row["completion_tokens"] //= 2
                whole = row["prompt_tokens"], 2 * row["completion_tokens"], 0, 0
                row["api_cost"] = PRICE.charge(*whole)
                row["total_tokens"] = row["prompt_tokens"] + row["completion_tokens"]

    for change, grave in ((prompts, True), (outputs, False)):
        bill, more, count = charged(change)
        (finding,) = bill.findings
        assert (finding.kind, finding.case, finding.grave) == (Kind.CHARGED_OTHERWISE, "n", grave)
        assert (Decimal(repr(finding.amount)), finding.rows) == (more, count)


def test_when_even_plain_requests_are_off_the_overcharge_is_that_of_all_requests() -> None:
    """Everything but streams costs half as much again."""
    bill, more, count = charged(lambda made: multiply(made, lambda _, row: not row["stream"], 3))
    off = next(one for one in bill.findings if one.kind is Kind.OFF_PRICE)
    assert (Decimal(repr(off.amount)), off.rows, off.factor) == (more, count, pytest.approx(3))
    assert Decimal(repr(bill.overcharge)) == more and not off.grave


@pytest.mark.parametrize("how", [ROUND_HALF_UP, ROUND_HALF_EVEN])
def test_rounding_to_the_nearest_is_never_taken_for_rounding_up(how: str) -> None:
    for seed in range(200):
        decimals = Random(seed).choice([4, 5, 6, 7])
        bill, _, _ = charged(lambda made, n=decimals: rounded(made, n, how), seed)  # type: ignore[misc]
        assert not bill.findings, seed


def test_prices_that_differ_from_request_to_request_accuse_no_case() -> None:
    """As behind a router that does not say who answered; the amount is still said."""
    for seed in range(200):
        dice = Random(seed)
        share, factor = dice.choice([0.03, 0.1, 0.3, 0.6]), dice.choice(["0.8", "1.25", "1.7"])

        def route(
            made: list[Row], dice: Random = dice, share: float = share, factor: str = factor
        ) -> None:
            for row in made:
                if row["api_cost"] is not None and dice.random() < share:
                    row["api_cost"] = float(Decimal(repr(row["api_cost"])) * Decimal(factor))

        bill, more, _ = charged(route, seed)
        assert not [one for one in bill.findings if one.grave], (seed, bill.findings)
        for finding in bill.findings:
            if finding.kind is Kind.PRICE_CHANGED and finding.rows:
                assert finding.amount == pytest.approx(float(more), abs=1e-6 * finding.rows)


def test_a_gateway_that_states_a_cost_of_zero_is_not_said_to_charge_as_agreed() -> None:
    bill, more, _ = charged(lambda made: multiply(made, lambda *_: True, 0))
    (finding,) = bill.findings
    assert finding.kind is Kind.OFF_PRICE and Decimal(repr(finding.amount)) == more < 0
    assert bill.overcharge == 0


def test_a_gateway_that_states_more_decimals_than_the_table_has_is_judged_by_exact_prices() -> None:
    bill, _, _ = charged(lambda made: rounded(made, 9, ROUND_HALF_UP))
    assert not bill.findings and bill.overcharge == 0
    assert {case.difference for case in bill.cases} <= {0.0, None}


def test_costs_in_another_unit_are_said_to_be_that() -> None:
    bill, _, _ = charged(lambda made: multiply(made, lambda *_: True, 500_000))
    (finding,) = bill.findings
    text = sentence(Words("en"), MODEL, finding)
    assert "each 500,000 times what is due (as if in another unit" in text and not finding.grave
