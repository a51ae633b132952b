"""`--prices` on whole runs, judged by what the simulator charged."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.locust_run import run
from tests.simulated import Simulator

Start = Callable[..., Simulator]
TABLE = """
currency = "CNY"
[models."gpt-5.4-nano"]
input = 1.4
cached_input = 0.14
output = 8.75
decimals = 6
"""


@pytest.mark.parametrize("processes", [(), ("--processes", 2)], ids=["one", "two"])
def test_the_table_fills_in_what_a_silent_gateway_charged(
    simulator: Start, tmp_path: Path, processes: tuple[object, ...]
) -> None:
    """Cold and cached prompts, also with workers: each row costs what the account was charged."""
    (tmp_path / "prices.toml").write_text(TABLE)
    gateway = simulator("--dialect", "openai", "--latency", "0.01")
    result = run(
        "-H", gateway.url, "--mode", "cache", "--model", "gpt-5.4-nano", "--repeat", 3,
        "--prices", tmp_path / "prices.toml", *processes, results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0, result.text
    billed = {row["task_id"]: float(row["billed"]) for row in gateway.rows() if row["billed"]}
    assert {row.task_id: row.api_cost for row in result.rows()} == billed
    assert {row.cost_source for row in result.rows()} == {"price_table"}
    assert result.manifest()["currency"] == "CNY"
    assert result.manifest()["prices"]["models"]["gpt-5.4-nano"]["input"] == 1.4


def test_a_bad_table_is_refused_before_anything_is_sent(simulator: Start, tmp_path: Path) -> None:
    """Also in a dry run, since its estimate depends on the table."""
    (tmp_path / "prices.toml").write_text("[models.m]\ninput = 1\n")
    gateway = simulator("--profile", "fast")
    for more in ((), ("--dry-run",)):
        result = run(
            "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 60, *more,
            "--prices", tmp_path / "prices.toml", results=tmp_path / "results",
        )  # fmt: skip
        assert result.code == 2 and "Traceback" not in result.text
        assert 'models."m".output is missing' in result.text
    assert gateway.rows() == [] and not (tmp_path / "results").exists()
