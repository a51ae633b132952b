"""Percentiles of any number of durations, in bounded memory. Pure.

Each bucket is a thousandth of its value wide: a percentile is within 0.1 % of the true value, and
there are at most 24,000 buckets between a microsecond and a day; shorter durations are read back as
0. The report ranks the exact values instead; Locust's own statistics keep two digits.
"""

from collections import Counter
from math import ceil, exp, floor, log

ERROR = 0.001  # of a value read back, relative to the true one
_WIDTH = log((1 + ERROR) / (1 - ERROR))
_LEAST_S = 1e-6
_NONE = floor(log(_LEAST_S) / _WIDTH) - 1  # the bucket of what is shorter


class Histogram:
    """Counts durations (seconds, not below 0)."""

    def __init__(self) -> None:
        self.count = 0
        self._buckets: Counter[int] = Counter()

    def add(self, duration_s: float) -> None:
        """Count one duration."""
        self.count += 1
        bucket = floor(log(duration_s) / _WIDTH) if duration_s >= _LEAST_S else _NONE
        self._buckets[bucket] += 1

    def merge(self, other: "Histogram") -> None:
        """Add the counts of another."""
        self.count += other.count
        self._buckets.update(other._buckets)

    def percentile(self, percent: int) -> float | None:
        """The nearest-rank percentile, the ceil(percent * n / 100)-th smallest; None if there is no
        value.
        """
        rank = ceil(percent * self.count / 100)
        for bucket in sorted(self._buckets):
            rank -= self._buckets[bucket]
            if rank <= 0:
                return 0.0 if bucket == _NONE else exp((bucket + 0.5) * _WIDTH)
        return None
