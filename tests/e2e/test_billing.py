"""Mode billing on a simulator, honest or dishonest: exactly what it does is told."""

from pathlib import Path

import pytest

from analysis.reading.load import load
from analysis.report.report import look
from analysis.report.sections.billing import numbers
from tests.locust_run import run
from tests.simulated import Simulator

PROFILE = """
any_model = true
[latency]
fixed_s = 0.0
[prices]
input = 1.0
cached_input = 0.1
output = 4.0
[reply]
tokens = 40
[billing]
"""
PRICES = """
[models."*"]
input = 1.0
cached_input = 0.1
output = 4.0
decimals = 6
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "kinds"),
    [
        ("", []),
        ("inflate = 1.05", ["inflated"]),
        ("hidden_prompt_tokens = 400", ["hidden_prompt"]),
        ("stream_factor = 1.2", ["stated_otherwise"]),
        ("cache_credit = false", ["cache_not_credited"]),
    ],
)
def test_what_the_gateway_does_is_found(tmp_path: Path, rule: str, kinds: list[str]) -> None:
    """The rows are the gateway's own log, request by request."""
    (tmp_path / "p.toml").write_text(PROFILE + rule)
    (tmp_path / "prices.toml").write_text(PRICES)
    gateway = Simulator(tmp_path / "log.csv", "--profile", tmp_path / "p.toml")
    try:
        done = run(
            "-H", gateway.url, "--mode", "billing", "--model", "gpt-5.4-nano",
            "--prices", tmp_path / "prices.toml", results=tmp_path / "r",
        )  # fmt: skip
        logged = {row["task_id"]: row for row in gateway.rows()}
    finally:
        gateway.stop()
    assert done.code == 0 and done.folder is not None, done.text
    rows = done.rows()
    assert {row.task_id for row in rows} == set(logged) and len(rows) == len(logged)
    for row in rows:
        if row.prompt_tokens is not None:
            seen = logged[row.task_id or ""]
            assert row.prompt_tokens == int(seen["prompt_tokens"])
            assert row.api_cost == float(seen["cost"])
    (bill,) = numbers(look(load(done.folder)))
    assert [one.kind.value for one in bill.findings] == kinds
