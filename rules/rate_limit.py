"""Infers the rate limit that a gateway enforces from the requests it admitted. Pure.

There are three kinds of limit, each of some units per minute:

- `bucket`: holds a minute's worth and gains a sixtieth of it a second.
- `fixed`: a minute's worth in each window of 60 s, counted anew when the next one begins.
- `sliding`: at any moment a minute's worth in the 60 s before it.

Every kind is replayed with every plausible size against the attempts in order: would it have
admitted this one, after those that the gateway admitted before? The kind that errs least is taken
as the gateway's if it errs rarely and the others clearly more often.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from recording.outcome import Outcome

Kind = Literal["bucket", "fixed", "sliding"]
KINDS: tuple[Kind, ...] = ("bucket", "fixed", "sliding")
WINDOW_S = 60.0
SHORTEST_S = 30.0
"""A window of at most so many seconds is told from one of a minute; one between is not."""
SELDOM = 0.03  # of the attempts may be unexplained: requests overtake each other on the way
_TURNS_S = tuple(float(second) for second in range(60))  # when a fixed window may begin
_SIZES = 50  # a size is looked for in steps of a fiftieth of it, then ten times finer


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request at the limit: when it was sent (unix seconds), its units, and whether it was
    admitted.
    """

    at_s: float
    amount: float
    admitted: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """How well one kind of limit explains the attempts.

    The sizes from `low` to `high` (units per minute) explain them equally well; `wrong` of
    `attempts` are not explained. `turn_s`: when a fixed window begins, seconds past the minute (of
    the attempts' own times).
    """

    kind: Kind
    low: int
    high: int
    wrong: int
    attempts: int
    turn_s: float | None = None

    @property
    def wrong_share(self) -> float:
        """The share of the attempts that are not explained."""
        return self.wrong / self.attempts if self.attempts else 0.0


def fits(attempts: Sequence[Attempt]) -> list[Fit]:
    """The best fit of every kind, best kind first; empty if nothing was refused."""
    if all(attempt.admitted for attempt in attempts) or not any(
        attempt.admitted for attempt in attempts
    ):
        return []
    ordered = sorted(attempts, key=lambda attempt: attempt.at_s)
    return sorted((_best(kind, ordered) for kind in KINDS), key=lambda fit: fit.wrong)


def credible(candidates: Sequence[Fit]) -> Fit | None:
    """The credible fit; None: the attempts do not distinguish the kinds."""
    if not candidates or candidates[0].wrong_share > SELDOM:
        return None
    # With few decisions, two errors suffice if the best kind explains every decision.
    more = 1 if not candidates[0].wrong else 2
    clear = len(candidates) < 2 or candidates[1].wrong > max(
        2 * candidates[0].wrong, candidates[0].wrong + more
    )
    return candidates[0] if clear else None


def peak(attempts: Sequence[Attempt]) -> float:
    """The most units admitted in any 60 s."""
    most, inside, in_window = 0.0, deque[Attempt](), 0.0
    for attempt in sorted(attempts, key=lambda attempt: attempt.at_s):
        if not attempt.admitted:
            continue
        inside.append(attempt)
        in_window += attempt.amount
        while inside[0].at_s <= attempt.at_s - WINDOW_S:
            in_window -= inside.popleft().amount
        most = max(most, in_window)
    return most


@dataclass(frozen=True, slots=True)
class ConcurrencyLimit:
    """A limit on requests in flight: `size` requests; `wrong` of `attempts` are not explained."""

    size: int
    wrong: int
    attempts: int


def concurrency_limit(decided: Sequence[tuple[float, float, bool]]) -> ConcurrencyLimit | None:
    """The concurrency limit that best explains what was admitted; None: nothing was refused.

    `decided` holds for each request when it was sent, when its answer was complete, and whether it
    was admitted. With `size` or more admitted requests in flight, the next is refused.
    """
    admitted = sorted((sent, done) for sent, done, let in decided if let)
    sends, dones = [s for s, _ in admitted], sorted(d for _, d in admitted)
    in_flight = [
        (bisect_left(sends, sent) - bisect_right(dones, sent), let) for sent, _, let in decided
    ]
    if all(let for _, let in in_flight) or not admitted:
        return None
    sizes = range(1, max(count for count, _ in in_flight) + 1)
    wrong = {n: sum(let is (count >= n) for count, let in in_flight) for n in sizes}
    if not wrong:
        return None
    size = min(wrong, key=lambda n: wrong[n])
    return ConcurrencyLimit(size, wrong[size], len(in_flight))


Truth = Literal["true", "too short", "too long", "unknown"]


