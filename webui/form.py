"""Reads the start form: each field as its option's type, or one sentence about what is wrong."""

import math
from collections.abc import Collection, Mapping
from dataclasses import Field, dataclass, fields, replace
from typing import Any

from locust.util.timespan import parse_timespan

from recording.errors import OperatorError
from settings.command_line import seconds_of
from settings.known_modes import known
from settings.option import flag, readers
from settings.options import Options

LOCUSTS_OWN = ("user_count", "spawn_rate", "host", "run_time", "profile")
_OPTIONS: dict[str, "Field[Any]"] = {item.name: item for item in fields(Options)}


@dataclass(frozen=True, slots=True)
class Ramp:
    """The users of mode interactive: how many, and how many are added per second."""

    users: int
    rate: float

    @classmethod
    def of(cls, form: Mapping[str, str]) -> "Ramp":
        """The form's two numbers. Raises OperatorError."""
        users = number("the number of users", form.get("user_count", ""), int)
        rate = number("the ramp up", form.get("spawn_rate", ""), float)
        if users < 1:
            raise OperatorError("the number of users must be at least 1.")
        if not rate > 0:
            raise OperatorError("the ramp up must be above 0 users per second.")
        return cls(int(users), rate)


def options(
    form: Mapping[str, str], server_options: Options, references: Collection[str] = ()
) -> Options:
    """The options of a run: `server_options`, with the changes that the form makes.

    `references` are the choices for `--against`: only those that the operator has configured,
    because a key must go to its own gateway only.

    The form has every mode's fields and keeps the last run's values; those that the mode does not
    read are ignored.

    Raises OperatorError for an unknown field, one that may not be set here, or one that does not
    parse.
    """
    changed: dict[str, Any] = {}
    for name, text in form.items():
        if name in LOCUSTS_OWN:
            continue
        item = _OPTIONS.get(name)
        if item is None:
            raise OperatorError(f"{name[:40]!r} is not a field of the start form: leave it out.")
        chosen = name == "against" and text in ("", *references)
        if not item.metadata["web"] and not chosen:
            raise OperatorError(
                f"{flag(name)} cannot be set from the browser: give it on the "
                "command line that starts Locust."
            )
        changed[name] = _value(item, text)
    changed_options = replace(server_options, **changed)
    if changed_options.mode not in known():
        return changed_options
    unread = [item for item in fields(Options) if changed_options.mode not in readers(item)]
    defaults: dict[str, Any] = {item.name: item.default for item in unread}
    return replace(changed_options, **defaults)


def _value(item: "Field[Any]", text: str) -> Any:
    label = flag(item.name)
    if isinstance(item.default, bool):
        if text not in ("true", "false"):
            raise OperatorError(f"{label} must be true or false, not {text[:40]!r}.")
        return text == "true"
    if isinstance(item.default, int | float):
        return number(label, text, type(item.default), seconds=item.metadata["seconds"])
    return text.strip()


def number(
    label: str, text: str, kind: type[int] | type[float], seconds: bool = False
) -> int | float:
    """A finite number of a type, or a duration if `seconds`. Raises OperatorError."""
    expected = "a whole number" if kind is int else "a number"
    if seconds:
        expected = "a number of seconds, or a duration like 90s, 1m or 1h30m"
    if not text.strip():
        raise OperatorError(f"{label} is empty: it takes {expected}.")
    try:
        value = seconds_of(text) if seconds else kind(text)
    except ValueError:
        raise OperatorError(f"{label} takes {expected}, not {text[:40]!r}.") from None
    if not math.isfinite(value):
        raise OperatorError(f"{label} takes {expected}, not {text[:40]!r}.")
    return value


def run_time_s(form: Mapping[str, str]) -> int | None:
    """After how many seconds Locust stops the run, or None. Raises OperatorError."""
    text = form.get("run_time", "").strip()
    if not text:
        return None
    try:
        return int(parse_timespan(text))
    except ValueError:
        raise OperatorError(
            f"write the run time like 20s, 3m or 1h20m, not {text[:40]!r}."
        ) from None
