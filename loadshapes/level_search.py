"""Which level to try next: bracketing, then bisection, then a second look at both ends. Pure.

A generator that yields a level and is sent its trial, and returns the bracket:

    search = highest(Span(first=60, lowest=1, highest=6000))
    level = next(search)
    while True:
        level = search.send(Trial(level, met=...))

The level doubles (halves) until one is missed (met). Then the geometric middle of the bracket is
tried until the ends are close, and finally the end with the least evidence is tried again until the
bracket is as sure as required. Answers may be wrong: each step starts from the most likely bracket
given all of them (rules/bracket.py), so that a wrong answer is outvoted.
"""

from collections.abc import Generator
from dataclasses import dataclass
from math import log, sqrt

from rules.bracket import Bracket, Trial, bracket

Search = Generator[int, Trial, Bracket]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The range of a search: it starts at `first`, between `lowest` and `highest`, which may be
    tried too.

    The ends of the bracket are close when `high` is at most 1 + `precision` times `low`, or one
    above it; the search ends when they are and the confidence is reached, or after `trials`.
    """

    first: int
    lowest: int = 1
    highest: int = 1_000_000
    precision: float = 0.1
    confidence: float = 0.95
    trials: int = 20


def highest(span: Span) -> Search:
    """Search for the highest level that is met; at most `span.trials` levels are yielded."""
    trials: list[Trial] = []
    limits = bracket(trials)
    level: int | None = min(max(span.first, span.lowest), span.highest)
    while level is not None and len(trials) < span.trials:
        trials.append((yield level))
        limits = bracket(trials)
        level = _next(span, trials, limits)
    return limits


def _next(span: Span, trials: list[Trial], bracket: Bracket) -> int | None:
    """The level to try next; None: the bracket is close and sure."""
    low, high = bracket.low, bracket.high
    if low is None and high is not None and high > span.lowest:
        return max(span.lowest, high // 2)
    if high is None and low is not None and low < span.highest:
        return min(span.highest, low * 2)
    if low is not None and high is not None and not _close(span, low, high):
        return min(max(round(sqrt(low * high)), low + 1), high - 1)
    if bracket.confidence >= span.confidence:
        return None
    ends = [end for end in (low, high) if end is not None]
    return min(ends, key=lambda end: _evidence(trials, end))


def _close(span: Span, low: int, high: int) -> bool:
    return high <= low + 1 or high <= low * (1 + span.precision)


def _evidence(trials: list[Trial], level: int) -> float:
    """How much evidence there is at a level (absolute log odds)."""
    return abs(sum(log(t.truly / (1 - t.truly)) for t in trials if t.level == level))
