"""Compares stated costs with tokens x price by the operator's table."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.reading.groups import known_sum
from recording.exact_amount import exact_amount, money_sum
from rules.prices import PRICED, Prices

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

    from analysis.reading.load import Run

COARSEST, FINEST = 1e-6, 1e-9
"""Between these is the money by which a row may miss the table and still agree."""

_LOOKED_AT = 50_000  # distinct amounts
_DUST = 1e-12  # binary dust of a difference: 0.000107 - 0.000106 exceeds 0.000001
STATED = ("body", "header")
COLUMNS = ("model_requested", *PRICED, "api_cost", "cost_source")
"""What `compare` reads of each row."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What the gateway stated of one model's rows, against the table. Sums are in money.

    `count` rows have both a stated cost and a price; `differing` are those beyond the `tolerance`,
    the largest difference first, with the columns that were given and `table_cost`.
    """

    model: str
    count: int
    stated_sum: float
    table_sum: float
    differing: "DataFrame"
    tolerance: float

    @property
    def difference(self) -> float:
        """Stated - table."""
        return self.stated_sum - self.table_sum


def table_costs(rows: "DataFrame", prices: Prices) -> "Series[float]":
    """The cost of each row by the table, in the rows' order; NaN where it is not known."""
    import pandas as pd

    key = ["model_requested", *PRICED]
    kinds = rows[key].drop_duplicates()  # thousands of rows are often a dozen kinds
    by_kind = [_cost(prices, *kind) for kind in kinds.itertuples(index=False)]
    costs = kinds.assign(table_cost=pd.Series(by_kind, kinds.index, dtype="float64"))
    joined = rows[key].merge(costs, how="left", on=key)["table_cost"]
    return joined.set_axis(rows.index)


def _cost(prices: Prices, model: str, *counted: Any) -> float | None:
    """The cost of one kind of row: its counts, and which of them stand beside the others."""
    import pandas as pd

    *tokens, beside = (None if pd.isna(value) else value for value in counted)
    counts: list[Any] = [*(None if n is None else int(n) for n in tokens), beside]
    return prices.cost(model, *counts)


def compare(rows: "DataFrame", prices: Prices, tolerance: float | None = None) -> list[Compared]:
    """The rows whose cost the gateway stated, by model, in order of appearance.

    `tolerance` None: what rounding explains (`rounding`).
    """
    with_cost = rows[rows["cost_source"].isin(STATED)]
    if tolerance is None:
        tolerance = rounding(rows, prices)
    with_cost = with_cost.assign(table_cost=table_costs(with_cost, prices)).dropna(
        subset=["table_cost"]
    )
    return [_compared(str(m), group, tolerance) for m, group in _by_model(with_cost)]


def price_difference(run: "Run") -> tuple[float | None, str]:
    """By how much the stated costs and the run's price table differ, as a share of the table's sum
    over the answers that have both; or None, and why."""
    prices = Prices.from_dict(run.manifest.get("prices"))
    if prices is None:
        return None, "the run has no price table (--prices)"
    compared = compare(run.rows.frame(list(COLUMNS)), prices)
    table = sum(model.table_sum for model in compared)
    if not table:
        return None, "no answer has both a stated cost and a price"
    return abs(sum(model.difference for model in compared)) / table, ""


def rounding(rows: "DataFrame", prices: Prices | None, billed: Sequence[float] = ()) -> float:
    """Money by which one request's amounts may differ because one of them was rounded.

    The last decimal that any of them has, and at most a millionth: of requests that cost less than
    that, any two amounts would agree.
    """
    import numpy as np

    stated_costs = rows.loc[rows["cost_source"].isin(STATED), "api_cost"].to_numpy(dtype="float64")
    units = [last_decimal(amounts) for amounts in (stated_costs, np.array(billed)) if len(amounts)]
    if prices is not None:
        named = (prices.of(model) for model in rows["model_requested"].unique())
        units += [10.0**-p.decimals for p in named if p is not None and p.decimals is not None]
    return min(COARSEST, max([FINEST, *units]))


def last_decimal(amounts: "Sequence[float] | NDArray[Any]") -> float:
    """The unit of the last decimal that any of the amounts has; at most 1."""
    import numpy as np

    distinct = np.unique(amounts)[:_LOOKED_AT].tolist()
    exponents = [exact_amount(value).as_tuple().exponent for value in distinct]
    finest = min((e for e in exponents if isinstance(e, int)), default=0)
    return float(Decimal(1).scaleb(min(0, finest)))


def beyond(difference: Any, tolerance: float) -> Any:
    """Whether a difference, or each of a column, exceeds the tolerance."""
    return abs(difference) > tolerance + _DUST


def _by_model(rows: "DataFrame") -> Any:
    return rows.groupby("model_requested", sort=False)


def _compared(model: str, rows: "DataFrame", tolerance: float) -> Compared:
    off = rows["api_cost"] - rows["table_cost"]
    differing = rows[beyond(off, tolerance)]
    order = off[differing.index].abs().sort_values(ascending=False, kind="stable").index
    return Compared(
        model,
        len(rows),
        money_sum([known_sum(rows["api_cost"])]),
        money_sum([known_sum(rows["table_cost"])]),
        differing.loc[order],
        tolerance,
    )
