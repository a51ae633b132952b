"""Arguments for a tool call: an instance of a JSON Schema, filled from what the prompt names.

Covers what tool schemas are made of: types, enum, const, objects, arrays, bounds, formats, simple
patterns, anyOf/oneOf/allOf and local `$ref`s. Values named in the prompt come first, then the
schema's own `default` and `examples`, then the smallest value that is valid.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from simulator.mentions import Mentions

Schema = Mapping[str, Any]

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


def instance(schema: Schema, prompt: str) -> Any:
    """A value that validates against the schema, with the prompt's values where they fit."""
    return _Builder(schema, Mentions(prompt)).value(schema, "", 0)


class _Builder:
    def __init__(self, root: Schema, mentions: Mentions) -> None:
        self.root = root
        self.mentions = mentions

    def value(self, schema: Any, name: str, depth: int) -> Any:
        if not isinstance(schema, Mapping) or depth > 12:
            return None if depth > 12 else self.mentions.text(name) or "value"
        schema = self._plain(schema, name)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._chosen(schema["enum"], schema, name)
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind == "string":
            return self._string(schema, name)
        if kind in ("integer", "number"):
            return self._number(schema, name, kind == "integer")
        if kind == "boolean":
            return self.mentions.boolean(name, schema.get("default"))
        return None

    def _plain(self, schema: Schema, name: str) -> Schema:
        """The schema with references followed, alternatives chosen and parts merged."""
        for _ in range(20):
            if "$ref" in schema:
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                schema = {**self._referred(schema["$ref"]), **rest}
            elif schema.get("allOf"):
                merged = {key: value for key, value in schema.items() if key != "allOf"}
                for part in schema["allOf"]:
                    merged = _merged(merged, self._plain(part, name))
                schema = merged
            else:
                key = next((key for key in ("anyOf", "oneOf") if schema.get(key)), None)
                if key is None:
                    break
                rest = {k: value for k, value in schema.items() if k != key}
                plain = [self._plain(part, name) for part in schema[key]]
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
        required = schema.get("required", [])
        result = {}
        for name, part in properties.items():
            # Optional properties are filled only where the prompt names them.
            if name in required or self.mentions.names(name) or self._offers(part, name):
                result[name] = self.value(part, name, depth + 1)
        for name in required:
            if name not in result:
                result[name] = self.value(properties.get(name, {}), name, depth + 1)
        for index in range(len(result), int(schema.get("minProperties", 0))):
            result.setdefault(f"key{index}", "value")
        return result

    def _offers(self, part: Any, name: str) -> bool:
        """Whether one of an optional property's own enum values is named in the prompt."""
        plain = self._plain(part, name) if isinstance(part, Mapping) else {}
        return self.mentions.one_of(plain.get("enum", [])) is not None

    def _chosen(self, options: list[Any], schema: Schema, name: str) -> Any:
        named = self.mentions.one_of(options)
        if named is not None:
            return named
        return schema["default"] if schema.get("default") in options else options[0]

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        least, most = int(schema.get("minItems", 0)), int(schema.get("maxItems", 50))
        part = schema.get("items", {})
        prefix = [self.value(p, name, depth + 1) for p in schema.get("prefixItems", [])]
        plain = self._plain(part, name) if isinstance(part, Mapping) else {}
        if plain.get("enum"):
            found: list[Any] = self.mentions.all_of(plain["enum"])[:most]
            spare: Iterator[Any] = (value for value in plain["enum"] if value not in found)
            while len(found) < max(least, 1):
                found.append(next(spare, plain["enum"][0]))
            return found
        wanted = max(least, 1) - len(prefix) if most else 0
        if _kind(plain) == "string" and not prefix:
            # A plain list of texts takes all that the prompt lists for it.
            wanted = max(wanted, min(most, self.mentions.listed(name)))
        items = [self.value(part, name, depth + 1) for _ in range(max(0, wanted))]
        if schema.get("uniqueItems"):
            items = _distinct(items, plain)
        return prefix + items

    def _string(self, schema: Schema, name: str) -> str:
        named = self.mentions.formatted(schema.get("format", "")) if "format" in schema else None
        if named is None and schema.get("format") not in FORMATS and "pattern" not in schema:
            named = self.mentions.text(name)
        if named is None and "pattern" in schema:
            named = self.mentions.matching(schema["pattern"])
        examples = [schema.get("default"), *schema.get("examples", [])]
        text = named or next((e for e in examples if isinstance(e, str)), None)
        if text is None:
            text = FORMATS.get(schema.get("format", ""), name or "value")
        if "pattern" in schema and not _fits(text, schema["pattern"]):
            text = _from_pattern(schema["pattern"])
        return text.ljust(int(schema.get("minLength", 0)), "x")[: schema.get("maxLength")]

    def _number(self, schema: Schema, name: str, whole: bool) -> int | float:
        low, high = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))
        if isinstance(schema.get("exclusiveMinimum"), int | float):
            low = max(low, schema["exclusiveMinimum"] + (1 if whole else 1e-6))
        if isinstance(schema.get("exclusiveMaximum"), int | float):
            high = min(high, schema["exclusiveMaximum"] - (1 if whole else 1e-6))
        step = schema.get("multipleOf")
        number = self.mentions.number(name, low, high, whole, step)
        if number is None:
            number = schema.get("default", schema.get("example"))
        if not isinstance(number, int | float) or not low <= number <= high:
            number = max(low, min(high, 1))
            if step:
                number = -(-number // step) * step
        return int(number) if whole else number


def _fits(text: str, pattern: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:  # a dialect of regular expressions that Python does not know
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


def _merged(one: Schema, other: Schema) -> dict[str, Any]:
    both = {**one, **other}
    both["properties"] = {**one.get("properties", {}), **other.get("properties", {})}
    both["required"] = [*one.get("required", []), *other.get("required", [])]
    return {key: value for key, value in both.items() if value != [] and value != {}}


def _distinct(items: list[Any], schema: Schema) -> list[Any]:
    seen: list[Any] = []
    for item in items:
        while item in seen:
            if isinstance(item, bool) or not isinstance(item, str | int | float):
                break
            item = f"{item}x" if isinstance(item, str) else item + schema.get("multipleOf", 1)
        if item not in seen:
            seen.append(item)
    return seen


# One character or class of a regular expression, and how often it occurs.
_ATOM = re.compile(r"(\\d|\\w|\\s|\\.|\[[^\]]*\]|\.|[^\\\[\].{}()*+?|^$])(\{\d+(?:,\d*)?\}|[*+?])?")


def _from_pattern(pattern: str) -> str:
    """A text for the simple patterns of tool schemas: classes, counts, first alternatives."""
    text = ""
    for found in _ATOM.finditer(pattern.split("|")[0]):
        atom, count = found[1], found[2]
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
