"""Exact tests of whether two sets of answers are draws of one distribution. Pure.

Both hold all answers to a question together fixed and ask in how many of the ways to deal them out
to the two sides the sides differ at least as much: no draw, no seed, no assumption on the answers.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb

GRID = 100
"""Total variations are rounded to so many steps, each question's by itself: the test is of the
rounded statistic, and exact for it."""
Counts = Mapping[str, int]
Pair = tuple[Counts, Counts]
"""Answers to one question, of the reference and of the audit."""
Chances = Mapping[int, float]
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the answers lie apart: `distance` is the mean total variation, 0 to 1; `expected`
    what one distribution for both sides would show; `p` the permutation p-value."""

    distance: float
    expected: float
    p: float

    @property
    def effect(self) -> float:
        """The distance beyond what chance shows."""
        return self.distance - self.expected


def spread(pairs: Sequence[Pair]) -> Spread | None:
    """The permutation test of the mean total variation; None: there is nothing to compare."""
    answered = [pair for pair in pairs if sum(pair[0].values()) and sum(pair[1].values())]
    if not answered:
        return None
    distance = sum(steps(*pair) for pair in answered)
    chances = _summed([chances_of(*pair) for pair in answered])
    mean = sum(step * chance for step, chance in chances.items())
    all_steps = GRID * len(answered)
    return Spread(distance / all_steps, mean / all_steps, _tail(chances, distance))


def strays(sides: Sequence[tuple[int, int, int, int]]) -> float | None:
    """The one-sided p-value that the audit strays from the usual answer no more than the reference.

    For each question: strays and answers of the reference, strays and answers of the audit. The
    hypergeometric of every question by itself, summed (Fisher 1935; by strata: Zelen 1971). None:
    there is nothing to compare.
    """
    answered = [side for side in sides if side[1] and side[3]]
    if not answered:
        return None
    chances = _summed([_hypergeometric(a + b, n, m) for a, n, b, m in answered])
    return _tail(chances, sum(b for _, _, b, _ in answered))


def steps(reference: Counts, audit: Counts) -> int:
    """The total variation of two counts, in steps of the grid."""
    n, m = sum(reference.values()), sum(audit.values())
    words = {*reference, *audit}
    apart = sum(abs(audit.get(w, 0) * n - reference.get(w, 0) * m) for w in words)
    return _steps(apart, n, m)


def _steps(apart: int, n: int, m: int) -> int:
    return (2 * GRID * apart + 2 * n * m) // (4 * n * m)


def chances_of(reference: Counts, audit: Counts) -> Chances:
    """The chance of each distance, in steps, where the answers are dealt out at random."""
    n, m = sum(reference.values()), sum(audit.values())
    words = {*reference, *audit}
    totals = sorted(reference.get(word, 0) + audit.get(word, 0) for word in words)
    return _dealt(tuple(totals), n, m)


@lru_cache(maxsize=1024)
def _dealt(totals: tuple[int, ...], n: int, m: int) -> Chances:
    """`totals`: how often each word was said by both sides; m of all go to the audit."""
    ways: list[dict[int, float]] = [{0: 1.0}] + [{} for _ in range(m)]
    placed = 0
    for total in totals:
        after: list[dict[int, float]] = [{} for _ in range(m + 1)]
        options = [(a, abs(a * n - (total - a) * m), float(comb(total, a)))
                   for a in range(min(total, m) + 1)]  # fmt: skip
        for dealt, states in enumerate(ways):
            for a, apart, weight in options:
                if not states or dealt + a > m or placed + total - dealt - a > n:
                    continue
                target = after[dealt + a]
                for distance, count in states.items():
                    reached = distance + apart
                    target[reached] = target.get(reached, 0.0) + count * weight
        ways, placed = after, placed + total
    deals = float(comb(n + m, m))
    chances: dict[int, float] = defaultdict(float)
    for apart, count in ways[m].items():
        chances[_steps(apart, n, m)] += count / deals
    return dict(chances)


def _hypergeometric(strays: int, n: int, m: int) -> Chances:
    """The chance that so many of the strays fall to the audit's m of n + m answers."""
    deals = comb(n + m, m)
    return {
        k: comb(strays, k) * comb(n + m - strays, m - k) / deals
        for k in range(max(0, strays - n), min(strays, m) + 1)
    }


def _summed(parts: Sequence[Chances]) -> Chances:
    """The chances of the sum of independent numbers."""
    sums: dict[int, float] = {0: 1.0}
    for part in parts:
        after: dict[int, float] = defaultdict(float)
        for value, chance in part.items():
            for reached, other in sums.items():
                after[reached + value] += chance * other
        sums = dict(after)
    return sums


def _tail(chances: Chances, distance: int) -> float:
    """The chance of `distance` or more; rounding never makes it smaller than it is."""
    return min(1.0, sum(c for value, c in chances.items() if value >= distance) * (1 + _TIE))
