"""Costs that do not fit the run's own prices: the cost of a row compared with its tokens.

A model's price per token is not asked for but taken from the run: the prices that explain most of
its costs (least absolute deviations over uncached, cached, written and completion tokens, and a
fee per request). A row is an outlier if it cost more than three times, or less than a third, of
what its tokens cost at these prices. There is no verdict where it could be a false alarm: below
MIN_ROWS rows of one provider, within two units of the last decimal that the gateway states, at the
smallest charge that several rows share, if most rows cost a minimum charge, or if cached tokens are
unknown and the prompt is long enough to be cached.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.numbers import providers
from analysis.numbers.pricing import last_decimal

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

    Numbers = NDArray[Any]

NEEDED = (
    "model_requested", "cost_source", "api_cost", "prompt_tokens", "completion_tokens",
    "total_tokens", "cached_tokens", "cache_write_tokens", "provider",
)  # fmt: skip
"""The columns that are looked at."""

MIN_ROWS = 20
FACTOR = 3.0
UNSTEADY_SHARE = 0.25
"""Above this share of misfits it is not the rows that are odd: no price per token explains them."""
_CACHEABLE_TOKENS = 1024  # the shortest prompt that a known gateway caches
_STEPS = 40
_FITTED_ROWS = 50_000  # prices are fitted to at most this many rows, evenly chosen
_TOKENS = ["uncached", "cached", "written", "completion", "unlisted"]


@dataclass(frozen=True, slots=True)
class Misfits:
    """One model's outliers: `rows` are labels of the frame's index, in its order.

    `costs` and `expected` are in the run's currency, one per row; `judged` is how many were looked
    at. `steady` is false when they are too many to be called outliers.
    """

    model: str
    judged: int
    rows: list[int]
    costs: list[float]
    expected: list[float]

    @property
    def steady(self) -> bool:
        """Whether one price per token explains the model's costs at all."""
        return len(self.rows) <= UNSTEADY_SHARE * self.judged


def outliers(requests: "DataFrame") -> list[Misfits]:
    """The outliers of each model, in order of appearance; models without any are left out."""
    known = _judgeable(requests)
    misfits = []
    by = ["model_requested", "cost_source", "provider"]
    for (model, *_), rows in known.groupby(by, sort=False, observed=True):
        if len(rows) < MIN_ROWS:
            continue
        cost = rows["api_cost"].to_numpy(dtype="float64")
        tokens = rows[_TOKENS].to_numpy(dtype="float64")
        if _mostly_least_charges(tokens, cost):
            continue
        expected = _expected(tokens, cost)
        odd = _odd(cost, expected)
        if odd.any():
            labels = [int(label) for label in rows.index[odd]]
            of_model = Misfits(
                str(model), len(rows), labels, cost[odd].tolist(), expected[odd].tolist()
            )
            misfits.append(of_model)
    return misfits


def _mostly_least_charges(tokens: "Numbers", cost: "Numbers") -> bool:
    """Whether most requests cost the same minimum, however many tokens they took.

    Such costs show no price per token, and a higher cost is no outlier. Sizes are
    compared by their 10th and 90th percentiles: a few odd counts do not make like requests unlike.
    """
    import numpy as np

    least = cost <= cost.min()
    if 2 * int(least.sum()) <= len(cost):
        return False
    small, large = np.quantile(tokens[least].sum(axis=1), [0.1, 0.9])
    return bool(large >= FACTOR * small)


def _judgeable(requests: "DataFrame") -> "DataFrame":
    """The rows whose cost and tokens are known and possible, with the tokens as they are priced."""

    def tokens(name: str) -> "Series[Any]":
        return requests[name].astype("float64")

    prompt, completion = tokens("prompt_tokens"), tokens("completion_tokens")
    cached, written = tokens("cached_tokens"), tokens("cache_write_tokens").fillna(0)
    unlisted = (tokens("total_tokens") - prompt - completion).clip(lower=0).fillna(0)
    frame = requests[["model_requested", "cost_source", "api_cost"]].assign(
        uncached=prompt - cached.fillna(0) - written,
        cached=cached.fillna(0),
        written=written,
        completion=completion,
        provider=providers.names(requests["provider"]),
        unlisted=unlisted,  # e.g. reasoning that is counted into the total alone
    )
    sure = cached.notna() | (prompt < _CACHEABLE_TOKENS)
    sound = frame[["api_cost", *_TOKENS]].ge(0).all(axis=1) & (prompt + completion > 0)
    chosen: DataFrame = frame[sure & sound]
    return chosen


def _expected(tokens: "Numbers", cost: "Numbers") -> "Numbers":
    """Each row's cost at the prices that explain most of the costs."""
    import numpy as np

    step = -(-len(cost) // _FITTED_ROWS)
    prices = _prices(tokens[::step], cost[::step])
    expected: Numbers = np.column_stack([tokens, np.ones_like(cost)]) @ prices
    return expected


def _prices(tokens: "Numbers", cost: "Numbers") -> "Numbers":
    """The price of each kind of token, and the fee per request, with least absolute deviations."""
    import numpy as np

    size = tokens.sum(axis=1)
    # Per token of the row, so that a long prompt weighs no more than a short one.
    parts = np.column_stack([tokens, np.ones_like(cost)]) / size[:, None]
    unit = cost / size
    alike, counts = np.unique(np.column_stack([parts, unit]), axis=0, return_counts=True)
    shares, units = alike[:, :-1], alike[:, -1]
    scale = np.abs(shares).max(axis=0)
    scale[scale == 0] = 1
    shares = shares / scale
    least = max(float(np.median(unit)), float(unit.max()) * 1e-9) * 1e-6 or 1.0  # 1: all free
    weights = counts.astype("float64")
    prices = np.zeros(shares.shape[1])
    for _ in range(_STEPS):  # reweighted least squares end at the least absolute deviations
        root = np.sqrt(weights)[:, None]
        prices = np.linalg.lstsq(shares * root, units * root[:, 0], rcond=1e-9)[0]
        weights = counts / np.maximum(np.abs(units - shares @ prices), least)
    unscaled: Numbers = prices / scale
    return unscaled


def _odd(cost: "Numbers", expected: "Numbers") -> "Numbers":
    import numpy as np

    slack = 2 * last_decimal(cost)
    lowest = cost.min()
    shared = int((cost == lowest).sum()) >= max(3, 0.02 * len(cost))
    usual = np.maximum(expected, lowest if shared else 0.0)  # a minimum charge
    positive = expected > 0
    away = np.abs(cost - expected)[positive] / expected[positive]
    spread = float(np.median(away)) if len(away) else 0.0
    factor = max(FACTOR, 1 + 12 * spread)  # where prices vary by themselves, only more is odd
    odd: Numbers = (expected > 0) & (
        # The lowest of all costs may be the minimum charge, and too high for that reason alone.
        ((cost > factor * usual + slack) & (cost > lowest)) | (cost < expected / factor - slack)
    )
    return odd
