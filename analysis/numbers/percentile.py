"""Nearest-rank percentiles, in exact arithmetic. Pure."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Ordered(Protocol):
    """Values in ascending order: a list, a tuple or a numpy array."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: int, /) -> Any: ...


def rank(count: int, percent: Fraction | int) -> int:
    """The 1-based rank of a percentile: ceil(percent * count / 100), at least 1.

    In floats 0.07 * 100 is 7.000000000000001, and its ceiling 8; fractions do not err so.
    Raises ValueError unless 0 <= percent <= 100 and count >= 1.
    """
    if not 0 <= percent <= 100:
        raise ValueError(f"a percentile lies between 0 and 100, not at {percent}")
    if count < 1:
        raise ValueError("nothing has no percentile")
    return max(1, ceil(Fraction(percent) * count / 100))


def nearest_rank(ordered: Ordered, percent: Fraction | int) -> float | None:
    """The value at that rank of an ascending sequence; None when empty."""
    if len(ordered) == 0:
        return None
    return float(ordered[rank(len(ordered), percent) - 1])


def nearest_ranks(
    values: "NDArray[np.float64]", percents: Sequence[Fraction | int]
) -> list[float | None]:
    """`nearest_rank` of each percent, of values in any order and none of them NaN.

    Only the requested ranks are partitioned into place, which is cheaper than sorting.
    """
    import numpy as np

    if not len(values):
        return [None] * len(percents)
    places = [rank(len(values), percent) - 1 for percent in percents]
    placed = np.partition(values, sorted(set(places)))
    return [float(placed[place]) for place in places]
