"""Compares charges: equal usage, and body against header for the same request.

Successes of one model and source of cost whose usage is equal in every number should cost the same.
A *double* cost at least half as much again as others of its usage, and more than rounding explains.
Prices that change over time, once or with the hour of the day, group the expensive charges: doubles
are reported only if expensive and usual charges alternate as by chance (the runs test of Wald and
Wolfowitz). A router's providers have different prices, and one may cost exactly twice as much as
another: `within` compares the requests of one provider, where a whole multiple means that a request
was charged several times; other ratios are no fault by themselves. Long prompts whose cached tokens
are not stated are not judged: a miss and a hit look alike. Body and header differ if they are more
than two units of the coarser one's last decimal apart, and more than 1 %; a stream's header leaves
before its tokens are known, so a lower cost in it is no difference.
"""

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from analysis.numbers import providers
from analysis.numbers.pricing import last_decimal

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_ROWS = 1_000_000
_FINE_UNITS = 20  # a charge of fewer units of its last decimal is rounded too coarsely for a ratio
FACTOR = 1.5
_LIKE = 3  # fewer equal charges do not show what is usual
_ALONE = 0.6  # share of expensive charges that have no expensive neighbour
_TOGETHER = -1.5  # standard deviations: with fewer runs than this the expensive ones are clustered
_CACHEABLE_TOKENS = 1024
_USAGE = [
    "prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "cache_write_tokens",
    "reasoning_tokens",
]  # fmt: skip
READ = ("success", "stream", "model_requested", "model_returned", "cost_source", "api_cost",
        "header_cost", "timestamp", "provider", *_USAGE)  # fmt: skip


@dataclass(slots=True)
class Apart:
    """Rows whose charges do not agree: how many of how many, and by how much in sum.

    `multiples` of them cost a whole multiple of the usual charge for their usage.
    """

    rows: int
    of: int
    amount: float
    multiples: int = 0


def doubles(rows: "DataFrame") -> Apart:
    """The successes that cost more than others of equal usage, whoever answered, and how much."""
    return _doubles(rows.assign(provider="")).get("", Apart(0, 0, 0.0))


def within(rows: "DataFrame") -> dict[str, Apart]:
    """The same for each provider (empty: not known) of which something was compared."""
    return _doubles(rows.assign(provider=providers.names(rows["provider"])))


def _doubles(rows: "DataFrame") -> dict[str, Apart]:
    """By provider, the successes that cost more than others of equal usage and provider."""
    import numpy as np

    priced_rows = rows[rows["success"].to_numpy(dtype=bool)].head(MOST_ROWS)
    priced_rows = priced_rows[
        priced_rows["api_cost"].notna() & priced_rows["cost_source"].isin(["body", "header"])
    ]
    counted = priced_rows["prompt_tokens"].notna() & priced_rows["completion_tokens"].notna()
    hidden = priced_rows["cached_tokens"].isna() & (
        priced_rows["prompt_tokens"] >= _CACHEABLE_TOKENS
    )
    priced_rows = priced_rows[counted & ~hidden.fillna(False)].sort_values(
        "timestamp", kind="stable"
    )
    by = ["model_requested", "model_returned", "cost_source", "provider", *_USAGE]
    like = priced_rows.groupby(by, sort=False, dropna=False).ngroup().to_numpy()
    order = np.argsort(like, kind="stable")  # by group, and within one by time
    every: Any = priced_rows["api_cost"].to_numpy(dtype="float64")[order]
    begins = np.flatnonzero(np.diff(like[order], prepend=-1))
    sizes = np.diff(begins, append=len(every))
    whose = priced_rows["provider"].to_numpy()[order][begins]
    apart: dict[str, Apart] = {}
    for name, size in zip(whose[sizes > _LIKE], sizes[sizes > _LIKE].tolist(), strict=True):
        apart.setdefault(name, Apart(0, 0, 0.0)).of += size
    if not apart:
        return apart
    spread = np.maximum.reduceat(every, begins) >= FACTOR * np.minimum.reduceat(every, begins)
    for place in np.flatnonzero((sizes > _LIKE) & spread).tolist():
        costs = every[begins[place] : begins[place] + sizes[place]]
        values, counts = np.unique(costs, return_counts=True)
        common = values[counts >= max(_LIKE, counts.max() / 4)]
        if not len(common) or (usual := float(common.min())) <= 0:
            continue  # of two charges that are both common, the lower one is usual
        dear = (costs >= FACTOR * usual) & (costs > usual + 2 * last_decimal(costs))
        if _scattered(dear[dear | (costs == usual)]):
            provider = apart[whose[place]]
            provider.rows += int(dear.sum())
            provider.amount += float((costs[dear] - usual).sum())
            provider.multiples += _multiples(costs[dear], usual, last_decimal(costs))
    return apart


def _multiples(dear: Any, usual: float, unit: float) -> int:
    """How many charges are a whole multiple of the usual one, allowing for rounding."""
    import numpy as np

    times = np.round(dear / usual)
    off = np.abs(dear - times * usual)
    rounded = (times + 1) * unit / 2 if usual >= _FINE_UNITS * unit else 0.0
    return int(((times >= 2) & (off <= np.maximum(rounded, 1e-9 * dear))).sum())


def _scattered(dear: Any) -> bool:
    """Whether the expensive charges are spread among the others as by chance, in order of time."""
    count, many = len(dear), int(dear.sum())
    if not 0 < many < count:
        return False
    mean = 2 * many * (count - many) / count
    changes = int((dear[1:] != dear[:-1]).sum())
    off = sqrt(mean * max(mean - 1, 0.0) / (count - 1))
    # Among a few expensive ones two may well be neighbours, but most stand alone.
    alone = changes // 2 >= max(_LIKE, _ALONE * many)
    return alone or changes >= mean + _TOGETHER * off - 1e-9


def headers(rows: "DataFrame") -> Apart:
    """The rows whose body and header state different costs: header minus body in all."""
    import numpy as np

    both = rows[(rows["cost_source"] == "body").to_numpy(dtype=bool)]
    both = both[both["header_cost"].notna() & both["api_cost"].notna()]
    body: Any = both["api_cost"].to_numpy(dtype="float64")
    header: Any = both["header_cost"].to_numpy(dtype="float64")
    if not len(both):
        return Apart(0, 0, 0.0)
    unit = max(last_decimal(body), last_decimal(header))
    gap = np.abs(header - body)
    early: Any = both["stream"].to_numpy(dtype=bool) & (header < body)
    apart = ~early & (gap > 2 * unit) & (gap > 0.01 * np.maximum(np.abs(header), np.abs(body)))
    return Apart(int(apart.sum()), len(both), float((header - body)[apart].sum()))
