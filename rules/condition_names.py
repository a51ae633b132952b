"""What a condition can count by name: outcomes, HTTP statuses, flags. Pure.

rate_limited  every outcome by its name        http_429, http_4xx, http_5xx  by status
usage_sum     every flag by its name           flagged  answers with any flag
"""

import re
from collections.abc import Mapping
from typing import Any

from recording.outcome import Outcome

FLAGS = (
    "model_mismatch", "usage_missing", "usage_unreadable", "usage_sum", "usage_absurd",
    "usage_twice", "cost_unreadable", "cost_elsewhere", "finish_reason", "budget_spent",
    "tool_call_shape", "content_type", "retry_after", "stated_time", "not_the_gateway",
    "stream_buffered", "stream_coalesced", "usage_stream_differs", "cost_stream_differs",
    "reply_stream_differs", "cost_outlier",
)  # fmt: skip
"""The words that a row's `check` may hold, and flags that only the whole run shows."""

OUTCOMES = tuple(outcome.value for outcome in Outcome)
_STATUS = re.compile(r"http_([1-5](?:[0-9]{2}|xx))")


def meaning(name: str) -> str | None:
    """A description of what a name counts; None: it counts nothing."""
    if match := _STATUS.fullmatch(name):
        what = match[1].replace("xx", "00 to " + match[1][0] + "99")
        return f"answers with HTTP status {what}"
    if name in OUTCOMES and name in FLAGS:
        return f"requests that ended as `{name}`, and answers flagged so"
    if name in OUTCOMES:
        return f"requests that ended as `{name}`"
    if name in FLAGS:
        return f"answers that are flagged `{name}`"
    return None


def count(name: str, numbers: Mapping[str, Any]) -> int:
    """The count of a name in a phase, from its numbers in summary.json."""
    if match := _STATUS.fullmatch(name):
        status_prefix = match[1].removesuffix("xx")
        statuses = numbers.get("status_counts") or {}
        return sum(
            int(n) for status, n in statuses.items() if str(status).startswith(status_prefix)
        )
    ended, flagged = numbers.get("outcomes") or {}, numbers.get("checks") or {}
    return int(ended.get(name, 0)) + (int(flagged.get(name, 0)) if name in FLAGS else 0)
