"""When to stop: three decisions based on how requests ended. Pure.

`decide` is the article's rule, "on many 429, 5xx and timeouts". `Opening` detects that the first
requests of a phase were all refused in the same way, as further ones would be. `Silence` detects
that a gateway has disappeared in the middle of a run. `pause_s` slows down a phase that has no end
of its own.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import exp, lgamma, log, log1p
from typing import Literal

from recording.outcome import COUNTED, HOPELESS, Outcome

FEWEST = 5
"""Completed requests before the rule may act."""
LOOK_BACK = 600
"""How many of the last completed requests the rule examines for stretches of failures."""
FALSE_STOPS = 0.004
"""Divided by the number of a phase's requests, this is the probability below which a stretch of
failures is not attributed to chance. In simulation (tests/rules/test_stop_rule.py) it ends fewer
than 1 % of the phases whose requests fail at random at half of the limit, and none in 2,000 at a
quarter of it.
"""
LONG_PHASE = 100_000
"""The assumed number of requests of a phase without a count."""


@dataclass(frozen=True, slots=True)
class StopRule:
    """Stop when at least `error_rate * window` of the last `window` completed requests failed, and
    chance does not explain it: see `decide`.

    With fewer completed requests the same number of failures is required: one of the first five is
    not a fifth of twenty. `planned` is the number of requests of the phase: a longer phase has more
    chances of a false alarm.
    """

    error_rate: float
    window: int
    planned: int = LONG_PHASE

    @property
    def look_back(self) -> int:
        """How many of the last completed requests are examined."""
        return max(self.window, LOOK_BACK)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to stop, and the evidence: failures among the last requests, by outcome."""

    stop: bool
    counted: int
    completed: int
    outcomes: dict[str, int]


def decide(ended: Sequence[str], rule: StopRule) -> Verdict:
    """Judge the outcomes of the last completed requests, oldest first.

    Random failures of 5 % make 4 of 20 somewhere in most runs of 600 requests. So the last
    `rule.window` must hold `rule.error_rate` of failures, and a stretch of requests up to the last
    one must hold more than a gateway that fails half as often would show in 4 of 1,000 phases. The
    evidence is the shortest such stretch, or the last `rule.window` if there is none.
    """
    last = ended[-rule.window :]
    counted = sum(name in COUNTED for name in last)
    enough = len(last) >= min(FEWEST, rule.window) and counted >= rule.error_rate * rule.window
    stretch = _beyond_chance(ended, rule) if enough else 0
    evidence = ended[-stretch:] if stretch else last
    outcomes = {name: evidence.count(name) for name in sorted(set(evidence) & COUNTED)}
    return Verdict(bool(stretch), sum(outcomes.values()), len(evidence), outcomes)


def _beyond_chance(ended: Sequence[str], rule: StopRule) -> int:
    """The length of the shortest stretch at the end that chance does not explain; 0: none."""
    chance, failures = FALSE_STOPS / max(1, rule.planned), 0
    for length, name in enumerate(reversed(ended[-rule.look_back :]), 1):
        if name in COUNTED:
            failures += 1
            if length >= FEWEST and failures >= _most(length, rule.error_rate / 2, chance):
                return length
    return 0


@lru_cache(maxsize=4 * LOOK_BACK)
def _most(count: int, rate: float, chance: float) -> int:
    """The smallest number of failures that `count` requests failing at `rate` reach with
    probability at most `chance`.
    """
    tail, failures = 0.0, count
    while failures > 0:
        ways = lgamma(count + 1) - lgamma(failures + 1) - lgamma(count - failures + 1)
        tail += exp(ways + failures * log(rate) + (count - failures) * log1p(-rate))
        if tail > chance * (1 + 1e-9):
            return failures + 1
        failures -= 1
    return 1


ALIKE = 5
"""If this many first requests are all refused in the same way, the phase ends."""
ALIKE_OF_OWN = 20
"""The same number if bodies differ (--prompts, --trace) and bodies are what is refused."""

_RUN_WIDE = frozenset(
    {Outcome.CONNECTION_REFUSED, Outcome.DNS, Outcome.TLS, Outcome.UNREACHABLE, Outcome.REDIRECT,
     Outcome.PAYMENT_REQUIRED}
)  # fmt: skip
Scope = Literal["run", "model", "mode"]


def scope(outcome: str, status: int | None) -> Scope:
    """What ends if every request is refused in the same way: the run if the cause is common to
    all (the key, the address, the proxy), a model's phases (404, 403), or those of a model in a
    mode.
    """
    if outcome in _RUN_WIDE or status in (401, 407):
        return "run"
    if outcome in (Outcome.NOT_FOUND, Outcome.AUTH):
        return "model"
    return "mode"


class Opening:
    """The first requests of a run, a model or a phase, in the order of sending.

    A quick refusal must not be judged before a slow answer to an earlier request: a verdict needs
    all of the first ALIKE requests to have ended.
    """

    def __init__(self) -> None:
        self._ends: dict[Hashable, object] = {}

    def begin(self) -> None:
        """A phase begins: earlier requests no longer count unless they were all refused in the
        same way.
        """
        if len(set(self._ends.values())) > 1 or not HOPELESS & {
            end[0] for end in self._ends.values() if isinstance(end, tuple)
        }:
            self._ends.clear()

    def sent(self, task: Hashable) -> None:
        """A request is sent."""
        if len(self._ends) < ALIKE_OF_OWN:
            self._ends[task] = None

    def forget(self, task: Hashable) -> None:
        """A request was cancelled on purpose: how it would have ended is unknown."""
        self._ends.pop(task, None)

    def ended(self, task: Hashable, outcome: str, status: int | None, own_traffic: bool) -> int:
        """A request has ended. Return how many first requests were all refused in the same way; 0:
        they were not.

        `own_traffic`: the bodies are the operator's and differ from each other.
        """
        if task not in self._ends:
            return 0
        self._ends[task] = (outcome, status)
        needed = ALIKE_OF_OWN if own_traffic and outcome == Outcome.BAD_REQUEST else ALIKE
        first = list(self._ends.values())[:needed]
        alike = outcome in HOPELESS and len(first) == needed and set(first) == {(outcome, status)}
        return needed if alike else 0


IN_A_ROW = 20
IN_A_ROW_S = 3.0
"""This many requests in a row without a gateway (or with a key that is no longer valid), over at
least this time, end a running run; a shorter restart does not.
"""


@dataclass(slots=True)
class Silence:
    """Counts requests in a row that failed for a cause that affects every request."""

    count: int = 0
    since_s: float = field(default=0.0)

    def add(self, outcome: str, status: int | None, at_s: float) -> bool:
        """Count the end of a request at a clock's time, seconds; return whether the gateway is
        gone.
        """
        if outcome not in HOPELESS or scope(outcome, status) != "run":
            self.count = 0
            return False
        if not self.count:
            self.since_s = at_s
        self.count += 1
        return self.count >= IN_A_ROW and at_s - self.since_s >= IN_A_ROW_S


FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
LONGEST_WAIT_S = 300.0


def pause_s(failures: int, retry_after_s: float | None) -> float:
    """How long a user rests after `failures` in a row, seconds: as long as the gateway asks (at
    most 5 minutes), otherwise 1 s, doubled with each failure up to 30 s.
    """
    if failures <= 0:
        return 0.0
    if retry_after_s is not None:
        return min(max(retry_after_s, 0.0), LONGEST_WAIT_S)
    return min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE_S)
