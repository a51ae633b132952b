"""What trials at several levels say of the highest level that still meets its objectives. Pure.

Whatever the level, a trial is a coin with a bias: now and then a level that is met looks missed,
and the other way round, the more so the nearer it lies to the boundary. So no single answer is
final: each says how likely its level is met, by as many independent requests as its own are worth
(rules/objectives.py), and at the most with 99 in 100. Of all places where the true boundary can
lie, between two neighbouring levels that were tried, or beyond the outermost, the most likely is
taken; its share of all likelihoods is the confidence.

That share counts chance alone. Windows that hold a few waves of a queue err all alike, towards
met: the long waves, which make the percentile, are in few of them, and no number of such windows
averages that away. So a confidence is stated only where those at the bracket's ends are long
enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass

RIGHT, SURELY_RIGHT = 0.9, 0.99
LONG_ENOUGH = 0.5
"""A confidence is stated where the windows at the ends tell so much: twenty memories of a queue."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One answer: whether a level was met, and whether chance can hardly have decided it.

    `likely` is how likely the level is truly met; None: as a verdict is right in 9 of 10 cases.
    `told` is how far the window can tell, from 0 to 1 (rules/effective_size.py).
    """

    level: int
    met: bool
    sure: bool = False
    likely: float | None = None
    told: float = 1.0

    @property
    def truly(self) -> float:
        """The probability that the level is truly met, never beyond what an answer is worth."""
        if self.likely is not None:
            return min(max(self.likely, 1 - SURELY_RIGHT), SURELY_RIGHT)
        right = SURELY_RIGHT if self.sure else RIGHT
        return right if self.met else 1 - right


@dataclass(frozen=True, slots=True)
class Bracket:
    """The boundary: `low` is met, `high` is not. None: no level tried is on that side.

    `told` is how far the windows at its ends can tell, in the mean.
    """

    low: int | None
    high: int | None
    confidence: float
    told: float = 1.0

    @property
    def stated(self) -> float | None:
        """The confidence that may be claimed; None: the windows are too short to say."""
        return self.confidence if self.told >= LONG_ENOUGH else None


def bracket(trials: Sequence[Trial]) -> Bracket:
    """The most likely bracket of the trials, of equals the lowest; (None, None) without any."""
    if not trials:
        return Bracket(None, None, 1.0)
    levels: list[int | None] = [*sorted({trial.level for trial in trials})]
    places = list(zip([None, *levels], [*levels, None], strict=True))
    weights = [_likelihood(trials, low) for low, _ in places]
    best = max(range(len(places)), key=lambda place: (weights[place], -place))
    ends = [trial.told for trial in trials if trial.level in places[best]]
    return Bracket(*places[best], weights[best] / sum(weights), sum(ends) / len(ends))


def _likelihood(trials: Sequence[Trial], low: int | None) -> float:
    """How likely the answers are where `low` is the highest level tried that is truly met."""
    found = 1.0
    for trial in trials:
        truly_met = low is not None and trial.level <= low
        found *= trial.truly if truly_met else 1 - trial.truly
    return found
