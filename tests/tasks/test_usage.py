"""Tokens, cost, text and errors in the words of every gateway that we know."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.json_values import Json, text_of
from tasks.error_bodies import complaint
from tasks.reply import message, reasoning_of
from tasks.usage import cost_elsewhere, unread_cost, usage

UNKNOWN = {
    "prompt_tokens": None,
    "completion_tokens": None,
    "total_tokens": None,
    "cached_tokens": None,
    "cache_write_tokens": None,
    "reasoning_tokens": None,
    "api_cost": None,
    "header_cost": None,
    "upstream_cost": None,
    "tokens_beside": None,
    "cost_source": "unknown",
}
COUNTS = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
LITELLM = {"x-litellm-response-cost": "0.000123", "x-litellm-call-id": "c1"}


@pytest.mark.parametrize(
    ("stated", "headers", "expected"),
    [
        pytest.param(COUNTS, {}, COUNTS, id="openai: no cost"),
        pytest.param(
            {
                **COUNTS,
                "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            {},
            {**COUNTS, "cached_tokens": 8, "reasoning_tokens": 3},
            id="openai: details",
        ),
        pytest.param(
            {**COUNTS, "cost": 0.00012},
            {},
            {**COUNTS, "api_cost": 0.00012, "cost_source": "body"},
            id="nonelinear",
        ),
        pytest.param(
            {
                **COUNTS,
                "cost": 0.01,
                "cost_details": {"upstream_inference_cost": 0.009},
                "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 5},
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
            {},
            {
                **COUNTS,
                "cached_tokens": 2,
                "cache_write_tokens": 5,
                "reasoning_tokens": 0,
                "api_cost": 0.01,
                "cost_source": "body",
            },
            id="openrouter",
        ),
        pytest.param(
            COUNTS,
            LITELLM,
            {**COUNTS, "api_cost": 0.000123, "header_cost": 0.000123, "cost_source": "header"},
            id="litellm: header",
        ),
        pytest.param(
            {**COUNTS, "cost": 0.5},
            LITELLM,
            {**COUNTS, "api_cost": 0.5, "header_cost": 0.000123, "cost_source": "body"},
            id="both: the body wins, both are kept",
        ),
        pytest.param(
            {**COUNTS, "prompt_cache_hit_tokens": 6, "prompt_cache_miss_tokens": 4},
            {},
            {**COUNTS, "cached_tokens": 6},
            id="deepseek",
        ),
        pytest.param(
            {**COUNTS, "cache_creation_input_tokens": 7, "cache_read_input_tokens": 3},
            {},
            {**COUNTS, "cache_write_tokens": 7, "cached_tokens": 3},
            id="anthropic's words",
        ),
        pytest.param(
            {**COUNTS, "cache_creation_input_tokens": 7, "cache_read_input_tokens": 2},
            {},
            {**COUNTS, "cache_write_tokens": 7, "cached_tokens": 2},
            id="anthropic's words for both",
        ),
        pytest.param(
            {**COUNTS, "cached_tokens": 6}, {}, {**COUNTS, "cached_tokens": 6}, id="moonshot"
        ),
        pytest.param(
            {"prompt_tokens_details": {"cache_creation_tokens": 3}},
            {},
            {"cache_write_tokens": 3},
            id="litellm: written",
        ),
        pytest.param(
            {"cost": {"input_tokens_cost": 0.1, "total_cost": 0.3}},
            {},
            {"api_cost": 0.3, "cost_source": "body"},
            id="perplexity",
        ),
        pytest.param(
            {"cost": {"input": 0.1, "output": 0.2, "total": 0.3}},
            {},
            {"api_cost": 0.3, "cost_source": "body"},
            id="an object with its total",
        ),
        pytest.param(
            {"cost": {"input": 0.25, "output": 0.5}},
            {},
            {"api_cost": 0.75, "cost_source": "body"},
            id="an object of its parts",
        ),
        pytest.param(
            {**COUNTS, "cost_in_usd_ticks": 37756000},
            {},
            {**COUNTS, "api_cost": 0.0037756, "cost_source": "body"},
            id="xai: ticks of which 10^10 are a dollar",
        ),
        pytest.param(
            {**COUNTS, "cost": 0, "is_byok": True,
             "cost_details": {"upstream_inference_cost": 0.4}},
            {},
            {**COUNTS, "api_cost": 0.0, "upstream_cost": 0.4, "cost_source": "body"},
            id="openrouter with an own key",
        ),
        pytest.param(
            {"input_tokens": 10, "output_tokens": 4,
             "output_tokens_details": {"reasoning_tokens": 3}},
            {},
            {"prompt_tokens": 10, "completion_tokens": 4, "reasoning_tokens": 3},
            id="other names",
        ),
        pytest.param(
            {"inputTokens": 10, "outputTokens": 4, "totalTokens": 14, "cacheReadInputTokens": 2},
            {},
            {**COUNTS, "cached_tokens": 2},
            id="bedrock",
        ),
        pytest.param(
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115,
             "completion_tokens_details": {"reasoning_tokens": 100}},
            {},
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115,
             "reasoning_tokens": 100, "tokens_beside": "reasoning"},
            id="xai: reasoning beside the completion",
        ),
        pytest.param(
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
             "cache_read_input_tokens": 11000},
            {},
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
             "cached_tokens": 11000, "tokens_beside": "cached"},
            id="anthropic: cached beside the prompt",
        ),
        pytest.param(
            {"estimated_cost": 2e-6}, {}, {"api_cost": 2e-6, "cost_source": "body"}, id="deepinfra"
        ),
        pytest.param(
            {**COUNTS, "reasoning_tokens": 3}, {}, {**COUNTS, "reasoning_tokens": 3},
            id="reasoning beside the counts",
        ),
        pytest.param({"cost": 0}, {}, {"api_cost": 0.0, "cost_source": "body"}, id="known free"),
        pytest.param(
            {"cost": "0.25"}, {}, {"api_cost": 0.25, "cost_source": "body"}, id="cost as text"
        ),
        pytest.param(
            {"cost": None},
            LITELLM,
            {"api_cost": 0.000123, "header_cost": 0.000123, "cost_source": "header"},
            id="body's cost is null",
        ),
        pytest.param({"prompt_tokens_details": {"cached_tokens": 0}}, {}, {"cached_tokens": 0},
                     id="zero is known"),
        pytest.param({"prompt_tokens": -3}, {}, {"prompt_tokens": -3}, id="absurd, but said"),
    ],
)  # fmt: skip
def test_usage_is_read_in_every_dialect(
    stated: dict[str, Any], headers: dict[str, str], expected: dict[str, Any]
) -> None:
    assert usage({"usage": stated}, headers, ok=True) == {**UNKNOWN, **expected}


@pytest.mark.parametrize(
    "stated",
    [
        None, [], "text", 7, {},
        {"prompt_tokens": "ten", "completion_tokens": 4.5, "total_tokens": True},
        {"prompt_tokens": float("nan"), "completion_tokens": float("inf"), "total_tokens": ""},
        {"prompt_tokens": "²", "completion_tokens": "-3", "total_tokens": "1" * 20},
        {"prompt_tokens": None, "prompt_tokens_details": None},
        {"prompt_tokens_details": [], "completion_tokens_details": "x"},
        {"prompt_tokens_details": {"cached_tokens": "many"}},
        {"cost": True}, {"cost": "free"}, {"cost": ""}, {"cost": "nan"}, {"cost": "inf"},
        {"cost": float("nan")}, {"cost": {"rate": 1}}, {"cost": []}, {"cost": 10**400},
        {"total_tokens": 2**63},
    ],
    ids=repr,
)  # fmt: skip
def test_counts_that_are_absent_or_of_the_wrong_type_are_none(stated: object) -> None:
    assert usage({"usage": stated}, {}, ok=True) == UNKNOWN


def test_litellms_cost_header_is_ignored_on_an_error() -> None:
    """It is "0" there, although LiteLLM does not know."""
    assert usage({}, {"x-litellm-response-cost": "0"}, ok=False) == UNKNOWN


def test_a_charge_in_a_header_counts_on_an_error_too() -> None:
    """After a refusal or a truncated stream, what the gateway says it charged was charged."""
    counts = usage({}, {"x-litellm-response-cost": "0.2"}, ok=False)
    assert (counts["api_cost"], counts["cost_source"]) == (0.2, "header")


@pytest.mark.parametrize(
    ("field", "cost", "source"),
    [
        ("billing.charge", 0.7, "body"),
        ("usage.price", 0.6, "body"),
        ("X-Request-Charge", 0.4, "header"),
        ("billing.nothing", 0.5, "body"),  # the usual places still speak
        ("usage.price.deeper", 0.5, "body"),
        ("", 0.5, "body"),
    ],
)
def test_cost_field_names_where_the_cost_is(field: str, cost: float, source: str) -> None:
    headers = {"x-request-charge": "0.4", **LITELLM}
    body: dict[str, Any] = {"billing": {"charge": "0.7"}, "usage": {"price": 0.6}}
    if cost == 0.5:
        body["usage"]["cost"] = 0.5
    counts = usage(body, headers, ok=True, cost_field=field)
    assert (counts["api_cost"], counts["cost_source"]) == (cost, source)


def test_the_cost_in_a_body_counts_on_an_error_too() -> None:
    assert usage({"usage": {"cost": 0.1}}, {}, ok=False)["api_cost"] == 0.1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("prompt_tokens", "total_tokens", "cost", "prompt_tokens_details", "cached_tokens")


@given(st.dictionaries(st.sampled_from(FIELDS), json_values), st.text())
def test_any_usage_is_read_without_an_error_and_with_the_right_types(
    stated: dict[str, Any], header: str
) -> None:
    counts = usage({"usage": stated}, {"x-litellm-response-cost": header}, ok=True)
    for name, value in counts.items():
        if name.endswith("_tokens"):
            assert value is None or type(value) is int
        elif name.endswith("_cost"):
            assert value is None or type(value) is float
    assert (counts["cost_source"] == "unknown") == (counts["api_cost"] is None)


@given(json_values)
def test_a_body_of_any_json_is_a_message_or_none(body: object) -> None:
    reply = message({"choices": body, "model": body})
    assert reply is None or isinstance(reply.content, str | None)


@given(json_values)
def test_an_error_of_any_json_has_a_message(error: object) -> None:
    complaint_read = complaint(error)
    assert isinstance(complaint_read.message, str)
    assert complaint_read.status is None or 400 <= complaint_read.status < 600


@pytest.mark.parametrize(
    ("error", "kind", "text", "status"),
    [
        ({"message": "m", "type": "t", "code": "c"}, "t", "m", None),
        ({"message": "m", "code": "c"}, "c", "m", None),
        ({"message": "m", "code": 429}, "429", "m", 429),
        ({"message": "m", "code": "429"}, "429", "m", 429),
        ({"message": "m", "code": 200}, "200", "m", None),
        ({"message": "m", "type": "", "code": None}, None, "m", None),
        ({"message": "m", "type": "None", "param": "None", "code": "429"}, "429", "m", 429),
        ({"message": "m", "code": True}, "True", "m", None),
        ({"detail": "d"}, None, "d", None),
        ("just text", None, "just text", None),
        (None, None, "None", None),
        ([], None, "[]", None),
    ],
)
def test_an_error_has_the_type_message_and_status_worked_by_hand(
    error: object, kind: str | None, text: str, status: int | None
) -> None:
    complaint_read = complaint(error)
    assert (complaint_read.type, complaint_read.message, complaint_read.status) == (
        kind,
        text,
        status,
    )


@pytest.mark.parametrize(
    ("part", "reasoning"),
    [
        ({"reasoning_content": "a"}, "a"),
        ({"reasoning": "b"}, "b"),
        ({"reasoning_content": "a", "reasoning": "a"}, "a"),  # never added up
        ({"reasoning_content": "", "reasoning": "b"}, "b"),
        ({"reasoning_content": None, "reasoning": {"text": "b"}}, None),
        ({}, None),
    ],
)
def test_reasoning_is_read_from_either_field_and_never_added(
    part: dict[str, Any], reasoning: str | None
) -> None:
    assert reasoning_of(part) == reasoning


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("x", "x"),
        ("", ""),
        (None, None),
        (7, None),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
        ([{"type": "image_url"}, "loose", {"text": 7}], None),
        ([], None),
        ({"text": "x"}, None),
    ],
)
def test_content_is_text_or_the_text_of_its_parts(content: object, text: str | None) -> None:
    assert text_of(content) == text


@pytest.mark.parametrize(
    ("reply", "empty"),
    [
        ({"content": "x"}, False),
        ({"content": "", "reasoning": "x"}, False),
        ({"content": None, "tool_calls": [{}]}, False),
        ({"content": "", "reasoning": "", "tool_calls": []}, True),
        ({"tool_calls": None}, True),
        ({}, True),
    ],
)
def test_a_message_is_empty_without_content_reasoning_and_tool_call(
    reply: dict[str, Any], empty: bool
) -> None:
    parsed = message({"choices": [{"message": reply}]})
    assert parsed is not None
    assert parsed.empty is empty


@pytest.mark.parametrize(
    "used",
    [
        {"cost_usd": 0.5},
        {"total_cost_usd": "0.5"},
        {"cost_in_usd_ticks": 5_000_000_000},
        {"cost": {"usd": 0.5}},
        {"cost": {"total_usd": 0.5}},
    ],
)
def test_a_cost_in_dollars_is_unknown_in_a_run_of_another_currency(used: Json) -> None:
    body = {"usage": {**COUNTS, **used}}
    assert usage(body, {}, ok=True)["api_cost"] == 0.5
    assert usage(body, {}, ok=True, currency="USD")["api_cost"] == 0.5
    counts = usage(body, {}, ok=True, currency="CNY")
    assert (counts["api_cost"], counts["cost_source"]) == (None, "unknown")
    assert unread_cost({**COUNTS, **used}, "CNY")


def test_a_cost_in_dollars_is_read_where_cost_field_names_it() -> None:
    body = {"usage": {**COUNTS, "cost_usd": 0.5}}
    counts = usage(body, {}, ok=True, cost_field="usage.cost_usd", currency="CNY")
    assert counts["api_cost"] == 0.5
    advice = unread_cost(body["usage"], "CNY")
    assert advice is not None and "--cost-field usage.cost_usd" in advice


@pytest.mark.parametrize("path", ["cost", "total_cost", "billing.cost", "metadata.cost_usd"])
def test_a_cost_outside_the_usage_is_reported_and_not_read(path: str) -> None:
    where, _, name = path.rpartition(".")
    stated_cost: Json = {name: 0.25}
    body: Json = {"usage": COUNTS, **({where: stated_cost} if where else stated_cost)}
    assert usage(body, {}, ok=True)["api_cost"] is None
    advice = cost_elsewhere(body)
    assert advice is not None and advice.endswith(f"--cost-field {path}")
    assert usage(body, {}, ok=True, cost_field=path)["api_cost"] == 0.25


@pytest.mark.parametrize("body", [{"usage": COUNTS}, {"cost": True}, {"cost": "much"}, {"meta": 3}])
def test_nothing_is_reported_where_there_is_no_cost(body: Json) -> None:
    assert cost_elsewhere(body) is None
