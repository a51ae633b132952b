"""Converts a moment of the wall clock to the monotonic clock. Pure: both clocks are given.

The wall clock may jump at any time (an NTP daemon, a person): it is compared with a monotonic clock
and never trusted beyond that.
"""

from collections.abc import Callable

READINGS = 5
LONGEST_WAY_S = 30.0


def monotonic_of(unix_s: float, clock: Callable[[], float], wall: Callable[[], float]) -> float:
    """When the clock will show what the wall clock calls `unix_s`; seconds of the clock.

    The two cannot be read at once, and a process may lose its core between them: a phase would
    begin early or late by that. The wall is read between two looks at the clock, several times; the
    closest pair counts, and is off by half its distance at most.
    """
    closest_s, shift = float("inf"), 0.0
    for _ in range(READINGS):
        before, now, after = clock(), wall(), clock()
        if after - before < closest_s:
            closest_s, shift = after - before, (before + after) / 2 - now
    return unix_s + shift


def start_of(
    unix_s: float,
    in_s: float,
    clock: Callable[[], float],
    wall: Callable[[], float],
    *,
    same_process: bool,
) -> float:
    """When a phase starts that is told to start at `unix_s`; seconds of the clock.

    `in_s`: how far ahead that was when it was told, by the teller's monotonic clock. In the same
    process that is all there is to know. Between processes the wall clocks are compared, for the
    message took time; but the start is no further ahead now than it was then, and no message is on
    its way for longer than LONGEST_WAY_S.
    """
    latest = clock() + in_s
    if same_process:
        return latest
    start_s = monotonic_of(unix_s, clock, wall)
    return min(max(start_s, latest - LONGEST_WAY_S), latest)
