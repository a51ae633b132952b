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
    return [_group(window, some, joined.log.attempts) for window, some in by_window.items()]


def added_s(group: Group, found: Sequence[Group]) -> float | None:
    """Median of its answered requests minus that of requests that met no fault, seconds."""
    base = next((one.ok_p50_s for one in found if one.window is None), None)
    return None if group.ok_p50_s is None or base is None else group.ok_p50_s - base


def _group(window: Window | None, some: list[Request], attempts: Sequence[Attempt]) -> Group:
    good = sorted(one.elapsed_s for one in some if one.ok and one.elapsed_s is not None)
    bad = sorted(one.elapsed_s for one in some if not one.ok and one.elapsed_s is not None)
    lost = sorted(
        one.attempts[-1].arrived_unix_s - one.attempts[0].arrived_unix_s
        for one in some
        if len(one.attempts) > 1
    )
    wasted = [a for one in some for a in one.attempts if a is not one.answering]
    waits = [pair for one in some for pair in _waits(one)]
    refused = [
        one for one in some
        if one.status == 429 and any(a.retry_after_s is not None for a in one.attempts)
    ]  # fmt: skip
    return Group(
        window,
        len(some),
        sum(len(one.attempts) for one in some),
        max((len(one.attempts) for one in some), default=0),
        sum(one.ok for one in some),
        dict(Counter(one.outcome for one in some if not one.ok).most_common()),
        nearest_rank(good, 50),
        good[-1] if good else None,
        nearest_rank(bad, 50),
        nearest_rank(lost, 50),
        lost[-1] if lost else None,
        sum(sum(a.answered for a in one.attempts) > 1 for one in some),
        sum(a.tokens or 0 for a in wasted if a.billed),
        sum((a.billed for a in wasted), Decimal(0)),
        len(refused),
        sum(one.retry_after_s is not None for one in refused),
        len(waits),
        sum(waited < asked - _EARLY_S for waited, asked in waits),
        _streams(some),
        _recovery(window, attempts),
    )


def _waits(request: Request) -> list[tuple[float, float]]:
    """After each 429: how long the gateway waited to ask that upstream again, how long asked."""
    return [
        (second.arrived_unix_s - (first.ended_unix_s or first.arrived_unix_s), first.retry_after_s)
        for first, second in pairwise(request.attempts)
        if first.retry_after_s is not None and first.port == second.port
    ]


def _streams(some: Sequence[Request]) -> Streams:
    found = Counter(_fate(one) for one in some if any(a.cut for a in one.attempts))
    return Streams(**found)


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
    there = [one for one in attempts if one.port == window.port]
    during = [one.arrived_unix_s - begin for one in there if window.holds(one.arrived_unix_s)]
    after = [one for one in there if one.arrived_unix_s >= end]
    good = next((one for one in after if one.answered), None)
    return Recovery(
        len(during),
        max(during, default=None),
        after[0].arrived_unix_s - end if after else None,
        good.arrived_unix_s - end if good else None,
    )
