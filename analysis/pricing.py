"""Stated costs against tokens x price: what the operator's table says of each row."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.groups import known_sum
from recording.prices import Prices

if TYPE_CHECKING:
    from pandas import DataFrame, Series

TOLERANCE = 1e-6
"""Money by which a row may miss the table and still agree: gateways round to a millionth."""

_DUST = 1e-12  # binary dust of a difference: 0.000107 - 0.000106 exceeds 0.000001
_TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens")
STATED = ("body", "header")
COLUMNS = ("model_requested", *_TOKENS, "api_cost", "cost_source")
"""What `compare` reads of each row."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What the gateway stated of one model's rows, against the table. Sums are in money.

    `count` rows have both a stated cost and a price; `differing` are those beyond the tolerance,
    the largest difference first, with the columns that were given and `table_cost`.
    """

    model: str
    count: int
    stated_sum: float
    table_sum: float
    differing: "DataFrame"

    @property
    def difference(self) -> float:
        """Stated - table."""
        return self.stated_sum - self.table_sum


def table_costs(rows: "DataFrame", prices: Prices) -> "Series[float]":
    """The cost of each row by the table, in the rows' order; NaN where it is not known."""
    import pandas as pd

    key = ["model_requested", *_TOKENS]
    kinds = rows[key].drop_duplicates()  # thousands of rows are often a dozen kinds
    found = [
        prices.cost(model, *(None if pd.isna(n) else int(n) for n in tokens))
        for model, *tokens in kinds.itertuples(index=False)
    ]
    costs = kinds.assign(table_cost=pd.Series(found, kinds.index, dtype="float64"))
    joined = rows[key].merge(costs, how="left", on=key)["table_cost"]
    return joined.set_axis(rows.index)


def compare(rows: "DataFrame", prices: Prices, tolerance: float = TOLERANCE) -> list[Compared]:
    """The rows whose cost the gateway stated, by model, in order of appearance."""
    stated = rows[rows["cost_source"].isin(STATED)]
    stated = stated.assign(table_cost=table_costs(stated, prices)).dropna(subset=["table_cost"])
    return [_compared(str(m), mine, tolerance) for m, mine in _by_model(stated)]


def beyond(difference: Any, tolerance: float) -> Any:
    """Whether a difference, or each of a column, exceeds the tolerance."""
    return abs(difference) > tolerance + _DUST


def _by_model(rows: "DataFrame") -> Any:
    return rows.groupby("model_requested", sort=False)


def _compared(model: str, mine: "DataFrame", tolerance: float) -> Compared:
    off = mine["api_cost"] - mine["table_cost"]
    differing = mine[beyond(off, tolerance)]
    order = off[differing.index].abs().sort_values(ascending=False, kind="stable").index
    return Compared(
        model,
        len(mine),
        known_sum(mine["api_cost"]),
        known_sum(mine["table_cost"]),
        differing.loc[order],
    )
