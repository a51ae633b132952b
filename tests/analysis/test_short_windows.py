"""Limits over seconds are not taken for limits per minute: against meters of this file's own."""

from random import Random

import pytest

from analysis.numbers.rate_limit_audit import _short
from rules.rate_limit import Attempt, credible, fits


class Meter:
    """A limit of `size` per `window_s`, as simple as can be: it remembers every request."""

    def __init__(self, kind: str, size: int, window_s: float, turn_s: float) -> None:
        self.kind, self.size, self.window_s, self.turn_s = kind, size, window_s, turn_s
        self.let: list[float] = []
        self.level, self.at_s = float(size), 0.0

    def decide(self, now: float) -> bool:
        if self.kind == "bucket":
            gained = (now - self.at_s) * self.size / self.window_s
            self.level, self.at_s = min(float(self.size), self.level + gained), now
            if self.level < 1:
                return False
            self.level -= 1
            return True
        if self.kind == "sliding":
            used = sum(now - at < self.window_s for at in self.let)
        else:
            mine = (now - self.turn_s) // self.window_s
            used = sum((at - self.turn_s) // self.window_s == mine for at in self.let)
        if used >= self.size:
            return False
        self.let.append(now)
        return True


def audited(meter: Meter, dice: Random, fails: float = 0.0) -> list[Attempt]:
    """The programme of loadshapes/rate_limit_audit.py: each fill ends after so many refusals."""
    now, most, attempts = 0.0, 400, list[Attempt]()
    pace = dice.uniform(20, 200)

    def fill(begin: float, refusals: int, longest_s: float = 30.0, count: int = most) -> float:
        at, refused, left = begin, 0, count
        while refused < refusals and left and at - begin < longest_s:
            let = meter.decide(at)
            failed = dice.random() < fails  # a 429 that no limit made
            attempts.append(Attempt(at, 1.0, let and not failed))
            refused += not let or failed
            at, left = at + 1 / pace, left - 1
        return at

    now = fill(now, 1)
    limit = max(1, sum(one.admitted for one in attempts))
    now += 61.0
    half = now
    fill(half, 10**6, count=max(1, limit // 2))
    now = fill(half + 15.0, 12)
    now = fill(max(now, half + 62.0), 12)
    for _ in ("soon", "later"):
        now = fill(now + 31.0, 12)
    return attempts


def named(attempts: list[Attempt]) -> str | None:
    """The kind of limit per minute that the audit would name; None where it abstains."""
    fitted = fits(attempts)
    fit = credible(fitted)
    return None if fit is None or _short(attempts, fitted) is not None else fit.kind


MINUTE = [(kind, size) for kind in ("bucket", "fixed", "sliding") for size in (3, 5, 20, 60)]
SHORT = [
    (kind, size, window_s)
    for kind in ("fixed", "sliding")
    for size, window_s in ((5, 10.0), (5, 5.0), (20, 10.0), (3, 30.0), (10, 1.0), (8, 20.0))
]


def tally(audits: int, fails: float = 0.0) -> dict[str, list[int]]:
    """How often it is right, abstains and is wrong, for limits per minute and for windows of
    seconds.
    """
    counts = {"minute": [0, 0, 0], "seconds": [0, 0, 0]}
    for seed in range(audits):
        dice = Random(seed)
        for kind, size in MINUTE:
            meter = Meter(kind, size, 60.0, dice.uniform(0, 60))
            kind_named = named(audited(meter, dice, fails))
            counts["minute"][0 if kind_named == kind else 1 if kind_named is None else 2] += 1
        for kind, size, window_s in SHORT:
            meter = Meter(kind, size, window_s, dice.uniform(0, window_s))
            kind_named = named(audited(meter, dice, fails))
            counts["seconds"][1 if kind_named is None else 2] += 1
    return counts


def test_no_window_of_seconds_is_called_a_limit_per_minute() -> None:
    counts = tally(3)
    assert counts["seconds"] == [0, 3 * len(SHORT), 0]
    assert counts["minute"][2] == 0
    assert counts["minute"][0] >= 0.5 * sum(counts["minute"]), "and most limits a minute are named"


@pytest.mark.slow
@pytest.mark.parametrize("fails", [0.0, 0.02])
def test_no_audit_of_hundreds_names_a_wrong_kind(fails: float) -> None:
    """Also where 2 % of requests within the limit are refused for no reason."""
    counts = tally(20, fails)
    print(fails, counts)
    assert counts["seconds"][2] == counts["minute"][2] == 0
