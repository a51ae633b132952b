# Appendix A of the article, as it stands, re-indented.
import argparse
import concurrent.futures
import json
import math
import statistics
import time
from datetime import datetime, timezone
from pathlib import Path

from _common import openai_chat_request

SCRIPT_VERSION = "2026-05-19-throughput-v1"


def now_iso():
    return datetime.now(timezone.utc).isoformat()


def percentile(values, pct):
    if not values:
        return None
    ordered = sorted(values)
    idx = max(0, min(len(ordered) - 1, math.ceil(len(ordered) * pct / 100) - 1))
    return ordered[idx]


def write_jsonl(path, rows):
    output = Path(path)
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("w", encoding="utf-8") as f:
        for row in rows:
            f.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def build_prompt(mode, index, approx_prompt_tokens):
    if mode == "rpm":
        return f"Reply exactly: ok-{index}"
    repeat = max(1, int(approx_prompt_tokens / 6))
    padding = " ".join(["NONELINEAR_TPM_EVAL_STATIC_TEXT"] * repeat)
    return (
        "You are testing throughput. Read the following static text and reply exactly "
        f"with TPM-OK-{index}.\n\n{padding}"
    )


def run_one(args, index):
    task_id = f"{args.task_id_prefix}-{args.mode}-{args.model}-target-{args.target}-req-{index}"
    prompt = build_prompt(args.mode, index, args.approx_prompt_tokens)
    start = time.perf_counter()
    result = openai_chat_request(
        args.model,
        [{"role": "user", "content": prompt}],
        max_tokens=args.max_tokens,
        timeout=args.timeout,
        extra={"task_id": task_id},
    )
    elapsed = result.get("elapsed_sec")
    data = result.get("response") or {}
    usage = data.get("usage") or {}
    choice = (data.get("choices") or [{}])[0] if isinstance(data, dict) else {}
    message = choice.get("message") or {}
    return {
        "record_type": "request",
        "run_id": args.run_id,
        "timestamp": now_iso(),
        "script_path": "scripts/throughput_test.py",
        "script_version": SCRIPT_VERSION,
        "mode": args.mode,
        "target": args.target,
        "duration_s": args.duration,
        "model_requested": args.model,
        "model_returned": data.get("model") if isinstance(data, dict) else None,
        "task_id": task_id,
        "request_index": index,
        "scheduled_offset_s": round(index * args.interval_s, 3),
        "http_status": result.get("status"),
        "success": bool(result.get("ok")),
        "elapsed_sec": elapsed,
        "prompt_tokens": usage.get("prompt_tokens"),
        "completion_tokens": usage.get("completion_tokens"),
        "total_tokens": usage.get("total_tokens"),
        "api_cost": usage.get("cost"),
        "finish_reason": choice.get("finish_reason"),
        "content": message.get("content"),
        "reasoning_content_present": bool(message.get("reasoning_content")),
        "error_type": None if result.get("ok") else result.get("error", "").split(":", 1)[0],
        "error_message": None if result.get("ok") else result.get("error"),
        "wall_elapsed_sec": round(time.perf_counter() - start, 3),
    }


def summarize(args, rows, wall_sec):
    request_rows = [row for row in rows if row.get("record_type") == "request"]
    successes = [row for row in request_rows if row.get("success")]
    failures = [row for row in request_rows if not row.get("success")]
    latencies = [
        row["elapsed_sec"] for row in successes if isinstance(row.get("elapsed_sec"), (int, float))
    ]
    total_tokens = sum(row.get("total_tokens") or 0 for row in successes)
    prompt_tokens = sum(row.get("prompt_tokens") or 0 for row in successes)
    completion_tokens = sum(row.get("completion_tokens") or 0 for row in successes)
    cost = sum(row.get("api_cost") or 0 for row in successes)
    status_counts = {}
    for row in request_rows:
        status = str(row.get("http_status"))
        status_counts[status] = status_counts.get(status, 0) + 1
    observed_rpm = len(successes) / wall_sec * 60 if wall_sec else None
    observed_tpm = total_tokens / wall_sec * 60 if wall_sec else None
    return {
        "record_type": "summary",
        "run_id": args.run_id,
        "timestamp": now_iso(),
        "script_path": "scripts/throughput_test.py",
        "script_version": SCRIPT_VERSION,
        "mode": args.mode,
        "target": args.target,
        "target_rpm": args.target if args.mode == "rpm" else None,
        "target_tpm": args.target if args.mode == "tpm" else None,
        "duration_s": args.duration,
        "wall_sec": round(wall_sec, 3),
        "model_requested": args.model,
        "planned_requests": args.planned_requests,
        "success_count": len(successes),
        "failure_count": len(failures),
        "success_rate": round(len(successes) / len(request_rows), 4) if request_rows else None,
        "status_counts": status_counts,
        "observed_rpm": round(observed_rpm, 3) if observed_rpm is not None else None,
        "observed_tpm": round(observed_tpm, 3) if observed_tpm is not None else None,
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": total_tokens,
        "api_cost_sum": round(cost, 6),
        "latency_avg_sec": round(statistics.mean(latencies), 3) if latencies else None,
        "latency_p50_sec": round(percentile(latencies, 50), 3) if latencies else None,
        "latency_p95_sec": round(percentile(latencies, 95), 3) if latencies else None,
        "latency_p99_sec": round(percentile(latencies, 99), 3) if latencies else None,
        "stop_rule": "如出现大量 429/5xx/timeout,停止后续升阶并记录限流点",
    }


def compute_plan(args):
    if args.mode == "rpm":
        planned = max(1, math.floor(args.target * args.duration / 60))
    else:
        planned = max(1, math.ceil(args.target * args.duration / 60 / args.approx_prompt_tokens))
    args.planned_requests = planned
    args.interval_s = args.duration / planned


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=["rpm", "tpm"], required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument(
        "--target", type=int, required=True, help="Target RPM or TPM based on --mode"
    )
    parser.add_argument("--duration", type=int, default=60)
    parser.add_argument("--max-tokens", type=int, default=16)
    parser.add_argument("--approx-prompt-tokens", type=int, default=4000)
    parser.add_argument("--timeout", type=int, default=45)
    parser.add_argument("--max-workers", type=int, default=200)
    parser.add_argument("--run-id", default="nl-throughput-20260519")
    parser.add_argument("--task-id-prefix", default="nl-20260519-throughput")
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    compute_plan(args)
    rows = []
    started = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(max_workers=args.max_workers) as executor:
        futures = []
        for index in range(args.planned_requests):
            due = started + index * args.interval_s
            delay = due - time.perf_counter()
            if delay > 0:
                time.sleep(delay)
            futures.append(executor.submit(run_one, args, index))
        for future in concurrent.futures.as_completed(futures):
            rows.append(future.result())
    wall_sec = time.perf_counter() - started
    rows.sort(key=lambda row: row.get("request_index", 10**9))
    rows.append(summarize(args, rows, wall_sec))
    write_jsonl(args.output, rows)
    print(json.dumps(rows[-1], ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
