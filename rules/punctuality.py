"""The lags at which a generator measures itself. Pure.

The report's verdict, the live table and the capacity search share this rule.
"""

from dataclasses import dataclass

LAG_SHARE = 0.05
"""The largest acceptable share of lag in a measured latency."""

GAP_SHARE = 0.5
"""A P99 loop lag above this share of the median gap between chunks distorts the gaps."""

FEWEST = 3
"""Of fewer requests, the latest probe of the event loop is its P99: no more than a note."""

GRAIN_S = 0.002
"""Lag below this is timer resolution, however fast the server answers."""


def limit_s(share: float, measured_s: float | None) -> float | None:
    """The acceptable lag for a measured median, seconds; None if there is no median."""
    return None if measured_s is None else max(GRAIN_S, share * measured_s)


@dataclass(frozen=True, slots=True)
class LagLimits:
    """The P99 lags above which a phase measured its generator, seconds; None: nothing to compare.

    `send_s` is for the send lag; `loop_s` and `chunk_s`, by the gaps of streams, for the lag of the
    event loop.
    """

    send_s: float | None
    loop_s: float | None
    chunk_s: float | None

    @classmethod
    def of(cls, latency_s: float | None, ttft_s: float | None, gap_s: float | None) -> "LagLimits":
        """The limits for these measured medians: latency, TTFT, gap between chunks."""
        first_s = latency_s if ttft_s is None else ttft_s
        return cls(
            limit_s(LAG_SHARE, latency_s), limit_s(LAG_SHARE, first_s), limit_s(GAP_SHARE, gap_s)
        )

    def exceeded(self, send_lag_s: float | None, loop_lag_s: float | None) -> bool | None:
        """Whether a P99 lag is above its limit; None if there is no lag, or nothing to compare."""
        pairs = ((send_lag_s, self.send_s), (loop_lag_s, self.loop_s), (loop_lag_s, self.chunk_s))
        late = [lag > limit for lag, limit in pairs if lag is not None and limit is not None]
        return any(late) if late else None
