"""A gateway that overcharges in one case only, with a fault that the simulator does not have, is
found and reported with its amount. The upstream's own log is the truth.
"""

import json
from collections.abc import Iterator
from itertools import count
from math import fsum
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from tests.e2e.overcharging import Altered, overcharging
from tests.e2e.test_billing import PRICES, PROFILE
from tests.e2e.test_reconcile import print_bill
from tests.locust_run import CANARY, LocustRun, environment, run
from tests.simulated import Simulator

OUTPUT_PRICE = 4.0 / 1e6


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Simulator]:
    (tmp_path / "p.toml").write_text(PROFILE)
    (tmp_path / "prices.toml").write_text(PRICES)
    simulator = Simulator(tmp_path / "log.csv", "--profile", tmp_path / "p.toml")
    yield simulator
    simulator.stop()


def billed(
    place: Path, upstream: Simulator, alter: Altered, *more: object, model: str = "glm-5"
) -> tuple[LocustRun, dict[str, Any]]:
    """A run of mode billing through such a gateway; returns its summary of the bill."""
    with overcharging(upstream.url, alter) as gateway:
        result = run(
            "-H", gateway.url, "--mode", "billing", "--model", model,
            "--prices", place / "prices.toml", "--fail-on", "billing_findings>0", *more,
            results=place / "r",
            env=environment(REF_BASE_URL=upstream.url, REF_API_KEY=CANARY),
        )  # fmt: skip
    assert result.folder is not None, result.text
    (content,) = json.loads((result.folder / "summary.json").read_text("utf-8"))["billing"]
    return result, content


def double_calls(usage: dict[str, Any], body: dict[str, Any]) -> None:
    if body.get("tools"):
        usage["cost"] = round(usage["cost"] + usage["completion_tokens"] * OUTPUT_PRICE, 6)
        usage["total_tokens"] += usage["completion_tokens"]
        usage["completion_tokens"] *= 2


def cached_twice(usage: dict[str, Any], body: dict[str, Any]) -> None:
    if (usage.get("prompt_tokens_details") or {}).get("cached_tokens"):
        usage["cost"] = round(2 * usage["cost"], 6)


def honest(usage: dict[str, Any], body: dict[str, Any]) -> None:
    pass


def true_costs(upstream: Simulator, result: LocustRun, case: str, least_cached: int = 0) -> float:
    tasks = {row.task_id for row in result.rows() if row.scenario == case and row.arm is None}
    return fsum(
        float(row["cost"])
        for row in upstream.rows()
        if row["task_id"] in tasks and int(row["cached_tokens"]) >= least_cached
    )


@pytest.mark.slow
def test_tool_calls_counted_twice_are_named_with_their_tokens_and_their_price(
    tmp_path: Path, upstream: Simulator
) -> None:
    result, bill = billed(tmp_path, upstream, double_calls, "--against", "ref")
    (one,) = bill["findings"]
    tasks = {row.task_id for row in result.rows() if row.scenario == "tools" and row.arm is None}
    true = sum(int(r["completion_tokens"]) for r in upstream.rows() if r["task_id"] in tasks)
    assert (one["kind"], one["case"], one["amount"]) == ("output_above_reference", "tools", true)
    assert one["worth"] == pytest.approx(true * OUTPUT_PRICE) and one["grave"]
    assert bill["reference_alike"] is True and result.code == 1
    tools_case = next(case for case in bill["cases"] if case["case"] == "tools")
    assert tools_case["reference_prompt_tokens"] == tools_case["prompt_tokens"]


@pytest.mark.slow
def test_cached_prompts_charged_twice_are_named_with_their_amount(
    tmp_path: Path, upstream: Simulator
) -> None:
    result, bill = billed(tmp_path, upstream, cached_twice)
    extra = {
        case: true_costs(upstream, result, case, least_cached=1) for case in ("cached", "long")
    }
    amounts = {one["case"]: one["amount"] for one in bill["findings"]}
    assert {one["kind"] for one in bill["findings"]} == {"charged_otherwise"}
    assert amounts == {case: pytest.approx(more) for case, more in extra.items()}
    assert bill["overcharge"] == pytest.approx(sum(extra.values())) and result.code == 1


