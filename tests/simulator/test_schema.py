"""Values made from a JSON Schema validate against it."""

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


@given(st.recursive(scalars(), nested, max_leaves=8))
@settings(max_examples=300, deadline=None)
def test_instance_validates(schema: dict[str, Any]) -> None:
    """Whatever the schema, the instance is valid (an independent validator)."""
    Draft202012Validator(schema).validate(instance(schema))


def make(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (make(city=STRING), {"city": "city"}),
        (make(city=STRING | {"default": "Oslo"}), {"city": "Oslo"}),
        (make(city=STRING | {"examples": ["Rome", "Oslo"]}), {"city": "Rome"}),
        (make(day={"type": "string", "format": "date"}), {"day": "2026-01-31"}),
        (make(order={"type": "string", "pattern": "^[A-Z]{2}-\\d{4}$"}), {"order": "AA-1111"}),
        (make(unit={"enum": ["c", "f"]}), {"unit": "c"}),
        (make(unit={"enum": ["c", "f"], "default": "f"}), {"unit": "f"}),
        (make(unit={"const": "k"}), {"unit": "k"}),
        (make(count={"type": "integer", "minimum": 3}), {"count": 3}),
        (make(count={"type": "integer", "minimum": 3, "default": 2}), {"count": 3}),
        (
            make(cities={"type": "array", "items": STRING, "minItems": 2}),
            {"cities": ["cities"] * 2},
        ),
        (
            make(place={"$ref": "#/$defs/place"}) | {"$defs": {"place": make(name=STRING)}},
            {"place": {"name": "name"}},
        ),
        (make(city=STRING, unit={"enum": ["c"]}) | {"required": ["city"]}, {"city": "city"}),
    ],
)
def test_what_a_schema_is_filled_with(schema: Any, expected: Any) -> None:
    """const, enum, default and examples, otherwise the smallest value; no optional properties."""
    assert instance(schema) == expected
