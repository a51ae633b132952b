"""Mode billing by the gateway's own log: every number on its page, and nothing paid twice."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from math import fsum
from pathlib import Path
from typing import Any

import pytest

from analysis.reading.load import load, rows
from tests.e2e.test_resume import cut_off, resume
from tests.golden.truth import COUNTS, by_task
from tests.locust_run import run
from tests.simulated import Simulator

pytestmark = pytest.mark.golden
Start = Callable[..., Simulator]
PROFILE = """
any_model = true
[latency]
ttft_s = 0.05
tokens_per_s = 150.0
[prices]
input = 1.37
cached_input = 0.137
output = 4.91
decimals = {decimals}
[reply]
tokens = 300
[billing]
{billing}
"""
PRICES = '[models."*"]\ninput = 1.37\ncached_input = 0.137\noutput = 4.91\ndecimals = {decimals}\n'
FAIL_ON = ("--fail-on", "billing_findings>0,billing_overcharge>0")


def started(
    simulator: Start, place: Path, billing: str = "aborted = 0.0", decimals: int = 6, **how: Any
) -> tuple[Simulator, Path]:
    """A gateway with this billing, and the agreed price table."""
    (place / "p.toml").write_text(PROFILE.format(billing=billing, decimals=decimals))
    (place / "prices.toml").write_text(PRICES.format(decimals=decimals))
    more = [word for name, value in how.items() for word in (f"--{name}", value)]
    return simulator("--profile", place / "p.toml", *more), place / "prices.toml"


@pytest.mark.parametrize("decimals", [6, 9])
def test_every_number_of_the_bill_equals_the_log_and_nobody_is_accused(
    simulator: Start, tmp_path: Path, decimals: int
) -> None:
    """Row by row, and each case's sums to the last decimal, with some 429s."""
    gateway, prices = started(simulator, tmp_path, decimals=decimals, fault="rate_limited=0.03")
    result = run(
        "-H", gateway.url, "--mode", "billing", "--model", "gpt-5.4-nano", "--repeat", 4,
        "--prices", prices, *FAIL_ON, results=tmp_path / "r",
    )  # fmt: skip
    assert result.code == 0 and result.folder is not None, result.text
    truth, sums = by_task(gateway), defaultdict[str, list[float]](list)
    assert {row.task_id for row in result.rows()} == set(truth)
    stated: dict[str, Counter[str]] = defaultdict(Counter)
    for row in result.rows():
        logged_row = truth[row.task_id or ""]
        if row.outcome == "abandoned":
            assert (
                logged_row["fault"] == "client_gone"
                and (row.api_cost, row.total_tokens) == (None,) * 2
            )
            assert float(logged_row["billed"]) == float(logged_row["true_cost"])
            continue
        assert row.http_status == int(logged_row["status"])
        if row.http_status != 200:
            assert row.outcome in ("bad_request", "rate_limited") and logged_row["billed"] == ""
            continue
        if row.scenario == "stream_no_usage":
            assert (row.total_tokens, row.api_cost) == (None, None)
            continue
        for name in COUNTS:
            assert getattr(row, name) == int(logged_row[name]), (row.task_id, name)
            stated[row.scenario][name] += int(logged_row[name])
        assert row.api_cost == float(logged_row["cost"]) == float(logged_row["billed"])
        sums[row.scenario].append(float(logged_row["billed"]))
    summary = json.loads((result.folder / "summary.json").read_text("utf-8"))
    (found,) = summary["billing"]
    assert found["findings"] == [] and found["overcharge"] == 0
    assert found["inflation_low"] <= 1 <= found["inflation_high"]
    for case in found["cases"]:
        name, mine = case["case"], sums.get(case["case"])
        assert case["charged"] == (
            None if mine is None else pytest.approx(fsum(mine), rel=1e-12)
        ), name
        if mine is not None:
            for count in ("prompt_tokens", "completion_tokens", "cached_tokens"):
                assert case[count] == stated[name][count], (name, count)
            assert case["difference"] == pytest.approx(0, abs=len(mine) * 10**-decimals)
    assert sum(case["sent"] for case in found["cases"]) == len(truth)


