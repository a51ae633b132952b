"""Deliberately cancelled requests by the server's own log: which, when, and never twice."""

import json
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.numbers.summarize import of_phases
from analysis.reading.load import load
from tests.e2e.test_reconcile import print_bill
from tests.e2e.test_resume import cut_off, resume
from tests.locust_run import run
from tests.simulated import Simulator

Start = Callable[..., Simulator]
PROFILE = """
any_model = true
[latency]
ttft_s = 0.25
tokens_per_s = 20.0
[prices]
input = 1000.0
output = 4000.0
[billing]
aborted = 0.0
[hang_up]
goes_on = {goes_on}
"""
CANCEL = ("--stream", "--task-id-on-streams", "--cancel-share", "0.3")


def settled(gateway: Simulator, count: int) -> dict[str, dict[str, str]]:
    """The log by task_id, once it has `count` rows: a reply that continues is logged later."""
    for _ in range(200):
        if len(gateway.rows()) >= count:
            break
        time.sleep(0.05)
    return {row["task_id"]: row for row in gateway.rows()}


@pytest.mark.parametrize("goes_on", [False, pytest.param(True, marks=pytest.mark.long)])
def test_the_log_shows_whether_the_upstream_went_on(
    simulator: Start, tmp_path: Path, goes_on: bool
) -> None:
    """Exactly the requests that we cancelled are those whose client left."""
    (tmp_path / "p.toml").write_text(PROFILE.format(goes_on=str(goes_on).lower()))
    (tmp_path / "prompts.jsonl").write_text(
        '{"messages": [{"role": "user", "content": "Write 40 tokens"}], "max_tokens": 40}\n'
    )
    gateway = simulator("--profile", tmp_path / "p.toml")
    result = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 600, "--duration", 4,
        "--prompts", tmp_path / "prompts.jsonl", "--cancel-after", "3chunks", *CANCEL,
        "--fail-on", "success_rate<1", results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0 and result.folder is not None, result.text
    rows, log = result.rows(), settled(gateway, 40)
    abandoned = [row for row in rows if row.outcome == "abandoned"]
    assert len(rows) == len(log) == 40 and 5 <= len(abandoned) <= 20
    assert {row.task_id for row in abandoned} == {
        name for name, logged_row in log.items() if logged_row["fault"] == "client_gone"
    }
    for row in abandoned:
        logged_row = log[row.task_id or ""]
        assert (row.chunks, row.api_cost, row.total_tokens) == (3, None, None)
        assert 3 <= int(logged_row["chunks"]) < 30  # it was missed at the next write or two
        assert float(logged_row["billed"]) > 0
        assert (
            int(logged_row["produced_tokens"]) == 40
            if goes_on
            else int(logged_row["produced_tokens"]) < 30
        )
        went_on_s = float(logged_row["produced_until_unix_s"]) - float(
            logged_row["client_gone_unix_s"]
        )
        # 37 tokens are left, of 0.05 s each.
        assert went_on_s > 1.0 if goes_on else went_on_s < 1.0
    (phase,) = of_phases(load(result.folder))
    assert (phase.success_rate, phase.drawn, phase.abandoned) == (
        1.0,
        len(abandoned),
        len(abandoned),
    )
    assert phase.success + phase.abandoned == 40 and phase.cost_unknown_count == len(abandoned)
    assert (
        main(["hung-up", str(result.folder), "--upstream-log", str(tmp_path / "simulator-0.csv")])
        == 0
    )
    (seen_there,) = json.loads((result.folder / "hung_up.json").read_text("utf-8"))["groups"]
    assert seen_there["arrived"] == seen_there["noticed"] == len(abandoned)
    assert seen_there["went_on"] == (len(abandoned) if goes_on else 0)
    charged = sum(Decimal(log[row.task_id or ""]["billed"]) for row in abandoned)
    assert Decimal(seen_there["charged"]) == charged
    # A bill that charges what came of them is no disagreement.
    bill = print_bill(tmp_path / "bill.csv", list(log.values()))
    assert main(["reconcile", str(result.folder), *bill]) == 0


def test_a_token_window_reaches_its_target_and_measures_only_completed_requests(
    simulator: Start, tmp_path: Path
) -> None:
    """Cancelled requests have prompts like the others, and nothing is invented for them."""
    (tmp_path / "p.toml").write_text(PROFILE.format(goes_on="false"))
    gateway = simulator("--profile", tmp_path / "p.toml")
    result = run(
        "-H", gateway.url, "--mode", "tpm", "--model", "m", "--target", 120_000, "--duration", 4,
        "--approx-prompt-tokens", 160, "--cancel-after", "0chunks", *CANCEL,
        results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0 and result.folder is not None, result.text
    rows, log = [row for row in result.rows() if row.mode == "tpm"], settled(gateway, 52)
    abandoned = {row.task_id for row in rows if row.outcome == "abandoned"}
    waited = [row for row in rows if row.task_id not in abandoned]
    assert abandoned == {
        name for name, logged_row in log.items() if logged_row["fault"] == "client_gone"
    }
    (phase,) = [one for one in of_phases(load(result.folder)) if one.mode == "tpm"]
    assert (phase.drawn, phase.abandoned, phase.planned) == (len(abandoned), len(abandoned), 50)
    assert 5 <= len(abandoned) <= 25 and phase.target_awaited == 120_000 * len(waited) / 50
    tokens = sum(int(log[row.task_id or ""]["total_tokens"]) for row in waited)
    assert phase.observed_tpm == pytest.approx(tokens / (phase.wall_s or 0) * 60)
    assert phase.observed_tpm == pytest.approx(phase.target_awaited, rel=0.25)
    sizes = [
        sum(int(log[name]["true_prompt_tokens"] or 0) for name in some) / len(some)
        for some in (abandoned, {row.task_id or "" for row in waited})
    ]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.3)


@pytest.mark.long
def test_a_resumed_run_cancels_the_same_requests_and_none_twice(
    simulator: Start, tmp_path: Path
) -> None:
    """kill -9: cancelled requests stay finished; the rest is drawn as without the kill."""
    plan = ("--mode", "ladder", "--model", "m", "--steps", "9,10,11", "--step-pause", "0",
            "--cancel-after", "0chunks", *CANCEL, "--seed", "5")  # fmt: skip
    gateway = simulator("--profile", "fast", "--latency", "0.5")
    folder = cut_off(gateway, tmp_path / "results", 0.7, *plan)
    finished = load(folder).requests.query("outcome in ('ok', 'abandoned')")
    result = resume(gateway, folder)
    assert result.code == 0, result.text
    sent = Counter(row["task_id"] for row in gateway.rows())
    assert all(sent[task] <= 1 for task in finished["task_id"])
    rows = load(folder).requests
    mine = rows[rows["cancel_after"].notna()]
    drawn = set(zip(mine["phase"], mine["request_index"], strict=True))
    uninterrupted = run("-H", gateway.url, *plan, results=tmp_path / "whole")
    assert drawn == {(r.phase, r.request_index) for r in uninterrupted.rows() if r.cancel_after}
    assert set(rows["outcome"]) == {"ok", "abandoned"} and len(rows) == len(uninterrupted.rows())
