"""How late an event loop is for whatever happens at a random moment. Pure.

A process that is starved of its core, or busy, reads every answer late: what it measures is then
its own delay. Probes due at a steady pace see that delay as a socket's bytes would.
"""

from collections import Counter

PROBE_S = 0.05


class LoopLag:
    """Lateness of probes that were due every PROBE_S; `max_s` is the longest, seconds."""

    def __init__(self) -> None:
        self.max_s = 0.0
        self._counts: Counter[int] = Counter()  # by whole milliseconds: memory stays flat

    def add(self, late_s: float) -> None:
        """A probe came so late. Those it kept from being made at all are counted with it."""
        self.max_s = max(self.max_s, late_s)
        while True:
            self._counts[max(0, round(late_s * 1000))] += 1
            late_s -= PROBE_S
            if late_s <= 0:
                return

    @property
    def p99_s(self) -> float | None:
        """The 99th percentile, nearest rank, to the millisecond; None without a probe."""
        rank = -(-99 * self._counts.total() // 100)
        for late_ms in sorted(self._counts):
            rank -= self._counts[late_ms]
            if rank <= 0:
                return late_ms / 1000
        return None
