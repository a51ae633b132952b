"""An honest gateway that changes its price while mode billing runs is never accused."""

from itertools import count
from random import Random
from typing import Any

import pytest

from analysis.numbers.billing import judge
from analysis.numbers.billing_findings import Kind
from rules.prices import Price, Prices
from tests.analysis.test_billing import MODEL, Change, rows

OLD = Price(input=1.37, cached_input=0.137, output=4.91)


def scaled(price: Price, factor: float, decimals: int | None) -> Price:
    return Price(
        input=price.input * factor,
        cached_input=(price.cached_input or 0.0) * factor,
        output=price.output * factor,
        decimals=decimals,
    )


def charging(dice: Random, decimals: int | None, *, back: bool) -> tuple[Change, Price]:
    """A change that applies another price from a random request on or for a stretch; and the
    last price.
    """
    total = len(rows())
    factor = dice.choice([0.25, 0.5, 0.9, 1.1, 1.5, 2.0])
    old, new = scaled(OLD, 1, decimals), scaled(OLD, factor, decimals)
    if not back and dice.random() < 0.5:  # input and output change differently
        new = Price(input=OLD.input * factor, cached_input=0.2, output=5.5, decimals=decimals)
    begin = dice.randrange(total)
    # A shorter stretch may hold one case alone: then nothing tells the hour from the case.
    end = min(total, begin + dice.randint(40, total)) if back else total
    number = count()

    def change(row: dict[str, Any]) -> None:
        row["price"] = new if begin <= next(number) < end else old
        if row["completion_tokens"] and dice.random() < 0.7:  # models often say the same
            row["completion_tokens"] = 12

    return change, new if end == total else old


@pytest.mark.parametrize(
    ("known", "back"),
    [("old", False), ("new", False), ("none", False), ("old", True), ("new", True)],
)
def test_a_price_change_during_the_run_is_no_grave_finding(known: str, back: bool) -> None:
    """Changed once or for a while, beside a table with either price; once also without a table."""
    for seed in range(200):
        dice = Random(seed)
        decimals = dice.choice([5, 6, 7, 9, None])
        change, last = charging(dice, decimals, back=back)
        table = {"old": OLD, "new": last, "none": None}[known]
        prices = None if table is None else Prices({MODEL: table})
        findings = judge(MODEL, rows(change, seed), prices).findings
        assert not [one for one in findings if one.grave], (seed, findings)


def test_a_temporary_discount_is_a_changed_price() -> None:
    """Half the price from the long prompts to the image, and the old one before and after."""

    def change(row: dict[str, Any]) -> None:
        cheap = row["scenario"] in ("cached", "long", "tools", "image")
        row["price"] = scaled(OLD, 0.5 if cheap else 1, 6)

    findings = judge(MODEL, rows(change), Prices({MODEL: OLD})).findings
    assert [one.kind for one in findings] == [Kind.PRICE_CHANGED]


@pytest.mark.parametrize("cases", [("stream", "whole"), ("tools",), ("cached", "long")])
def test_cases_of_one_kind_that_cost_more_are_still_found(cases: tuple[str, ...]) -> None:
    def change(row: dict[str, Any]) -> None:
        row["price"] = scaled(OLD, 2 if row["scenario"] in cases else 1, 6)

    findings = judge(MODEL, rows(change), Prices({MODEL: OLD})).findings
    assert {(one.kind, one.case) for one in findings} == {
        (Kind.CHARGED_OTHERWISE, case) for case in cases
    }
