"""The overhead that the gateway itself states, to be compared with the measured one.

It states the time of its own code (`x-litellm-overhead-duration-ms` and the like); what a client
sees also includes its network, its queues and its connection to the provider.
"""

from dataclasses import dataclass

import numpy as np

from analysis.numbers.percentile import nearest_rank
from analysis.numbers.stated_times import ROUNDED_S
from analysis.pairs.pairing import Pairs, floats

LEAST = 3


@dataclass(frozen=True, slots=True)
class StatedOverhead:
    """The median overhead that `count` of the gateway's answers state, seconds."""

    median_s: float
    count: int


def stated_overhead(pairs: Pairs) -> StatedOverhead | None:
    """The overhead that the gateway's answers state; None if fewer than LEAST state one."""
    values, elapsed_s = floats(pairs.a, "stated_overhead_s"), floats(pairs.a, "elapsed_sec")
    known = np.sort(values[~np.isnan(values) & ~(values > elapsed_s + ROUNDED_S)])
    middle = nearest_rank(known, 50)
    return None if middle is None or len(known) < LEAST else StatedOverhead(middle, len(known))
