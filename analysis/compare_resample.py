"""Are two phases different, or does it only look so? Bootstrap intervals and a permutation test.

Requests that follow one another are alike (a queue, a slow minute), so blocks of consecutive
requests are resampled, never single ones: about the root of n blocks of n requests.

- The *interval* of a change is the 2.5th to 97.5th percentile of 1,999 block bootstraps of both
  sides.
- The *p-value* answers: if both sides were one and the same, how often would the difference be at
  least this large? Blocks at the same place of both phases are swapped by the toss of a coin,
  4,999 times; so what a place has of its own (a first slow second) is in both alike, and the
  answer is right for any distribution, P99 of few requests included.

Of very long phases fewer resamples are drawn (at least 999). Percentiles are nearest ranks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

from analysis.percentile import nearest_rank

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SWAPS, BOOTSTRAPS, FEWEST = 4_999, 1_999, 999
LEAST_BLOCKS = 16
PERCENTS = {"p50_s": 50, "p95_s": 95, "p99_s": 99}
NUMBERS = (*PERCENTS, "success_rate", "tpm", "cost_per_success")
_LOW, _HIGH = Fraction(5, 2), Fraction(195, 2)
_WORK = 200_000_000  # requests times resamples, at most
_CHUNK = 2_000_000  # of these at once: memory


@dataclass(frozen=True, slots=True)
class Side:
    """One phase of one run, a place a planned request, in the order of sending.

    `good` says which succeeded; `latency_s` and `cost` are NaN where they are not known.
    `tokens` and `done_s` tell when tokens of successes were complete, within `wall_s` (None: the
    phase has no rate).
    """

    good: "NDArray[np.bool_]"
    latency_s: "Floats"
    cost: "Floats"
    tokens: "Floats"
    done_s: "Floats"
    wall_s: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one number of two sides. `low` and `high` bound the change (95 %), and `p` is its p-value.

    The change is b / a - 1, of a share b - a. What is not known is None.
    """

    a: float | None
    b: float | None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None


