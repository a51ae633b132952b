"""The numbers of the requests that met one fault: at the client, and at the providers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from analysis.failover.joined import Joined, Request
from analysis.failover.upstream_log import Attempt, Window
from analysis.numbers.percentile import nearest_rank

_EARLY_S = 0.01  # a clock's resolution: a retry this much too early is on time
_BESIDE = 20  # requests on each side of a fault that it is compared with
_MARKED, _UNMARKED = 1, 12  # characters that must come twice, of a marker and of other text


@dataclass(frozen=True, slots=True)
class Streams:
    """Streams that an upstream cut in the middle, by what the client received."""

    passed_on: int = 0  # the client noticed: the stream broke off, or an error came
    whole: int = 0  # the text that was asked for, once
    repeated: int = 0  # the beginning, then the whole from the start again
    wrong: int = 0  # another text than was requested, as if nothing had happened
    unjudged: int = 0  # the requested text was not known, so it could not be checked

    @property
    def count(self) -> int:
        """All of them."""
        return self.passed_on + self.whole + self.repeated + self.wrong + self.unjudged


@dataclass(frozen=True, slots=True)
class Recovery:
    """An upstream's fault by the clock, seconds; None: not in this run.

    `sent_there` attempts still went there while it lasted, the last one `last_there_s` after it
    began. It was tried again `tried_s` after its end, and gave its first answer `answered_s` after.
    """

    sent_there: int
    last_there_s: float | None
    tried_s: float | None
    answered_s: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """The requests that met one fault (window None: none). Times in seconds, money exact."""

    window: Window | None
    requests: int
    attempts: int
    most_attempts: int
    ok: int
    outcomes: dict[str, int]  # of those that failed at the client
    ok_p50_s: float | None
    ok_max_s: float | None
    failed_p50_s: float | None
    lost_p50_s: float | None  # from the first attempt to the last, of those with several
    lost_max_s: float | None
    answered_twice: int
    wasted_tokens: int
    wasted_cost: Decimal
    told_to_wait: int  # 429 at the client after a 429 that said how long
    passed_wait_on: int  # of these, those that also said how long
    waits: int  # attempts after a 429 of the same upstream that said how long
    too_soon: int  # of these, those that did not wait that long
    streams: Streams
    recovery: Recovery | None
    beside_p50_s: float | None  # of requests without a fault just before and after

    @property
    def failed(self) -> int:
        """Requests whose client had no answer."""
        return self.requests - self.ok


def groups(joined: Joined) -> list[Group]:
    """One group per fault, in the order of the schedule, and the requests that met none first."""
    by_window: dict[Window | None, list[Request]] = {None: []}
    by_window |= {window: [] for window in joined.log.windows}
    for request in joined.requests:
        by_window[request.window].append(request)
    healthy = sorted(
        (request.sent_unix_s, request.elapsed_s)
        for request in by_window[None]
        if request.ok and request.elapsed_s is not None and request.sent_unix_s is not None
    )
    return [
        _group(window, requests, joined.log.attempts, _beside(window, healthy))
        for window, requests in by_window.items()
    ]


def added_s(group: Group) -> float | None:
    """Median of its answered requests minus that of requests without a fault just before and after
    it, seconds.
    """
    if group.ok_p50_s is None or group.beside_p50_s is None:
        return None
    return group.ok_p50_s - group.beside_p50_s


def _beside(window: Window | None, healthy: Sequence[tuple[float, float]]) -> float | None:
    """The median of requests without a fault before a fault's window and that after it, halfway.

    `healthy`: when each was sent, Unix seconds, and its time. Over a run a gateway may become
    slower or faster by itself, and that is no effect of a fault. The median of all of them if the
    fault has no window, or if they lie on one side of it.
    """
    if window is None:
        return None
    begin, end = window.from_unix_s, window.to_unix_s
    if begin is not None and end is not None:
        before = [took_s for sent_s, took_s in healthy if sent_s < begin][-_BESIDE:]
        after = [took_s for sent_s, took_s in healthy if sent_s >= end][:_BESIDE]
        sides = nearest_rank(sorted(before), 50), nearest_rank(sorted(after), 50)
        if sides[0] is not None and sides[1] is not None:
            return (sides[0] + sides[1]) / 2
    return nearest_rank(sorted(took_s for _, took_s in healthy), 50)


def _group(
    window: Window | None,
    requests: list[Request],
    attempts: Sequence[Attempt],
    beside_p50_s: float | None,
) -> Group:
    good = sorted(
        request.elapsed_s for request in requests if request.ok and request.elapsed_s is not None
    )
    bad = sorted(
        request.elapsed_s
        for request in requests
        if not request.ok and request.elapsed_s is not None
    )
    lost = sorted(
        request.attempts[-1].arrived_unix_s - request.attempts[0].arrived_unix_s
        for request in requests
        if len(request.attempts) > 1
    )
    wasted = [
        attempt
        for request in requests
        for attempt in request.attempts
        if attempt is not request.answering
    ]
    waits = [pair for request in requests for pair in _waits(request)]
    refused = [
        request for request in requests
        if request.status == 429
        and any(attempt.retry_after_s is not None for attempt in request.attempts)
    ]  # fmt: skip
    return Group(
        window,
        len(requests),
        sum(len(request.attempts) for request in requests),
        max((len(request.attempts) for request in requests), default=0),
        sum(request.ok for request in requests),
        dict(Counter(request.outcome for request in requests if not request.ok).most_common()),
        nearest_rank(good, 50),
        good[-1] if good else None,
        nearest_rank(bad, 50),
        nearest_rank(lost, 50),
        lost[-1] if lost else None,
        sum(sum(attempt.answered for attempt in request.attempts) > 1 for request in requests),
        sum(attempt.tokens or 0 for attempt in wasted if attempt.billed),
        sum((attempt.billed for attempt in wasted), Decimal(0)),
        len(refused),
        sum(request.retry_after_s is not None for request in refused),
        len(waits),
        sum(waited < wait_asked - _EARLY_S for waited, wait_asked in waits),
        _streams(requests),
        _recovery(window, attempts),
        beside_p50_s,
    )


def _waits(request: Request) -> list[tuple[float, float]]:
    """After each 429: how long the gateway waited to ask that upstream again, how long asked."""
    return [
        (second.arrived_unix_s - (first.ended_unix_s or first.arrived_unix_s), first.retry_after_s)
        for first, second in pairwise(request.attempts)
        if first.retry_after_s is not None and first.port == second.port
    ]


def _streams(requests: Sequence[Request]) -> Streams:
    fates = Counter(
        _fate(request) for request in requests if any(attempt.cut for attempt in request.attempts)
    )
    return Streams(**fates)


def _fate(request: Request) -> str:
    """What the client received of a stream that an upstream cut."""
    if not request.ok:
        return "passed_on"
    if request.marker_ok:
        return "whole"
    text = request.content or ""
    if repeats(text, _MARKED if request.marker_ok is False else _UNMARKED):
        return "repeated"
    return "unjudged" if request.marker_ok is None else "wrong"


def repeats(text: str, least: int) -> bool:
    """Whether a text starts again after its first characters, of which it repeats enough."""
    return any(text.startswith(text[:at], at) for at in range(least, len(text) // 2 + 1))


def _recovery(window: Window | None, attempts: Sequence[Attempt]) -> Recovery | None:
    if window is None or window.from_unix_s is None or window.to_unix_s is None:
        return None
    begin, end = window.from_unix_s, window.to_unix_s
    there = [attempt for attempt in attempts if attempt.port == window.port]
    during = [
        attempt.arrived_unix_s - begin for attempt in there if window.holds(attempt.arrived_unix_s)
    ]
    after = [attempt for attempt in there if attempt.arrived_unix_s >= end]
    good = next((attempt for attempt in after if attempt.answered), None)
    return Recovery(
        len(during),
        max(during, default=None),
        after[0].arrived_unix_s - end if after else None,
        good.arrived_unix_s - end if good else None,
    )
