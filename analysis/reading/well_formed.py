"""Whether a run's manifest and events are of the types that every reader of them counts on.

A file that was edited, or that another program wrote, is refused here, in one sentence that names
the place; nothing after it needs to look. What is not named here may be anything.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from recording.errors import InputError
from recording.manifest_content import Manifest
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
            said = repr(value)
            said = said if len(said) <= 40 else said[:39] + "…"
            raise NotWellFormed(f"{where} is {said}, not {what}")

    return check


def _finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= LARGEST if isinstance(value, int) else math.isfinite(value)


def _whole(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


TEXT = _is("text", lambda value: isinstance(value, str))
FLAG = _is("true or false", lambda value: isinstance(value, bool))
NUMBER = _is("a finite number", _finite)
SECONDS = _is("a number of seconds", lambda value: _finite(value) and abs(value) < 1e10)
WHOLE = _is("a whole number, 0 or more", _whole)
SCALAR = _is("text, a finite number, true or false",
             lambda value: isinstance(value, str | bool) or _finite(value))  # fmt: skip


def _list(inner: Shape) -> Shape:
    def check(value: Any, where: str) -> None:
        _is("a list", lambda value: isinstance(value, list))(value, where)
        for place, one in enumerate(value or ()):
            inner(one, f"{where}[{place}]")

    return check


def _map(inner: Shape | None = None, needs: Sequence[str] = (), **named: Shape) -> Shape:
    """An object: `named` values, the others as `inner` (None: anything); `needs` a key."""

    def check(value: Any, where: str) -> None:
        _is("an object", lambda value: isinstance(value, dict))(value, where)
        if value is not None and (missing := [key for key in needs if key not in value]):
            raise NotWellFormed(f"{where}.{missing[0]} is missing")
        for key, one in (value or {}).items():
            shape = named.get(key, inner)
            if shape is not None:
                shape(one, f"{where}.{key}" if where else key)

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


_ACCOUNT = _map(_needed(NUMBER), ("limit", "spent", "largest_underestimate", "unstated"))
_NEEDED = ("run_id", "plan", "name")
"""Fields of a manifest without which nothing can be read. Any other may be missing, or null."""
_PLAIN: dict[Any, Shape] = {str: TEXT, bool: FLAG, int: WHOLE, float: NUMBER}


def _anything(value: Any, where: str) -> None:
    """Nobody counts on what it is."""


def _typed(kind: Any, name: str) -> Shape:
    """The shape of a field's type; a number of seconds is one by its name."""
    origin, inner = get_origin(kind), [one for one in get_args(kind) if one is not NoneType]
    if kind is float and name.endswith("_s"):
        return SECONDS
    if is_typeddict(kind):
        return _fields(kind)
    if origin is list:
        return _list(_needed(_typed(inner[0], name)))
    if origin is dict:
        return _map(_typed(inner[1], name))
    if origin is Literal:
        return TEXT
    if origin in (Union, UnionType):
        return _typed(inner[0], name) if len(inner) == 1 else SCALAR
    return _PLAIN.get(kind, _anything)


def _fields(kind: Any, **other: Shape) -> Shape:
    """The shape of an object, its fields as their types say; `other` ones say more."""
    known = {name: _typed(hint, name) for name, hint in get_type_hints(kind).items()} | other
    needed = [name for name in known if name in _NEEDED]
    return _map(None, needed, **known | {name: _needed(known[name]) for name in needed})


MANIFEST = _fields(
    Manifest, prices=_prices, options=_map(SCALAR, seed=WHOLE, warmup=SECONDS, fail_on=TEXT)
)
EVENT = _map(
    at=TEXT, event=_needed(TEXT), phase=TEXT, worker=TEXT, reason=TEXT, why=TEXT, cause=TEXT,
    cut=TEXT, model=TEXT, mode=TEXT, generators=_list(_needed(TEXT)),
    clock_offsets_s=_list(_needed(NUMBER)), round_trips_s=_list(NUMBER), t0_unix_s=NUMBER,
    sent=WHOLE, dropped=WHOLE, held_by_budget=WHOLE, foreign_rows=WHOLE, completed=SCALAR,
    counted=WHOLE, outcomes=_map(_needed(WHOLE)), resumed=FLAG,
    pacers=_list(_needed(_map(None))), money=_ACCOUNT, tokens=_ACCOUNT, status=WHOLE,
    http_status=WHOLE, field=TEXT, said=TEXT, words=TEXT, error=TEXT, kind=TEXT, asked=TEXT,
    near=_list(_needed(TEXT)), outcome=TEXT, ends=TEXT, which=TEXT, to=TEXT,
)  # fmt: skip
PHASE_END = _map(generator=_map(NUMBER), pacers=_list(_needed(_map(NUMBER))))


def manifest(content: Mapping[str, Any]) -> None:
    """See that a manifest can be read. Raises NotWellFormed."""
    MANIFEST(content, "")


def event(content: Mapping[str, Any]) -> None:
    """See that an event can be read. Raises NotWellFormed."""
    EVENT(content, "")
    if content["event"] == "phase_end":
        PHASE_END(content, "")


def cleaned(value: Any) -> Any:
    """JSON without what UTF-8 cannot hold: a lone surrogate, written as an escape, would end us."""
    if isinstance(value, str):
        return value if value.isascii() else clean(value)
    if isinstance(value, list):
        return [cleaned(one) for one in value]
    if isinstance(value, dict):
        return {cleaned(key): cleaned(one) for key, one in value.items()}
    return value
