"""A moment of the wall clock, told by the monotonic one. Pure: both clocks are given."""

from collections.abc import Callable

READINGS = 5


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
