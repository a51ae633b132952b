"""Is the difference of two phases real? Bootstrap intervals and a permutation test.

Requests that follow one another are alike (a queue, a slow minute), so blocks of consecutive
requests are resampled, never single ones: about the root of n blocks of n requests.

- The *interval* of a change is the 2.5th to 97.5th percentile of 1,999 block bootstraps of both
  sides.
- The *p-value* answers: if both sides were one and the same, how often would the difference be at
  least this large? Blocks at the same place in both phases are swapped by the toss of a coin,
  4,999 times. So an effect of the place (a slow first second) is the same on both sides, and the
  answer is right for any distribution, including the P99 of few requests.
- Two success rates that are both 100 % (or 0 %) do not vary in any resample: their interval and the
  smallest visible change are calculated (constant_share.py).

Of very long phases fewer resamples are drawn (at least 999). Percentiles are nearest ranks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, sqrt
from statistics import fmean
from typing import TYPE_CHECKING, Any

from analysis.compare.constant_share import difference_interval, visible_change
from analysis.numbers.percentile import nearest_rank
from estimates.autocorrelation import memory, of_latencies

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SWAPS, BOOTSTRAPS, FEWEST = 4_999, 1_999, 999
LEAST_BLOCKS = 16
BLOCK = 3.0
"""A block is at least so many memories long: neighbouring blocks then hardly know of each other."""
LEAST = 8
"""Of fewer blocks than these nothing is told: of six numbers, no difference could be shown."""
LEVEL = 0.05
_FOUR_OF_FIVE = 0.84  # 80 % of normal errors are below this many standard deviations
PERCENTS = {"p50_s": 50, "p95_s": 95, "p99_s": 99}
NUMBERS = (*PERCENTS, "success_rate", "tpm", "cost_per_success")
_LOW, _HIGH = Fraction(5, 2), Fraction(195, 2)
_WORK = 200_000_000  # requests times resamples, at most
_CHUNK = 2_000_000  # of these at once: memory


@dataclass(frozen=True, slots=True)
class Side:
    """One phase of one run: one element per planned request, in the order of sending.

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
    """The change of one number. `low` and `high` bound it (95 %), and `p` is its p-value.

    The change is b / a - 1, of a share b - a. `visible` is the smallest change that four of five
    such pairs of runs would show. Unknown values are None. `memory` is the number of requests over
    which the number is correlated, set only if that is too long for any test.
    """

    a: float | None
    b: float | None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    visible: float | None = None
    memory: float | None = None


def differences(a: Side, b: Side, seed: int = 0) -> dict[str, Difference]:
    """The difference of every number; reproducible by the seed.

    Blocks are long enough that neighbouring blocks are nearly independent: BLOCK times the memory
    of the values behind the number (estimates/autocorrelation.py). A number with fewer than LEAST
    such blocks has neither interval nor p-value; `memory` then says how long its memory is.
    """
    by_blocks: dict[int, list[str]] = {}
    resampled: dict[str, Difference] = {}
    fewest = max(1, min(len(a.good), len(b.good)))
    memories = _memories(a, b)
    for name in NUMBERS:
        blocks = min(fewest, max(LEAST_BLOCKS, ceil(sqrt(fewest))))
        if memories[name] > 1:
            blocks = min(blocks, int(fewest / (BLOCK * memories[name])))
        by_blocks.setdefault(blocks if blocks >= min(LEAST, fewest) else 0, []).append(name)
    for blocks, names in by_blocks.items():
        of_names = (
            _resampled(a, b, blocks or LEAST, seed) if blocks else _unresampled(a, b, memories)
        )
        resampled |= {name: of_names[name] for name in names if name in of_names}
    return {name: resampled[name] for name in NUMBERS if name in resampled}


def need(memory_of: float) -> int:
    """How many requests a number with such a memory needs before it can be tested."""
    return ceil(LEAST * BLOCK * memory_of)


def _memories(a: Side, b: Side) -> dict[str, float]:
    """Over how many requests each number is correlated: the mean of both sides."""
    import numpy as np

    sides = (a, b)
    latency = fmean(of_latencies(side.latency_s[side.good]) for side in sides)
    good = fmean(memory(side.good.astype("float64")) for side in sides)
    money = [side.cost[side.good] for side in sides]
    cost = fmean(memory(known[~np.isnan(known)]) for known in money)
    of = {"success_rate": good, "tpm": max(latency, good), "cost_per_success": max(cost, good)}
    return {name: of.get(name, latency) for name in NUMBERS}


def _unresampled(a: Side, b: Side, memories: dict[str, float]) -> dict[str, Difference]:
    """The numbers themselves, and why their difference cannot be tested."""
    import numpy as np

    pooled = _Pooled(a, b, 1)
    is_a, is_b = (pooled.numbers(np.array([side], np.int32)) for side in ([1, 0], [0, 1]))
    values = {name: _known(float(is_a[name][0]), float(is_b[name][0])) for name in is_a}
    return {
        name: Difference(value_a, value_b, memory=memories[name])
        for name, (value_a, value_b) in values.items()
    }


def _known(*values: float) -> list[float | None]:
    return [None if value != value else value for value in values]


