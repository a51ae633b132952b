"""Typed fields of a request body, refused with OpenAI's error messages."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


class BadRequest(Exception):
    """Raised for a body that is refused: message, faulty parameter, code, status, type."""

    def __init__(
        self,
        message: str,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.param = param
        self.code = code
        self.status = status


def load(body: bytes) -> dict[str, Any]:
    """The JSON object of a request body. Raises BadRequest."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(
            "We could not parse the JSON body of your request.", None, "invalid_json"
        ) from error
    if not isinstance(data, dict):
        raise BadRequest("The body of a request must be a JSON object.")
    return data


def boolean(data: Mapping[str, Any], name: str) -> bool:
    """True or false; absent and null are false. Raises BadRequest."""
    value = data.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise BadRequest(f"Invalid type for '{name}': expected a boolean.", name)


def text(data: Mapping[str, Any], name: str) -> str | None:
    """A string; None if absent or null. Raises BadRequest."""
    value = data.get(name)
    if value is None or isinstance(value, str):
        return value
    raise BadRequest(f"Invalid type for '{name}': expected a string.", name)


def one_of(data: Mapping[str, Any], name: str, values: Sequence[str]) -> str | None:
    """One of some strings; None if absent or null. Raises BadRequest."""
    value = data.get(name)
    if value is None or value in values:
        return value
    raise BadRequest(
        f"Invalid value: '{value}'. Supported values of '{name}' are: {', '.join(values)}.",
        name,
        "invalid_value",
    )


def number(data: Mapping[str, Any], name: str, low: float, high: float) -> int | float | None:
    """A number within bounds; None if absent or null. Raises BadRequest."""
    value = data.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise BadRequest(f"Invalid value for '{name}': expected {low} to {high}.", name)
    return value


def whole_number(
    data: Mapping[str, Any], name: str, low: int | None = None, high: int | None = None
) -> int | None:
    """A whole number within bounds; None if absent or null. Raises BadRequest."""
    value = data.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRequest(f"Invalid type for '{name}': expected an integer.", name)
    if low is not None and value < low:
        raise BadRequest(f"Invalid '{name}': expected a value >= {low}, got {value}.", name)
    if high is not None and value > high:
        raise BadRequest(f"Invalid '{name}': expected a value <= {high}, got {value}.", name)
    return value
