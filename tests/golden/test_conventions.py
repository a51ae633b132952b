"""Healthy dialects that count or charge differently raise no alarm, and their sums are right."""

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.reading.load import load
from analysis.report.report import look
from tests.golden.truth import by_task
from tests.locust_run import run
from tests.simulated import Simulator

Start = Callable[..., Simulator]
ASKED = ("--mode", "smoke", "--model", "m", "--task-id-on-streams", "--task-id-prefix", "gold")


@pytest.mark.parametrize(
    "dialect",
    [
        "byok",
        *(
            pytest.param(name, marks=pytest.mark.long)
            for name in ("xai", "anthropic-compat", "proxy")
        ),
    ],
)
def test_a_healthy_dialect_is_read_without_an_alarm(
    thinker: Start, tmp_path: Path, dialect: str
) -> None:
    """Both surfaces of smoke (plain and streamed), against the simulator's own log."""
    gateway = thinker("--dialect", dialect, "--tokens-per-s", 0, "--ttft", 0.01, thoughts=9)
    result = run("-H", gateway.url, *ASKED, results=tmp_path / "results")
    assert result.code == 0, result.text
    truth, rows = by_task(gateway), result.rows()
    assert len(rows) == len(truth) == 2
    for row in rows:
        logged = truth[row.task_id or ""]
        flags = {"content_type"} if dialect == "proxy" and row.stream else set()
        assert (row.outcome, set((row.check or "").split())) == ("ok", flags), row.check_detail
        billed = row.upstream_cost if dialect == "byok" else row.api_cost
        assert billed == pytest.approx(float(logged["billed"]), rel=1e-6)
        assert (row.tokens_beside == "reasoning") is (
            dialect == "xai" and bool(logged["reasoning_tokens"])
        )
        total = (row.prompt_tokens or 0) + (row.completion_tokens or 0)
        if dialect == "xai":
            assert row.total_tokens == total + (row.reasoning_tokens or 0)
        assert (row.completion_tokens or 0) + (
            (row.reasoning_tokens or 0) if dialect == "xai" else 0
        ) == int(logged["completion_tokens"])
    assert result.folder is not None
    page = (result.folder / "report.md").read_text(encoding="utf-8")
    note_text = {"xai": "outside the completion", "byok": "your own key"}.get(dialect, "")
    assert page.count(note_text) == 1 or not note_text
    assert not [r for r in look(load(result.folder)).phases if r.outcomes.keys() - {"ok"}]
