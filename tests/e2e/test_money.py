"""Token windows reach their target and budgets hold, judged by the simulator's log."""

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.numbers.summarize import of_phases
from analysis.reading.load import load
from tests.locust_run import LocustRun, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]
TOKENIZERS = """
any_model = true
[latency]
fixed_s = 0.5
[prices]
input = 1.0
output = 8.0
[tokens]
scale = {scale}
per_request = {overhead}
"""


def billed(gateway: Simulator) -> float:
    """What the account was charged, whatever the replies stated."""
    return sum(float(row["billed"] or 0) for row in gateway.rows())


@pytest.mark.parametrize(
    ("scale", "overhead"),
    [
        pytest.param(0.6, 3, marks=pytest.mark.long),
        pytest.param(1.0, 3, marks=pytest.mark.long),
        (1.7, 250),
    ],
)
def test_observed_tpm_is_within_two_percent_of_its_target(
    simulator: Start, tmp_path: Path, scale: float, overhead: int
) -> None:
    """With any tokenizer, by the report and by the server's own counts over the same time."""
    profile = tmp_path / "tokenizer.toml"
    profile.write_text(TOKENIZERS.format(scale=scale, overhead=overhead))
    gateway = simulator("--profile", profile)
    result = run(
        "-H", gateway.url, "--mode", "tpm", "--model", "m", "--target", 300_000, "--duration", 6,
        results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0, result.text
    assert result.folder is not None
    window = next(p for p in of_phases(load(result.folder)) if p.mode == "tpm")
    assert window.planned == 8
    assert window.observed_tpm == pytest.approx(300_000, rel=0.02)
    served = [row for row in gateway.rows() if "-tpm-" in row["task_id"]]
    assert sum(int(row["total_tokens"]) for row in served) == window.total_tokens
    (end,) = [event for event in result.events("phase_end") if event["phase"] == "tpm/m/300000"]
    assert end["pacers"][0]["expected_error"] < 0.02


def test_the_seeds_plan_is_still_there(simulator: Start, tmp_path: Path) -> None:
    """`--tpm-plan seed` sends the article's words, and no calibration."""
    gateway = simulator("--profile", "fast")
    result = run(
        "-H", gateway.url, "--mode", "tpm", "--model", "m", "--target", 80_000, "--duration", 3,
        "--tpm-plan", "seed", results=tmp_path / "results",
    )  # fmt: skip
    assert {row.mode for row in result.rows()} == {"tpm"}
    assert len(gateway.rows()) == 1
    assert int(gateway.rows()[0]["prompt_tokens"]) > 6_600


@pytest.mark.parametrize(
    "processes", [pytest.param((), marks=pytest.mark.long), ("--processes", 2)]
)
@pytest.mark.parametrize("stream", [pytest.param(False, marks=pytest.mark.long), True])
def test_a_hundred_at_once_do_not_exceed_the_budget(
    simulator: Start, tmp_path: Path, processes: tuple[object, ...], stream: bool
) -> None:
    """The account is charged at most the limit, and the run says why it ended."""
    gateway = simulator("--profile", "fast", "--latency", "0.1", "--reply-tokens", "16")
    limit = 0.0015  # of 0.000024 a request: some sixty of them
    result = run(
        "-H", gateway.url, "--mode", "ladder", "--model", "m", "--steps", "20,100",
        "--step-pause", 0, "--budget", limit, *processes,
        *(["--stream"] if stream else []), results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 1, result.text
    assert "the budget is spent" in result.text
    assert 0.5 * limit < billed(gateway) <= limit
    assert_planned_once(result, 1 + 20 + 100)
    (budget,) = result.events("accounts")
    assert budget["money"]["spent"] == pytest.approx(billed(gateway))


def test_a_jump_in_costs_exceeds_the_budget_only_by_requests_in_flight(
    simulator: Start, tmp_path: Path
) -> None:
    """At 100 times the highest observed price the excess is bounded, and it is reported."""
    gateway = simulator("--profile", "fast", "--latency", "0.05", "--fault", "cost_jump=1",
                        "--fault-after", 30)  # fmt: skip
    result = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 3000, "--duration", 4,
        "--max-workers", 10, "--budget", 0.005, results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 1, result.text
    costs = [float(row["billed"]) for row in gateway.rows()]
    dearest = max(costs)
    assert 0.005 < sum(costs) <= 0.005 + 10 * dearest
    (budget,) = result.events("accounts")
    assert budget["money"]["largest_underestimate"] > dearest / 2


def test_payment_required_ends_the_run(simulator: Start, tmp_path: Path) -> None:
    """HTTP 402 is not like other failures: nothing more is sent, in any phase."""
    gateway = simulator("--profile", "fast", "--fault", "error_402=1", "--fault-after", 3)
    result = run(
        "-H", gateway.url, "--mode", "tools", "--model", "a,b,c", "--repeat", 2,
        results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 1, result.text
    assert len(gateway.rows()) == 4
    assert "402" in result.events("ended")[0]["reason"]


def assert_planned_once(result: LocustRun, planned: int) -> None:
    rows = [(row.phase, row.request_index) for row in result.rows()]
    assert len(set(rows)) == planned


@pytest.mark.long
def test_a_budget_that_holds_requests_back_is_named_as_the_cause(
    simulator: Start, tmp_path: Path
) -> None:
    """Each could use 2,000 tokens but uses few: the rate suffers, not by the gateway's fault."""
    gateway = simulator("--profile", "fast", "--latency", 0.5)
    result = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 600, "--duration", 3,
        "--max-tokens", 2000, "--budget-tokens", 5000, results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0, result.text
    assert len(gateway.rows()) == 31  # and a probe
    held = sum(end.get("held_by_budget", 0) for end in result.events("phase_end"))
    assert 10 < held < 30
    assert f"was held back by its budget, do not trust its rate: {held} requests" in result.text
