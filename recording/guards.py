"""When to stop: the stop rule of the article, as a pure decision."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from recording.outcome import COUNTED

FEWEST = 5  # completed requests before the rule may speak


@dataclass(frozen=True, slots=True)
class StopRule:
    """Stop when at least `error_rate * window` of the last `window` completed requests failed so.

    Fewer completed requests need as many failures: one of the first five is no fifth of twenty.
    """

    error_rate: float
    window: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to stop, and the evidence: how many of how many, by outcome."""

    stop: bool
    counted: int
    completed: int
    outcomes: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def decide(window: Sequence[str], rule: StopRule) -> Verdict:
    """Judge the outcomes of the last completed requests, oldest first.

    Only the last `rule.window` count; with fewer than FEWEST the answer is to go on.
    """
    last = window[-rule.window :]
    outcomes = {name: last.count(name) for name in sorted(set(last) & COUNTED)}
    counted = sum(outcomes.values())
    stop = len(last) >= min(FEWEST, rule.window) and counted >= rule.error_rate * rule.window
    return Verdict(stop, counted, len(last), outcomes)
