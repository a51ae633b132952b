"""LiteLLM in front of two upstreams with scheduled failures: what it does, by their own log.

Its retries and fallbacks are those in its configuration; our report on them is compared with the
simulator's log, read here without our own reader.
"""

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from tests.interop.litellm_proxy import litellm_proxy
from tests.interop.servers import free_port, needs_linux
from tests.locust_run import CANARY, run
from tests.simulated import Simulator

CONFIG = """
model_list:
  - model_name: m
    litellm_params: {{model: openai/one, api_base: "{first}", api_key: "{key}"}}
  - model_name: second
    litellm_params: {{model: openai/two, api_base: "{second}", api_key: "{key}"}}
litellm_settings:
  request_timeout: 2
  num_retries: 1
  fallbacks: [{{m: [second]}}]
router_settings:
  num_retries: 1
  timeout: 2
  allowed_fails: 2
  cooldown_time: 3
  fallbacks: [{{m: [second]}}]
general_settings:
  master_key: {key}
"""
PROFILE = """
any_model = true

[latency]
fixed_s = 0.2
ttft_s = 0.2
tokens_per_s = 50.0

[prices]
input = 1.0
output = 4.0

[[schedule]]
from_s = 5
to_s = 10
fault = "error_500"

[[schedule]]
from_s = 15
to_s = 20
fault = "rate_limited"
seconds = 5

[[schedule]]
from_s = 25
to_s = 30
fault = "hang"

[[schedule]]
from_s = 35
to_s = 40
fault = "truncated_stream"

[[schedule]]
from_s = 45
to_s = 50
fault = "dead"
"""
FAULTS = ("error_500", "rate_limited", "hang", "truncated_stream", "dead")
pytestmark = [needs_linux, pytest.mark.golden]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streams"])
def test_the_report_on_litellm_agrees_with_the_upstreams_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stream: bool
) -> None:
    profile, log, second = tmp_path / "failing.toml", tmp_path / "upstream.csv", free_port()
    profile.write_text(PROFILE, encoding="utf-8")
    behind = Simulator(log, "--profile", profile, "--also-port", second, "--dialect", "deepseek")
    config = CONFIG.format(first=behind.url, second=f"http://127.0.0.1:{second}", key=CANARY)
    try:
        with litellm_proxy(config, tmp_path) as root:
            result = run(
                "-H", f"{root}/v1", "--mode", "rpm", "--model", "m", "--target", 240,
                "--duration", 60, "--stop-rule", "off",
                *["--stream", "--task-id-on-streams"] * stream, results=tmp_path / "results",
            )  # fmt: skip
    finally:
        behind.stop()
    assert result.folder is not None, result.text
    assert main(["failover", str(result.folder), "--upstream-log", str(log)]) == 0
    with capsys.disabled():
        print(capsys.readouterr().out, (result.folder / "failover.md").read_text("utf-8"), sep="\n")
    content = json.loads((result.folder / "failover.json").read_text("utf-8"))
    assert_as_logged(content, result.rows(), log)
    by_fault = {
        group["window"]["fault"] if group["window"] else None: group for group in content["groups"]
    }
    assert [*by_fault] == [None, *FAULTS]
    healthy = by_fault[None]
    assert healthy["attempts"] == pytest.approx(healthy["requests"], abs=2)
    assert healthy["ok"] >= healthy["requests"] - 2, "it closes kept connections after 5 s"
    assert by_fault["error_500"]["ok"] == by_fault["error_500"]["requests"] > 0, (
        "its fallback works"
    )
    assert by_fault["dead"]["ok"] == by_fault["dead"]["requests"] > 0


def assert_as_logged(content: dict[str, Any], rows: list[Any], log: Path) -> None:
    """Counts by fault, counted again from the log alone."""
    attempts = defaultdict(list)
    csv.field_size_limit(1 << 24)
    with log.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            attempts[line["task_id"]].append(line)
    for name in ("error_500", "rate_limited", "hang", "truncated_stream"):
        first = {
            row.task_id: row for row in rows
            if next((a["fault"] for a in sorted(attempts[row.task_id], key=arrival)
                     if a["fault"] in FAULTS), None) == name
        }  # fmt: skip
        group = next(
            candidate
            for candidate in content["groups"]
            if (candidate["window"] or {}).get("fault") == name
        )
        assert group["requests"] == len(first)
        assert group["attempts"] == sum(len(attempts[task]) for task in first)
        assert group["ok"] == sum(row.outcome == "ok" for row in first.values())


def arrival(line: dict[str, str]) -> float:
    return float(line["arrival_unix_s"])