def _resampled(a: Side, b: Side, blocks: int, seed: int) -> dict[str, Difference]:
    """The difference of every number, from this many blocks on each side."""
    import numpy as np

    pooled = _Pooled(a, b, blocks)
    random = np.random.default_rng(seed)
    size = max(len(a.good) + len(b.good), 1)
    swaps = max(FEWEST, min(SWAPS, _WORK // size))
    boots = max(FEWEST, min(BOOTSTRAPS, _WORK // size))
    ones = np.ones((1, pooled.blocks), dtype=np.int32)
    zeros = np.zeros_like(ones)
    is_a, is_b = pooled.numbers(np.hstack([ones, zeros])), pooled.numbers(np.hstack([zeros, ones]))
    observed = {name: _change(name, is_a[name], is_b[name])[0] for name in is_a}
    limits = {name: abs(_change(name, is_a[name], is_b[name], symmetric=True)[0]) for name in is_a}
    by_chance: dict[str, list[Floats]] = {name: [] for name in observed}
    resampled: dict[str, list[Floats]] = {name: [] for name in observed}
    for count in _chunks(swaps, size):
        swapped = random.integers(0, 2, (count, pooled.blocks), dtype=np.int32)
        left = pooled.numbers(np.hstack([1 - swapped, swapped]))
        right = pooled.numbers(np.hstack([swapped, 1 - swapped]))
        for name in limits:
            changes = np.abs(_change(name, left[name], right[name], symmetric=True))
            by_chance[name].append(np.nan_to_num(changes, nan=np.inf))
    share = np.full(pooled.blocks, 1 / pooled.blocks)
    for count in _chunks(boots, size):
        picked = [random.multinomial(pooled.blocks, share, count).astype(np.int32) for _ in "ab"]
        none = np.zeros_like(picked[0])
        left = pooled.numbers(np.hstack([picked[0], none]))
        right = pooled.numbers(np.hstack([none, picked[1]]))
        for name in observed:
            resampled[name].append(_change(name, left[name], right[name]))
    by_name = {
        name: _difference(
            name,
            (float(is_a[name][0]), float(is_b[name][0])),
            float(observed[name]),
            np.concatenate(resampled[name]),
            np.concatenate(by_chance[name]),
            limits[name],
        )
        for name in observed
    }
    rate = by_name.get("success_rate")
    if rate is not None and rate.a is not None and rate.a == rate.b and rate.a in (0.0, 1.0):
        low, high = difference_interval(rate.a, len(a.good), len(b.good))
        fewest = min(len(a.good), len(b.good))
        visible = visible_change(fewest, min(blocks, fewest), LEVEL / len(NUMBERS))
        by_name["success_rate"] = replace(rate, low=low, high=high, visible=visible)
    return by_name


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


def _difference(
    name: str,
    values: tuple[float, float],
    change: float,
    resampled: "Floats",
    by_chance: "Floats",
    limit: float,
) -> Difference:
    import numpy as np

    known_a, known_b = _known(*values)
    resampled = np.sort(resampled[~np.isnan(resampled)])
    if change != change or not len(resampled):
        return Difference(known_a, known_b)
    low, high = nearest_rank(resampled, _LOW), nearest_rank(resampled, _HIGH)
    p = (1 + int((by_chance >= limit - 1e-12).sum())) / (len(by_chance) + 1)
    return Difference(known_a, known_b, change, low, high, p, _visible(name, resampled, by_chance))


def _visible(name: str, resampled: "Floats", by_chance: "Floats") -> float | None:
    """The smallest change that four of five such pairs of runs would show; None: none at all.

    What chance reaches in as few cases as are allowed to each number (LEVEL over all of them),
    and as much again as takes four of five beyond it.
    """
    import numpy as np

    usual = float(np.quantile(by_chance, 1 - LEVEL / len(NUMBERS), method="higher"))
    share = name == "success_rate"
    spread = float(np.std(resampled if share else np.log1p(np.maximum(resampled, -0.999999))))
    size = usual + _FOUR_OF_FIVE * spread
    size = size if share else float(np.expm1(min(size, 50.0)))
    return size if np.isfinite(size) else None


class _Pooled:
    """Both sides' requests together, in blocks: a's are 0 to K - 1, b's K to 2K - 1."""

    def __init__(self, a: Side, b: Side, blocks: int) -> None:
        import numpy as np

        self.blocks = blocks
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
        """For each block's stretch of the phase: the tokens of the requests sent in it, and when
        the last of them was done; then when the phase's last request was sent.

        The wall clock ends with the slowest request, wherever chance has put it. So an end moves
        with its stretch from side to side, and one straggler is no difference between gateways.
        """
        import numpy as np

        known = ~np.isnan(side.done_s)
        all_known = known[side.good].all() and not np.isnan(side.tokens[side.good]).any()
        if not side.wall_s or not known.any() or not all_known:
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
        """Every number of a side made of weighted blocks; one per row of `weights` (rows, 2K)."""
        import numpy as np

        with np.errstate(divide="ignore", invalid="ignore"):
            good = weights @ self._good
            numbers: dict[str, Any] = dict(self._percentiles(weights))
            numbers["success_rate"] = good / (weights @ self._all)
            if self._rate is not None:
                tokens, ends, sent_s = self._rate
                wall_s = np.maximum(np.where(weights > 0, ends, -np.inf).max(axis=1), sent_s)
                numbers["tpm"] = weights @ tokens / wall_s * 60
            if self._cost is not None:
                numbers["cost_per_success"] = weights @ self._cost / good
        return numbers

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
