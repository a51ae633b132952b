"""Checks that a run's manifest and events have the types that all readers rely on.

recording/manifest_content.py and recording/events say which. A file that was edited, or that
another program wrote, is refused here, in one sentence that names the place; nothing after it needs
to look. What they do not name may be anything.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import EnumType
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from recording.errors import InputError
from recording.events import EVENTS, BodyChanged, Event, NotSent
from recording.manifest_content import ChangedBody, Manifest
from recording.record import clean
from rules.prices import Prices

LARGEST = 2**53
"""Beyond it a whole number is no longer itself in JSON and in float64."""
Shape = Callable[[Any, str], None]


class NotWellFormed(InputError):
    """A value is of another type; the message names its place, its value and what it should be."""


def _is(what: str, right: Callable[[Any], bool]) -> Shape:
    def check(value: Any, where: str) -> None:
        if value is not None and not right(value):
            text = repr(value)
            text = text if len(text) <= 40 else text[:39] + "…"
            raise NotWellFormed(f"{where} is {text}, not {what}")

    return check


def _finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= LARGEST if isinstance(value, int) else math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


TEXT = _is("text", lambda value: isinstance(value, str))
FLAG = _is("true or false", lambda value: isinstance(value, bool))
NUMBER = _is("a finite number", _finite)
SECONDS = _is("a number of seconds", lambda value: _finite(value) and abs(value) < 1e10)
WHOLE = _is("a whole number, 0 or more", _is_whole)
SCALAR = _is("text, a finite number, true or false",
             lambda value: isinstance(value, str | bool) or _finite(value))  # fmt: skip


def _list(inner: Shape) -> Shape:
    def check(value: Any, where: str) -> None:
        _is("a list", lambda value: isinstance(value, list))(value, where)
        for place, item in enumerate(value or ()):
            inner(item, f"{where}[{place}]")

    return check


def _map(inner: Shape | None = None, needs: Sequence[str] = (), **named: Shape) -> Shape:
    """An object: `named` values, the others as `inner` (None: anything); `needs` a key."""

    def check(value: Any, where: str) -> None:
        _is("an object", lambda value: isinstance(value, dict))(value, where)
        if value is not None and (missing := [key for key in needs if key not in value]):
            raise NotWellFormed(f"{where}.{missing[0]} is missing")
        for key, item in (value or {}).items():
            shape = named.get(key, inner)
            if shape is not None:
                shape(item, f"{where}.{key}" if where else key)

    return check


def _needed(shape: Shape) -> Shape:
    def check(value: Any, where: str) -> None:
        if value is None:
            raise NotWellFormed(f"{where} is missing")
        shape(value, where)

    return check


def _prices(value: Any, where: str) -> None:
    _is("an object", lambda value: isinstance(value, dict))(value, where)
    try:
        Prices.from_dict(value)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise NotWellFormed(f"{where} is no price table") from None
    for model, price in (value or {}).get("models", {}).items():
        _map(SCALAR)(price, f"{where}.models.{model}")


_NEEDED = ("run_id", "plan", "name")
"""Fields of a manifest without which nothing can be read. Any other may be missing, or null."""
_PLAIN: dict[Any, Shape] = {str: TEXT, bool: FLAG, int: WHOLE, float: NUMBER}


def _anything(value: Any, where: str) -> None:
    """Any value: no reader relies on its type."""


def _typed(kind: Any, name: str) -> Shape:
    """The shape of a field's type; a number of seconds is one by its name."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is float and name.endswith("_s"):
        return SECONDS
    if is_typeddict(kind) or is_dataclass(kind):
        return _fields(kind)
    if origin in (list, tuple):
        return _list(_item(inner[0], name))
    if origin in (dict, Mapping):
        return _map(_item(inner[1], name))
    if origin in (Union, UnionType):
        known = [part for part in inner if part is not NoneType]
        return _typed(known[0], name) if len(known) == 1 else SCALAR
    if origin is Literal or isinstance(kind, EnumType):
        return TEXT
    return _PLAIN.get(kind, _anything)


def _item(kind: Any, name: str) -> Shape:
    """The shape of one of many: it may be null only where its type says so."""
    shape = _typed(kind, name)
    return shape if NoneType in get_args(kind) else _needed(shape)


def _fields(kind: Any, **other: Shape) -> Shape:
    """The shape of an object, its fields as their types say; `other` ones say more."""
    hints, needed = get_type_hints(kind), [*_NEEDED]
    if is_dataclass(kind):
        own_fields = fields(kind)
        hints = {item.name: hints[item.name] for item in own_fields if item.name != "beyond"}
        needed = [item.name for item in own_fields if item.default is MISSING]
    known = {name: _typed(hint, name) for name, hint in hints.items()} | other
    needed = [name for name in needed if name in known]
    return _map(None, needed, **known | {name: _needed(known[name]) for name in needed})


MANIFEST = _fields(
    Manifest, prices=_prices, options=_map(SCALAR, seed=WHOLE, warmup=SECONDS, fail_on=TEXT)
)
_EVENT = _fields(Event)
_EVENTS = {name: _fields(kind) for name, kind in EVENTS.items()} | {
    BodyChanged.name: _fields(ChangedBody),  # their lines hold the fields of a part
    NotSent.name: _anything,  # Unsent.of sees to it
}


def manifest(content: Mapping[str, Any]) -> None:
    """Check that a manifest can be read. Raises NotWellFormed."""
    MANIFEST(content, "")


def event(content: Mapping[str, Any]) -> None:
    """Check that an event can be read. Raises NotWellFormed."""
    _EVENT(content, "")
    _EVENTS.get(content["event"], _anything)(content, "")


def cleaned(value: Any) -> Any:
    """JSON without what UTF-8 cannot hold: an escaped lone surrogate would crash every writer."""
    if isinstance(value, str):
        return value if value.isascii() else clean(value)
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    return value
