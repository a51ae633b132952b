"""Compares a run's requests with the gateway's own log: which arrived, how often, how long.

Nobody is accused of what an export does not hold: if a log has no failures, a missing failed
request proves nothing; nor does one missing at either end, where the export may be cut.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from analysis.numbers.percentile import nearest_rank
from analysis.reading.load import Run, RunError
from analysis.reconcile.joining import NAMES, Names, known
from analysis.reconcile.logs.entry import Entry, Kind
from analysis.reconcile.logs.reading import Log
from recording.outcome import FACTS, ON_PURPOSE, Outcome


class Arrival(StrEnum):
    """What the log shows of one request beside its row: the first of these that is true."""

    NOT_LOGGED = "not_logged"  # it was answered, and the log does not have it
    NEVER_ARRIVED = "never_arrived"  # it was not answered, nor does the log have it
    ANSWERED_TWICE = "answered_twice"  # the log has more successful answers than we sent requests
    FAILED_OUTSIDE = "failed_outside"  # the log calls it a success, and we had no good answer
    RETRIED_INSIDE = "retried_inside"  # one answer, for which the provider was asked several times


FAULTS = frozenset({Arrival.NOT_LOGGED, Arrival.ANSWERED_TWICE, Arrival.FAILED_OUTSIDE})
"""These are disagreements; the others are only reported."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was sent, and the log's entries for it. Seconds, None: not known."""

    task_id: str | None
    model: str | None
    outcome: str
    outside_s: float | None
    inside_s: float | None
    tries: int | None
    entries: tuple[Entry, ...]
    arrival: Arrival | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """Of requests with both times: how long outside (ours) and inside (the log's), seconds."""

    count: int
    outside_p50_s: float | None
    inside_p50_s: float | None
    beside_p50_s: float | None  # of the differences, each of one request
    beside_p95_s: float | None


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Every request that was sent, beside the log. `unrecorded` are entries with a name of this run
    that no row has; `foreign` counts entries for other requests; `omitted` those that the log
    may leave out: failures, if it has none, and requests at its ends."""

    log: Log
    requests: Sequence[Request]
    unrecorded: Sequence[Entry]
    foreign: int
    ambiguous: int
    omitted_failures: int
    omitted_ends: int
    currency: str | None  # the run's

    def of(self, arrival: Arrival) -> list[Request]:
        """The requests with that arrival."""
        return [request for request in self.requests if request.arrival is arrival]

    @property
    def agrees(self) -> bool:
        """Whether the log contradicts no row."""
        return not self.unrecorded and not any(
            request.arrival in FAULTS for request in self.requests
        )

    @property
    def charged(self) -> Decimal | None:
        """What the log charges for this run's requests, exactly; None: it states no amounts."""
        entries = [entry for request in self.requests for entry in request.entries]
        amounts = [m for e in (*entries, *self.unrecorded) if (m := self.log.money(e)) is not None]
        return sum(amounts, Decimal(0)) if amounts else None

    @property
    def times(self) -> Times:
        """The times of the successful requests that have both."""
        both = [
            (request.outside_s, request.inside_s)
            for request in self.requests
            if request.outcome == Outcome.OK
            and request.outside_s is not None
            and request.inside_s is not None
        ]
        beside = sorted(outside - inside for outside, inside in both)
        return Times(
            len(both),
            nearest_rank(sorted(outside for outside, _ in both), 50),
            nearest_rank(sorted(inside for _, inside in both), 50),
            nearest_rank(beside, 50),
            nearest_rank(beside, 95),
        )


_COLUMNS = (
    *NAMES, "model_requested", "outcome", "http_status", "elapsed_sec", "refused_sends",
)  # fmt: skip