def test_the_overcharge_equals_that_in_the_log(simulator: Start, tmp_path: Path) -> None:
    """The amount of one dishonesty: billed minus true, over answered requests."""
    gateway, prices = started(simulator, tmp_path, "cache_credit = false\naborted = 0.0")
    result = run(
        "-H", gateway.url, "--mode", "billing", "--model", "gpt-5.4-nano", "--prices", prices,
        *FAIL_ON, results=tmp_path / "r",
    )  # fmt: skip
    assert result.code == 1 and result.folder is not None, result.text
    extra = fsum(
        float(seen["billed"]) - float(seen["true_cost"])
        for seen in gateway.rows()
        if seen["status"] == "200" and seen["fault"] == "" and seen["billed"]
    )
    (content,) = json.loads((result.folder / "summary.json").read_text("utf-8"))["billing"]
    assert [one["kind"] for one in content["findings"]] == ["cache_not_credited"]
    assert content["overcharge"] == pytest.approx(extra, abs=1e-9) and extra > 0


def test_a_killed_run_beside_a_reference_resumes_with_both(
    simulator: Start, tmp_path: Path
) -> None:
    """The gateway's log has no request twice, and the reference has counted every case."""
    gateway, prices = started(simulator, tmp_path)
    plan = ("--mode", "billing", "--model", "gpt-5.4-nano", "--prices", prices)
    folder = cut_off(gateway, tmp_path / "results", 4.0, *plan, "--against", "simulator")
    result = resume(gateway, folder, *FAIL_ON)
    assert result.code == 0, result.text
    sent = Counter(seen["task_id"] for seen in gateway.rows())
    assert sum(sent.values()) - len(sent) <= 1, "one user: only what was in flight went again"
    arms = Counter(row["arm"] or "gateway" for row in rows(load(folder).requests))
    assert arms == {"gateway": 66, "reference": 27}
    (bill,) = json.loads((folder / "summary.json").read_text("utf-8"))["billing"]
    assert (bill["findings"], bill["overcharge"], bill["reference_alike"]) == ([], 0, True)
    compared = {one["case"] for one in bill["cases"] if one["reference_prompt_tokens"]}
    assert {"count", "plain", "stream", "cached", "long", "tools", "image"} <= compared


@pytest.mark.parametrize("trial", range(3))
def test_a_killed_run_resumes_and_pays_for_nothing_twice(
    simulator: Start, tmp_path: Path, trial: int
) -> None:
    """kill -9 anywhere: answered, refused and cancelled requests are over, nobody is accused."""
    gateway, prices = started(simulator, tmp_path)
    plan = ("--mode", "billing", "--model", "gpt-5.4-nano", "--prices", prices)
    moment = random.Random(trial).uniform(0.5, 14)
    folder = cut_off(gateway, tmp_path / "results", moment, *plan)
    before = [row for row in rows(load(folder).requests) if row["outcome"] != "dropped"]
    over = {
        row["task_id"] for row in before if row["outcome"] in ("ok", "bad_request", "abandoned")
    }
    result = resume(gateway, folder, *FAIL_ON)
    assert result.code == 0, result.text
    sent = Counter(seen["task_id"] for seen in gateway.rows())
    assert over and all(sent[task] == 1 for task in over)
    after = rows(load(folder).requests)
    assert len(after) == 66 == len(sent)
    assert sum(sent.values()) - 66 <= 1, "one user: only what was in flight went again"
    ends = Counter(row["outcome"] for row in after)
    assert ends == {"ok": 54, "bad_request": 3, "abandoned": 9}
    (bill,) = json.loads((folder / "summary.json").read_text("utf-8"))["billing"]
    assert bill["findings"] == [] and bill["overcharge"] == 0
