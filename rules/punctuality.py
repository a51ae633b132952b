"""The send lag at which a generator measures itself. Pure.

The report's verdict, the live table and the capacity search share this rule.
"""

LAG_SHARE = 0.05
"""The largest acceptable share of lag in a measured latency."""

GRAIN_S = 0.002
"""Lag below this is timer resolution, however fast the server answers."""


def limit_s(share: float, measured_s: float | None) -> float | None:
    """The acceptable lag for a measured median, seconds; None if there is no median."""
    return None if measured_s is None else max(GRAIN_S, share * measured_s)
