"""Reads amounts of money as gateways write them: a number, or text with a currency. Pure.

A run has one currency, because its costs are summed: an amount in another currency is not read. If
the run names no currency, plain numbers are accepted and a named currency must be US dollars.
"""

import re
from collections.abc import Collection

from recording.json_values import numeric

_DOLLARS = ("USD", "AUD", "CAD", "HKD", "NZD", "SGD", "TWD")
_UNITS: dict[str, Collection[str]] = {
    "$": _DOLLARS, "＄": _DOLLARS, "US$": ("USD",), "¥": ("CNY", "JPY"), "￥": ("CNY", "JPY"),
    "元": ("CNY",), "人民币": ("CNY",), "RMB": ("CNY",), "€": ("EUR",), "£": ("GBP",),
}  # fmt: skip
_UNIT = r"US\$|[$＄¥￥€£元]|人民币|[A-Za-z]{3}"
_GROUPS = r"[0-9]{1,3}(?:,[0-9]{3})"
_TEXT = re.compile(
    rf"\s*({_UNIT})?\s*([-+]?(?:[0-9]+|{_GROUPS}+(?=\.)|{_GROUPS}{{2,}})?"
    rf"(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{{1,3}})?)\s*({_UNIT})?\s*"
)
"""A number with its unit before or after it. `1,234` is ambiguous and is not read."""
_LONGEST = 60


def accepted(unit: str, currency: str) -> bool:
    """Whether an amount in `unit` (a sign or code) counts in a run of `currency` (empty: none)."""
    units, currency_units = unit.strip().upper(), (currency or "USD").strip().upper()
    return not set(_UNITS.get(units, (units,))).isdisjoint(
        _UNITS.get(currency_units, (currency_units,))
    )


def amount(value: object, currency: str = "") -> float | None:
    """A finite amount in the run's currency; None: it is none, ambiguous, or in another."""
    plain = numeric(value)
    if plain is not None or not isinstance(value, str) or len(value) > _LONGEST:
        return plain
    match = _TEXT.fullmatch(value)
    if match is None:
        return None
    units = [unit for unit in (match[1], match[3]) if unit]
    if not all(accepted(unit, currency) for unit in units):
        return None
    return numeric(match[2].replace(",", ""))


def other_unit(value: object, currency: str) -> bool:
    """Whether a text, or the `currency` of an object, names another unit than the run's."""
    if isinstance(value, dict):
        named = value.get("currency")
        return isinstance(named, str) and bool(named) and not accepted(named, currency)
    match = _TEXT.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST else None
    if match is None or not match[2]:
        return False
    return not all(accepted(unit, currency) for unit in (match[1], match[3]) if unit)
