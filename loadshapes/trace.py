"""A trace's clock: when each of its rows is due, from what the row says. Pure.

A row states its time once: `at_s`, seconds from the trace's start, or `timestamp`, ISO 8601 (one
without an offset is UTC), which counts from the earliest of the trace.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

CLOCKS = ("at_s", "timestamp")
LONGEST_S = 366 * 86400.0


def moment_s(row: Mapping[str, Any]) -> float:
    """A row's time in seconds: since the trace's start, or of `timestamp` since 1970.

    Raises ValueError, a clause without the row's place.
    """
    stated = [name for name in CLOCKS if name in row]
    if len(stated) != 1:
        raise ValueError("it needs one of at_s and timestamp")
    value = row[stated[0]]
    if stated[0] == "at_s":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("at_s must be a number of seconds")
        if not 0 <= value <= LONGEST_S:
            raise ValueError(f"at_s must be from 0 to {LONGEST_S:.0f} seconds")
        return float(value)
    try:
        when = datetime.fromisoformat(value)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise ValueError("timestamp must be a time as ISO 8601 writes it") from None


def offsets_s(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """Every row's seconds after the trace's start; the rows must be of one clock.

    Raises ValueError when they are not, or when more than a year lies between two of them.
    """
    moments = [moment_s(row) for row in rows]
    by_date = {"timestamp" in row for row in rows}
    if len(by_date) > 1:
        raise ValueError("some rows say at_s and some timestamp: use one of them throughout")
    if by_date == {True}:
        earliest = min(moments)
        moments = [round(moment - earliest, 6) for moment in moments]
    if moments and max(moments) > LONGEST_S:
        raise ValueError("more than a year lies between two rows: mend the timestamps")
    return moments


def due_times_s(offsets: Sequence[float], speed: float) -> tuple[float, ...]:
    """When each request is due, ascending: the trace's times, `speed` times as fast."""
    return tuple(offset / speed for offset in sorted(offsets))


def window_s(times: Sequence[float]) -> float:
    """The window that holds these arrivals, seconds: to the last, and one mean gap more.

    So a trace of even gaps has the rate that it was made with. Of arrivals at one instant, 1 s
    more.
    """
    gap = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0
    end = times[-1] + (gap or 1.0)
    return end if math.isfinite(end) and end > times[-1] else times[-1] + 1.0
