"""A trace's clock: when each of its rows is due. Pure.

A row states its time once: `at_s`, seconds from the trace's start, or `timestamp`: ISO 8601 (UTC if
it has no offset) or Unix time (s, ms, us or ns, recognised by its size), counted from the earliest
row. A smaller number is seconds from the trace's start, like `at_s`.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

CLOCKS = ("at_s", "timestamp")
LONGEST_S = 366 * 86400.0
EPOCH_S = 1e8  # the third of March 1973; smaller numbers are not dates
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""Below each number, Unix time is in this many units per second (until the year 5138)."""


def moment_s(row: Mapping[str, Any]) -> float:
    """A row's time in seconds: since the trace's start, or of `timestamp` since 1970.

    Raises ValueError with a clause that does not name the row.
    """
    clocks = [name for name in CLOCKS if name in row]
    if len(clocks) != 1:
        raise ValueError("it needs one of at_s and timestamp")
    value = row[clocks[0]]
    if clocks[0] == "timestamp" and _is_epoch(value):
        return float(value) / next(unit for below, unit in _UNITS if value < below)
    if clocks[0] == "at_s" or (not isinstance(value, str) and _is_number(value)):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{clocks[0]} must be a number of seconds")
        if not 0 <= value <= LONGEST_S:
            raise ValueError(f"{clocks[0]} must be from 0 to {LONGEST_S:.0f} seconds")
        return float(value)
    try:
        when = datetime.fromisoformat(value)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise ValueError("timestamp must be a time as ISO 8601 writes it") from None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_epoch(value: Any) -> bool:
    return _is_number(value) and EPOCH_S <= value < _UNITS[-1][0]


def is_dated(row: Mapping[str, Any]) -> bool:
    """Whether a row's time is a date, not seconds from the trace's start."""
    value = row.get("timestamp")
    return "timestamp" in row and (isinstance(value, str) or _is_epoch(value))


def offsets_s(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """Every row's seconds after the trace's start; all rows must use the same kind of time.

    Raises ValueError if they do not, or if two of them are more than a year apart.
    """
    moments = [moment_s(row) for row in rows]
    by_date = {is_dated(row) for row in rows}
    if len(by_date) > 1:
        raise ValueError("some rows say at_s and some timestamp: use one of them throughout")
    if by_date == {True}:
        earliest = min(moments)
        moments = [round(moment - earliest, 6) for moment in moments]
    if moments and max(moments) > LONGEST_S:
        raise ValueError("two rows are more than a year apart: correct the timestamps")
    return moments


def due_times_s(offsets: Sequence[float], speed: float) -> tuple[float, ...]:
    """When each request is due, ascending: the trace's times, `speed` times as fast."""
    return tuple(offset / speed for offset in sorted(offsets))


def window_s(times: Sequence[float]) -> float:
    """The window for these arrivals, seconds: up to the last, plus one mean gap.

    So a trace with even gaps keeps its rate. If all arrive at one instant, 1 s is added.
    """
    gap = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0
    end = times[-1] + (gap or 1.0)
    return end if math.isfinite(end) and end > times[-1] else times[-1] + 1.0
