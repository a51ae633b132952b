"""Percentiles that count who got no answer: of a time that nobody saw the end of. Pure.

A request that timed out after 3 s would have taken more than 3 s: its time is *right-censored*. A
percentile of times, some of which are censored, lies between two nearest ranks: the lowest it can
be, where every censored time ended a moment after it was last seen to run, and the highest, where
none of them ever ended. A limit is met where the highest is within it, missed where the lowest is
not, and not known between. Refusals are no times at all: a fast one must not make a gateway quick,
nor a slow one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf
from typing import Any, Protocol

from recording.outcome import WAITED, Outcome
from rules.stream_timing import untold

GAVE_UP = (408, 504, 522, 524)
"""HTTP statuses by which a proxy says that it waited in vain."""
_SLOWEST_STANDS_IN = 99
_MOMENT_S = 1e-9
"""A time that was censored at the limit itself is beyond it."""


class Ended(Protocol):
    """What is read of a row: columns of recording/record.py."""

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

    It is of `count` times, of which `unanswered` are known to have run on.
    """

    low: float
    high: float
    count: int
    unanswered: int
    percent: Fraction | int

    @property
    def few(self) -> bool:
        """Whether no time lies beyond its rank: then it is the slowest one, and no percentile."""
        return self.count < enough(self.percent)


def enough(percent: Fraction | int) -> int:
    """Of how many requests one at least lies beyond a percentile: P95 of 20, P99 of 100."""
    share = 1 - Fraction(percent) / 100
    return ceil(1 / share) if share else 1


def bears(percent: Fraction | int, count: int) -> bool:
    """Whether a percentile of so many requests can be said to keep a limit.

    Up to P99 the slowest request stands in, and is said to be that; for a percentile beyond, of
    which a usual window tells nothing, only enough requests will do.
    """
    return percent <= _SLOWEST_STANDS_IN or count >= enough(percent)


def bounds(
    known: Iterable[float], at_least: Iterable[float], percent: Fraction | int
) -> Bounds | None:
    """A percentile of some known times and of some that lasted at least so long; None of none."""
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
    """Whether a request got no answer, and would have taken at least as long as was waited."""
    return outcome in WAITED or http_status in GAVE_UP


def last_sent_s(rows: Iterable[Ended]) -> float:
    """When a phase sent its last request: what was due before and never sent waited till then."""
    return max((r.sent_offset_s for r in rows if r.sent_offset_s is not None), default=-inf)


def waited_s(row: Ended, last_s: float) -> float | None:
    """How long a request without an answer was waited for, at least; None: it was not, or unknown.

    One that was never sent waited for a user of ours from when it was due until the phase sent its
    last request (`last_s`); where it was due later than that, it did not wait.
    """
    if not waited(row.outcome, row.http_status):
        return None
    if row.outcome != Outcome.DROPPED:
        return row.elapsed_sec
    if row.scheduled_offset_s is None or last_s <= row.scheduled_offset_s:
        return None
    return last_s - row.scheduled_offset_s


def times(
    rows: Sequence[Any], time: str, taken: Callable[[Any], float | None]
) -> tuple[list[float], list[float]]:
    """The known times (`e2e`, `ttft`, `tpot`), and how long those lasted at least that are not.

    A stream that was cut has a known time to its first token, if it sent one. The time per output
    token of what was never whole, or whose chunks do not tell when its tokens came, may be
    anything: it counts as at least 0.
    """
    last_s = last_sent_s(rows)
    known, running = list[float](), list[float]()
    for row in rows:
        if time != "e2e" and not row.stream:
            continue
        if row.success:
            if (took := taken(row)) is not None:
                known.append(took)
            elif time == "tpot" and untold(row):
                running.append(0.0)
        elif (least := waited_s(row, last_s)) is not None:
            if time == "ttft" and row.ttft_s is not None:
                known.append(row.ttft_s)
            else:
                running.append(0.0 if time == "tpot" else least)
    return known, running
