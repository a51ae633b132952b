"""`--mode cache` with pairs and pauses, judged by the simulator's log."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.locust_run import run
from tests.simulated import Simulator

Start = Callable[..., Simulator]


@pytest.mark.long
def test_pairs_and_gaps_are_what_the_gateway_saw(simulator: Start, tmp_path: Path) -> None:
    """The model caches only marked prompts and charges more for writes."""
    gateway = simulator("--dialect", "openrouter", "--ttft", 0.01, "--cache-ttl", 30)
    result = run(
        "-H", gateway.url, "--mode", "cache", "--model", "claude-sonnet-4.6", "--repeat", 1,
        "--cache-pairs", 6, "--cache-gaps", "1,2", "--cache-control", "ephemeral",
        "--prefix-tokens", 3000, "--task-id-on-streams", results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0 and result.folder is not None, result.text
    log = {row["task_id"]: row for row in gateway.rows()}
    rows = {row.task_id: row for row in result.rows()}
    assert len(log) == len(gateway.rows()) == len(rows) == 1 + 12 + 6 + 3
    for name, row in rows.items():
        logged_row = log[name or ""]
        assert row.cached_tokens == int(logged_row["cached_tokens"])
        assert row.api_cost == float(logged_row["billed"])
    kinds: dict[str, list[dict[str, str]]] = {}
    for row in result.rows():
        kinds.setdefault(row.scenario, []).append(log[row.task_id or ""])
    pairs, plain = kinds["pairs"], kinds["plain"]
    cold, warm = pairs[0::2], pairs[1::2]
    assert [c["prompt_sha256"] for c in cold] == [w["prompt_sha256"] for w in warm]
    assert len({row["prompt_sha256"] for row in pairs + plain}) == 12
    assert {row["cached_tokens"] for row in cold + plain} == {"0"}
    assert all(int(row["cached_tokens"]) > 0 for row in warm)

    (content,) = json.loads((result.folder / "summary.json").read_text("utf-8"))["cache_pairs"]
    spent = {k: sum(float(row["billed"]) for row in v) / 6 for k, v in
             {"cold": cold, "warm": warm, "plain": plain}.items()}  # fmt: skip
    assert abs(content["saving_per_request"]["mean"] - (spent["cold"] - spent["warm"])) < 1e-9
    assert abs(content["write_premium"]["mean"] - (spent["cold"] - spent["plain"])) < 1e-9
    assert content["hit_rate"] == 1.0 and content["hits_to_pay"] == 1

    first, *later = kinds["gap"]
    for before, after, pause_s in zip([first, *later], later, (1, 2), strict=False):
        waited = float(after["arrival_unix_s"]) - float(before["last_byte_unix_s"])
        assert waited >= pause_s - 0.05
        assert after["prompt_sha256"] == before["prompt_sha256"]
