"""Over how many requests a number is correlated, as it is in a queue.

The *memory* of a series is its integrated autocorrelation time: n correlated values say as much
about their mean as n / memory independent values (Sokal, Monte Carlo Methods in Statistical
Mechanics, 1997). It is estimated with Sokal's window, on ranks for percentiles, and corrected for
short series, in which the estimate is too small.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_WINDOW = 6.0  # the sum of correlations ends at this multiple of itself
_TAIL = 95.0  # the tail's memory is that of exceeding this percentile
_TELLING = 400  # with fewer latencies too few exceed it


def memory(values: "Floats") -> float:
    """Over how many of its values a series is correlated; 1 if they are independent.

    It is at most the length of the series, which means that nothing can be concluded.
    """
    import numpy as np

    count = len(values)
    if count < 8 or not np.ptp(values):
        return 1.0
    apart = values - values.mean()
    size = 1 << (2 * count - 1).bit_length()
    spectrum = np.fft.rfft(apart, size)
    correlation = np.fft.irfft(spectrum * spectrum.conj(), size)[:count]
    correlation /= correlation[0]
    sums = 2 * np.cumsum(correlation) - 1
    inside = np.arange(count) >= _WINDOW * sums
    end = int(np.argmax(inside)) if inside.any() else count - 1
    length = max(1.0, float(sums[end]))
    # A series only a few memories long follows its own mean: its correlations come out too small.
    share = _SHORT * length / count
    return min(float(count), length / (1 - share)) if share < 1 else float(count)


_SHORT = 4.0


def of_latencies(latency_s: "Floats") -> float:
    """The memory of the middle and of the tail of latencies in the order of sending."""
    import numpy as np

    known: Any = latency_s[~np.isnan(latency_s)]
    if len(known) < 8:
        return 1.0
    order = np.argsort(known, kind="stable")
    ranks = np.empty(len(known))
    ranks[order] = np.arange(len(known), dtype="float64")
    beyond = (known > np.percentile(known, _TAIL)).astype("float64")
    if len(known) < _TELLING:
        return memory(ranks)
    return max(memory(ranks), memory(beyond))
