"""Costs as text, and usage in other places:

read, or unknown and flagged; never guessed or mixed.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.amount import amount
from tasks.answer_flags import flags
from tasks.reply import Message
from tasks.usage import contradiction, stated_usage, usage
from tests.tasks.scripted_server import Serve, answer, completion, json_reply
from tests.tasks.sending import send


@pytest.mark.parametrize(
    ("text", "currency", "read"),
    [
        ("$0.0012", "", 0.0012),
        ("0.0012 USD", "", 0.0012),
        ("USD 0.0012", "USD", 0.0012),
        ("US$0.5", "USD", 0.5),
        ("$1.2e-05", "USD", 1.2e-05),
        ("¥0.01", "CNY", 0.01),
        ("￥0.01", "CNY", 0.01),
        ("0.01元", "CNY", 0.01),
        ("0.01 RMB", "CNY", 0.01),
        ("0.01 CNY", "RMB", 0.01),
        ("€0.5", "EUR", 0.5),
        ("1,234.5", "", 1234.5),
        ("$1,234,567", "", 1234567.0),
        (".5 usd", "usd", 0.5),
        ("¥0.01", "", None),
        ("¥0.01", "USD", None),
        ("$0.01", "CNY", None),
        ("0.01 EUR", "USD", None),
        ("$0.01", "credits", None),
        ("$0.01 CNY", "", None),
        ("1,234", "", None),
        ("$1,234", "", None),
        ("0,0012", "", None),
        ("1.234,5", "", None),
        ("12,34.5", "", None),
        ("1_000", "", None),
        ("$", "", None),
        ("USD", "", None),
        ("cheap", "", None),
        ("nan", "", None),
        ("$0.1 - $0.2", "", None),
        ("9" * 400, "", None),
    ],
)
def test_an_amount_is_read_only_in_the_runs_currency(
    text: str, currency: str, read: float | None
) -> None:
    assert amount(text, currency) == read


@given(st.floats(0, 1e9), st.sampled_from(["${}", "{} USD", "{}"]))
def test_a_number_is_read_with_any_currency_sign(number: float, form: str) -> None:
    assert amount(form.format(number)) == number


@pytest.mark.parametrize(
    ("usage_stated", "currency", "cost"),
    [
        ({"cost": "$0.5"}, "", 0.5),
        ({"cost": {"total": 0.5, "currency": "CNY"}}, "CNY", 0.5),
        ({"cost": {"total": 0.5, "currency": "CNY"}}, "", None),
        ({"cost": {"input": "$0.25", "output": "$0.5"}}, "USD", 0.75),
        ({"cost": 0.5, "currency": "CNY"}, "USD", None),
        ({"cost": 0.5, "currency": "USD"}, "", 0.5),
    ],
)
def test_a_cost_in_another_currency_is_unknown_and_flagged(
    usage_stated: dict[str, Any], currency: str, cost: float | None
) -> None:
    used = usage({"usage": usage_stated}, {}, ok=True, currency=currency)
    assert used["api_cost"] == cost
    raised_flags = flags("m", Message(), used, ok=False, usage_said=usage_stated, currency=currency)
    assert ("cost_unreadable" in raised_flags) is (cost is None)
    if cost is None:
        assert "--currency" in raised_flags["cost_unreadable"]


def test_a_cost_in_a_header_may_have_a_currency_sign(serve: Serve) -> None:
    reply = json_reply(completion(usage={"prompt_tokens": 5}), "x-litellm-response-cost: $0.5")
    row = send(serve(answer(reply)).base_url)
    assert (row.api_cost, row.cost_source) == (0.5, "header")


def test_a_cost_outside_usage_is_read_only_where_the_operator_names_it(serve: Serve) -> None:
    """It may be credits, cents or a balance: nothing says that it is this request's cost."""
    server = serve(answer(json_reply(completion(cost=7, usage={"prompt_tokens": 5}))))
    assert send(server.base_url).api_cost is None
    assert send(server.base_url, how={"cost_field": "cost"}).api_cost == 7.0


TEN = {"prompt_tokens": 10, "completion_tokens": 5}
CAMEL = {"inputTokenCount": 10, "outputTokenCount": 5, "totalTokenCount": 15}
PLACES: list[dict[str, Any]] = [
    {"usage": CAMEL},
    {"usage": {"promptTokenCount": 10, "candidatesTokenCount": 5}},
    {"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5}},
    {"amazon-bedrock-invocationMetrics": CAMEL},
    {"meta": {"usage": TEN}},
    {"meta": {"tokens": {"input_tokens": 10.0, "output_tokens": 5.0},
              "billed_units": {"input_tokens": 3, "output_tokens": 5}}},
    {"usage": {"tokens": {"input_tokens": 10, "output_tokens": 5},
               "billed_units": {"input_tokens": 3, "output_tokens": 5}}},
    {"data": {"usage": TEN}},
    {"result": {"usage": TEN}},
    {"response": {"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5}}},
]  # fmt: skip


@pytest.mark.parametrize("body", PLACES, ids=str)
def test_usage_is_read_under_its_other_names_and_in_other_places(body: dict[str, Any]) -> None:
    used = usage(body, {}, ok=True)
    assert (used["prompt_tokens"], used["completion_tokens"]) == (10, 5)
    assert contradiction(body) is None


def test_billed_tokens_are_not_taken_for_counted_ones() -> None:
    for body in ({"meta": {"billed_units": {"input_tokens": 3}}},
                 {"usage": {"billed_units": {"input_tokens": 3, "output_tokens": 5}}}):  # fmt: skip
        assert usage(body, {}, ok=True)["prompt_tokens"] is None
    assert stated_usage({"meta": {"page": 1}, "data": [1], "result": "x"}) == {}


@pytest.mark.parametrize(
    ("body", "flagged"),
    [
        ({"usage": {**TEN, "input_tokens": 12}}, True),
        ({"usage": TEN, "meta": {"tokens": {"input_tokens": 12, "output_tokens": 5}}}, True),
        ({"usage": {**TEN, "total_tokens": 15}, "usageMetadata": {"totalTokenCount": 19}}, True),
        ({"usage": {**TEN, "input_tokens": 10, "output_tokens": 5}}, False),
        ({"usage": {**TEN, "input_tokens": 0, "output_tokens": 0}}, False),
        ({"usage": {**TEN, "input_tokens": 3, "cache_read_input_tokens": 7}}, False),
        ({"usage": {"prompt_tokens": 10, "input_tokens": 1, "cache_read_input_tokens": 7,
                    "cache_creation_input_tokens": 2}}, False),
        ({"usage": {"completion_tokens": 5, "output_tokens": 9, "reasoning_tokens": 4}}, False),
        ({"usage": TEN, "x_groq": {"usage": TEN}}, False),
        ({"usage": TEN}, False),
        ({}, False),
    ],
)  # fmt: skip
def test_two_counts_that_contradict_each_other_are_flagged(
    serve: Serve, body: dict[str, Any], flagged: bool
) -> None:
    assert (contradiction(body) is not None) is flagged
    row = send(serve(answer(json_reply(completion(**body)))).base_url)
    assert ("usage_twice" in (row.check or "").split()) is flagged
    assert row.outcome == "ok"
