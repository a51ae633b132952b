"""The exact costs of both arms, over the pairs in which both costs are known."""

from dataclasses import dataclass

import numpy as np

from analysis.pairs.pairing import Pairs, floats
from recording.exact_amount import money_sum


@dataclass(frozen=True, slots=True)
class Costs:
    """Both arms' sums over `pairs`, in the run's currency; `unknown` more pairs lack a cost."""

    a: float
    b: float
    pairs: int
    unknown: int

    @property
    def per_pair(self) -> float:
        """The mean cost of a pair, both of its requests together."""
        return (self.a + self.b) / self.pairs


def costs(pairs: Pairs) -> Costs | None:
    """The sums of a phase, including failures that state a cost; None if no pair has both costs."""
    a, b = (floats(arm, "api_cost") for _, arm in pairs.arms())
    known = ~np.isnan(a) & ~np.isnan(b)
    count = int(known.sum())
    return Costs(money_sum(a[known]), money_sum(b[known]), count, len(a) - count) if count else None
