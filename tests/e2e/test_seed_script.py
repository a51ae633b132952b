"""The article's own script and ours, against the same simulator."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.locust_run import CANARY, environment, run
from tests.simulated import Simulator

SCRIPT = Path(__file__).resolve().parent.parent / "seed" / "throughput_test.py"
SAME = (
    "record_type", "mode", "target", "target_rpm", "target_tpm", "duration_s", "model_requested",
    "planned_requests", "success_count", "failure_count", "success_rate", "status_counts",
    "prompt_tokens", "completion_tokens", "total_tokens", "api_cost_sum", "stop_rule",
)  # fmt: skip
LATENCY_S = 0.5
LATENCIES = ("latency_avg_sec", "latency_p50_sec", "latency_p95_sec", "latency_p99_sec")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("mode", "target"), [pytest.param("rpm", 600, marks=pytest.mark.long), ("tpm", 200_000)]
)
def test_the_seed_script_and_ours_agree(
    simulator: Callable[..., Simulator], tmp_path: Path, mode: str, target: int
) -> None:
    """The same fields in the same order, equal counts, tokens and cost, and times that agree."""
    env_file = "NONELINEAR_OPENAI_BASE_URL={url}\nNONELINEAR_API_KEY={key}\n"

    def serve() -> None:
        """A separate simulator for each, named by .env, so that no prompt is cached."""
        gateway = simulator("--profile", "fast", "--latency", LATENCY_S)
        (tmp_path / ".env").write_text(env_file.format(url=gateway.url, key=CANARY))

    given = [
        "--mode", mode, "--model", "gpt-5.4-nano", "--target", str(target), "--duration", "4",
        "--max-tokens", "16", "--task-id-prefix", "nl-20260519-throughput",
    ]  # fmt: skip
    serve()
    subprocess.run(
        [sys.executable, str(SCRIPT), *given, "--output", "seed.jsonl"],
        cwd=tmp_path, env=environment(), check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    serve()
    clean = {k: v for k, v in environment().items() if k != "OPENAI_API_KEY"}
    result = run(
        *given, "--same-prompts", *(["--tpm-plan", "seed"] if mode == "tpm" else []),
        "--output", "ours.jsonl",
        results=tmp_path / "results", cwd=tmp_path, env=clean,
    )  # fmt: skip
    assert result.code == 0, result.text
    theirs, ours = lines(tmp_path / "seed.jsonl"), lines(tmp_path / "ours.jsonl")
    assert len(theirs) == len(ours)
    for their_row, our_row in zip(theirs, ours, strict=True):
        assert list(our_row)[: len(their_row)] == list(their_row)
    for their_row, our_row in zip(theirs[:-1], ours[:-1], strict=True):
        for name in ("task_id", "request_index", "scheduled_offset_s", "http_status", "success",
                     "prompt_tokens", "completion_tokens", "total_tokens", "api_cost",
                     "finish_reason", "content", "reasoning_content_present", "error_type",
                     "error_message", "model_returned", "duration_s"):  # fmt: skip
            assert our_row[name] == their_row[name], name
    for name in SAME:
        assert ours[-1][name] == theirs[-1][name], name
    # How both compute a rate or a percentile is compared exactly in
    # tests/analysis/test_article_jsonl.py.
    # Here two processes measured one server: a busy machine adds to either, and takes from none.
    for last in (theirs[-1], ours[-1]):
        assert last["wall_sec"] > theirs[-2]["scheduled_offset_s"] + LATENCY_S - 0.001
        assert last["observed_rpm"] == pytest.approx(
            last["success_count"] / last["wall_sec"] * 60, rel=0.01
        )
        assert all(last[name] >= LATENCY_S - 0.001 for name in LATENCIES)


def test_output_is_replaced_atomically_and_keeps_non_ascii(
    simulator: Callable[..., Simulator], tmp_path: Path
) -> None:
    """An existing file at --output is overwritten as the article says; Chinese stays Chinese."""
    gateway = simulator("--profile", "fast")
    output = tmp_path / "out.jsonl"
    output.write_text("old")
    result = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 60, "--duration", 2,
        "--task-id-prefix", "评测", "--output", output, results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0, result.text
    text = output.read_text(encoding="utf-8")
    assert "评测-rpm-m-target-60-req-0" in text and "停止后续升阶" in text
    assert [p.name for p in tmp_path.iterdir() if "part" in p.name or "tmp" in p.name] == []
