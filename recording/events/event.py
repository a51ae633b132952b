"""The base of every event, and how its fields are written to a line and read from one. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from recording.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The fields of every event; `phase` is the name of its phase, if it belongs to one.

    `beyond` holds the fields of a line that its class does not know, from another version.
    """

    name: ClassVar[str] = ""
    at: str | None = None
    phase: str | None = None
    beyond: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The fields of the line without its time; the name comes first."""
        known_fields = {
            item.name: _plain(value)
            for item in fields(self)
            if item.name not in ("at", "beyond") and (value := getattr(self, item.name)) is not None
        }
        return {"event": self.name, **known_fields}

    def details(self) -> str:
        """Its fields beyond name, place and time as text, e.g. `counted: 7, completed: 20`."""
        known = {k: v for k, v in self.as_dict().items() if k not in ("event", "phase")}
        known |= self.beyond or {}
        return ", ".join(
            f"{k}: {v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)}"
            for k, v in known.items()
        )

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "Event":
        """The event that a well-formed line describes."""
        types = _types(cls)  # type: ignore[arg-type]  # a class is hashable
        declared = {item.name for item in fields(cls)} - {"beyond"}
        known = {name: _typed(types[name], line[name]) for name in declared & line.keys()}
        beyond = {
            name: value
            for name, value in line.items()
            if name != "event" and value is not None and known.get(name) is None
        }
        return cls(**known, beyond=beyond or None)


_types = cache(get_type_hints)
"""The declared type of each field of an event."""


def _typed(declared: Any, value: Any) -> Any:
    """A value of a line, converted to the type that its field declares: X, or X | None."""
    optional = isinstance(declared, UnionType)
    kind = get_args(declared)[0] if optional else declared
    if kind is Reason:
        return Reason.of(value)
    if get_origin(kind) is tuple:
        if isinstance(value, list):
            of = get_args(kind)[0]
            return tuple(None if item is None else _typed(of, item) for item in value)
        return () if value is None and not optional else value
    if is_dataclass(kind) and isinstance(kind, type) and isinstance(value, Mapping):
        names = {item.name for item in fields(kind)}
        return kind(**{name: item for name, item in value.items() if name in names})
    return value


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
