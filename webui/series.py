"""What the charts show: the run over time, in bounded memory. Pure.

Completions are counted in buckets of equal width, one second at first. When a run needs more than
MOST_BUCKETS, neighbours are merged and the width doubles.
"""

from dataclasses import dataclass, field
from typing import Any

from recording.histogram import Histogram
from recording.record import RequestRecord
from recording.tally import Tally

MOST_BUCKETS = 240


@dataclass(slots=True)
class Bucket:
    """What was completed in one interval."""

    tally: Tally = field(default_factory=Tally)
    latency: Histogram = field(default_factory=Histogram)  # successes only

    def add(self, record: RequestRecord) -> None:
        """Counts one completed request."""
        self.tally.add(record)
        if record.success and record.elapsed_sec is not None and record.cancel_after is None:
            self.latency.add(record.elapsed_sec)

    def merge(self, other: "Bucket") -> None:
        """Adds the counts of another bucket."""
        self.tally.merge(other.tally)
        self.latency.merge(other.latency)


class Series:
    """Buckets from the run's first completion on; times are seconds on the master's clock."""

    def __init__(self) -> None:
        self.width_s = 1
        self._start: float | None = None
        self._buckets: list[Bucket] = []

    def add(self, record: RequestRecord, at: float) -> None:
        """Counts a request that was completed at `at`."""
        if self._start is None:
            self._start = at
        place = max(0, int((at - self._start) // self.width_s))
        while place >= MOST_BUCKETS:
            self._halve()
            place //= 2
        while len(self._buckets) <= place:
            self._buckets.append(Bucket())
        self._buckets[place].add(record)

    def points(self, now: float | None) -> list[dict[str, Any]]:
        """One point per bucket, without the one still open at `now` (None: the run is over).

        The last second of a run was cut short: only its cost is known, not its rate.
        """
        points, cost = [], 0.0
        for place, bucket in enumerate(self._buckets):
            tally = bucket.tally
            cost += tally.cost or 0.0
            begin_s = place * self.width_s
            if now is not None and now - (self._start or 0.0) < begin_s + self.width_s:
                break
            whole = now is not None or place == 0 or place + 1 < len(self._buckets)
            share = 60 / self.width_s if whole else None
            points.append(
                {
                    "second": begin_s + self.width_s,
                    "rpm": share and tally.succeeded * share,
                    "failed": share and tally.failed * share,
                    "tpm": share and tally.total_tokens * share,
                    "p95": bucket.latency.percentile(95),
                    "cost": cost,
                }
            )
        return points

    def _halve(self) -> None:
        for first, second in zip(self._buckets[::2], self._buckets[1::2], strict=False):
            first.merge(second)
        self._buckets = self._buckets[::2]
        self.width_s *= 2
