"""The differences of one metric, pair by pair: known, bounded on one side, or absent.

A time whose end nobody saw is right-censored (rules/censoring.py): it is at least as long as the
wait, so the pair's difference is bounded on one side only. A refused request has no time at all.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.numbers import streaming
from analysis.pairs.pairing import Pairs, floats, texts
from recording.outcome import WAITED
from rules.censoring import GAVE_UP

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

COLUMNS = {"ttft": "ttft_s", "tpot": "tpot_s", "total": "elapsed_sec", "cost": "api_cost"}
"""The metrics, and the columns they are read from; times are seconds."""
_DIGITS = 12
"""Times have six decimals, money a few more: digits beyond these are floating-point error."""


@dataclass(frozen=True, slots=True)
class Differences:
    """What is known of a metric in both arms of each pair, in the order of sending.

    Arrays have one element per pair, in seconds or in the run's currency. Values lie between
    `*_low` and `*_high`, which are equal if the value is known. `first` is as in `Pairs`, `place`
    is the pair's index among all pairs, and `tokens` is the mean output of both arms. `unlike`
    pairs were left out because their replies are not alike, `unknown` ones because an arm was
    refused or does not state the value. `unanswered` counts the requests that were waited for in
    vain, by arm.
    """

    metric: str
    a_low: "Floats"
    a_high: "Floats"
    b_low: "Floats"
    b_high: "Floats"
    first: "NDArray[np.int8]"
    place: "NDArray[np.int64]"
    tokens: "Floats"
    unlike: int
    unknown: int
    unanswered: tuple[int, int]

    def __len__(self) -> int:
        return len(self.a_low)

    @property
    def bounds(self) -> "tuple[Floats, Floats, Floats, Floats]":
        """The bounds of the gateway's values, low and high, then of the reference's."""
        return self.a_low, self.a_high, self.b_low, self.b_high

    @property
    def low(self) -> "Floats":
        """The least that each difference a - b can be."""
        return np.round(self.a_low - self.b_high, _DIGITS)

    @property
    def high(self) -> "Floats":
        """The most that each difference a - b can be; infinite if a was never seen to end."""
        return np.round(self.a_high - self.b_low, _DIGITS)

    def of(self, mask: "Bools") -> "Differences":
        """Only the pairs for which `mask` is true."""
        a_high, b_high = self.a_high[mask], self.b_high[mask]
        return replace(
            self,
            a_low=self.a_low[mask], a_high=a_high, b_low=self.b_low[mask], b_high=b_high,
            first=self.first[mask], place=self.place[mask], tokens=self.tokens[mask],
            unanswered=(int(np.isinf(a_high).sum()), int(np.isinf(b_high).sum())),
        )  # fmt: skip


def differences(pairs: Pairs, metric: str) -> Differences:
    """The differences of `metric`, a key of COLUMNS; for `total`, of pairs with like replies."""
    a_low, a_high = _bounds(pairs.a, metric)
    b_low, b_high = _bounds(pairs.b, metric)
    known = ~(np.isnan(a_low) | np.isnan(b_low))
    unlike = known & ~alike(pairs) if metric == "total" else np.zeros(len(pairs), dtype=bool)
    both = floats(pairs.a, "completion_tokens"), floats(pairs.b, "completion_tokens")
    all_pairs = Differences(
        metric, a_low, a_high, b_low, b_high, pairs.first,
        np.arange(len(pairs)), (both[0] + both[1]) / 2,
        int(unlike.sum()), int((~known).sum()), (0, 0),
    )  # fmt: skip
    return all_pairs.of(known & ~unlike)


def alike(pairs: Pairs) -> "Bools":
    """Which pairs have replies of equal work: as many output tokens, and the same finish reason.

    A pair with an unanswered request counts as alike; otherwise the slowest would be left out.
    """
    a, b = (floats(arm, "completion_tokens") for _, arm in pairs.arms())
    ends = texts(pairs.a, "finish_reason") == texts(pairs.b, "finish_reason")
    running = _waited(pairs.a) | _waited(pairs.b)
    return np.asarray(((a == b) & ends) | running, dtype=bool)


def good(rows: "DataFrame") -> "Bools":
    """Which requests succeeded."""
    return rows["success"].fillna(False).to_numpy(dtype=bool)


def _waited(rows: "DataFrame") -> "Bools":
    """Which requests were waited for in vain."""
    gave_up = np.isin(floats(rows, "http_status"), GAVE_UP)
    return ~good(rows) & (np.isin(texts(rows, "outcome"), list(WAITED)) | gave_up)


def _bounds(rows: "DataFrame", metric: str) -> "tuple[Floats, Floats]":
    """The lowest and highest possible value of each row; NaN: it has none."""
    column = COLUMNS[metric]
    if metric == "tpot" and column not in rows.columns:
        rows = rows.assign(tpot_s=streaming.tpot_s(rows))
    values = floats(rows, column)
    complete = good(rows)
    if metric == "cost":
        return values, values
    running = _waited(rows)
    if metric == "ttft":  # a stream that was cut has shown when it began
        complete = complete | (running & ~np.isnan(values))
        running = running & ~complete
    if metric != "total" and "stream" in rows.columns:
        running = running & rows["stream"].fillna(False).to_numpy(dtype=bool)
    waited = np.zeros(len(rows)) if metric == "tpot" else floats(rows, "elapsed_sec")
    low = values.copy()
    low[~complete] = np.nan
    low[running] = waited[running]
    high = low.copy()
    high[running & ~np.isnan(low)] = np.inf
    return low, high
