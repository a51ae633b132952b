"""Arguments made from a JSON Schema validate against it and say what the prompt names."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from simulator.schema import instance


def scalars() -> st.SearchStrategy[dict[str, Any]]:
    low = st.integers(-50, 50)
    return st.one_of(
        st.builds(
            lambda n: {"type": "string", "minLength": n, "maxLength": n + 4}, st.integers(0, 9)
        ),
        st.builds(lambda n: {"type": "integer", "minimum": n, "maximum": n + 30}, low),
        st.builds(lambda n: {"type": "number", "exclusiveMinimum": n}, low),
        st.builds(lambda n: {"type": "integer", "multipleOf": n}, st.integers(1, 9)),
        st.just({"type": "boolean"}),
        st.just({"type": "null"}),
        st.just({"type": ["null", "integer"]}),
        st.sampled_from(["date", "email", "uri", "uuid"]).map(
            lambda f: {"type": "string", "format": f}
        ),
        st.just({"type": "string", "pattern": "^[A-Z]{2}-\\d{4}$"}),
        st.lists(st.sampled_from(["red", "big", "x_y", 3]), min_size=1, unique=True).map(
            lambda values: {"enum": values}
        ),
        st.just({"const": 7}),
    )


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(["city", "count", "unit", "orderId", "is_on"])
    objects = st.dictionaries(names, inner, max_size=4).flatmap(
        lambda properties: st.lists(st.sampled_from([*properties, "extra"]), unique=True).map(
            lambda required: {
                "type": "object",
                "properties": properties,
                "required": required,
            }
        )
    )
    arrays = st.builds(
        lambda part, n: {"type": "array", "items": part, "minItems": n}, inner, st.integers(0, 3)
    )
    return st.one_of(
        objects, arrays, st.lists(inner, min_size=1, max_size=2).map(lambda p: {"anyOf": p})
    )


PROMPTS = st.sampled_from(
    [
        "",
        "Book 3 rooms in New York from 2026-05-01 for ann@example.com, big and red.",
        "查询 Shanghai 天气,不要直接回答",
        "order id: AB-1234, count 17, unit is kg, without is on",
    ]
) | st.text(max_size=60)


@given(st.recursive(scalars(), nested, max_leaves=8), PROMPTS)
@settings(max_examples=300, deadline=None)
def test_instance_validates(schema: dict[str, Any], prompt: str) -> None:
    """Whatever the schema and the prompt, the instance is valid (an independent validator)."""
    Draft202012Validator(schema).validate(instance(schema, prompt))


def make(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "prompt", "expected"),
    [
        (make(city=STRING), "What's the weather in Shanghai right now?", {"city": "Shanghai"}),
        (make(city=STRING), "查询 Shanghai 的天气,不要直接回答。", {"city": "Shanghai"}),
        (make(city=STRING), "请调用工具查询上海的天气", {"city": "上海"}),
        (make(city=STRING), "city: San Francisco, please", {"city": "San Francisco"}),
        (make(city=STRING), 'Look up "Rio de Janeiro".', {"city": "Rio de Janeiro"}),
        (
            make(origin=STRING, destination=STRING, date={"type": "string", "format": "date"}),
            "Find a flight from Berlin to New York on 2026-12-24.",
            {"origin": "Berlin", "destination": "New York", "date": "2026-12-24"},
        ),
        (
            make(order_id=STRING, reason={"enum": ["damaged", "late", "wrong_item"]}),
            "Refund order A-1047: it was the wrong item.",
            {"order_id": "A-1047", "reason": "wrong_item"},
        ),
        (
            make(amount={"type": "number"}, currency={"enum": ["USD", "CNY", "EUR"]}),
            "Convert 12.5 EUR.",
            {"amount": 12.5, "currency": "EUR"},
        ),
        (
            make(
                priority={"type": "integer", "minimum": 1, "maximum": 5}, count={"type": "integer"}
            ),
            "Open 12 tickets with priority 3",
            {"priority": 3, "count": 12},
        ),
        (
            make(cities={"type": "array", "items": STRING}),
            "Compare 'Oslo' and 'Rome'.",
            {"cities": ["Oslo", "Rome"]},
        ),
        (
            make(place={"$ref": "#/$defs/place"}) | {"$defs": {"place": make(name=STRING)}},
            "Navigate to Kyoto.",
            {"place": {"name": "Kyoto"}},
        ),
        (
            make(city=STRING, unit={"enum": ["c", "f"]}) | {"required": ["city"]},
            "Weather in Oslo?",
            {"city": "Oslo"},
        ),
    ],
)
def test_values_named_in_the_prompt(schema: Any, prompt: str, expected: Any) -> None:
    """Values named in the prompt are found."""
    assert instance(schema, prompt) == expected
