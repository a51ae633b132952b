"""Lines through counts that were rounded: which slopes are possible at all. Pure."""

from collections.abc import Sequence

Point = tuple[int, int]
"""What was sent (repeats, or tokens) and what was stated."""
EXACT, LOOSE = 1.0, 2.0
"""How far two points may be off together, tokens: rounded counts; those of a rough estimate."""


def slopes(points: Sequence[Point], slack: float) -> tuple[float, float] | None:
    """The least and the greatest slope of a line through all points; None: there is no such line.

    (By elimination of the start: two points at one place may differ by the slack, and each other
    two bound the slope.)
    """
    low, high = float("-inf"), float("inf")
    for place, (x, y) in enumerate(points):
        for other, was in points[:place]:
            apart = x - other
            if not apart:
                if abs(y - was) > slack:
                    return None
                continue
            ends = sorted(((y - was - slack) / apart, (y - was + slack) / apart))
            low, high = max(low, ends[0]), min(high, ends[1])
    return (low, high) if low <= high else None
