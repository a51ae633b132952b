"""Was the generator itself the limit? Its lags against what it measured.

Send lag (sent - due) tells how late requests left, and nothing of a closed loop or of chunks that
were read late. Loop lag does: how late the generator's event loop was for probes that were due
every 50 ms is how late it was for the bytes of answers, and it is in every time it took.
"""

from typing import Any

from recording.events import PhaseEnd
from recording.outcome import Outcome
from rules.punctuality import LAG_SHARE, limit_s

GAP_SHARE = 0.5
"""A p99 loop lag above this share of the median gap between chunks distorts the gaps."""


def judge(row: dict[str, Any], ends: list[PhaseEnd]) -> None:
    """Add a phase's loop lag, its limits and the verdict `generator_limited` to its numbers.

    `row` is the phase's of `analysis.numbers.summarize`, `ends` are its `phase_end` events. The
    verdict is
    None where no lag is known, or nothing that it could be held against. A phase of which our own
    machine let a request not go (`local_limits`) is limited, whatever its lags.
    """
    lags = [end.generator for end in ends if end.generator is not None]
    for name in ("loop_lag_p99_s", "loop_lag_max_s"):
        said = [getattr(lag, name) for lag in lags]
        row[name] = max((float(lag) for lag in said if lag is not None), default=None)
    first_s = row["latency_p50_s"] if row["ttft_p50_s"] is None else row["ttft_p50_s"]
    row["send_lag_limit_s"] = limit_s(LAG_SHARE, row["latency_p50_s"])
    row["loop_lag_limit_s"] = limit_s(LAG_SHARE, first_s)
    row["chunk_lag_limit_s"] = limit_s(GAP_SHARE, row["inter_chunk_p50_s"])
    pairs = [
        (row["send_lag_p99_s"], row["send_lag_limit_s"]),
        (row["loop_lag_p99_s"], row["loop_lag_limit_s"]),
        (row["loop_lag_p99_s"], row["chunk_lag_limit_s"]),
    ]
    late = [lag > limit for lag, limit in pairs if lag is not None and limit is not None]
    row["local_limits"] = row["outcomes"].get(Outcome.LOCAL_LIMIT.value, 0)
    known = bool(late) or row["local_limits"] > 0
    row["generator_limited"] = any(late) or row["local_limits"] > 0 if known else None
