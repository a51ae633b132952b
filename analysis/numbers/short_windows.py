"""Whether a window of 1 to 30 s explains which requests a gateway admitted. Pure.

A limit of 5 in 10 s, met by a program that thinks in minutes, looks like one of 5 a minute with a
lucky turn. What counts against a decided request (the units used in its window so far) does not
depend on the size of the limit, so a request that was let through bounds the size from
below and one that was refused from above: the size that contradicts the fewest decisions is exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rules.rate_limit import SHORTEST_S, Attempt

WINDOWS_S = (1.0, 2.0, 3.0, 5.0, 6.0, 10.0, 12.0, 15.0, 20.0, 25.0, SHORTEST_S)
_TURNS = 60  # places in a fixed window where it is tried to begin

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ShortWindow:
    """`size` units in `window_s` seconds; `wrong` of the decisions it does not explain."""

    kind: Literal["fixed", "sliding"]
    window_s: float
    size: int
    wrong: int


def best(attempts: Sequence[Attempt]) -> ShortWindow | None:
    """The window of seconds that explains the decisions best; None: all had one fate."""
    if len({attempt.admitted for attempt in attempts}) < 2:
        return None
    ordered = sorted(attempts, key=lambda attempt: attempt.at_s)
    at_s = np.array([attempt.at_s - ordered[0].at_s for attempt in ordered])
    amount = np.array([attempt.amount for attempt in ordered])
    let = np.array([attempt.admitted for attempt in ordered])
    before = np.concatenate([[0.0], np.cumsum(np.where(let, amount, 0.0))])
    windows = []
    for window_s in WINDOWS_S:
        expired = np.searchsorted(at_s, at_s - window_s, "right")
        size, wrong = _size(before[:-1] - before[expired] + amount, let)
        windows.append(ShortWindow("sliding", window_s, size, wrong))
        for turn_s in np.arange(_TURNS) * window_s / _TURNS:
            window = np.floor((at_s - turn_s) / window_s)
            begins = np.concatenate([[True], window[1:] != window[:-1]])
            first = np.maximum.accumulate(np.where(begins, np.arange(len(window)), 0))
            size, wrong = _size(before[:-1] - before[first] + amount, let)
            windows.append(ShortWindow("fixed", window_s, size, wrong))
    return min(windows, key=lambda attempt: attempt.wrong)


def _size(needed: Array, let: NDArray[np.bool_]) -> tuple[int, int]:
    """The size that contradicts the fewest decisions, and how many: a request that `needed` at
    most the size is let through."""
    passed, refused = np.sort(needed[let]), np.sort(needed[~let])
    tried = np.unique(np.concatenate([passed, refused - 1]))
    tried = tried[tried >= 1]
    if not len(tried):
        return 1, len(needed)
    wrong = len(passed) - np.searchsorted(passed, tried, "right")
    wrong = wrong + np.searchsorted(refused, tried, "right")
    place = int(np.argmin(wrong))
    return int(tried[place]), int(wrong[place])
