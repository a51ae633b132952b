"""Made-up runs: records written as the recorder writes them."""

import csv
import json
from pathlib import Path
from typing import Any

from recording.record import COLUMNS, RequestRecord, encode

PHASE = "rpm/gpt-5.4-nano/600"


def record(index: int = 0, **known: Any) -> RequestRecord:
    """A successful request of the RPM phase that took 2 s, but for the fields given."""
    values: dict[str, Any] = {
        "run_id": "demo",
        "timestamp": f"2026-11-24T00:00:00.{index:06d}+00:00",
        "worker": "local",
        "phase": PHASE,
        "mode": "rpm",
        "scenario": "chat",
        "target": 600,
        "duration_s": 60.0,
        "model_requested": "gpt-5.4-nano",
        "model_returned": "gpt-5.4-nano",
        "task_id": f"nl-rpm-gpt-5.4-nano-target-600-req-{index}",
        "stream": False,
        "request_index": index,
        "scheduled_offset_s": index * 0.1,
        "sent_offset_s": index * 0.1 + 0.001,
        "done_offset_s": index * 0.1 + 2.001,
        "send_lag_s": 0.001,
        "http_status": 200,
        "outcome": "ok",
        "success": True,
        "elapsed_sec": 2.0,
        "elapsed_from_due_s": 2.001,
        "prompt_tokens": 12,
        "completion_tokens": 6,
        "total_tokens": 18,
        "api_cost": 0.000069,
        "cost_source": "body",
        "finish_reason": "stop",
        "content": f"ok-{index}",
        "reasoning_content_present": False,
        "marker_ok": True,
    }
    return RequestRecord(**(values | known))


_NOTHING = dict.fromkeys(
    (
        "model_returned", "prompt_tokens", "completion_tokens", "total_tokens", "api_cost",
        "finish_reason", "content", "reasoning_content_present", "marker_ok",
    )
)  # fmt: skip


def failed(index: int = 0, outcome: str = "connection_reset", **known: Any) -> RequestRecord:
    """A failed request; nothing is known of its answer."""
    values = {"outcome": outcome, "success": False, "http_status": None, "cost_source": "unknown"}
    return record(index, **(_NOTHING | values | known))


def dropped(index: int = 0, **known: Any) -> RequestRecord:
    """A request that was planned and never sent."""
    unsent = dict.fromkeys(
        ("sent_offset_s", "done_offset_s", "send_lag_s", "elapsed_sec", "elapsed_from_due_s")
    )
    return failed(index, "dropped", **(unsent | known))


def phase(name: str = PHASE, **known: Any) -> dict[str, Any]:
    """A planned phase as the manifest holds it."""
    values = {
        "name": name, "mode": "rpm", "scenario": "chat", "model": "gpt-5.4-nano",
        "kind": "arrivals", "users": 200, "count": None, "duration_s": 60.0, "target": 600,
    }  # fmt: skip
    return values | known


def cells(*records: RequestRecord) -> list[list[str]]:
    """A part file's lines: the header and the records."""
    return [list(COLUMNS), *(encode(one) for one in records)]


def part(folder: Path, *records: RequestRecord, worker: str = "local") -> Path:
    """Write a part file as the recorder does."""
    path = folder / f"requests-{worker}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(cells(*records))
    return path


