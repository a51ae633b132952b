"""Whether a bill charges cancelled requests in whole, in part or not at all; and when that is
unknown.
"""

from random import Random
from typing import Any

import pytest

from analysis.numbers.cancelled_charges import ChargeVerdict, judge
from rules.billing_cases import LEFT, LONG_TOKENS
from rules.prices import Price

MODEL, PROMPT = "m", 30
PRICE = Price(input=1.0, output=4.0, decimals=6)
SPEED = 50.0  # tokens a second: a whole reply takes 4.3 s
FIRST_S = 0.3
HELD_S = {"left_first": 0.1, "left_midway": 0.36, "timed_out": 1.0}


def rows(whole_s: float = FIRST_S + LONG_TOKENS / SPEED) -> list[dict[str, Any]]:
    requests = []
    for case, count in {"count": 18, "cut": 3, "whole": 2, **dict.fromkeys(LEFT, 3)}.items():
        for index in range(count):
            cancelled = case in LEFT
            requests.append(
                {
                    "scenario": case, "success": not cancelled, "task_id": f"{case}-{index}",
                    "outcome": "abandoned" if cancelled else "ok", "gateway_request_id": None,
                    "elapsed_sec": HELD_S[case] if cancelled else whole_s,
                }
            )  # fmt: skip
    return requests


def bill(output: dict[str, float], price: Price = PRICE) -> dict[str, float]:
    """Charges by task_id for so many output tokens per case; a case that is not named is not
    billed.
    """
    tokens = {"count": 16, "cut": 16, "whole": LONG_TOKENS} | output
    return {
        row["task_id"]: price.charge(PROMPT, round(tokens[row["scenario"]]), 0, 0)
        for row in rows()
        if row["scenario"] in tokens
    }


def words_by_case(billed: dict[str, float], **how: Any) -> dict[str, ChargeVerdict]:
    charges = judge(MODEL, how.pop("rows", rows()), billed, how.pop("by_task", True))
    assert not how
    return {one.case: one.said for one in charges}


def test_each_case_is_judged_by_itself_with_its_amount() -> None:
    billed = bill({"left_midway": LONG_TOKENS, "timed_out": 60})
    by_case = {one.case: one for one in judge(MODEL, rows(), billed, True)}
    assert {case: one.said for case, one in by_case.items()} == {
        "left_first": ChargeVerdict.NOTHING,
        "left_midway": ChargeVerdict.WHOLE,
        "timed_out": ChargeVerdict.PART,
    }
    whole = PRICE.charge(PROMPT, LONG_TOKENS, 0, 0)
    assert by_case["left_midway"].charged == pytest.approx(3 * whole)
    assert by_case["left_midway"].whole == pytest.approx(3 * whole)


def test_a_gateway_that_stops_once_it_notices_is_never_said_to_charge_in_whole() -> None:
    """200 honest gateways: up to 0.8 s late to notice, with any rounding and any price."""
    for seed in range(200):
        dice = Random(seed)
        price = Price(
            input=dice.uniform(0.1, 5), output=dice.uniform(0.5, 20),
            decimals=dice.choice([5, 6, 9, None]),
        )  # fmt: skip
        late_s = dice.uniform(0, 0.8)
        wrote = {case: (held_s + late_s - FIRST_S) * SPEED for case, held_s in HELD_S.items()}
        billed = bill({case: max(0.0, tokens) for case, tokens in wrote.items()}, price)
        assert ChargeVerdict.WHOLE not in words_by_case(billed).values()
        # A reply that is over within a second was written before anybody could notice.
        fast = rows(whole_s=dice.uniform(0.05, 1.05))
        whole = bill(dict.fromkeys(LEFT, LONG_TOKENS), price)
        assert ChargeVerdict.WHOLE not in words_by_case(whole, rows=fast).values()


def test_one_whole_charge_among_three_cancelled_requests_is_no_whole_case() -> None:
    billed = bill(dict.fromkeys(LEFT, 10))
    billed["left_midway-1"] = billed["whole-0"]
    assert set(words_by_case(billed).values()) == {ChargeVerdict.PART}
    alone = [row for row in rows() if row["task_id"] not in ("left_midway-1", "left_midway-2")]
    whole = bill(dict.fromkeys(LEFT, LONG_TOKENS))
    assert words_by_case(whole, rows=alone)["left_midway"] is ChargeVerdict.UNKNOWN


def test_a_bill_that_cannot_tell_whole_from_part_is_unknown() -> None:
    whole = bill(dict.fromkeys(LEFT, LONG_TOKENS))
    unknown = dict.fromkeys(LEFT, ChargeVerdict.UNKNOWN)
    assert words_by_case({}) == unknown
    assert words_by_case({k: v for k, v in whole.items() if k != "whole-1"}) == unknown
    assert words_by_case({k: v for k, v in whole.items() if k != "cut-1"}) == unknown
    # A price by the request: what is cut costs as much.
    assert words_by_case(dict.fromkeys(whole, 0.01)) == unknown
    assert words_by_case(dict.fromkeys(whole, 0.0)) == unknown
    # Whole replies that cost otherwise.
    assert words_by_case(whole | {"whole-0": 0.5}) == unknown


def test_a_cancelled_request_that_the_bill_cannot_name_is_unknown_and_not_free() -> None:
    """Before the first token only the task_id names a request; no id of the gateway's is known."""
    none = bill({})
    assert set(words_by_case(none).values()) == {ChargeVerdict.NOTHING}
    assert set(words_by_case(none, by_task=False).values()) == {ChargeVerdict.UNKNOWN}
    named = [row | {"gateway_request_id": "g"} for row in rows()]
    assert set(words_by_case(none, rows=named, by_task=False).values()) == {ChargeVerdict.NOTHING}


def test_a_charge_for_the_prompt_alone_is_a_charge_in_part() -> None:
    assert set(words_by_case(bill(dict.fromkeys(LEFT, 0))).values()) == {ChargeVerdict.PART}
