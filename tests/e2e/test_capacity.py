"""A capacity search against a gateway whose limit is known, from the command line to the report."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.locust_run import run
from tests.simulated import Simulator

Start = Callable[..., Simulator]


def test_the_search_finds_the_concurrency_that_a_gateway_sustains(
    simulator: Start, tmp_path: Path
) -> None:
    """It refuses the sixth concurrent request: five meet the objectives, six do not, due to 429."""
    gateway = simulator("--max-concurrency", 5, "--latency", 0.1)
    slo = tmp_path / "slo.toml"
    slo.write_text("success_rate = 0.95\n", encoding="utf-8")
    result = run(
        "-H", gateway.url, "--mode", "capacity", "--search", "concurrency", "--model",
        "gpt-5.4-nano", "--target", "4,4,8", "--slo", slo, "--duration", 1, "--step-pause", 0.3,
        results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0 and result.folder is not None, result.text
    report = (result.folder / "report.md").read_text(encoding="utf-8")
    assert "meets its objectives at 5 concurrent and not at 6 concurrent" in report, report
    assert "It broke by refusals (429) (success_rate)." in report
    (content,) = json.loads((result.folder / "summary.json").read_text("utf-8"))["capacity"]
    assert (content["met"], content["missed"], content["unit"]) == (5, 6, "concurrency")
    assert (content["causes"], content["limited_by_us"]) == (["429"], False)
    tried = [row.target for row in result.rows()]
    assert set(tried) == {4, 5, 6, 8}
    assert len(gateway.rows()) == len(tried)


@pytest.mark.long
def test_a_search_that_ran_out_of_budget_can_be_resumed(simulator: Start, tmp_path: Path) -> None:
    """With a larger budget: the trial that was cut short does not count, the others are kept."""
    gateway = simulator("--max-concurrency", 5, "--latency", 0.1)
    slo = tmp_path / "slo.toml"
    slo.write_text("success_rate = 0.95\n", encoding="utf-8")
    cut = run(
        "-H", gateway.url, "--mode", "capacity", "--search", "concurrency", "--model",
        "gpt-5.4-nano", "--target", "4,4,8", "--slo", slo, "--duration", 1, "--step-pause", 0.3,
        "--budget-tokens", 1200, results=tmp_path / "results",
    )  # fmt: skip
    assert cut.code == 1 and "the budget is spent" in cut.text, cut.text
    assert cut.folder is not None
    paid = {row.task_id for row in cut.rows() if row.outcome != "dropped"}
    result = run(
        "-H", gateway.url, "--resume", cut.folder, "--budget-tokens", 100_000,
        results=tmp_path / "elsewhere",
    )  # fmt: skip
    assert result.code == 0, result.text
    (content,) = json.loads((cut.folder / "summary.json").read_text("utf-8"))["capacity"]
    assert (content["met"], content["missed"], content["limited_by_us"]) == (5, 6, False)
    assert content["answered"] < content["windows"]
    sent = [row["task_id"] for row in gateway.rows()]
    assert len(sent) == len(set(sent)) and paid <= set(sent)
    ran = [event["phase"] for event in cut.events("phase_start")]
    planned = [phase["name"] for phase in cut.manifest()["plan"]]
    assert planned == list(dict.fromkeys(ran))
