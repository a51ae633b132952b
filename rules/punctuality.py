"""How late a generator may be before it measures itself. Pure.

One rule for the report's verdict, the live table and the capacity search.
"""

LAG_SHARE = 0.05
"""The largest honest share of lateness in the latency that it falsifies."""

GRAIN_S = 0.002
"""Lateness below this is a timer's own grain, however fast the server answers."""


def limit_s(share: float, measured_s: float | None) -> float | None:
    """The lateness that a measured median can bear, seconds; None where there is no median."""
    return None if measured_s is None else max(GRAIN_S, share * measured_s)
