"""When to stop: three decisions on how requests ended. Pure.

`decide` is the article's rule, "on many 429, 5xx and timeouts". `Opening` finds that the first
requests of a phase were all refused alike: more of them would be too. `Silence` finds that a
gateway has gone in the middle of a run. `pause_s` is the brake of a phase that never ends itself.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import exp, lgamma, log, log1p
from typing import Literal

from recording.outcome import COUNTED, HOPELESS, Outcome

FEWEST = 5
"""Completed requests before the rule may speak."""
LOOK_BACK = 600
"""Of how many of the last completed requests the rule looks at stretches."""
FALSE_STOPS = 0.004
"""Shared among a phase's requests, this is the chance at which a stretch is too bad for chance.
By simulation (tests/rules/test_stop_rule.py) it ends fewer than 1 % of the phases whose
requests fail at random at half of the limit, and none in 2,000 at a quarter of it."""
LONG_PHASE = 100_000
"""Requests that a phase is taken to have when nobody knows how many it will send."""


@dataclass(frozen=True, slots=True)
class StopRule:
    """Stop when at least `error_rate * window` of the last `window` completed requests failed so,
    and chance does not explain it: see `decide`.

    Fewer completed requests need as many failures: one of the first five is no fifth of twenty.
    `planned` is how many requests the phase has: the longer it is, the more chances to err.
    """

    error_rate: float
    window: int
    planned: int = LONG_PHASE

    @property
    def look_back(self) -> int:
        """How many of the last completed requests have a say."""
        return max(self.window, LOOK_BACK)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to stop, and the evidence: how many of how many, by outcome."""

    stop: bool
    counted: int
    completed: int
    outcomes: dict[str, int]


def decide(ended: Sequence[str], rule: StopRule) -> Verdict:
    """Judge the outcomes of the last completed requests, oldest first.

    Random failures of 5 % make 4 of 20 somewhere in most runs of 600 requests. So the last
    `rule.window` must hold `rule.error_rate` of failures, and a stretch of requests up to the last
    one must hold more than a gateway that fails half as often would show in 4 of 1,000 phases.
    The evidence is the shortest such stretch; where there is none, the last `rule.window`.
    """
    last = ended[-rule.window :]
    counted = sum(name in COUNTED for name in last)
    enough = len(last) >= min(FEWEST, rule.window) and counted >= rule.error_rate * rule.window
    stretch = _beyond_chance(ended, rule) if enough else 0
    shown = ended[-stretch:] if stretch else last
    outcomes = {name: shown.count(name) for name in sorted(set(shown) & COUNTED)}
    return Verdict(bool(stretch), sum(outcomes.values()), len(shown), outcomes)


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
    """The smallest number that `count` requests failing at `rate` reach with at most `chance`."""
    tail, failures = 0.0, count
    while failures > 0:
        ways = lgamma(count + 1) - lgamma(failures + 1) - lgamma(count - failures + 1)
        tail += exp(ways + failures * log(rate) + (count - failures) * log1p(-rate))
        if tail > chance * (1 + 1e-9):
            return failures + 1
        failures -= 1
    return 1


ALIKE = 5
"""So many first requests, all refused alike, end a phase."""
ALIKE_OF_OWN = 20
"""So many where each body is another (--prompts, --trace) and bodies are what is refused."""

_RUN_WIDE = frozenset(
    {Outcome.CONNECTION_REFUSED, Outcome.DNS, Outcome.TLS, Outcome.UNREACHABLE, Outcome.REDIRECT,
     Outcome.PAYMENT_REQUIRED}
)  # fmt: skip
Scope = Literal["run", "model", "mode"]


def scope(outcome: str, status: int | None) -> Scope:
    """What a refusal of every request alike ends: the run where the cause is the same for all (the
    key, the address, the proxy), a model's phases (404, 403), or those of a model in a mode."""
    if outcome in _RUN_WIDE or status in (401, 407):
        return "run"
    if outcome in (Outcome.NOT_FOUND, Outcome.AUTH):
        return "model"
    return "mode"


class Opening:
    """The first requests of a run, of a model or of a phase, in the order in which they were sent.

    A quick refusal must not be judged before a slow answer to a request that left earlier: only
    when all of the first ALIKE have ended is there something to say.
    """

    def __init__(self) -> None:
        self._ends: dict[Hashable, object] = {}

    def begin(self) -> None:
        """A phase begins: what was not refused alike before it has no say in it."""
        if len(set(self._ends.values())) > 1 or not HOPELESS & {
            end[0] for end in self._ends.values() if isinstance(end, tuple)
        }:
            self._ends.clear()

    def sent(self, task: Hashable) -> None:
        """A request leaves."""
        if len(self._ends) < ALIKE_OF_OWN:
            self._ends[task] = None

    def forget(self, task: Hashable) -> None:
        """A request was cancelled on purpose: how it would have ended nobody knows."""
        self._ends.pop(task, None)

    def ended(self, task: Hashable, outcome: str, status: int | None, own: bool) -> int:
        """A request has ended so: of how many first ones all were refused alike; 0: they were not.

        `own`: the bodies are the operator's, each another.
        """
        if task not in self._ends:
            return 0
        self._ends[task] = (outcome, status)
        needed = ALIKE_OF_OWN if own and outcome == Outcome.BAD_REQUEST else ALIKE
        first = list(self._ends.values())[:needed]
        alike = outcome in HOPELESS and len(first) == needed and set(first) == {(outcome, status)}
        return needed if alike else 0


IN_A_ROW = 20
IN_A_ROW_S = 3.0
"""So many requests in a row that met no gateway (or a key that is no key any more), over at least
so long, end the run in its middle: a restart that is over sooner does not."""


@dataclass(slots=True)
class Silence:
    """How many requests in a row have met what no request of the run can get past."""

    count: int = 0
    since_s: float = field(default=0.0)

    def add(self, outcome: str, status: int | None, at_s: float) -> bool:
        """A request ended so, at a clock's seconds; whether the run has nobody to send to."""
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
    """How long a user rests after `failures` in a row, seconds: as long as the gateway asks for
    (at most 5 minutes), else 1 s, doubled with each failure up to 30 s."""
    if failures <= 0:
        return 0.0
    if retry_after_s is not None:
        return min(max(retry_after_s, 0.0), LONGEST_WAIT_S)
    return min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE_S)
