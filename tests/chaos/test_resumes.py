"""Modes that cannot simply be resumed are killed and resumed at random; the server's log judges.

Manual users have no plan to resume, and an audit of rate limits has lost its windows: for these
the claim is that a resume sends nothing, and says so. A pause between two probes of a cache entry's
lifetime is kept: no pause is shorter than stated.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.reading.load import load, rows
from analysis.report import report as made
from analysis.report.sections import cache_life
from tests.chaos.trial import MODES, report
from tests.e2e.test_resume import cut_off, resume
from tests.simulated import Simulator

Start = Callable[..., Simulator]
TRIALS = max(2, int(os.environ.get("WEIGHBRIDGE_TRIALS", "36")) // 9)
GAPS = (2, 4, 7)
NOTHING = "nothing of it is left to send"


def told_whole(folder: Path, gateway: Simulator) -> None:
    """Every request that reached the server is exactly one row."""
    frame = load(folder).requests
    assert not frame.duplicated(["phase", "request_index"]).any()
    assert {row["task_id"] for row in gateway.rows()} <= set(frame["task_id"])
    report(folder)


@pytest.mark.chaos
@pytest.mark.parametrize("number", range(TRIALS))
def test_manual_runs_cannot_be_resumed(simulator: Start, tmp_path: Path, number: int) -> None:
    """Not even with --resume-windows: nobody is there to set the number of users and the end."""
    gateway = simulator("--profile", "fast", "--latency", 0.15)
    moment = random.Random(f"interactive {number}").uniform(0.0, 4.0)
    plan = ("--model", "m", "--task-id-on-streams", *MODES["interactive"])
    folder = cut_off(gateway, tmp_path / "results", moment, *plan)
    told_whole(folder, gateway)
    before = len(gateway.rows())
    for more in ((), ("--resume-windows",)):
        result = resume(gateway, folder, *more)
        assert result.code == 2 and "has no plan to resume" in result.text, result.text
    assert len(gateway.rows()) == before, "it sent something"
    told_whole(folder, gateway)


@pytest.mark.chaos
@pytest.mark.parametrize("number", range(TRIALS))
def test_an_audit_of_limits_cannot_be_resumed(
    simulator: Start, tmp_path: Path, number: int
) -> None:
    """Except after the first request, when the whole audit is still to come."""
    gateway = simulator("--profile", "fast", "--latency", 0.15, "--rpm-limit", 40)
    moment = random.Random(f"limits {number}").uniform(0.5, 20.0)
    plan = ("--model", "m", "--mode", "limits", "--budget-tokens", 100_000, "--limits-most", 200)
    folder = cut_off(gateway, tmp_path / "results", moment, *plan)
    told_whole(folder, gateway)
    begun = set(load(folder).requests["phase"]) - {"limits/m/look"}
    if not begun:
        pytest.skip("it was cut off before it had begun to fill")
    before = len(gateway.rows())
    result = resume(gateway, folder, "--resume-windows")
    assert result.code == 2 and NOTHING in result.text, result.text
    assert len(gateway.rows()) == before, "it sent something"
    text = report(folder)
    held = [line for line in text.splitlines() if line.startswith("BAD")]
    held = [line for line in held if "generator-limited" not in line]  # a busy machine
    assert all("interrupted" in line or "process that died" in line for line in held), held


@pytest.mark.chaos
@pytest.mark.parametrize("number", range(TRIALS))
def test_no_pause_is_shorter_than_stated(simulator: Start, tmp_path: Path, number: int) -> None:
    """It is killed twice during pauses and requests; pauses are measured by the server's clock."""
    gateway = simulator("--profile", "fast", "--latency", 0.15, "--cache-ttl", 5)
    dice = random.Random(f"gaps {number}")
    plan = ("--mode", "cache", "--model", "m", "--repeat", 1, "--prefix-tokens", 1200,
            "--cache-gaps", ",".join(map(str, GAPS)))  # fmt: skip
    folder = cut_off(gateway, tmp_path / "results", dice.uniform(0.3, 12.0), *plan)
    time.sleep(dice.choice((0.0, 1.0, 4.0)))
    result = resume(gateway, folder)
    assert result.code == 0, result.text
    told_whole(folder, gateway)
    run = load(folder)
    assert set(run.requests["outcome"]) == {"ok"}
    names = {row["task_id"]: row for row in rows(run.requests) if row["scenario"] == "gap"}
    uses = sorted(
        (float(seen["arrival_unix_s"]), float(seen["last_byte_unix_s"] or "inf"), seen["task_id"])
        for seen in gateway.rows() if seen["task_id"] in names
    )  # fmt: skip
    last = Counter({task: at for at, _, task in uses})  # when each was sent for the last time
    for task, row in names.items():
        at = last[task]
        earlier = [min(end, at) if end < float("inf") else begin for begin, end, _ in uses
                   if begin < at]  # fmt: skip
        if earlier:
            assert at - max(earlier) >= row["target"] - 0.005, task
    (life,) = cache_life.numbers(made.look(run))
    for rest in life.rests:  # an entry lives 5 s; a busy machine makes a rest longer than planned
        if not 4.9 < rest.rested_s < 5.2:
            assert rest.hit in (None, rest.rested_s < 5), life
