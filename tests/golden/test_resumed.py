"""A run with every kind of phase is killed and resumed: its files agree with the log."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.reading.load import load, rows
from analysis.report.report import look
from tests.chaos.trial import FILES, MARGIN_S, MODELS, MODES
from tests.e2e.test_resume import cut_off, resume
from tests.simulated import Simulator

pytestmark = pytest.mark.golden
Start = Callable[..., Simulator]
NOTHING_TO_GO_ON_WITH = ("interactive", "limits")
KINDS = [  # compat and billing ask for refusals, identity names no request: see tests/e2e
    kind for kind in MODES if kind not in (*NOTHING_TO_GO_ON_WITH, "compat", "billing", "identity")
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_run_equals_the_log(simulator: Start, tmp_path: Path, kind: str) -> None:
    """Killed with SIGKILL, resumed twice: every row agrees with the log, and is paid once.

    The log may have more answers than rows only for requests in flight at the kill.
    """
    gateway = simulator("--profile", "fast", "--latency", 0.15)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    plan = [tmp_path / word if word in FILES else word for word in MODES[kind]]
    model = ("--model", MODELS.get(kind, "m"), "--task-id-on-streams")
    folder = cut_off(gateway, tmp_path / "results", 0.8, *model, *plan)
    killed = time.time()
    kept = {row["gateway_request_id"]: row for row in rows(load(folder).requests) if row["success"]}
    result = resume(gateway, folder, "--resume-windows")
    assert result.code in (0, 2), result.text
    assert result.code == 0 or "nothing of it is left" in result.text
    before = len(gateway.rows())
    again = resume(gateway, folder, "--resume-windows")
    assert again.code == 2 and "nothing of it is left" in again.text, again.text
    assert len(gateway.rows()) == before, "a complete run sent something"

    truth = {logged_row["request_id"]: logged_row for logged_row in gateway.rows()}
    after = [row for row in rows(load(folder).requests) if row["outcome"] != "dropped"]
    assert len({(row["phase"], row["request_index"]) for row in after}) == len(after)
    assert {row["outcome"] for row in after} <= {"ok", "cancelled", "lost"}
    held = {row["gateway_request_id"]: row for row in after if row["success"]}
    assert len(held) == sum(row["success"] for row in after) > 0
    assert kept.keys() <= held.keys() <= truth.keys()
    for name, row in held.items():
        logged_row = truth[name]
        assert (row["task_id"], row["model_requested"]) == (
            logged_row["task_id"],
            logged_row["model"],
        )
        assert (row["prompt_tokens"], row["completion_tokens"], row["total_tokens"]) == (
            int(logged_row["prompt_tokens"]),
            int(logged_row["completion_tokens"]),
            int(logged_row["total_tokens"]),
        )
        assert row["api_cost"] == float(logged_row["cost"])
    sent = Counter(logged_row["task_id"] for logged_row in truth.values())
    assert all(sent[row["task_id"]] == 1 for row in kept.values()), "paid for twice"
    for name in truth.keys() - held.keys():
        logged_row = truth[name]
        assert float(logged_row["arrival_unix_s"]) <= killed + 0.2
        assert float(logged_row["last_byte_unix_s"] or "inf") >= killed - MARGIN_S - 0.5
    whole = sum(phase.success for phase in look(load(folder)).phases)
    assert whole == len(held)
    print(f"\n{kind}: {len(kept)} kept, {len(held)} in all, {len(truth) - len(held)} in flight")
