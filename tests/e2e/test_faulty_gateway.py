"""A gateway with every fault at once: each row agrees with the server's log, and is counted."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.page.markdown import render
from analysis.reading.load import load
from analysis.report.report import compose, look
from tests.faults import SIMULATED
from tests.locust_run import CANARY, run
from tests.simulated import Simulator

ENDS_THE_RUN = "error_402"  # no credit is left: nothing more is sent
MIXED = [name for name in SIMULATED if name != ENDS_THE_RUN]
RARE = {"big_body": 0.004, "hang": 0.01, "slow_headers": 0.01, "trickle": 0.01}


@pytest.mark.parametrize(
    "stream", [pytest.param(False, marks=pytest.mark.long), True], ids=["plain", "stream"]
)
def test_faults_that_occur_together_are_told_apart(
    simulator: Callable[..., Simulator], tmp_path: Path, stream: bool
) -> None:
    """Rows equal the log, request by request; those without a fault are complete; sums agree."""
    shares = [("--fault", f"{name}={RARE.get(name, 0.02)}") for name in MIXED]
    gateway = simulator(
        "--profile", "fast", "--fault-delay", 60, "--seed", 7, *(a for pair in shares for a in pair)
    )
    result = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 3000, "--duration", 6,
        "--stop-rule", "off", "--timeout", 4, "--task-id-on-streams", *["--stream"] * stream,
        results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0, result.text
    rows, truth = result.rows(), {row["task_id"]: row for row in gateway.rows()}
    assert len(rows) == len(truth) == 300
    assert truth.keys() == {row.task_id for row in rows}
    met = {row["fault"] for row in truth.values()} - {""}
    assert len(met) > len(MIXED) * 0.8
    for row in rows:
        logged = truth[row.task_id or ""]
        if not logged["fault"]:
            assert (row.outcome, row.check, row.marker_ok) == ("ok", None, True)
            assert row.api_cost == float(logged["cost"])
            continue
        case = SIMULATED[logged["fault"]]
        assert row.outcome == case.outcome(stream), logged["fault"]
        assert row.check == (case.flag or None), logged["fault"]
    assert result.folder is not None
    view = look(load(result.folder))
    (phase,) = view.phases
    assert phase.outcomes == dict(Counter(row.outcome for row in rows))
    flags = Counter(row.check for row in rows if row.check)
    assert phase.checks == dict(flags)
    page = render(compose(view))
    for flag, count in flags.items():
        assert f"{count} row" in page and f" flagged {flag} (" in page
    dear = {"cost_jump", "stream_cost"} if stream else {"cost_jump"}
    jumps = sum(row["fault"] in dear for row in truth.values())
    assert f"{jumps} row" in page and " flagged cost_outlier (m: the cost" in page
    for path in result.folder.iterdir():
        assert CANARY not in path.read_text(encoding="utf-8", errors="replace"), path
