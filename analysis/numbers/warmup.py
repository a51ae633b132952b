"""Windows without their first seconds: `--warmup` excludes them from numbers, not from rows.

A request belongs to the warm-up when it was due (closed-loop: sent) before the window was that
old. What is left is measured as a window that begins when the warm-up ends: offsets are counted
from there, and the window and its wall clock are shorter by it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.numbers.phase_numbers import WarmupLeft
from recording.exact_amount import money_sum
from recording.manifest_content import PlannedPhase

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from analysis.reading.load import Run

_OFFSETS = ("scheduled_offset_s", "sent_offset_s", "done_offset_s")


def warmup_s(run: "Run") -> float:
    """The run's `--warmup`, seconds; 0 without one."""
    seconds = run.options.get("warmup")
    return float(seconds) if seconds else 0.0


NEEDED = (
    "phase", "scheduled_offset_s", "sent_offset_s", "done_offset_s", "duration_s", "success",
    "api_cost", "cancel_after",
)  # fmt: skip
"""The columns that `trimmed` reads."""
BEGAN = ("scheduled_offset_s", "sent_offset_s", "duration_s")
"""Those that say when a request began to count."""


def began_s(rows: "DataFrame") -> "Series[float]":
    """When each request began to count: when it was due, or sent if no due time is known."""
    begun: Series[float] = rows["scheduled_offset_s"].fillna(rows["sent_offset_s"])
    return begun


def trimmed(rows: "DataFrame", warm_s: float) -> "tuple[DataFrame, dict[str, WarmupLeft]]":
    """The rows as they are measured, and what was left out, by phase.

    Only phases with a window longer than the warm-up have one.
    """
    windowed = rows["duration_s"] > warm_s
    early = windowed & (began_s(rows) < warm_s)
    measured = rows[~early].copy()
    for name in (*_OFFSETS, "duration_s"):
        measured[name] = measured[name].where(~windowed[~early], measured[name] - warm_s)
    return measured, {
        str(phase): _left_out(left_out) for phase, left_out in rows[early].groupby("phase")
    }


def shorter(
    plan: Sequence[PlannedPhase], warm_s: float, left_out: dict[str, WarmupLeft]
) -> list[PlannedPhase]:
    """The planned phases as they are measured."""
    return [_shorter(phase, warm_s, left_out) for phase in plan]


def _left_out(rows: "DataFrame") -> WarmupLeft:
    known = rows["api_cost"].dropna()
    good = rows["success"] & rows["cancel_after"].isna()
    unpriced = int((good & rows["api_cost"].isna()).sum())
    return WarmupLeft(
        warmup_requests=len(rows),
        warmup_cost=money_sum(known) if len(known) else None,
        warmup_cost_unknown_success_count=unpriced,
    )


def _shorter(phase: PlannedPhase, warm_s: float, left_out: dict[str, WarmupLeft]) -> PlannedPhase:
    """The planned phase as it is measured."""
    if phase["name"] not in left_out:
        return phase
    shorter = phase.copy()
    if (duration_s := phase.get("duration_s")) is not None:
        shorter["duration_s"] = duration_s - warm_s
    if (wall_s := phase.get("wall_s")) is not None:
        shorter["wall_s"] = wall_s - warm_s
    if (count := phase.get("count")) is not None:
        shorter["count"] = max(0, count - left_out[phase["name"]].warmup_requests)
    return shorter
