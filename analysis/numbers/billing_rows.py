"""Rows of mode billing: counted, stated, and computed from the price table. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from analysis.numbers.pricing import COARSEST, STATED, last_decimal
from rules.prices import PRICED, Prices

Row = Mapping[str, Any]
FEWEST = 2
"""Requests of a case that a finding needs: nobody is accused on one sample."""


def known(value: Any) -> bool:
    """Whether a cell holds a value."""
    return value is not None and value == value


def counted(row: Row) -> bool:
    """Whether a row has an answer with the prompt tokens stated."""
    return bool(row["success"] or row["outcome"] == "budget_spent") and known(row["prompt_tokens"])


def cached_of(row: Row) -> int:
    """Prompt tokens that are stated as read from the cache; 0: none, or not stated."""
    return int(row["cached_tokens"]) if known(row["cached_tokens"]) else 0


def cost_of(row: Row) -> float | None:
    """The cost that the gateway states; of a stream not in a header, which leaves too early."""
    sources = ("body",) if row["stream"] else STATED
    return row["api_cost"] if row["cost_source"] in sources and known(row["api_cost"]) else None


def by_table(row: Row, model: str, prices: Prices | None) -> float | None:
    """Price x stated tokens; None: not known."""
    if prices is None:
        return None
    return prices.cost(model, *(row[name] if known(row[name]) else None for name in PRICED))


def as_stated(prices: Prices, model: str, rows: Iterable[Row]) -> tuple[Prices, float]:
    """The prices, unrounded if the gateway states more decimals than they are rounded to; and the
    money by which a cost may be off: a unit of the last decimal stated, and what rounding takes.
    """
    price, costs = prices.of(model), [cost for row in rows if (cost := cost_of(row)) is not None]
    unit = last_decimal(costs) if any(costs) else COARSEST  # 0 has no decimals
    if price is None or price.decimals is None or unit > 0.99 * 10.0**-price.decimals:
        return prices, 1.01 * unit
    return prices.unrounded(), 1.01 * unit + 0.5 * 10.0**-price.decimals
