"""The highest level that still meets its objectives, estimated from trials at several levels. Pure.

A trial can err: a level that is met sometimes looks missed and vice versa, more often the nearer it
lies to the boundary. So no single answer is final. Each answer gives the probability that its level
is met, based on the effective number of independent requests (rules/objectives.py) and capped at 99
in 100. The true boundary lies between two neighbouring levels that were tried, or beyond the
outermost; the most likely place is taken, and its share of all likelihoods is the confidence.

That share covers chance alone. Windows that hold only a few waves of a queue all err in the same
direction, towards met: few of them contain the long waves that make the percentile, and averaging
more such windows does not help. So a confidence is stated only if the windows at the bracket's ends
are long enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass

RIGHT, SURELY_RIGHT = 0.9, 0.99
LONG_ENOUGH = 0.5
"""A confidence is stated if the windows at the ends reach this: twenty correlation times of a
queue.
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """One answer: whether a level was met, and whether that is unlikely to be chance.

    `likely` is the probability that the level is truly met; None: 9 in 10 for the verdict.
    `reliability` is that of the window, from 0 to 1 (rules/effective_size.py).
    """

    level: int
    met: bool
    sure: bool = False
    likely: float | None = None
    reliability: float = 1.0

    @property
    def truly(self) -> float:
        """The probability that the level is truly met, capped."""
        if self.likely is not None:
            return min(max(self.likely, 1 - SURELY_RIGHT), SURELY_RIGHT)
        right = SURELY_RIGHT if self.sure else RIGHT
        return right if self.met else 1 - right


@dataclass(frozen=True, slots=True)
class Bracket:
    """The boundary: `low` is met, `high` is not. None: no tried level lies on that side.

    `reliability` is the mean reliability of the windows at its ends.
    """

    low: int | None
    high: int | None
    confidence: float
    reliability: float = 1.0

    @property
    def stated_confidence(self) -> float | None:
        """The confidence that may be stated; None: the windows are too short."""
        return self.confidence if self.reliability >= LONG_ENOUGH else None


def bracket(trials: Sequence[Trial]) -> Bracket:
    """The most likely bracket of the trials, the lowest of equals; (None, None) without trials."""
    if not trials:
        return Bracket(None, None, 1.0)
    levels: list[int | None] = [*sorted({trial.level for trial in trials})]
    places = list(zip([None, *levels], [*levels, None], strict=True))
    weights = [_likelihood(trials, low) for low, _ in places]
    best = max(range(len(places)), key=lambda place: (weights[place], -place))
    ends = [trial.reliability for trial in trials if trial.level in places[best]]
    return Bracket(*places[best], weights[best] / sum(weights), sum(ends) / len(ends))


def _likelihood(trials: Sequence[Trial], low: int | None) -> float:
    """The likelihood of the answers if `low` is the highest tried level that is truly met."""
    likelihood = 1.0
    for trial in trials:
        truly_met = low is not None and trial.level <= low
        likelihood *= trial.truly if truly_met else 1 - trial.truly
    return likelihood
