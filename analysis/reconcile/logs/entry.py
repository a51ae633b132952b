"""One entry of a gateway's log of any format, and the values it is read from. Pure.

A log comes as JSON or as CSV, so a number may be a number or text, and an object may be an object
or JSON in a cell.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from recording.exact_amount import exact_amount

Record = Mapping[str, Any]


class Kind(StrEnum):
    """What an entry describes."""

    REQUEST = "request"  # a request as the gateway served it, or one try of it
    CALL = "call"  # a call to a provider, within a request that has an entry of its own
    CHARGE = "charge"  # money alone, such as a refund


@dataclass(frozen=True, slots=True)
class Entry:
    """What one entry says. None: it does not say.

    `ids` are all names it gives the request, `amount` the money in the log's own unit, exact,
    `lasted_s` how long it took inside, `tries` how often a provider was asked for it,
    at least.
    """

    ids: tuple[str, ...]
    line: int
    kind: Kind = Kind.REQUEST
    ok: bool | None = None
    amount: Decimal | None = None
    model: str | None = None
    began_unix_s: float | None = None
    lasted_s: float | None = None
    tries: int | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one kind of log: whether a record is of it, and which entries a record holds.

    `currency` is what amounts are in; `per_unit` of the log's units make one of it. `resolution_s`
    is the resolution of a request's duration.
    """

    name: str
    fits: Callable[[Record], bool]
    read: Callable[[Record, int], Iterator[Entry]]
    currency: str = "USD"
    per_unit: Decimal = Decimal(1)
    resolution_s: float = 0.001


def texts(*values: object) -> tuple[str, ...]:
    """The values that are non-empty text, each once."""
    stripped = (str(value).strip() for value in values if isinstance(value, str | int))
    return tuple(dict.fromkeys(text for text in stripped if text and text != "None"))


def number(value: object) -> Decimal | None:
    """A finite number, exactly as it is written."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount.adjusted()) < 30 else None


def money(value: object) -> Decimal | None:
    """A finite amount, exactly as it was meant."""
    amount = number(value)
    return None if amount is None else exact_amount(amount)


def whole_number(value: object) -> int | None:
    """A whole number."""
    amount = number(value)
    return int(amount) if amount is not None and amount == amount.to_integral_value() else None


def true(value: object) -> bool | None:
    """Whether a value says yes; None: it says neither."""
    known = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
    return known.get(str(value).strip().lower())


def inner(value: object) -> Record:
    """An object, also if it is JSON inside a text; otherwise an empty one."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value, parse_float=Decimal)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def instant(value: object) -> float | None:
    """A moment in Unix seconds: ISO 8601 (UTC where it names no zone), seconds, ms or ns."""
    stamp = number(value)
    if stamp is None:
        try:
            when = datetime.fromisoformat(str(value).strip())
        except ValueError:
            return None
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    for most, scale in ((10**11, 1), (10**14, 10**3), (10**17, 10**6), (10**20, 10**9)):
        if abs(stamp) < most:
            return float(stamp / scale)
    return None


def lasted(began_s: float | None, ended_s: float | None) -> float | None:
    """How long it took, seconds; None where either is not known, or the end comes first."""
    if began_s is None or ended_s is None or ended_s < began_s:
        return None
    return ended_s - began_s
