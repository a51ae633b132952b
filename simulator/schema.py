"""Builds a value for a JSON Schema: a tool's arguments, or a structured reply.

Covers what such schemas usually contain: types, enum, const, objects, arrays, bounds, formats,
simple patterns, anyOf/oneOf/allOf and local `$ref`s. `const`, `enum`, `default` and `examples` come
first, then the smallest value that is valid; optional properties are left out.
"""

import re
from collections.abc import Mapping
from typing import Any

from simulator.fields import BadRequest

Schema = Mapping[str, Any]

# The exceptions that come from building a value from something that is not a schema.
_NO_SCHEMA = (AttributeError, KeyError, LookupError, OverflowError, RecursionError, TypeError,
              ValueError)  # fmt: skip

FORMATS = {
    "date": "2026-01-31",
    "time": "09:00:00Z",
    "date-time": "2026-01-31T09:00:00Z",
    "duration": "PT1H",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def instance(schema: Schema) -> Any:
    """A value that validates against the schema. Raises BadRequest if it is not a schema."""
    try:
        return _Builder(schema).value(schema, "", 0)
    except _NO_SCHEMA as error:
        raise _invalid() from error


def fits(schema: Schema, value: Any) -> bool:
    """Whether a value is valid by the schema. Raises BadRequest if it is not a schema."""
    # Imported here because it takes 0.15 s and few requests need it.
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
        return bool(Draft202012Validator(schema).is_valid(value))
    except (SchemaError, *_NO_SCHEMA) as error:
        raise _invalid() from error


def _invalid() -> BadRequest:
    return BadRequest("Invalid schema: it is not a JSON Schema.", None, "invalid_schema")


class _Builder:
    def __init__(self, root: Schema) -> None:
        self.root = root

    def value(self, schema: Any, name: str, depth: int) -> Any:
        if not isinstance(schema, Mapping) or depth > 12:
            return None if depth > 12 else "value"
        schema = self._plain(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            options = schema["enum"]
            return schema["default"] if schema.get("default") in options else options[0]
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind == "string":
            return _string(schema, name)
        if kind in ("integer", "number"):
            return _number(schema, kind == "integer")
        if kind == "boolean":
            return _suggested(schema, bool, default=True)
        return None

    def _plain(self, schema: Schema) -> Schema:
        """The schema with references followed, alternatives chosen and parts merged."""
        for _ in range(20):
            if "$ref" in schema:
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                schema = {**self._referred(schema["$ref"]), **rest}
            elif schema.get("allOf"):
                merged = {key: value for key, value in schema.items() if key != "allOf"}
                for part in schema["allOf"]:
                    merged = _merged(merged, self._plain(part))
                schema = merged
            else:
                key = next((key for key in ("anyOf", "oneOf") if schema.get(key)), None)
                if key is None:
                    break
                rest = {k: value for k, value in schema.items() if k != key}
                plain = [self._plain(part) for part in schema[key]]
                choice = next((part for part in plain if part.get("type") != "null"), plain[0])
                schema = _merged(rest, choice)
        return schema

    def _referred(self, reference: str) -> Schema:
        target: Any = self.root
        for step in reference.removeprefix("#").strip("/").split("/"):
            if step:
                step = step.replace("~1", "/").replace("~0", "~")
                target = target.get(step, {}) if isinstance(target, Mapping) else {}
        return target if isinstance(target, Mapping) else {}

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties: Schema = schema.get("properties", {})
        result = {
            name: self.value(properties.get(name, {}), name, depth + 1)
            for name in dict.fromkeys(schema.get("required", []))
        }
        for index in range(len(result), int(schema.get("minProperties", 0))):
            result.setdefault(f"key{index}", "value")
        return result

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        least, most = int(schema.get("minItems", 0)), int(schema.get("maxItems", 50))
        part = schema.get("items", {})
        prefix = [self.value(p, name, depth + 1) for p in schema.get("prefixItems", [])]
        count = max(0, max(least, 1) - len(prefix)) if most else 0
        items = [self.value(part, name, depth + 1) for _ in range(count)]
        if schema.get("uniqueItems"):
            items = _distinct(items, self._plain(part) if isinstance(part, Mapping) else {})
        return prefix + items


def _suggested(schema: Schema, *kinds: type, default: Any = None) -> Any:
    """The schema's own default or first example of one of these types."""
    for value in (schema.get("default"), *schema.get("examples", []), schema.get("example")):
        if isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool)):
            return value
    return default


def _string(schema: Schema, name: str) -> str:
    text: str = _suggested(schema, str) or FORMATS.get(schema.get("format", ""), name or "value")
    if "pattern" in schema and not _matches(text, schema["pattern"]):
        text = _from_pattern(schema["pattern"])
    return text.ljust(int(schema.get("minLength", 0)), "x")[: schema.get("maxLength")]


def _number(schema: Schema, is_integer: bool) -> int | float:
    low, high = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))
    if isinstance(schema.get("exclusiveMinimum"), int | float):
        low = max(low, schema["exclusiveMinimum"] + (1 if is_integer else 1e-6))
    if isinstance(schema.get("exclusiveMaximum"), int | float):
        high = min(high, schema["exclusiveMaximum"] - (1 if is_integer else 1e-6))
    step = schema.get("multipleOf")
    number = _suggested(schema, int, float)
    if number is None or not low <= number <= high:
        number = max(low, min(high, 1))
        if step:
            number = -(-number // step) * step
    return int(number) if is_integer else number


def _matches(text: str, pattern: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:  # a dialect of regular expressions that Python does not support
        return True


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "required" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def _merged(schema: Schema, other: Schema) -> dict[str, Any]:
    both = {**schema, **other}
    both["properties"] = {**schema.get("properties", {}), **other.get("properties", {})}
    both["required"] = [*schema.get("required", []), *other.get("required", [])]
    return {key: value for key, value in both.items() if value != [] and value != {}}


def _distinct(items: list[Any], schema: Schema) -> list[Any]:
    distinct: list[Any] = []
    for item in items:
        while item in distinct:
            if isinstance(item, bool) or not isinstance(item, str | int | float):
                break
            item = f"{item}x" if isinstance(item, str) else item + schema.get("multipleOf", 1)
        if item not in distinct:
            distinct.append(item)
    return distinct


# One character or class of a regular expression, and how often it occurs.
_ATOM = re.compile(r"(\\d|\\w|\\s|\\.|\[[^\]]*\]|\.|[^\\\[\].{}()*+?|^$])(\{\d+(?:,\d*)?\}|[*+?])?")


def _from_pattern(pattern: str) -> str:
    """A text for the simple patterns of tool schemas: classes, counts, first alternatives."""
    text = ""
    for match in _ATOM.finditer(pattern.split("|")[0]):
        atom, count = match[1], match[2]
        if atom == "\\d":
            char = "1"
        elif atom == "\\s":
            char = " "
        elif atom.startswith("["):
            char = atom[1] if atom[1] != "\\" else "1"
        elif atom.startswith("\\") and atom != "\\w":
            char = atom[1]
        else:
            char = "a" if atom in ("\\w", ".") else atom
        times = int(count[1:].split(",")[0].rstrip("}")) if count and count[0] == "{" else 1
        text += char * (0 if count in ("*", "?") else times)
    return text
