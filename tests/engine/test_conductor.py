"""The conductor with a generator that answers at once: when a phase begins, what is told of it."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.budget import RunBudget
from engine.conductor import Conductor
from loadshapes.finding import Finding
from loadshapes.phase import Phase
from loadshapes.program import Program
from tests.engine.pool import BASE

ENDS = {
    "sent": 1, "dropped": 0, "loop_lag_max_s": 0.0, "loop_lag_p99_s": 0.0, "halted": "",
    "cut": "",
    "budgets": [], "pacer": None,
}  # fmt: skip


class Nodes:
    """One generator that is ready, and done, as soon as it is asked."""

    def __init__(self) -> None:
        self.receive: Callable[[str, str, dict[str, Any]], None] = lambda *_: None
        self.starts: list[float] = []

    def alive(self) -> list[str]:
        return ["local"]

    admit = alive

    def name(self, node: str) -> str:
        return node

    def send(self, kind: str, data: dict[str, Any], node: str) -> None:
        phase = {"phase": data["phase"]}
        if kind == "arm":
            self.receive("armed", node, {**phase, "clock_offset_s": 0.0, "round_trip_s": 0.0})
        elif kind == "phase_start":
            self.starts.append(data["t0_unix_s"])
            self.receive("phase_done", node, {**phase, **ENDS})


@pytest.mark.parametrize("later_s", [30.0, 0.0, -30.0])
def test_a_phase_begins_no_sooner_than_it_may_and_its_finding_says_when(later_s: float) -> None:
    """A moment that is past delays nothing."""
    before = time.time()
    asked = replace(BASE, kind="steady", not_before_unix_s=before + later_s)
    told: list[Finding] = []

    def program() -> Program:
        told.append((yield asked))

    nodes = Nodes()
    conductor = Conductor(
        program(), 1, RunBudget.of(0.0, 0), nodes, lambda *_, **__: None, lambda *_: None,
        lambda *_: None, lambda phase, halted, lag_s: Finding(phase, (), halted, lag_s),
    )  # fmt: skip
    nodes.receive = conductor.receive
    conductor.run()
    (start,), (finding,) = nodes.starts, told
    assert conductor.completed and finding.t0_unix_s == start
    assert isinstance(finding.phase, Phase) and start >= before + max(0.0, later_s)
    assert later_s != 30.0 or start == before + 30.0
