"""When the requests of an open-loop phase are due, seconds from its start. Pure."""

from functools import lru_cache
from random import Random


@lru_cache(maxsize=4)
def uniform_times(seed: str, count: int) -> tuple[float, ...]:
    """`count` uniform times in [0, 1), ascending: every process draws the same.

    That is what the arrivals of a Poisson process are, given how many there are.
    """
    dice = Random(seed)
    return tuple(sorted(dice.random() for _ in range(count)))