def differences(a: Side, b: Side, seed: int = 0) -> dict[str, Difference]:
    """The difference of every number; reproducible by the seed."""
    import numpy as np

    pooled = _Pooled(a, b)
    random = np.random.default_rng(seed)
    size = max(len(a.good) + len(b.good), 1)
    swaps = max(FEWEST, min(SWAPS, _WORK // size))
    boots = max(FEWEST, min(BOOTSTRAPS, _WORK // size))
    one = np.ones((1, pooled.blocks), dtype=np.int32)
    zero = np.zeros_like(one)
    is_a, is_b = pooled.numbers(np.hstack([one, zero])), pooled.numbers(np.hstack([zero, one]))
    seen = {name: _change(name, is_a[name], is_b[name])[0] for name in is_a}
    limits = {name: abs(_change(name, is_a[name], is_b[name], symmetric=True)[0]) for name in is_a}
    as_large = dict.fromkeys(seen, 1)
    drawn: dict[str, list[Floats]] = {name: [] for name in seen}
    for count in _chunks(swaps, size):
        swapped = random.integers(0, 2, (count, pooled.blocks), dtype=np.int32)
        left = pooled.numbers(np.hstack([1 - swapped, swapped]))
        right = pooled.numbers(np.hstack([swapped, 1 - swapped]))
        for name, limit in limits.items():
            found = np.abs(_change(name, left[name], right[name], symmetric=True))
            as_large[name] += int((np.nan_to_num(found, nan=np.inf) >= limit - 1e-12).sum())
    share = np.full(pooled.blocks, 1 / pooled.blocks)
    for count in _chunks(boots, size):
        picked = [random.multinomial(pooled.blocks, share, count).astype(np.int32) for _ in "ab"]
        none = np.zeros_like(picked[0])
        left = pooled.numbers(np.hstack([picked[0], none]))
        right = pooled.numbers(np.hstack([none, picked[1]]))
        for name in seen:
            drawn[name].append(_change(name, left[name], right[name]))
    return {
        name: _difference(
            float(is_a[name][0]),
            float(is_b[name][0]),
            float(seen[name]),
            np.concatenate(drawn[name]),
            as_large[name] / (swaps + 1),
        )
        for name in seen
    }


def holm(p_values: list[float]) -> list[float]:
    """P-values adjusted by Holm's method, in their order.

    Whoever believes only what stays at or below 0.05 is wrong about anything at all in at most 5 %
    of comparisons between like sides, however many numbers are compared.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, highest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def _chunks(count: int, size: int) -> Iterator[int]:
    step = max(1, _CHUNK // size)
    for begin in range(0, count, step):
        yield min(step, count - begin)


def _change(name: str, a: "Floats", b: "Floats", symmetric: bool = False) -> "Floats":
    """From a to b: relative, of a share absolute; symmetric: the same size from b to a."""
    import numpy as np

    if name == "success_rate":
        return b - a
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((a > 0) & (b > 0), b / a, np.nan)
    return np.log(ratio) if symmetric else ratio - 1


def _difference(a: float, b: float, change: float, drawn: "Floats", p: float) -> Difference:
    import numpy as np

    known_a, known_b = (None if value != value else value for value in (a, b))
    drawn = np.sort(drawn[~np.isnan(drawn)])
    if change != change or not len(drawn):
        return Difference(known_a, known_b)
    low, high = nearest_rank(drawn, _LOW), nearest_rank(drawn, _HIGH)
    return Difference(known_a, known_b, change, low, high, p)


class _Pooled:
    """Both sides' requests together, in blocks: a's are 0 to K - 1, b's K to 2K - 1."""

    def __init__(self, a: Side, b: Side) -> None:
        import numpy as np

        fewest = max(1, min(len(a.good), len(b.good)))
        self.blocks = min(fewest, max(LEAST_BLOCKS, ceil(sqrt(fewest))))
        sides = (a, b)
        group = np.concatenate(
            [
                np.arange(len(side.good)) * self.blocks // max(1, len(side.good))
                + place * self.blocks
                for place, side in enumerate(sides)
            ]
        )
        good = np.concatenate([side.good for side in sides])
        latency = np.concatenate([side.latency_s for side in sides])
        timed = good & ~np.isnan(latency)
        order = np.argsort(latency[timed], kind="stable")
        self._latency, self._place = latency[timed][order], group[timed][order]
        self._all = np.bincount(group, minlength=2 * self.blocks)
        self._good = np.bincount(group[good], minlength=2 * self.blocks)
        costs = [side.cost for side in sides]
        priced = all(not np.isnan(side.cost[side.good]).any() for side in sides)
        money = np.nan_to_num(np.concatenate(costs))
        self._cost = np.bincount(group, money, 2 * self.blocks) if priced else None
        rates = [rate for side in sides if (rate := self._rates(side)) is not None]
        self._rate = None
        if len(rates) == len(sides):
            tokens, ends, sent = (np.concatenate(of) for of in zip(*rates, strict=True))
            self._rate = tokens, ends, float(sent.min())

    def _rates(self, side: Side) -> "tuple[Floats, Floats, Floats] | None":
        """Of as many stretches of the phase as it has blocks: the tokens of what was sent in each,
        and when the last of it was done; then when the phase's last request was sent.

        The wall clock ends with the slowest request, wherever chance has put it: so an end moves
        with its stretch from side to side, and one straggler is no difference between gateways.
        """
        import numpy as np

        known = ~np.isnan(side.done_s)
        whole = known[side.good].all() and not np.isnan(side.tokens[side.good]).any()
        if not side.wall_s or not known.any() or not whole:
            return None
        done = side.done_s[known]
        sent = np.maximum(0.0, done - np.nan_to_num(side.latency_s[known]))
        place = (sent / (sent.max() * (1 + 1e-9) or 1.0) * self.blocks).astype(np.int64)
        worth = np.where(side.good[known], side.tokens[known], 0.0)
        tokens = np.bincount(place, worth, self.blocks).astype(np.float64)
        ends = np.full(self.blocks, -np.inf)
        np.maximum.at(ends, place, done + (side.wall_s - done.max()))
        return tokens, ends, np.array([sent.max()])

    def numbers(self, weights: "NDArray[np.int32]") -> "dict[str, Floats]":
        """Every number of a side made of weighted blocks; one a row of `weights` (rows, 2K)."""
        import numpy as np

        with np.errstate(divide="ignore", invalid="ignore"):
            good = weights @ self._good
            found: dict[str, Any] = dict(self._percentiles(weights))
            found["success_rate"] = good / (weights @ self._all)
            if self._rate is not None:
                tokens, ends, sent_s = self._rate
                wall_s = np.maximum(np.where(weights > 0, ends, -np.inf).max(axis=1), sent_s)
                found["tpm"] = weights @ tokens / wall_s * 60
            if self._cost is not None:
                found["cost_per_success"] = weights @ self._cost / good
        return found

    def _percentiles(self, weights: "NDArray[np.int32]") -> "Iterator[tuple[str, Floats]]":
        import numpy as np

        count = len(self._latency)
        if not count:
            return
        reached = np.cumsum(weights[:, self._place], axis=1, dtype=np.int32)
        total = reached[:, -1].astype(np.int64)
        for name, percent in PERCENTS.items():
            rank = np.maximum(1, -(-percent * total // 100))
            place = (reached >= rank[:, None]).argmax(axis=1)
            yield name, np.where(total > 0, self._latency[place], np.nan)
