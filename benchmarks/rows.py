"""Run folders of any size, as the recorder would write them, for timing the analysis.

The lines are written from a template, twenty times faster than record by record; a test compares
them with the recorder's own `encode`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from recording.record import COLUMNS, SCHEMA_VERSION

MODELS = ("gpt-5.4-nano", "gemini-3-flash-preview", "GLM-4.6V", "MiniMax-M2.5")
WORKERS = 2
RATE_RPM = 60_000
_STEP = 20_000
_SAYINGS = (
    "OK-{}",
    '"The rain, {}, is in Spain.\nIt stays mainly in the plain."',
    "天气很好 {}",
    '"She said ""{}"" and left."',
)
_EVERY = {
    "schema_version": str(SCHEMA_VERSION), "run_id": "{run}",
    "timestamp": "2026-11-24T10:{m:02d}:{s:02d}.{u:06d}+00:00", "worker": "{worker}",
    "phase": "{phase}", "mode": "rpm", "scenario": "{scenario}", "target": "{target}",
    "duration_s": "{window!r}", "model_requested": "{model}", "task_id": "{task}",
    "stream": "{stream}", "max_tokens": "16", "request_index": "{i}",
    "scheduled_offset_s": "{due!r}", "sent_offset_s": "{sent!r}", "done_offset_s": "{done!r}",
    "send_lag_s": "{lag!r}", "elapsed_sec": "{took!r}", "elapsed_from_due_s": "{from_due!r}",
    "first_byte_s": "{first!r}", "response_bytes": "{size}", "connection_reused": "true",
    "ratelimit_limit_requests": "10000", "gateway_request_id": "gen-{i:024x}",
    "in_flight": "{flying}",
}  # fmt: skip
_GOOD = _EVERY | {
    "model_returned": "{model}", "http_status": "200", "outcome": "ok", "success": "true",
    "ttft_s": "{ttft}", "first_visible_s": "{ttft}", "inter_chunk_p50_s": "{gap}",
    "inter_chunk_max_s": "{gap}", "chunks": "{chunks}", "prompt_tokens": "{prompt}",
    "completion_tokens": "6", "total_tokens": "{total}", "cached_tokens": "0",
    "api_cost": "{cost!r}", "cost_source": "body", "finish_reason": "stop", "content": "{said}",
    "reasoning_content_present": "false", "marker_ok": "true",
    "ratelimit_remaining_requests": "{left}",
}  # fmt: skip
_BAD = _EVERY | {
    "http_status": "429", "outcome": "rate_limited", "success": "false", "cost_source": "unknown",
    "error_type": "rate_limit_exceeded",
    "error_message": '"Rate limit reached for {model}, retry in {took:.3f} s."',
    "retry_after_s": "1.0", "ratelimit_remaining_requests": "0",
}  # fmt: skip


def _line(cells: dict[str, str]) -> str:
    """The template of a row, in the record's order; columns without a cell are unknown."""
    return ",".join(cells.get(name, "") for name in COLUMNS) + "\r\n"


_LINES = {True: _line(_GOOD), False: _line(_BAD)}


def make(folder: Path, count: int, seed: int = 1) -> Path:
    """A run folder of `count` requests: one window per model, two workers, 1 % failures."""
    folder.mkdir(parents=True)
    each = [count // len(MODELS) + (place < count % len(MODELS)) for place in range(len(MODELS))]
    plan = [
        {
            "name": f"rpm/{model}/{RATE_RPM}", "mode": "rpm", "scenario": "chat", "model": model,
            "kind": "arrivals", "users": 200, "count": n, "target": RATE_RPM,
            "duration_s": _window_s(n),
        }
        for model, n in zip(MODELS, each, strict=True)
    ]  # fmt: skip
    manifest = {
        "schema_version": SCHEMA_VERSION, "run_id": folder.name, "mode": "rpm", "plan": plan,
        "started_at": "2026-11-24T10:00:00+00:00", "currency": "CNY",
        "weighbridge": {"version": "0"}, "gateway": {"base_url": "http://127.0.0.1/v1"},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    end = {"at": "2026-11-24T10:59:59+00:00", "event": "run_end"}
    (folder / "events.jsonl").write_text(json.dumps(end) + "\n", encoding="utf-8")
    random = np.random.default_rng(seed)
    for worker in range(WORKERS):
        path = folder / f"requests-w{worker}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(",".join(COLUMNS) + "\r\n")
            for model, n in zip(MODELS, each, strict=True):
                for lines in _lines(folder.name, worker, model, n, random):
                    file.write(lines)
    return folder


def _window_s(count: int) -> float:
    return count / RATE_RPM * 60


def _lines(
    run: str, worker: int, model: str, count: int, random: np.random.Generator
) -> Iterator[str]:
    """One worker's rows of one phase in the order of completion, one text per batch."""
    phase, stream = f"rpm/{model}/{RATE_RPM}", model == MODELS[1]
    for begin in range(worker, count, WORKERS * _STEP):
        index = np.arange(begin, min(count, begin + WORKERS * _STEP), WORKERS)
        due = index / RATE_RPM * 60
        lag = random.exponential(0.0004, len(index))
        took = random.lognormal(0.0, 0.4, len(index))
        finished = due + lag + took
        order = np.argsort(finished)
        good = random.random(len(index)) >= 0.01
        numbers = zip(
            *(a[order].tolist() for a in (index, due, lag, took, finished, good)), strict=True
        )
        texts = []
        for i, due_s, lag_s, took_s, done_s, ok in numbers:
            ttft = repr(took_s * 0.25) if stream else ""
            texts.append(
                _LINES[ok].format(
                    run=run, m=int(done_s) // 60 % 60, s=int(done_s) % 60, u=i % 1_000_000,
                    worker=f"w{worker}", phase=phase, scenario="stream" if stream else "chat",
                    target=RATE_RPM, window=_window_s(count), model=model,
                    task=f"nl-20260519-rpm-{model}-target-{RATE_RPM}-req-{i}",
                    stream="true" if stream else "false", i=i, due=due_s, sent=due_s + lag_s,
                    done=done_s, lag=lag_s, took=took_s, from_due=lag_s + took_s,
                    first=took_s * 0.2, ttft=ttft, gap=repr(took_s * 0.01) if stream else "",
                    chunks=8 + i % 50 if stream else "", size=600 + i % 300, prompt=12 + i % 7,
                    total=18 + i % 7, cost=(69 + i % 7) / 1e6, said=_SAYINGS[i % 4].format(i),
                    left=i % 10_000, flying=1 + i % 200,
                )
            )  # fmt: skip
        yield "".join(texts)
