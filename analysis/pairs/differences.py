"""The differences of one metric, pair by pair: known, bounded on one side, or absent.

A time whose end nobody saw is right-censored (rules/censoring.py): it is at least as long as the
wait, so the pair's difference is bounded on one side only. A refusal has no time at all.
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
"""Columns have six decimals, money some more: what lies beyond these is a float's own error."""


@dataclass(frozen=True, slots=True)
class Differences:
    """What is known of a metric in both arms of each pair, in the order of sending.

    Values lie from `*_low` to `*_high`; the two are the same where a value is known. `place` is the
    pair's place among all. `unlike` pairs were left out because their replies are not alike,
    `unknown` because an arm was refused or does not say; `unanswered` counts the requests that were
    waited for in vain, by arm.
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
    def low(self) -> "Floats":
        """The least that each difference a - b can be."""
        return np.round(self.a_low - self.b_high, _DIGITS)

    @property
    def high(self) -> "Floats":
        """The most that each difference a - b can be; infinite where a was never seen to end."""
        return np.round(self.a_high - self.b_low, _DIGITS)

    def of(self, kept: "Bools") -> "Differences":
        """Some of the pairs."""
        a_high, b_high = self.a_high[kept], self.b_high[kept]
        return replace(
            self,
            a_low=self.a_low[kept], a_high=a_high, b_low=self.b_low[kept], b_high=b_high,
            first=self.first[kept], place=self.place[kept], tokens=self.tokens[kept],
            unanswered=(int(np.isinf(a_high).sum()), int(np.isinf(b_high).sum())),
        )  # fmt: skip


def differences(pairs: Pairs, metric: str) -> Differences:
    """The differences of one of COLUMNS. Of `total`, only pairs whose replies are alike count."""
    a_low, a_high = _bounds(pairs.a, metric)
    b_low, b_high = _bounds(pairs.b, metric)
    known = ~(np.isnan(a_low) | np.isnan(b_low))
    unlike = known & ~alike(pairs) if metric == "total" else np.zeros(len(pairs), dtype=bool)
    both = floats(pairs.a, "completion_tokens"), floats(pairs.b, "completion_tokens")
    whole = Differences(
        metric, a_low, a_high, b_low, b_high, pairs.first,
        np.arange(len(pairs)), (both[0] + both[1]) / 2,
        int(unlike.sum()), int((~known).sum()), (0, 0),
    )  # fmt: skip
    return whole.of(known & ~unlike)


def alike(pairs: Pairs) -> "Bools":
    """Which pairs' replies took the same work: equally many output tokens, and ended alike.

    A request without an answer counts as alike, or the slowest would be left out.
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
    """The lowest and highest possible value of each; NaN: it has none."""
    column = COLUMNS[metric]
    if metric == "tpot" and column not in rows.columns:
        rows = rows.assign(tpot_s=streaming.tpot_s(rows))
    values = floats(rows, column)
    whole = good(rows)
    if metric == "cost":
        return values, values
    running = _waited(rows)
    if metric == "ttft":  # a stream that was cut has shown when it began
        whole = whole | (running & ~np.isnan(values))
        running = running & ~whole
    if metric != "total" and "stream" in rows.columns:
        running = running & rows["stream"].fillna(False).to_numpy(dtype=bool)
    waited = np.zeros(len(rows)) if metric == "tpot" else floats(rows, "elapsed_sec")
    low = values.copy()
    low[~whole] = np.nan
    low[running] = waited[running]
    high = low.copy()
    high[running & ~np.isnan(low)] = np.inf
    return low, high
