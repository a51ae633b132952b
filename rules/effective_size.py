"""How many independent requests a window of correlated requests is worth. Pure.

Latencies of a queue come in waves: 2,000 requests may say as much about a percentile as 60
independent ones. The *design effect* is the factor by which this increases the variance of a share.
"""

from collections.abc import Sequence
from math import fsum

_BINS = 512
_WINDOW = 6.0  # the sum of correlations ends at so many times itself (Sokal)
_FEW_WAVES = 10.0  # a window of so many memories tells nothing, of twice as many half
_SHORT = 4.0  # in a series of few waves their correlations seem too small


def design_effect(hits: Sequence[bool]) -> tuple[float, float]:
    """The design effect of hits and misses in the order of sending; 1 if they are independent, or
    all alike.

    Also how reliable that is, from 0 to 1: a window of a few waves says hardly anything.
    """
    count, share = len(hits), sum(hits) / max(1, len(hits))
    if count < 16 or not 0 < share < 1:
        return 1.0, 1.0
    size = -(-count // _BINS)
    bins = [fsum(hits[at : at + size]) / size for at in range(0, count - size + 1, size)]
    middle = fsum(bins) / len(bins)
    apart = [value - middle for value in bins]
    variance = fsum(value * value for value in apart) / len(bins)
    if not variance:
        return 1.0, 1.0
    memory = 1.0
    for lag in range(1, len(apart)):
        if lag > _WINDOW * memory:
            break
        pairs = zip(apart, apart[lag:], strict=False)
        memory += 2 * fsum(a * b for a, b in pairs) / len(bins) / variance
    memory = max(1.0, memory)
    short = max(0.0, 1 - _SHORT * memory / len(bins))
    memory = memory / short if short else float(len(bins))
    effect = variance * size * memory / (share * (1 - share))
    informative = max(0.0, 1 - _FEW_WAVES * memory / len(bins))
    return min(float(count), max(1.0, effect)), informative
