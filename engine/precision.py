"""Ends a phase with two routes once its difference is known precisely enough (`--precision-ms`).

Looked at are the numbers of pairs that estimates/precision.py fixes before the run, and the width
of the interval alone. TTFT is judged where replies are streamed, else the total time of pairs whose
replies are alike; the report judges the same pairs again, and more strictly.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import gevent

from estimates.location import Location, location
from estimates.precision import looks, reached
from loadshapes.phase import Phase
from recording.arms import GATEWAY
from recording.events import PrecisionReached
from recording.record import RequestRecord
from rules.censoring import waited

MOST_PAIRS = 10**6
"""Of a phase that has no count of its own."""


@dataclass(slots=True)
class PairedTimes:
    """The pairs of one phase, as they become whole: the bounds of each difference, seconds."""

    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    _single: dict[int, RequestRecord] = field(default_factory=dict)

    def add(self, record: RequestRecord) -> bool:
        """Take a record in; whether one more pair can be compared."""
        pair = record.request_index // 2
        other = self._single.pop(pair, None)
        if other is None:
            self._single[pair] = record
            return False
        ours, theirs = (record, other) if record.arm == GATEWAY else (other, record)
        streamed = bool(ours.stream)
        a, b = _bounds(ours, streamed), _bounds(theirs, streamed)
        if a is None or b is None or not (streamed or _alike(ours, theirs)):
            return False
        self.low.append(a[0] - b[1])
        self.high.append(a[1] - b[0])
        return True


def _bounds(record: RequestRecord, streamed: bool) -> tuple[float, float] | None:
    """The least and the most that a time can be; None: it was refused, or is not known."""
    time_s = record.ttft_s if streamed else record.elapsed_sec
    over = waited(record.outcome, record.http_status)
    if time_s is not None and (record.success or (streamed and over)):
        return time_s, time_s
    if over and record.elapsed_sec is not None:
        return record.elapsed_sec, float("inf")
    return None


def _alike(a: RequestRecord, b: RequestRecord) -> bool:
    """Whether both replies took the same work; of one without an answer nobody knows."""
    if waited(a.outcome, a.http_status) or waited(b.outcome, b.http_status):
        return True
    same = a.completion_tokens == b.completion_tokens and a.completion_tokens is not None
    return same and a.finish_reason == b.finish_reason


class PrecisionWatch:
    """Watches the records of a run; `end` is called once a phase is known to `wanted_s`.

    The interval is reckoned beside the event loop, for a look must not delay a request.
    """

    def __init__(
        self,
        wanted_s: float,
        running: Callable[[], Phase | None],
        end: Callable[[Phase, PrecisionReached], None],
    ) -> None:
        import estimates.location  # noqa: F401  (numpy, before the load begins)

        self._wanted_s, self._running, self._end = wanted_s, running, end
        self._phase: Phase | None = None
        self._ended: Phase | None = None
        self._times = PairedTimes()
        self._looks: Iterator[int] = iter(())
        self._next: int | None = None

    def add(self, record: RequestRecord) -> None:
        """A record of the run."""
        phase = self._running()
        if phase is None or not phase.pairs or record.phase != phase.name:
            return
        if phase is not self._phase:
            self._begin(phase)
        if self._times.add(record) and len(self._times.low) == self._next:
            self._next = next(self._looks, None)
            gevent.spawn(self._check, phase, list(self._times.low), list(self._times.high))

    def _begin(self, phase: Phase) -> None:
        self._phase, self._times = phase, PairedTimes()
        planned = MOST_PAIRS if phase.count is None else phase.count // 2
        self._looks = looks(planned)
        self._next = next(self._looks, None)

    def _check(self, phase: Phase, low: list[float], high: list[float]) -> None:
        estimate = gevent.get_hub().threadpool.apply(_location, (low, high))
        over = self._ended is phase or self._running() is not phase
        if reached(estimate, self._wanted_s) and not over:
            self._ended = phase  # a worker's rows come many at once: two looks may be under way
            assert estimate is not None and estimate.half is not None
            event = PrecisionReached(phase=phase.name, pairs=estimate.count, half_s=estimate.half)
            self._end(phase, event)


def _location(low: list[float], high: list[float]) -> Location | None:
    import numpy as np

    return location(np.array(low), np.array(high))