def truth_of_wait(before: bool | None, after: bool | None) -> Truth:
    """Whether a stated wait was true: was a request admitted just before its end, and just after?

    None: it was not sent, or failed for another reason.
    """
    if before:
        return "too long"
    if after is None:
        return "unknown"
    if not after:
        return "too short"
    return "true" if before is False else "unknown"


def _best(kind: Kind, ordered: Sequence[Attempt]) -> Fit:
    """The sizes (and for a fixed window the turn) that best explain the attempts.

    The most that a window admitted is its size, apart from requests that overtook others; a bucket
    admits up to twice its size in 60 s, so all sizes in between are tried.
    """
    turn: float | None = None
    if kind == "fixed":
        turn = min(_TURNS_S, key=lambda t: _wrong(kind, _fullest(ordered, t), t, ordered))
        near = _fullest(ordered, turn)
    else:
        near = max(1, round(peak(ordered)))
    if kind == "bucket":
        step = max(1, near // (2 * _SIZES))
        sizes = range(max(1, near // 2), near + 1, step)
        near = min(sizes, key=lambda size: _wrong(kind, size, turn, ordered))
    else:
        step = max(1, near // _SIZES)
    pace = max(1, step // 10)
    fine = range(max(1, near - 2 * step), near + 2 * step + 1, pace)
    wrong = {size: _wrong(kind, size, turn, ordered) for size in fine}
    fewest = min(wrong.values())
    good = [size for size in fine if wrong[size] == fewest]
    return Fit(kind, min(good), max(good), fewest, len(ordered), turn)


def _fullest(ordered: Sequence[Attempt], turn_s: float) -> int:
    """The most units admitted in any window of 60 s that begins at the turn."""
    units_by_window: dict[float, float] = {}
    for attempt in ordered:
        if attempt.admitted:
            window = (attempt.at_s - turn_s) // WINDOW_S
            units_by_window[window] = units_by_window.get(window, 0.0) + attempt.amount
    return max(1, round(max(units_by_window.values())))


def _wrong(kind: Kind, size: int, turn_s: float | None, ordered: Sequence[Attempt]) -> int:
    """How many attempts the limit would have decided otherwise."""
    decide = {"bucket": _bucket, "fixed": _fixed, "sliding": _sliding}[kind]
    expected = decide(size, turn_s or 0.0, ordered)
    return sum(attempt.admitted != let for attempt, let in zip(ordered, expected, strict=True))


def _bucket(size: int, _: float, ordered: Sequence[Attempt]) -> Iterator[bool]:
    level, at_s = float(size), ordered[0].at_s
    for attempt in ordered:
        level = min(float(size), level + (attempt.at_s - at_s) * size / WINDOW_S)
        at_s = attempt.at_s
        yield level >= min(attempt.amount, size)
        if attempt.admitted:
            level -= attempt.amount


def _fixed(size: int, turn_s: float, ordered: Sequence[Attempt]) -> Iterator[bool]:
    window, used = None, 0.0
    for attempt in ordered:
        now = (attempt.at_s - turn_s) // WINDOW_S
        if now != window:
            window, used = now, 0.0
        yield used + min(attempt.amount, size) <= size
        if attempt.admitted:
            used += attempt.amount


def _sliding(size: int, _: float, ordered: Sequence[Attempt]) -> Iterator[bool]:
    inside, used = deque[Attempt](), 0.0
    for attempt in ordered:
        while inside and inside[0].at_s <= attempt.at_s - WINDOW_S:
            used -= inside.popleft().amount
        yield used + min(attempt.amount, size) <= size
        if attempt.admitted:
            inside.append(attempt)
            used += attempt.amount


class Refused(Protocol):
    """What is read of a row."""

    @property
    def outcome(self) -> str: ...
    @property
    def sent_offset_s(self) -> float | None: ...
    @property
    def done_offset_s(self) -> float | None: ...
    @property
    def retry_after_s(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Until:
    """A stated wait: its length in seconds, and its end (unix seconds)."""

    wait_s: float
    at_unix_s: float


def refused_until(rows: Sequence[Refused], t0_unix_s: float) -> Until | None:
    """The wait stated by the last refused request; None: no refusal states one.

    It counts from the arrival of the refusal, because a gateway cannot count from before its
    decision.
    """
    latest: tuple[float, Until] | None = None
    for row in rows:
        sent, done_s, wait_s = row.sent_offset_s, row.done_offset_s, row.retry_after_s
        if row.outcome != Outcome.RATE_LIMITED or sent is None or done_s is None or wait_s is None:
            continue
        if latest is None or sent >= latest[0]:
            latest = sent, Until(wait_s, t0_unix_s + done_s + wait_s)
    return latest[1] if latest else None
