"""Token timing of streams: first token, speed, evenness, and whether they can be determined."""

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from analysis.numbers import warmup
from analysis.reading.subset import Chosen
from rules import stream_timing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

    from analysis.reading.load import Run

    Counts = NDArray[np.int64]

COLUMNS = (
    "stream", "success", "elapsed_sec", "ttft_s", "first_visible_s", "last_token_s", "chunks",
    "arrivals", "stalls", "inter_chunk_p50_s", "inter_chunk_max_s", "completion_tokens",
    "reasoning_tokens", "reasoning_content_present",
)  # fmt: skip
"""What is read of each row, the gaps apart."""
_BUCKETS = 1024  # more than a gap of any length can need


def of(good: Chosen) -> "DataFrame":
    """The streams among them that brought a token, with COLUMNS; what was not read is unknown."""
    mask = good.where(good.rows["ttft_s"].notna()).mask
    present = [name for name in COLUMNS if name in good.rows.columns]
    streams: DataFrame = good.rows.loc[mask, present].reindex(columns=list(COLUMNS))
    return streams


def of_phase(run: "Run", phase: str) -> "Counts":
    """How many gaps of a phase's measured streams lie in which bucket, some rows at a time."""
    warm_s = warmup.warmup_s(run)
    needed = ("chunk_gaps", "success", "cancel_after", *warmup.BEGAN)
    counts = pooled(())
    for table in run.rows.tables(needed, phase):
        rows = table.to_pandas()
        measured = rows["success"].astype(bool) & rows["cancel_after"].isna()
        if warm_s:
            windowed = rows["duration_s"] > warm_s
            measured &= ~(windowed & (warmup.began_s(rows) < warm_s))
        counts = counts + pooled(rows.loc[measured, "chunk_gaps"])
    return counts


def tokens_per_chunk(streams: "DataFrame") -> float | None:
    """Streamed tokens over the chunks that carried them, of the streams that state both."""
    streamed, chunks = tokens(streams), streams["chunks"].astype("float64")
    both = streamed.notna() & (chunks > 0)
    return float(streamed[both].sum() / chunks[both].sum()) if both.any() else None


def tokens(rows: "DataFrame | Chosen") -> "Series[float]":
    """Output tokens that travelled in chunks (`rules.stream_timing.streamed_tokens`)."""
    completion = rows["completion_tokens"].astype("float64")
    reasoning = rows["reasoning_tokens"].astype("float64").fillna(0)
    hidden = ~rows["reasoning_content_present"].fillna(False).astype(bool)
    streamed: Series[float] = completion - reasoning.where(hidden & (reasoning <= completion), 0)
    return streamed


def tpot_s(rows: "DataFrame | Chosen") -> "Series[float]":
    """Time per output token after the first of each row (`rules.stream_timing.tpot_s`); NaN:
    unknown.

    Rows of older versions do not say when the last token came: theirs ends at the last byte.
    """
    last_s = rows["last_token_s"].fillna(rows["elapsed_sec"])
    pieces = rows["arrivals"].astype("float64").fillna(rows["chunks"].astype("float64"))
    streamed = tokens(rows)
    resolved = pieces.isna() | ((pieces >= 2) & (streamed <= stream_timing.COALESCED * pieces))
    per_token_s: Series[float] = (last_s - rows["ttft_s"]) / (streamed - 1)
    return per_token_s.where((streamed >= 2) & resolved)


def tpot_unknown(rows: "DataFrame | Chosen") -> "Series[bool]":
    """The streams that should have a TPOT but do not show it; fewer than two tokens have none."""
    streamed = rows["stream"].astype(bool) & ~(tokens(rows) < 2)
    return streamed & tpot_s(rows).isna()


def held_back(rows: "DataFrame | Chosen") -> "tuple[Series[bool], Series[bool]]":
    """Which streams can be judged, and which came in one clump (`rules.stream_timing`)."""
    chunks = rows["chunks"].astype("float64")
    wait_s = rows["ttft_s"]
    spread_s = rows["last_token_s"] - wait_s
    judgeable = ((chunks >= stream_timing.MANY_CHUNKS) & (wait_s >= stream_timing.SHORT_WAIT_S)) | (
        (chunks >= stream_timing.FEWEST_CHUNKS) & (wait_s >= stream_timing.SHORTEST_WAIT_S)
    )
    fastest_s = (chunks - 1) / stream_timing.FASTEST_PER_S
    # Columns have six decimals: half a unit at each end.
    clump = (spread_s <= fastest_s + 1e-6) & (spread_s <= stream_timing.CLUMP_SHARE * wait_s)
    judgeable = judgeable & spread_s.notna()
    return judgeable, judgeable & clump


def pooled(cells: Iterable[Any]) -> "Counts":
    """How many gaps of all these `chunk_gaps` cells lie in which bucket."""
    import numpy as np

    text = " ".join(cell for cell in cells if isinstance(cell, str)).replace(":", " ")
    with warnings.catch_warnings():  # a damaged cell: what was read up to it counts
        warnings.simplefilter("ignore", DeprecationWarning)
        numbers = np.fromstring(text, dtype=np.int64, sep=" ") if text else np.empty(0, np.int64)
    pairs = numbers[: len(numbers) // 2 * 2].reshape(-1, 2)
    sound = pairs[(pairs[:, 0] >= 0) & (pairs[:, 0] < _BUCKETS) & (pairs[:, 1] > 0)]
    return np.bincount(sound[:, 0], sound[:, 1], _BUCKETS).astype(np.int64)


def gap_s(counts: "Counts", percent: Any, longest_s: float | None = None) -> float | None:
    """The pooled gaps' percentile by nearest rank: the middle of its bucket, off by 2.4 %, or the
    longest gap if that is shorter.
    """
    import numpy as np

    from analysis.numbers.percentile import rank

    total = int(counts.sum())
    if not total:
        return None
    bucket = int(np.searchsorted(np.cumsum(counts), rank(total, percent)))
    middle_s = stream_timing.middle_s(bucket)
    return middle_s if longest_s is None else min(middle_s, longest_s)
