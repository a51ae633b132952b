"""The article's JSONL: its request rows and summary row, field for field, from our records.

The seed is the article's `throughput_test.py`; names, order, rounding and meaning are its own.
Our further columns follow its fields, where they are known.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from analysis.numbers.percentile import nearest_rank
from analysis.reading.atomic_file import replacing
from analysis.reading.load import Run, rows
from recording.events import PhaseEnd, StopRule

if TYPE_CHECKING:
    from pandas import DataFrame

SCRIPT_PATH = "locustfile.py"
STOP_RULE = "如出现大量 429/5xx/timeout,停止后续升阶并记录限流点"
FURTHER = (
    "phase",
    "scenario",
    "outcome",
    "ttft_s",
    "first_visible_s",
    "inter_chunk_p50_s",
    "inter_chunk_max_s",
    "chunks",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost_source",
    "marker_ok",
    "check",
    "check_detail",
    "retry_after_s",
    "gateway_request_id",
)
"""Columns of ours that follow the seed's fields of a request row where they are known."""

_SUMMED = (
    "run_id",
    "phase",
    "mode",
    "target",
    "duration_s",
    "model_requested",
    "http_status",
    "success",
    "elapsed_sec",
    "done_offset_s",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "api_cost",
    "cancel_after",
)


def write(run: Run, path: Path) -> None:
    """Write the run as the seed's JSONL, replacing `path` in one step. Raises OSError."""
    with replacing(path) as file:
        for row in lines(run):
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def lines(run: Run) -> Iterator[dict[str, Any]]:
    """For each phase that has rows, in the plan's order: its request rows, then its summary row."""
    version = f"weighbridge-{run.made_by}"
    planned = {phase["name"]: phase for phase in run.plan}
    for name in run.rows.bounds:
        for table in run.rows.tables(phase=name):
            for row in table.to_pylist():
                yield _request(row, version)
        yield _summary(run, run.rows.frame(_SUMMED, name), planned.get(name, {}), version)


def _request(row: dict[str, Any], version: str) -> dict[str, Any]:
    elapsed_s = row["elapsed_sec"]
    wall_s = None if elapsed_s is None else (row["connect_s"] or 0.0) + elapsed_s
    ours = {name: row[name] for name in FURTHER if row[name] is not None}
    return {
        "record_type": "request",
        "run_id": row["run_id"],
        "timestamp": row["timestamp"],
        "script_path": SCRIPT_PATH,
        "script_version": version,
        "mode": row["mode"],
        "target": row["target"],
        "duration_s": _as_int(row["duration_s"]),
        "model_requested": row["model_requested"],
        "model_returned": row["model_returned"],
        "task_id": row["task_id"],
        "request_index": row["request_index"],
        "scheduled_offset_s": _round(row["scheduled_offset_s"], 3),
        "http_status": row["http_status"],
        "success": row["success"],
        "elapsed_sec": _round(elapsed_s, 3),
        "prompt_tokens": row["prompt_tokens"],
        "completion_tokens": row["completion_tokens"],
        "total_tokens": row["total_tokens"],
        "api_cost": row["api_cost"],
        "finish_reason": row["finish_reason"],
        "content": row["content"],
        "reasoning_content_present": bool(row["reasoning_content_present"]),
        "error_type": None if row["success"] else row["error_type"],
        "error_message": None if row["success"] else row["error_message"],
        "wall_elapsed_sec": _round(wall_s, 3),
    } | ours


def _summary(
    run: Run, frame: "DataFrame", phase: Mapping[str, Any], version: str
) -> dict[str, Any]:
    """The seed's `summarize`. Its latencies are rounded to milliseconds before they are ranked."""
    first = rows(frame[:1])[0]
    name, mode, target = first["phase"], first["mode"], first["target"]
    cancelled_count = int(frame["cancel_after"].notna().sum())
    if cancelled_count:  # to be cancelled on purpose: in no rate
        frame = frame[frame["cancel_after"].isna()]
    good = frame[frame["success"]]
    planned = len(frame) + run.beyond.get(name, 0)
    latencies = sorted(round(value, 3) for value in good["elapsed_sec"].dropna().tolist())
    tokens = {k: int(good[k].sum()) for k in ("prompt_tokens", "completion_tokens", "total_tokens")}
    costs = good["api_cost"].dropna()
    counts = frame.groupby("http_status", sort=False, dropna=False).size()
    statuses = rows(counts.rename("count").reset_index())
    last_s = frame["done_offset_s"].max()
    wall_s = phase.get("wall_s") or (None if last_s != last_s else float(last_s))
    percentiles = {f"latency_p{p}_sec": nearest_rank(latencies, p) for p in (50, 95, 99)}
    return {
        "record_type": "summary",
        "run_id": first["run_id"],
        "timestamp": _ended(run, name) or _latest(run, name),
        "script_path": SCRIPT_PATH,
        "script_version": version,
        "mode": mode,
        "target": target,
        "target_rpm": target if mode == "rpm" else None,
        "target_tpm": target if mode == "tpm" else None,
        "duration_s": _as_int(first["duration_s"]),
        "wall_sec": _round(wall_s, 3),
        "model_requested": first["model_requested"],
        "planned_requests": max((phase.get("count") or 0) - cancelled_count, planned),
        "success_count": len(good),
        "failure_count": planned - len(good),
        "success_rate": round(len(good) / planned, 4),
        "status_counts": {str(row["http_status"]): row["count"] for row in statuses},
        "observed_rpm": round(len(good) / wall_s * 60, 3) if wall_s else None,
        "observed_tpm": round(tokens["total_tokens"] / wall_s * 60, 3) if wall_s else None,
        **tokens,
        "api_cost_sum": round(sum(costs.tolist()), 6) if len(costs) else None,  # as the seed sums
        "latency_avg_sec": round(mean(latencies), 3) if latencies else None,
        **percentiles,
        "stop_rule": _stop_rule(run, name),
        "phase": name,
        "cost_unknown_count": len(good) - len(costs),
    }


def _ended(run: Run, phase: str) -> str | None:
    ends = run.events_of(PhaseEnd, phase)
    return ends[-1].at if ends else None


def _latest(run: Run, phase: str) -> str:
    return str(run.rows.frame(["timestamp"], phase)["timestamp"].max())


def _stop_rule(run: Run, phase: str) -> str:
    """The seed's sentence, then what happened, when the rule did stop the phase."""
    stops = run.events_of(StopRule, phase)
    return STOP_RULE + "".join(f"；{event.details()}" for event in stops)


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _as_int(seconds: float | None) -> int | float | None:
    """The duration as the seed's int when it is one."""
    return int(seconds) if seconds is not None and seconds == int(seconds) else seconds
