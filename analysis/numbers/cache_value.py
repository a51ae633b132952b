"""The value of a prompt cache, from rows of `--mode cache`: pairs, writes, and lifetime.

A *pair* is one new prefix sent twice: cold (index 2i), then warm (2i + 1). A pair counts when
both succeeded, the cold one found nothing, and no resumption lies between the two.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from analysis.numbers.bootstrap import Interval, difference_interval, mean_interval
from rules.prices import Prices, prompt_in_all

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of one model. Money is in the run's currency; None: not known.

    `hits` of `stated` warm requests found the prefix (the others do not say). `saving` is cold cost
    - warm cost of a pair, misses included: what repeating a prompt saves on average. `premium` is
    what writing costs beyond a prompt that is not to be cached; `ttft_gain` cold TTFT - warm TTFT
    of the pairs that hit, seconds.
    """

    model: str
    planned: int
    pairs: int
    excluded: int
    stated: int
    hits: int
    token_hit_rate: float | None
    cold_cost: float | None
    warm_cost: float | None
    saving: Interval | None
    premium: Interval | None
    premium_by: str  # "plain" requests beside, the price "table", or empty
    cold_ttft_s: float | None
    warm_ttft_s: float | None
    ttft_gain: Interval | None

    @property
    def hit_rate(self) -> float | None:
        """The share of warm requests that found the prefix."""
        return self.hits / self.stated if self.stated else None

    @property
    def saving_share(self) -> float | None:
        """The mean saving as a share of the mean cold cost."""
        return self.saving.mean / self.cold_cost if self.saving and self.cold_cost else None

    @property
    def hits_to_pay(self) -> int | None:
        """After how many warm requests a write has paid for itself; None: never, or not known."""
        if self.premium is None or self.saving is None:
            return None
        gained = self.saving.mean - self.premium.mean  # a warm request against an unmarked one
        if self.premium.mean <= 0 or (self.premium.low is not None and self.premium.low <= 0):
            return 0  # none that can be distinguished from chance
        return ceil(self.premium.mean / gained - 1e-9) if gained > 0 else None


def pairs(
    model: str,
    rows: Sequence[Row],
    plain: Sequence[Row],
    breaks: Sequence[str],
    prices: Prices | None,
    seed: int,
) -> Pairs:
    """The pairs among a phase's rows; `plain` are the rows of unmarked prompts beside them.

    `breaks` are the times (ISO 8601, UTC) at which the run was resumed.
    """
    by_index = {row["request_index"]: row for row in rows}
    planned = [(by_index.get(i), by_index.get(i + 1)) for i in range(0, _end(by_index), 2)]
    complete_pairs = [
        (cold, warm)
        for cold, warm in planned
        if cold and warm and cold["success"] and warm["success"] and not cold["cached_tokens"]
        and not resumed_between(cold, warm, breaks)
    ]  # fmt: skip
    cold, warm = [pair[0] for pair in complete_pairs], [pair[1] for pair in complete_pairs]
    with_cached = [row for row in warm if row["cached_tokens"] is not None]
    hit = (
        [pair for pair in complete_pairs if pair[1]["cached_tokens"]]
        if with_cached
        else complete_pairs
    )
    timed = _both(hit, "ttft_s")
    priced = _both(complete_pairs, "api_cost")
    premium, by = _premium(cold, plain, prices, seed)
    return Pairs(
        model=model,
        planned=len(planned),
        pairs=len(complete_pairs),
        excluded=len(planned) - len(complete_pairs),
        stated=len(with_cached),
        hits=sum(bool(row["cached_tokens"]) for row in with_cached),
        token_hit_rate=_share(with_cached),
        cold_cost=_mean(c for c, _ in priced),
        warm_cost=_mean(w for _, w in priced),
        saving=mean_interval([c - w for c, w in priced], seed),
        premium=premium,
        premium_by=by,
        cold_ttft_s=_mean(c for c, _ in timed),
        warm_ttft_s=_mean(w for _, w in timed),
        ttft_gain=mean_interval([c - w for c, w in timed], seed),
    )


@dataclass(frozen=True, slots=True)
class Rest:
    """One request after a pause: planned and measured rest, seconds; whether it was a hit."""

    planned_s: int
    rested_s: float | None
    row: Row
    hit: bool | None


def lifetime_bounds_s(rests: Sequence[Rest]) -> tuple[int | None, int | None]:
    """How long an entry lives unused: the longest rest with a hit that is below the shortest rest
    with a miss, and that shortest miss.

    (60, 300): still there after 60 s, gone after 300 s; a miss before a hit is a matter of luck and
    bounds nothing above it. None: no such rest.
    """
    missed = min((rest.planned_s for rest in rests if rest.hit is False), default=None)
    hits = [r.planned_s for r in rests if r.hit and (missed is None or r.planned_s < missed)]
    return max(hits, default=None), missed


def resumed_between(earlier: Row, later: Row, breaks: Sequence[str]) -> bool:
    """Whether the run was resumed between two rows: then the rest may not be what was planned."""
    return any(earlier["timestamp"] < moment < later["timestamp"] for moment in breaks)


def _end(rows: dict[int, Row]) -> int:
    return max(rows, default=-1) + 1


def _both(complete_pairs: Iterable[tuple[Row, Row]], name: str) -> list[tuple[float, float]]:
    cells = [(cold[name], warm[name]) for cold, warm in complete_pairs]
    return [(c, w) for c, w in cells if c is not None and w is not None]


def _premium(
    cold: Sequence[Row], plain: Sequence[Row], prices: Prices | None, seed: int
) -> tuple[Interval | None, str]:
    """What a write costs extra: against unmarked requests, else by the table for what was written.

    Unknown if no written tokens are stated and nothing was sent unmarked.
    """
    beside = [row["api_cost"] for row in plain if row["success"] and row["api_cost"] is not None]
    costs = [row["api_cost"] for row in cold if row["api_cost"] is not None]
    if beside:
        return difference_interval(costs, beside, seed), "plain"
    if prices is None:
        return None, ""
    extra = [
        with_write - fresh
        for row in cold
        if row["cache_write_tokens"]
        and (with_write := _by_table(prices, row, row["cache_write_tokens"])) is not None
        and (fresh := _by_table(prices, row, 0)) is not None
    ]
    return mean_interval(extra, seed), "table" if extra else ""


def _by_table(prices: Prices, row: Row, written: int) -> float | None:
    return prices.cost(
        row["model_requested"],
        row["prompt_tokens"],
        row["completion_tokens"],
        row["cached_tokens"],
        written,
        row["reasoning_tokens"],
        row["total_tokens"],
        row.get("tokens_beside"),
    )


def _share(rows: Sequence[Row]) -> float | None:
    known = [row for row in rows if row["prompt_tokens"]]
    prompt = sum(prompt_tokens(row) for row in known)
    return sum(row["cached_tokens"] for row in known) / prompt if prompt else None


def prompt_tokens(row: Row) -> int:
    """The whole prompt of a row, with cached tokens that its gateway counts beside it."""
    cached, written = row["cached_tokens"] or 0, row["cache_write_tokens"] or 0
    return prompt_in_all(row["prompt_tokens"], cached, written, row.get("tokens_beside"))


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None
