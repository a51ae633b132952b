"""Charges held against each other: the same usage twice, and the same request in body and header.

Successes of one model and source of cost whose usage is equal in every number are the same thing to
a bill. A *double* cost at least half as much again as most of its like, and its like cost the same
before it and after it: so a change of prices is no double, nor is rounding. Where the cached tokens
of long prompts are not stated nothing is said: a miss and a hit look alike. A difference of body
and header is one beyond two units of the coarser one's last decimal, and beyond 1 %.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.pricing import last_decimal

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_ROWS = 1_000_000
FACTOR = 1.5
_LIKE = 3  # fewer equal charges say nothing of what is usual
_CACHEABLE_TOKENS = 1024
_USAGE = [
    "prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "cache_write_tokens",
    "reasoning_tokens",
]  # fmt: skip
READ = ("success", "model_requested", "model_returned", "cost_source", "api_cost", "header_cost",
        "timestamp", *_USAGE)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Apart:
    """Rows whose charges do not agree: how many of how many, and by how much in sum."""

    rows: int
    of: int
    amount: float


def doubles(rows: "DataFrame") -> Apart:
    """The successes that cost more than others of equal usage, and how much more in all."""
    import numpy as np

    told = rows[rows["success"].to_numpy(dtype=bool)].head(MOST_ROWS)
    told = told[told["api_cost"].notna() & told["cost_source"].isin(["body", "header"])]
    whole = told["prompt_tokens"].notna() & told["completion_tokens"].notna()
    hidden = told["cached_tokens"].isna() & (told["prompt_tokens"] >= _CACHEABLE_TOKENS)
    told = told[whole & ~hidden.fillna(False)].sort_values("timestamp", kind="stable")
    found, compared, amount = 0, 0, 0.0
    by = ["model_requested", "model_returned", "cost_source", *_USAGE]
    for _, like in told.groupby(by, sort=False, dropna=False):
        costs: Any = like["api_cost"].to_numpy(dtype="float64")
        if len(costs) <= _LIKE:
            continue
        compared += len(costs)
        values, counts = np.unique(costs, return_counts=True)
        common = values[counts >= max(_LIKE, counts.max() / 4)]
        usual = float(common.min())  # of two charges that are both common, the lower one
        unit = last_decimal(costs)
        dear = (costs >= FACTOR * usual) & (costs > usual + 2 * unit) & (usual > 0)
        plain = np.flatnonzero(costs == usual)
        between = np.zeros(len(costs), dtype=bool)
        between[plain[0] : plain[-1]] = True
        mixed = dear & between
        if mixed.any():
            found += int(dear.sum())
            amount += float((costs[dear] - usual).sum())
    return Apart(found, compared, amount)


def headers(rows: "DataFrame") -> Apart:
    """The rows whose body and header state different costs: header minus body in all."""
    import numpy as np

    told = rows[(rows["cost_source"] == "body").to_numpy(dtype=bool)]
    told = told[told["header_cost"].notna() & told["api_cost"].notna()]
    body: Any = told["api_cost"].to_numpy(dtype="float64")
    header: Any = told["header_cost"].to_numpy(dtype="float64")
    if not len(told):
        return Apart(0, 0, 0.0)
    unit = max(last_decimal(body), last_decimal(header))
    gap = np.abs(header - body)
    apart = (gap > 2 * unit) & (gap > 0.01 * np.maximum(np.abs(header), np.abs(body)))
    return Apart(int(apart.sum()), len(told), float((header - body)[apart].sum()))
