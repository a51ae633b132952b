"""Safe access to values of JSON from any source: an object, a number, or nothing. Pure."""

import json
import math
from collections.abc import Mapping
from typing import Any, TypeVar

Json = Mapping[str, Any]
Number = TypeVar("Number", int, float)
INT64 = 2**63


def mapping(value: object) -> Json:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def whole_number(value: object) -> int | None:
    """A whole number that a 64-bit column can hold, also when written as 12.0 or as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -INT64 <= value < INT64 else None


def numeric(value: object) -> float | None:
    """A finite number, also when written as text (headers, some dialects)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return None  # which float() would read
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def first(*values: Number | None) -> Number | None:
    """The first value that is not None."""
    return next((value for value in values if value is not None), None)


def at(body: Json, path: str) -> object:
    """The value of a body at a dotted path; None: there is none."""
    value: object = body
    for name in path.split("."):
        value = mapping(value).get(name)
    return value


def text(value: object) -> str | None:
    """The value if it is non-empty text."""
    return value if isinstance(value, str) and value.strip() else None


def as_json(value: object) -> str:
    """A value as JSON, for a reader."""
    return json.dumps(value, ensure_ascii=False, default=str)


def text_of(content: object) -> str | None:
    """A message's content as text; for a list of parts, the text parts joined."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [mapping(part).get("text") for part in content]
        return "".join(text for text in texts if isinstance(text, str)) or None
    return None
