"""Unanswered requests, and percentiles that count them (rules/censoring.py on columns)."""

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from analysis.numbers import streaming
from recording.outcome import WAITED, Outcome
from rules.censoring import GAVE_UP, Bounds, bounds
from rules.percentiles import of_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

    Floats = NDArray[np.float64]

READ = (
    "phase", "success", "outcome", "http_status", "stream", "elapsed_sec", "ttft_s",
    "last_token_s", "chunks", "arrivals", "completion_tokens", "reasoning_tokens",
    "reasoning_content_present", "scheduled_offset_s", "sent_offset_s", "cancel_after",
)  # fmt: skip
_PERCENTILE = re.compile(r"(?:(e2e|ttft|tpot)_)?p[0-9_]+_s")


def time_and_percent(metric: str) -> tuple[str, Fraction] | None:
    """The time and the percent of a metric such as `p95_s` or `ttft_p99_9_s`; else None."""
    match, percent = _PERCENTILE.fullmatch(metric), of_name(metric)
    return (match[1] or "e2e", percent) if match and percent is not None else None


def waits_s(rows: "DataFrame") -> "DataFrame":
    """Of the rows that got no answer: how long each was waited for, at least (`waited_s`)."""
    import numpy as np
    import pandas as pd

    failed = rows[~rows["success"].to_numpy(dtype=bool)]
    gave_up = failed["http_status"].isin(GAVE_UP).to_numpy(dtype=bool)
    failed = failed[failed["outcome"].isin(list(WAITED)).to_numpy(dtype=bool) | gave_up]
    unsent = (failed["outcome"] == Outcome.DROPPED).to_numpy(dtype=bool)
    waited: Any = failed["elapsed_sec"].to_numpy(dtype="float64", na_value=np.nan).copy()
    if unsent.any():
        last = rows.groupby("phase", sort=False)["sent_offset_s"].max()
        ends = failed["phase"][unsent].map(last).to_numpy(dtype="float64", na_value=np.nan)
        since = ends - failed["scheduled_offset_s"][unsent].to_numpy("float64", na_value=np.nan)
        waited[unsent] = np.where(since > 0, since, np.nan)
    waits = failed.assign(waited_s=pd.Series(waited, failed.index, dtype="float64"))
    return waits[waits["waited_s"].notna()]


def percentile(rows: "DataFrame", time: str, percent: Fraction | int) -> Bounds | None:
    """The times between which a percentile of a phase lies; None if there are no times.

    What was drawn to be cancelled on purpose is left out: the others are a fair sample.
    """
    import numpy as np

    rows = rows[rows["cancel_after"].isna().to_numpy(dtype=bool)]
    none = waits_s(rows)
    good = rows[rows["success"].to_numpy(dtype=bool)]
    if time != "e2e":
        good, none = (part[part["stream"].to_numpy(dtype=bool)] for part in (good, none))
    known: Any = _known(good, time)
    running: Any = none["waited_s"].to_numpy(dtype="float64")
    if time == "tpot":
        running = np.zeros(len(running) + int(streaming.tpot_unknown(good).sum()), dtype=np.float64)
    elif time == "ttft":
        begun = none["ttft_s"].notna().to_numpy(dtype=bool)
        known = np.concatenate([known, none["ttft_s"][begun].to_numpy(dtype="float64")])
        running = running[~begun]
    return bounds(known.tolist(), running.tolist(), percent)


_COLUMN = {"e2e": "elapsed_sec", "ttft": "ttft_s"}


def _known(good: "DataFrame", time: str) -> "Floats":
    import numpy as np

    values = streaming.tpot_s(good) if time == "tpot" else good[_COLUMN[time]]
    return np.asarray(values.dropna().to_numpy(dtype="float64"), dtype=np.float64)