def arrivals(run: Run, log: Log) -> Arrivals:
    """Join them. Raises RunError where not one entry names a request of the run."""
    run = run.gateway_alone()
    frame = run.rows.frame(list(_COLUMNS))
    names = Names(frame)
    matched: dict[int, list[Entry]] = defaultdict(list)
    unmatched = list[Entry]()
    for entry in log.entries:
        place = names.place(entry.ids)
        unmatched.append(entry) if place is None else matched[place].append(entry)
    prefixes = tuple(prefix for p in run.plan if (prefix := p.get("task_prefix")))
    unrecorded = [
        e for e in unmatched if prefixes and any(name.startswith(prefixes) for name in e.ids)
    ]
    if not matched and not unrecorded:
        raise RunError(_nothing(log))
    rows = list(zip(*(known(frame[name]) for name in _COLUMNS), strict=True))
    sent = [place for place, row in enumerate(rows) if row[5] not in (Outcome.DROPPED, None)]
    has_failures = any(e.ok is False for e in log.entries if e.kind is Kind.REQUEST)
    joined = [_request(rows[place], matched.get(place, []), has_failures) for place in sent]
    ends = _at_the_ends(joined)
    requests = [
        request if place not in ends else _unjudged(request) for place, request in enumerate(joined)
    ]
    return Arrivals(
        log, requests, unrecorded, len(unmatched) - len(unrecorded), names.ambiguous,
        sum(not request.entries and request.outcome != Outcome.OK and request.arrival is None
            for request in joined),
        len(ends), run.currency,
    )  # fmt: skip


def _nothing(log: Log) -> str:
    if not log.entries:
        return f"{log.path} holds no entry for a request: give the hours of the run."
    if not any(entry.ids for entry in log.entries):
        return (
            f"{log.path} names no request, so that nothing can be joined: give balances instead "
            "(--balance-before and --balance-after)."
        )
    return (
        f"{log.path} names no request of this run by trace id, request id or task_id: give the "
        "hours of the run, with the gateway's request ids."
    )


def _request(row: tuple[Any, ...], entries: list[Entry], has_failures: bool) -> Request:
    *names, model, outcome, status, outside_s, refused = row
    request_entries = [entry for entry in entries if entry.kind is Kind.REQUEST]
    calls = [entry for entry in entries if entry.kind is Kind.CALL]
    stated_tries = [entry.tries for entry in entries if entry.tries is not None]
    tries = max([len(request_entries), len(calls), *stated_tries]) if entries else None
    sends = 1 + int(refused or 0)
    good = sum(entry.ok is True for entry in request_entries)
    arrival = None
    if not entries:
        if status is None:
            arrival = Arrival.NEVER_ARRIVED
        elif outcome == Outcome.OK or has_failures:
            arrival = Arrival.NOT_LOGGED
    elif good > 1 and good > sends:
        arrival = Arrival.ANSWERED_TWICE
    elif good and _unanswered(outcome, status):
        arrival = Arrival.FAILED_OUTSIDE
    elif tries is not None and tries > sends:
        arrival = Arrival.RETRIED_INSIDE
    return Request(
        names[0], model, str(outcome), outside_s, _inside_s(request_entries or calls), tries,
        tuple(entries), arrival,
    )  # fmt: skip


def _unanswered(outcome: str, status: int | None) -> bool:
    """Whether no whole answer, or an error, came, though we did not cancel on purpose."""
    if outcome in (Outcome.OK, Outcome.CANCELLED, *ON_PURPOSE):
        return False
    return FACTS[Outcome(outcome)].waited or (status or 0) >= 400


def _inside_s(entries: list[Entry]) -> float | None:
    """Seconds from the first entry's start to the last one's end."""
    if len(entries) == 1:
        return entries[0].lasted_s
    spans = [
        (e.began_unix_s, e.began_unix_s + e.lasted_s)
        for e in entries
        if e.began_unix_s is not None and e.lasted_s is not None
    ]
    if not spans or len(spans) < len(entries):
        return None
    return max(end for _, end in spans) - min(begin for begin, _ in spans)


def _at_the_ends(requests: list[Request]) -> set[int]:
    """The missing ones before the first request that the log has, and after the last."""
    logged = [place for place, request in enumerate(requests) if request.entries]
    first, last = (logged[0], logged[-1]) if logged else (0, len(requests))
    return {
        place
        for place, request in enumerate(requests)
        if request.arrival is Arrival.NOT_LOGGED and not first < place < last
    }


def _unjudged(request: Request) -> Request:
    return replace(request, arrival=None)
