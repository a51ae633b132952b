"""Percentiles that also count unanswered requests, whose times are right-censored. Pure.

A request that timed out after 3 s would have taken more than 3 s: its time is *right-censored*.
With censored times, a percentile lies between two nearest ranks: the lowest possible value, if
every censored request ended right after it was last seen running, and the highest, if none of them
ever ended. A limit is met if the highest value is within it, missed if the lowest is not, and
undecided in between. Refusals do not count as times: neither a fast nor a slow refusal says how
quick a gateway is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf
from typing import Any, Protocol

from recording.outcome import WAITED, Outcome
from rules.stream_timing import tpot_unknown

GAVE_UP = (408, 504, 522, 524)
"""HTTP statuses by which a proxy reports a timeout."""
_SLOWEST_STANDS_IN = 99
_MOMENT_S = 1e-9
"""A time censored exactly at the limit is beyond it."""


class Ended(Protocol):
    """The columns that are read from a row (recording/record.py)."""

    @property
    def outcome(self) -> str: ...
    @property
    def http_status(self) -> int | None: ...
    @property
    def elapsed_sec(self) -> float | None: ...
    @property
    def scheduled_offset_s(self) -> float | None: ...
    @property
    def sent_offset_s(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """A percentile lies from `low` to `high` (inf: nothing bounds it), seconds.

    It covers `count` times, of which `unanswered` are censored.
    """

    low: float
    high: float
    count: int
    unanswered: int
    percent: Fraction | int

    @property
    def few(self) -> bool:
        """Whether no time lies beyond its rank: then it is the slowest time, not a percentile."""
        return self.count < enough(self.percent)


def enough(percent: Fraction | int) -> int:
    """How many requests it takes for one to lie beyond a percentile: 20 for P95, 100 for P99."""
    share = 1 - Fraction(percent) / 100
    return ceil(1 / share) if share else 1


def bears(percent: Fraction | int, count: int) -> bool:
    """Whether a percentile of this many requests can show that a limit is kept.

    Up to P99 the slowest request stands in, and the report says so; a higher percentile, about
    which a usual window says nothing, needs enough requests.
    """
    return percent <= _SLOWEST_STANDS_IN or count >= enough(percent)


def bounds(
    known: Iterable[float], at_least: Iterable[float], percent: Fraction | int
) -> Bounds | None:
    """The percentile of known times and of times that lasted at least this long; None without
    any.
    """
    ended = sorted(known)
    running = [time + _MOMENT_S for time in at_least]
    count = len(ended) + len(running)
    if not count:
        return None
    rank = max(1, ceil(Fraction(percent) * count / 100))
    low = sorted([*ended, *running])[rank - 1]
    high = ended[rank - 1] if rank <= len(ended) else inf
    return Bounds(low, high, count, len(running), percent)


def waited(outcome: str, http_status: int | None) -> bool:
    """Whether a request got no answer, and would have taken at least as long as it was waited
    for.
    """
    return outcome in WAITED or http_status in GAVE_UP


def last_sent_s(rows: Iterable[Ended]) -> float:
    """When a phase sent its last request: requests due earlier and never sent waited until then."""
    return max((r.sent_offset_s for r in rows if r.sent_offset_s is not None), default=-inf)


def waited_s(row: Ended, last_s: float) -> float | None:
    """The shortest time an unanswered request was waited for; None: it was not, or unknown.

    A request that was never sent waited for a free user from its due time until the phase sent its
    last request (`last_s`); if it was due later than that, it did not wait.
    """
    if not waited(row.outcome, row.http_status):
        return None
    if row.outcome != Outcome.DROPPED:
        return row.elapsed_sec
    if row.scheduled_offset_s is None or last_s <= row.scheduled_offset_s:
        return None
    return last_s - row.scheduled_offset_s


def times(
    rows: Sequence[Any], time: str, time_of: Callable[[Any], float | None]
) -> tuple[list[float], list[float]]:
    """The known times (`e2e`, `ttft`, `tpot`), and the lower bounds of the censored ones.

    A stream that was cut has a known time to its first token, if it sent one. If an answer was
    never complete, or its chunks do not resolve its tokens, its time per output token may be
    anything: it counts as at least 0.
    """
    last_s = last_sent_s(rows)
    known, running = list[float](), list[float]()
    for row in rows:
        if time != "e2e" and not row.stream:
            continue
        if row.success:
            if (took := time_of(row)) is not None:
                known.append(took)
            elif time == "tpot" and tpot_unknown(row):
                running.append(0.0)
        elif (least := waited_s(row, last_s)) is not None:
            if time == "ttft" and row.ttft_s is not None:
                known.append(row.ttft_s)
            else:
                running.append(0.0 if time == "tpot" else least)
    return known, running
