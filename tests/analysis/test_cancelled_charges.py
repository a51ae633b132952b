"""What a bill charges for cancelled requests: whole, in part, nothing; and when nothing is said."""

from random import Random
from typing import Any

import pytest

from analysis.numbers.cancelled_charges import Said, judge
from rules.billing_cases import LEFT, LONG_TOKENS
from rules.prices import Price

MODEL, PROMPT = "m", 30
PRICE = Price(input=1.0, output=4.0, decimals=6)
SPEED = 50.0  # tokens a second: a whole reply takes 4.3 s
FIRST_S = 0.3
HELD_S = {"left_first": 0.1, "left_midway": 0.36, "timed_out": 1.0}


def rows(whole_s: float = FIRST_S + LONG_TOKENS / SPEED) -> list[dict[str, Any]]:
    made = []
    for case, count in {"count": 18, "cut": 3, "whole": 2, **dict.fromkeys(LEFT, 3)}.items():
        for index in range(count):
            left = case in LEFT
            made.append(
                {
                    "scenario": case, "success": not left, "task_id": f"{case}-{index}",
                    "outcome": "abandoned" if left else "ok", "gateway_request_id": None,
                    "elapsed_sec": HELD_S[case] if left else whole_s,
                }
            )  # fmt: skip
    return made


def bill(output: dict[str, float], price: Price = PRICE) -> dict[str, float]:
    """Charges by task_id, of so many output tokens by case; of none: the case is not on it."""
    tokens = {"count": 16, "cut": 16, "whole": LONG_TOKENS} | output
    return {
        row["task_id"]: price.charge(PROMPT, round(tokens[row["scenario"]]), 0, 0)
        for row in rows()
        if row["scenario"] in tokens
    }


def said(billed: dict[str, float], **how: Any) -> dict[str, Said]:
    found = judge(MODEL, how.pop("rows", rows()), billed, how.pop("by_task", True))
    assert not how
    return {one.case: one.said for one in found}


def test_each_case_is_told_apart_with_its_amount() -> None:
    billed = bill({"left_midway": LONG_TOKENS, "timed_out": 60})
    found = {one.case: one for one in judge(MODEL, rows(), billed, True)}
    assert {case: one.said for case, one in found.items()} == {
        "left_first": Said.NOTHING, "left_midway": Said.WHOLE, "timed_out": Said.PART
    }  # fmt: skip
    whole = PRICE.charge(PROMPT, LONG_TOKENS, 0, 0)
    assert found["left_midway"].charged == pytest.approx(3 * whole)
    assert found["left_midway"].whole == pytest.approx(3 * whole)


def test_a_gateway_that_stops_when_it_notices_is_never_accused() -> None:
    """200 honest ones: late to notice by up to 0.8 s, any rounding, any price."""
    for seed in range(200):
        dice = Random(seed)
        price = Price(
            input=dice.uniform(0.1, 5), output=dice.uniform(0.5, 20),
            decimals=dice.choice([5, 6, 9, None]),
        )  # fmt: skip
        late_s = dice.uniform(0, 0.8)
        wrote = {case: (held_s + late_s - FIRST_S) * SPEED for case, held_s in HELD_S.items()}
        billed = bill({case: max(0.0, tokens) for case, tokens in wrote.items()}, price)
        assert Said.WHOLE not in said(billed).values()
        # A reply that is over within a second was written before anybody could notice.
        fast = rows(whole_s=dice.uniform(0.05, 1.05))
        whole = bill(dict.fromkeys(LEFT, LONG_TOKENS), price)
        assert Said.WHOLE not in said(whole, rows=fast).values()


def test_one_that_is_charged_whole_among_three_is_no_case() -> None:
    billed = bill(dict.fromkeys(LEFT, 10))
    billed["left_midway-1"] = billed["whole-0"]
    assert set(said(billed).values()) == {Said.PART}
    alone = [row for row in rows() if row["task_id"] not in ("left_midway-1", "left_midway-2")]
    whole = bill(dict.fromkeys(LEFT, LONG_TOKENS))
    assert said(whole, rows=alone)["left_midway"] is Said.UNKNOWN


def test_where_the_bill_does_not_tell_nothing_is_said() -> None:
    whole = bill(dict.fromkeys(LEFT, LONG_TOKENS))
    unknown = dict.fromkeys(LEFT, Said.UNKNOWN)
    assert said({}) == unknown
    assert said({k: v for k, v in whole.items() if k != "whole-1"}) == unknown
    assert said({k: v for k, v in whole.items() if k != "cut-1"}) == unknown
    # A price by the request: what is cut costs as much.
    assert said(dict.fromkeys(whole, 0.01)) == unknown
    assert said(dict.fromkeys(whole, 0.0)) == unknown
    # Whole replies that cost otherwise.
    assert said(whole | {"whole-0": 0.5}) == unknown


def test_what_cannot_be_joined_is_not_free() -> None:
    """Before the first token no name of the gateway's is known: only a task_id finds it."""
    none = bill({})
    assert set(said(none).values()) == {Said.NOTHING}
    assert set(said(none, by_task=False).values()) == {Said.UNKNOWN}
    named = [row | {"gateway_request_id": "g"} for row in rows()]
    assert set(said(none, rows=named, by_task=False).values()) == {Said.NOTHING}


def test_a_charge_for_the_prompt_alone_is_a_part() -> None:
    assert set(said(bill(dict.fromkeys(LEFT, 0))).values()) == {Said.PART}
