"""Times that a gateway's headers state, if they are possible at all. Pure."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import Series

KINDS = ("overhead", "upstream")
"""The gateway's own part, and its upstream's: `stated_overhead_s`, `stated_upstream_s`."""
ROUNDED_S = 0.001


def possible(stated_s: "Series[Any]", elapsed_s: "Series[Any]") -> "Series[Any]":
    """The stated times, seconds; missing where the part took longer than the whole answer.

    Headers state whole milliseconds, rounded either way: this tolerance allows for that.
    """
    seconds = stated_s.astype("float64")
    return seconds.where(seconds.ge(0) & ~seconds.gt(elapsed_s.astype("float64") + ROUNDED_S))
