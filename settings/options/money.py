"""What a run may cost, and how costs are determined. Pure."""

from dataclasses import dataclass
from functools import partial

from settings.option import option

_money = partial(option, group="money")


@dataclass(frozen=True, kw_only=True)
class Money:
    """What a run may cost, and how costs are determined."""

    budget: float = _money(
        0.0,
        "end the run before it costs more than this, in the gateway's currency (0: no limit)",
        anew=True,
        at_least=0,
    )
    budget_tokens: int = _money(
        0, "end the run before it uses more tokens than this (0: no limit)", anew=True, at_least=0
    )
    cost_field: str = _money(
        "",
        "where the gateway states a request's cost, if not in usage.cost: a path in the reply's "
        "body, e.g. billing.charge, or a header's name",
    )
    currency: str = _money(
        "",
        "currency of the gateway's costs, e.g. CNY or USD (empty: the gateway's own, if known)",
    )
    prices: str = _money(
        "",
        "price table (TOML), which supplies costs that the gateway does not state and checks those "
        "that it does (docs/how-to/cost.md)",
        web=False,
    )