@pytest.mark.slow
def test_an_honest_gateway_in_between_is_not_accused(tmp_path: Path, upstream: Simulator) -> None:
    result, bill = billed(tmp_path, upstream, honest, "--against", "ref")
    assert bill["findings"] == [] and bill["overcharge"] == 0 and result.code == 0


@pytest.mark.long
def test_a_price_that_rises_and_falls_again_during_the_run_accuses_nobody(
    tmp_path: Path, upstream: Simulator
) -> None:
    """Half as much again for the 15th to the 30th reply that states a cost."""
    replies = count()

    def peak(usage: dict[str, Any], body: dict[str, Any]) -> None:
        if 15 <= next(replies) < 30:
            usage["cost"] = round(1.5 * usage["cost"], 6)

    _, bill = billed(tmp_path, upstream, peak)
    assert [(one["kind"], one["grave"]) for one in bill["findings"]] == [("price_changed", False)]
    assert bill["overcharge"] is None


@pytest.mark.long
def test_streams_charged_twice_are_named_with_their_amount(
    tmp_path: Path, upstream: Simulator
) -> None:
    def double(usage: dict[str, Any], body: dict[str, Any]) -> None:
        if body.get("stream"):
            usage["cost"] = round(2 * usage["cost"], 6)

    done, bill = billed(tmp_path, upstream, double)
    extra = {case: true_costs(upstream, done, case) for case in ("stream", "whole")}
    assert {one["case"]: one["amount"] for one in bill["findings"]} == pytest.approx(extra)
    assert {one["kind"] for one in bill["findings"]} == {"charged_otherwise"} and done.code == 1


@pytest.mark.slow
def test_a_reference_whose_model_counts_differently_accuses_nobody(
    tmp_path: Path, upstream: Simulator
) -> None:
    (tmp_path / "other.toml").write_text(PROFILE + "inflate = 0.93\nhidden_prompt_tokens = 3\n")
    theirs = Simulator(tmp_path / "other.csv", "--profile", tmp_path / "other.toml")
    try:
        with overcharging(upstream.url, honest) as gateway:
            result = run(
                "-H", gateway.url, "--mode", "billing", "--model", "gpt-5.4-nano",
                "--prices", tmp_path / "prices.toml", "--against", "ref", results=tmp_path / "r",
                env=environment(REF_BASE_URL=theirs.url, REF_API_KEY=CANARY),
            )  # fmt: skip
    finally:
        theirs.stop()
    assert result.folder is not None, result.text
    (content,) = json.loads((result.folder / "summary.json").read_text("utf-8"))["billing"]
    assert content["findings"] == [] and content["reference_alike"] is False
    tools_case = next(case for case in content["cases"] if case["case"] == "tools")
    assert tools_case["reference_prompt_tokens"] < tools_case["prompt_tokens"]


@pytest.mark.slow
@pytest.mark.parametrize("charged", [False, True])
def test_charges_for_refusals_are_reported(tmp_path: Path, charged: bool) -> None:
    """The simulator's account is the bill, with a charge for every 429 or with none."""
    (tmp_path / "p.toml").write_text(PROFILE)
    gateway = Simulator(tmp_path / "log.csv", "--profile", tmp_path / "p.toml", "--rpm-limit", 90)
    try:
        result = run(
            "-H", gateway.url, "--mode", "billing", "--model", "gpt-5.4-nano",
            "--provoke-429", 1000, results=tmp_path / "r",
        )  # fmt: skip
        logged = gateway.rows()
    finally:
        gateway.stop()
    assert result.code == 0 and result.folder is not None, result.text
    burst = [row for row in result.rows() if row.scenario == "limited"]
    assert len(burst) == 100, "10 more than the limit that the headers state"
    refused = [row for row in logged if row["status"] == "429"]
    assert len(refused) >= 3
    assert len(refused) == sum(row.outcome == "rate_limited" for row in result.rows())
    for row in refused if charged else []:
        row["billed"] = "0.00001"
    code = main(["reconcile", str(result.folder), *print_bill(tmp_path / "bill.csv", logged)])
    text = (result.folder / "reconcile.md").read_text("utf-8")
    what = "gpt-5.4-nano, many at once, for a refusal (429)"
    n = len(refused)
    amount = f"{n * 0.00001:.6f}"
    if charged:
        assert f"{what}: {n} of {n} refused requests are charged, {amount} in all." in text
        assert code == 1
    else:
        assert f"{what}: none of {n} refused requests is charged." in text
