"""The lag of an event loop at random moments. Pure.

A process that is starved of its core, or busy, reads every answer late: what it measures is then
its own delay. Probes due at a steady pace see that delay as a socket's bytes would.
"""

from recording.events import LoopLag as LagSummary
from recording.histogram import Histogram

PROBE_S = 0.05


class LoopLag:
    """Lateness of probes that were due every PROBE_S; `max_s` is the longest, seconds."""

    def __init__(self) -> None:
        self.max_s = 0.0
        self._lateness = Histogram()

    def add(self, late_s: float) -> None:
        """A probe came so late. Those it kept from being made at all are counted with it."""
        self.max_s = max(self.max_s, late_s)
        while True:
            self._lateness.add(late_s)
            late_s -= PROBE_S
            if late_s <= 0:
                return

    @property
    def p99_s(self) -> float | None:
        """The 99th percentile, nearest rank, within 0.1 %; None without a probe."""
        return self._lateness.percentile(99)

    @property
    def summary(self) -> LagSummary:
        """What the phase's last event says of it, to the microsecond."""
        p99_s = self.p99_s
        return LagSummary(None if p99_s is None else round(p99_s, 6), round(self.max_s, 6))
