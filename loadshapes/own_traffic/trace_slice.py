"""A part of a trace, from `--trace-from` to `--trace-to`, and the wording of durations. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from loadshapes.own_traffic.trace import is_dated, moment_s, offsets_s
from settings.command_line import seconds_of

LONG_SILENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Slice:
    """From which offset (inclusive) to which (exclusive); None: the trace's own."""

    begin: "float | datetime | None" = None
    end: "float | datetime | None" = None

    @classmethod
    def of(cls, begin: str, end: str) -> "Slice":
        """The slice that the options define. Raises ValueError with the start of a sentence."""
        return cls(_bound("--trace-from", begin), _bound("--trace-to", end))

    def __bool__(self) -> bool:
        return self.begin is not None or self.end is not None

    def places(self, rows: Sequence[Mapping[str, Any]]) -> tuple[list[int], list[float]]:
        """The rows inside, and when each is due, seconds from the slice's start.

        Raises ValueError, a clause.
        """
        offsets = offsets_s(rows)
        dated = bool(rows) and is_dated(rows[0])
        earliest = min(map(moment_s, rows)) if dated else 0.0
        begin = _offset(self.begin, "--trace-from", dated, earliest)
        end = _offset(self.end, "--trace-to", dated, earliest)
        if begin is not None and end is not None and begin >= end:
            raise ValueError("--trace-from is not before --trace-to, so nothing lies between")
        low = begin if begin is not None else float("-inf")
        high = end if end is not None else float("inf")
        inside = [place for place, offset in enumerate(offsets) if low <= offset < high]
        if not inside:
            last = lasting(max(offsets))
            raise ValueError(
                f"none of its {len(offsets):,} rows lies between --trace-from and --trace-to: the "
                f"last is {last} after the start"
            )
        return inside, [round(offsets[place] - (begin or 0.0), 6) for place in inside]


WHOLE = Slice()


def _bound(flag: str, text: str) -> "float | datetime | None":
    if not text.strip():
        return None
    try:
        seconds = seconds_of(text.strip())
    except ValueError:
        pass
    else:
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"{flag} must not be below 0.")
        return seconds
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{flag} takes seconds from the trace's start (or 1h30m), or a time as ISO 8601 writes "
            f"it, not {text!r}."
        ) from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _offset(
    bound: "float | datetime | None", flag: str, dated: bool, earliest: float
) -> float | None:
    if not isinstance(bound, datetime):
        return bound
    if not dated:
        raise ValueError(f"{flag} is a date, and the trace's times are none: give seconds")
    return bound.timestamp() - earliest


def lasting(seconds: float) -> str:
    """A duration for people: `45 s`, `12.5 minutes`, `3.2 hours`, `9.5 days`."""
    for above, unit_s, unit in (
        (2 * 86400.0, 86400.0, "days"),
        (2 * 3600.0, 3600.0, "hours"),
        (120.0, 60.0, "minutes"),
    ):
        if seconds >= above:
            return f"{seconds / unit_s:.1f} {unit}"
    return f"{seconds:g} s"
