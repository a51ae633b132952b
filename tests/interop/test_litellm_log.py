"""LiteLLM's own log of a run, joined by the trace id that we sent, against the server behind."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from analysis.__main__ import main
from tests.interop.litellm_proxy import litellm_proxy
from tests.interop.servers import needs_linux
from tests.locust_run import CANARY, run
from tests.simulated import Simulator

CONFIG = """
model_list:
  - model_name: m
    litellm_params:
      model: openai/behind
      api_base: {url}
      api_key: {key}
      input_cost_per_token: 0.001
      output_cost_per_token: 0.01
      max_retries: 0
litellm_settings:
  callbacks: writer.writer
router_settings:
  num_retries: 3
  retry_after: 0
  disable_cooldowns: true
general_settings:
  master_key: {key}
"""
pytestmark = [needs_linux, pytest.mark.golden]


def test_litellms_retries_and_charges_are_found_in_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All requests by trace id; those with several rows in the server's log were retried."""
    behind = Simulator(
        tmp_path / "behind.csv", "--profile", "fast", "--dialect", "deepseek",
        "--fault", "error_500=0.2", "--latency", "0.1",
    )  # fmt: skip
    try:
        config = CONFIG.format(url=behind.url, key=CANARY)
        with litellm_proxy(config, tmp_path) as root:
            result = run(
                "-H", f"{root}/v1", "--mode", "rpm", "--model", "m", "--target", 600,
                "--duration", 4, "--stop-rule", "off", results=tmp_path / "results",
            )  # fmt: skip
            logged = behind.rows()
            tries = Counter(row["task_id"] for row in logged)
            _wait_for_log(tmp_path / "requests.jsonl", sum(min(n, 2) for n in tries.values()))
    finally:
        behind.stop()
    assert result.code == 0 and result.folder is not None, result.text
    code = main(["reconcile", str(result.folder), "--log", str(tmp_path / "requests.jsonl")])
    print(capsys.readouterr().out)
    content = json.loads((result.folder / "reconcile.json").read_text("utf-8"))
    log = content["log"]
    assert log["kind"] == "LiteLLM" and log["logged"] == log["requests"] == len(tries) == 40
    ok = {row.task_id for row in result.rows() if row.outcome == "ok"}
    retried = {one["task_id"] for one in log["lines"] if one["arrival"] == "retried_inside"}
    assert retried == {task for task, count in tries.items() if count > 1} != set()
    # LiteLLM logs the first failure and the end of a request, none in between.
    assert {one["task_id"]: one["tries"] for one in log["lines"]} == dict.fromkeys(retried, 2)
    assert all(tries[task] >= 2 for task in retried)
    assert content["agrees"] and code == 0 and ok
    assert 0 < log["times"]["inside_p50_s"] < log["times"]["outside_p50_s"]


def _wait_for_log(path: Path, count: int) -> None:
    """LiteLLM writes its log behind the answers: a proxy that is ended at once loses the last."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(path.read_text("utf-8").splitlines()) < count:
        time.sleep(0.2)