def make(
    folder: Path,
    *records: RequestRecord,
    plan: list[dict[str, Any]] | None = None,
    events: list[dict[str, Any]] | None = None,
    **manifest: Any,
) -> Path:
    """A run folder; its plan is the records' phases unless given, and it ended unless other
    events are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = dict.fromkeys(one.phase for one in records)
    known = {
        "schema_version": 1,
        "run_id": folder.name,
        "started_at": "2026-11-24T00:00:00+00:00",
        "weighbridge": {"version": "0.1.0", "git_commit": "abc"},
        "versions": {"python": "3.11"},
        "gateway": {"base_url": "http://gateway.example/v1", "simulated": False},
        "currency": "CNY",
        "mode": "rpm",
        "plan": plan if plan is not None else [phase(name) for name in names],
    }
    (folder / "manifest.json").write_text(json.dumps(known | manifest), encoding="utf-8")
    run_events = (
        [{"at": "2026-11-24T00:02:00+00:00", "event": "run_end"}] if events is None else events
    )
    lines = "".join(json.dumps(event) + "\n" for event in run_events)
    (folder / "events.jsonl").write_text(lines, encoding="utf-8")
    part(folder, *records)
    return folder


OBEYED = "\x1b[2J\x1b]0;owned\x07\r\x9b31m\u202e\u2066\u2028\u200f\ufeff"
HOSTILE = f"</script><img src=x onerror=alert(1)>|`*[a](javascript:x)&amp;\n# H{OBEYED}"


def hostile(folder: Path) -> Path:
    """A run whose gateway and operator put markup wherever a word of theirs is kept."""
    named = dict.fromkeys(
        ("task_id", "model_requested", "model_returned", "gateway_request_id", "finish_reason"),
        HOSTILE,
    )
    failures = [
        failed(i, "bad_request", phase=name, **named, error_type=HOSTILE, error_message=HOSTILE,
               check=HOSTILE)
        for i, name in enumerate((HOSTILE, f"cache/{HOSTILE}"))
    ]  # fmt: skip
    answers = [
        record(i, phase=name, mode=mode, stream=mode == "rpm", scenario=HOSTILE, content=HOSTILE,
               check=f"fail {HOSTILE}", check_detail=HOSTILE, ttft_s=0.1, first_visible_s=0.1,
               worker=HOSTILE, send_lag_s=1.5, cost_source=HOSTILE, **named)
        for mode in ("rpm", "ladder", "tpm", "cache", "tools", "reasoning", "vision", "smoke")
        for name in (HOSTILE if mode == "rpm" else f"{mode}/{HOSTILE}",) for i in (2, 3, 4)
    ]  # fmt: skip
    events = [
        {
            "at": "2026-11-24T00:00:01+00:00",
            "event": name,
            "phase": HOSTILE,
            "reason": HOSTILE,
            "worker": HOSTILE,
        }
        for name in ("phase_start", "stop_rule", "phase_skipped", "stopped", "worker_lost", HOSTILE)
    ]
    return make(
        folder, *failures, *answers, events=events, currency=HOSTILE, mode=HOSTILE,
        gateway={"base_url": HOSTILE, "simulated": False}, host={"name": HOSTILE},
        versions={"python": HOSTILE}, weighbridge={"version": HOSTILE, "git_commit": HOSTILE},
        options={"mode": HOSTILE, "model": HOSTILE, "tools_prompt": HOSTILE},
    )  # fmt: skip


def probe(mode: str, model: str, index: int = 0, **known: Any) -> RequestRecord:
    """A request of a mode that has no window, one at a time."""
    values = {
        "phase": f"{mode}/{model}", "mode": mode, "model_requested": model, "target": None,
        "duration_s": None, "scheduled_offset_s": None, "send_lag_s": None,
        "done_offset_s": 2.0, "task_id": f"nl-{mode}-{model}-run-{index + 1}", "marker_ok": None,
    }  # fmt: skip
    return record(index, **(values | known))


def everything(folder: Path) -> Path:
    """A run with one phase of each of the article's tests."""
    nano = "gpt-5.4-nano"
    all_checks = json.dumps(
        {"tool_calls": True, "function": True, "arguments_json": True, "arguments_right": True}
    )
    stream = {"ttft_s": 2.053, "elapsed_sec": 2.347, "chunks": 42, "stream": True}
    thought = {"content": None, "reasoning_content_present": True, "finish_reason": "length"}
    records = [
        probe("smoke", nano, elapsed_sec=3.578, api_cost=0.00005),
        probe("smoke", "s", phase="smoke/stream", scenario="stream", **stream),
        *(
            probe("ladder", nano, i, phase=f"ladder/{nano}/{n}", target=n, sent_offset_s=i / 1000)
            for n in (1, 5)
            for i in range(n)
        ),
        record(0),
        record(1, elapsed_sec=4.0),
        record(0, phase="tpm/x", mode="tpm", target=50_000, total_tokens=6000, cached_tokens=0),
        *(
            probe("cache", nano, i, prompt_tokens=11719, cached_tokens=c, api_cost=cost)
            for i, (c, cost) in enumerate([(0, 0.016477), (11008, 0.002607), (11008, 0.002607)])
        ),
        *(probe("tools", nano, i, check="pass", check_detail=all_checks) for i in range(3)),
        probe("reasoning", "thinker", scenario="plain", reasoning_tokens=16, **thought),
        probe("reasoning", "gone", scenario="plain", outcome="dropped", success=False,
              http_status=None, content=None),
        probe("vision", "GLM-4.6V", phase="vision/64", target=64, check_detail='{"text_share":0}'),
        probe("vision", "GLM-4.6V", phase="vision/512", target=512,
              check_detail='{"text_share":0.93}'),
    ]  # fmt: skip
    return make(folder, *records)
