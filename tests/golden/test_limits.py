"""Rate limit audits through Locust of gateways with known limits (five minutes each)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.locust_run import run
from tests.simulated import Simulator

pytestmark = pytest.mark.golden
Start = Callable[..., Simulator]


@pytest.mark.parametrize(
    ("kind", "lie", "truth"), [("sliding", 0.5, "too short"), ("fixed", 1.0, "true")]
)
def test_an_audit_finds_the_limit_that_is_enforced(
    simulator: Start, tmp_path: Path, kind: str, lie: float, truth: str
) -> None:
    """Its size, its kind, that requests are counted, and whether its Retry-After is exact."""
    gateway = simulator(
        "--profile", "fast", "--latency", 0.2, "--rpm-limit", 90, "--limit-kind", kind,
        "--retry-after-lie", lie,
    )  # fmt: skip
    result = run(
        "-H", gateway.url, "--mode", "limits", "--model", "m", "--budget-tokens", 500_000,
        results=tmp_path / "results", timeout_s=600,
    )  # fmt: skip
    assert result.code == 0 and result.folder is not None, result.text
    (content,) = json.loads((result.folder / "summary.json").read_text("utf-8"))["limits"]
    assert content["kind"] == kind
    assert content["enforced_low"] <= 90 <= content["enforced_high"]
    assert (content["advertised_rpm"], content["unit"]) == (90, "requests")
    assert content["retry_after"] == truth
    sent = [row for row in result.rows() if row.outcome != "dropped"]
    refused = [row for row in gateway.rows() if row["status"] == "429"]
    assert len(sent) == len(gateway.rows())
    assert sum(row.outcome == "rate_limited" for row in sent) == len(refused) > 0
