"""Who got no answer, and percentiles that count them: recording/censored.py by columns."""

import re
from typing import TYPE_CHECKING, Any

from recording.censored import GAVE_UP, Bounds, bounds
from recording.outcome import WAITED, Outcome

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

    Floats = NDArray[np.float64]

READ = (
    "phase", "success", "outcome", "http_status", "stream", "elapsed_sec", "ttft_s",
    "completion_tokens", "scheduled_offset_s", "sent_offset_s",
)  # fmt: skip
_PERCENTILE = re.compile(r"(?:(e2e|ttft|tpot)_)?p(\d+)_s")


def asked(metric: str) -> tuple[str, int] | None:
    """The time and the percent of a metric such as `p95_s` or `ttft_p99_s`; None: it is no such."""
    found = _PERCENTILE.fullmatch(metric)
    return (found[1] or "e2e", int(found[2])) if found else None


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
    found = failed.assign(waited_s=pd.Series(waited, failed.index, dtype="float64"))
    return found[found["waited_s"].notna()]


def percentile(rows: "DataFrame", time: str, percent: int) -> Bounds | None:
    """Between which times a percentile of a phase lies; None of no times at all."""
    import numpy as np

    none = waits_s(rows)
    good = rows[rows["success"].to_numpy(dtype=bool)]
    if time != "e2e":
        good, none = (some[some["stream"].to_numpy(dtype=bool)] for some in (good, none))
    known, running = _known(good, time), none["waited_s"].to_numpy(dtype="float64")
    if time == "tpot":
        running = np.zeros_like(running)
    elif time == "ttft":
        begun = none["ttft_s"].notna().to_numpy(dtype=bool)
        known = np.concatenate([known, none["ttft_s"][begun].to_numpy(dtype="float64")])
        running = running[~begun]
    return bounds(known.tolist(), running.tolist(), percent)


def _known(good: "DataFrame", time: str) -> "Floats":
    if time == "tpot":
        several = good[(good["completion_tokens"] > 1).fillna(False).to_numpy(dtype=bool)]
        values = (several["elapsed_sec"] - several["ttft_s"]) / (
            several["completion_tokens"] - 1
        ).astype("float64")
    else:
        values = good["elapsed_sec" if time == "e2e" else "ttft_s"]
    found: Floats = values.dropna().to_numpy(dtype="float64")
    return found
