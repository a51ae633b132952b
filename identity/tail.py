"""Exact binomial and Fisher tails, and the smallest rates that they show. Pure."""

from collections.abc import Callable
from math import comb

POWER = 0.9


def at_least(needed: int, of: int, rate: float) -> float:
    """The chance of `needed` or more successes of `of`, each of chance `rate`."""
    return sum(comb(of, k) * rate**k * (1 - rate) ** (of - k) for k in range(needed, of + 1))


def fisher(before: int, whole: int, seen: int, of: int) -> float:
    """The one-sided p-value that `seen` of `of` are no larger a share than `before` of `whole`:
    all successes dealt out at random (Fisher 1935)."""
    total = before + seen
    return sum(
        comb(total, k) * comb(whole + of - total, of - k)
        for k in range(seen, min(total, of) + 1) if whole + of - total >= of - k
    ) / comb(whole + of, of)  # fmt: skip


def critical(p_of: Callable[[int], float], of: int, alpha: float) -> int | None:
    """The fewest of `of` whose p-value is `alpha` at most; None: not even all of them."""
    return next((k for k in range(of + 1) if p_of(k) <= alpha), None)


def smallest_rate(needed: int | None, of: int) -> float | None:
    """The smallest rate, in hundredths, that gives `needed` of `of` with 90 %; None: none does."""
    if needed is None:
        return None
    rates = (percent / 100 for percent in range(1, 101))
    return next((rate for rate in rates if at_least(needed, of, rate) >= POWER), None)
