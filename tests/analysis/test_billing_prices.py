"""Costs of mode billing: a price that changes accuses nobody, and a case that costs otherwise is
named with its exact amount. 200 seeds each.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from analysis.numbers.billing import judge
from analysis.numbers.billing_findings import Finding, Kind
from rules.billing_cases import CASES
from rules.prices import Price, Prices
from tests.analysis.test_billing import MODEL, Change, rows

OLD = Price(input=1.37, cached_input=0.137, output=4.91)
TABLE = Prices({MODEL: OLD})
ASKED = len(rows())
CHARGED = sorted({row["scenario"] for row in rows() if row["api_cost"] is not None})
SAME_REQUEST = {"plain", "plain_again"}
"""No gateway can tell one from the other."""


def scaled(price: Price, factor: float, decimals: int | None) -> Price:
    return Price(
        input=price.input * factor,
        cached_input=(price.cached_input or 0.0) * factor,
        output=price.output * factor,
        decimals=decimals,
    )


def often_alike(row: dict[str, Any], dice: Random) -> None:
    """Models often say the same."""
    if row["completion_tokens"] and dice.random() < 0.7:
        row["completion_tokens"] = 12


def another(dice: Random, decimals: int | None) -> Price:
    """Another price: by a factor, or with input and output changed differently."""
    factor = dice.choice([0.25, 0.5, 0.9, 1.1, 1.5, 2.0])
    if dice.random() < 0.5:
        return Price(input=OLD.input * factor, cached_input=0.2, output=5.5, decimals=decimals)
    return scaled(OLD, factor, decimals)


def priced(stretches: list[tuple[int, int]], old: Price, new: Price, dice: Random) -> Change:
    """A gateway that charges the new price for requests in those stretches of the run."""

    def change(row: dict[str, Any]) -> None:
        changed = any(begin <= row["place"] < end for begin, end in stretches)
        row["price"] = new if changed else old
        often_alike(row, dice)

    return change


def once(dice: Random) -> list[tuple[int, int]]:
    return [(dice.randrange(ASKED), ASKED)]


def for_a_while(dice: Random) -> list[tuple[int, int]]:
    begin = dice.randrange(ASKED)
    return [(begin, begin + dice.randint(1, ASKED))]


def for_a_moment(dice: Random) -> list[tuple[int, int]]:
    """For as long as one to six requests take: as one or two cases did, asked one by one."""
    begin = dice.randrange(ASKED)
    return [(begin, begin + dice.randint(1, 6))]


def twice(dice: Random) -> list[tuple[int, int]]:
    return for_a_while(dice) + for_a_moment(dice)


@pytest.mark.parametrize("when", [once, for_a_while, for_a_moment, twice])
def test_a_price_that_changes_meanwhile_accuses_nobody(
    when: Callable[[Random], list[tuple[int, int]]],
) -> None:
    """Beside a table with either price, or none; whatever the rounding."""
    for seed in range(200):
        dice = Random(seed)
        decimals = dice.choice([5, 6, 7, 9, None])
        new = another(dice, decimals)
        change = priced(when(dice), scaled(OLD, 1, decimals), new, dice)
        prices = {"old": TABLE, "new": Prices({MODEL: new}), "none": None}[
            dice.choice(["old", "new", "none"])
        ]
        found = judge(MODEL, rows(change, seed), prices).findings
        assert not [one for one in found if one.grave], (seed, found)


def dearer(cases: set[str], seed: int) -> tuple[list[Finding], dict[str, float]]:
    """What is found of a gateway that charges some cases by a factor, and their true overcharge."""
    dice = Random(f"{seed}/{sorted(cases)}")
    decimals, factor = dice.choice([6, 7, 9, None]), dice.choice([1.2, 1.5, 2.0, 3.0])
    honest = scaled(OLD, 1, decimals)

    def change(row: dict[str, Any]) -> None:
        row["price"] = scaled(OLD, factor if row["scenario"] in cases else 1, decimals)
        often_alike(row, dice)

    made = rows(change, seed)
    more = dict.fromkeys(cases, 0.0)
    for row in made:
        if row["scenario"] in cases and row["prompt_tokens"] is not None:
            counts = row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"]
            more[row["scenario"]] += row["api_cost"] - honest.charge(*counts, 0)
    table = Prices({MODEL: honest})
    return list(judge(MODEL, made, table).findings), more


def check(cases: set[str], seed: int) -> None:
    found, more = dearer(cases, seed)
    assert {one.kind for one in found} == {Kind.CHARGED_OTHERWISE}, (seed, cases, found)
    assert {one.case: one.amount for one in found} == pytest.approx(more, abs=1e-12)
    assert all(one.grave or one.case == "n" for one in found)


@pytest.mark.parametrize("case", [name for name in CHARGED if name not in SAME_REQUEST])
def test_one_case_that_costs_more_is_named_with_its_exact_amount(case: str) -> None:
    for seed in range(20):
        check({case}, seed)


def test_three_cases_that_cost_more_by_one_factor_are_named_with_their_exact_amounts() -> None:
    """Whatever three, and those too that stand side by side in the list of cases."""
    order = [case.name for case in CASES if case.name in CHARGED and case.name not in SAME_REQUEST]
    for seed in range(200):
        place = seed % (len(order) - 2)
        some = order[place : place + 3] if seed % 2 else Random(seed).sample(order, 3)
        check(set(some), seed)


def test_plain_requests_alone_that_cost_more_are_named_too() -> None:
    for seed in range(20):
        check(SAME_REQUEST, seed)


def in_turn(change: Change) -> list[Any]:
    """The rows of an older run: one case after the other."""
    order = [case.name for case in CASES]
    made = rows()
    made.sort(key=lambda row: order.index(row["scenario"]))
    for place, row in enumerate(made):
        row["place"] = place
    later = {(row["scenario"], row["request_index"]): row["place"] for row in made}

    def placed(row: dict[str, Any]) -> None:
        row["place"] = later[row["scenario"], row["request_index"]]
        change(row)

    return sorted(rows(placed), key=lambda row: int(row["place"]))


def test_a_case_of_an_older_run_is_named_but_not_told_from_a_price_that_changed() -> None:
    """Its cases were asked one after the other: only their amount is known."""

    def change(row: dict[str, Any]) -> None:
        row["price"] = scaled(OLD, 2 if row["scenario"] == "tools" else 1, 6)

    bill = judge(MODEL, in_turn(change), TABLE)
    (one,) = bill.findings
    assert (one.kind, one.case, one.rows) == (Kind.NOT_TOLD_FROM_TIME, "tools", 3)
    assert one.amount > 0 and not one.grave and bill.overcharge is None


def test_an_older_run_with_a_price_that_changed_is_still_said_to_have_one() -> None:
    def change(row: dict[str, Any]) -> None:
        row["price"] = scaled(OLD, 1.5 if row["place"] >= 30 else 1, 6)

    found = judge(MODEL, in_turn(change), TABLE).findings
    assert Kind.PRICE_CHANGED in {one.kind for one in found} and not any(o.grave for o in found)


def test_a_cache_whose_hits_are_cheaper_but_not_stated_accuses_nobody() -> None:
    def silent(row: dict[str, Any]) -> None:
        row["price"] = OLD
        if row["cached_tokens"] is not None:
            hit, row["cached_tokens"] = row["cached_tokens"], None
            row["api_cost"] = OLD.charge(row["prompt_tokens"], row["completion_tokens"], hit, 0)

    assert not judge(MODEL, rows(silent), TABLE).findings
