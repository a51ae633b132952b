"""The conductor with a generator that answers at once:

when a phase begins, and what is reported of it.
"""

import time
from collections.abc import Callable

import gevent
import pytest

from engine.budget import RunBudget
from engine.conductor import Conductor
from engine.messages import Arm, Armed, Done, Message, OfRun, Start
from loadshapes.finding import Finding
from loadshapes.phase import Phase
from loadshapes.program import Program
from recording.events import Event, LoopLag
from tests.builders import changed
from tests.engine.pool import BASE


class Nodes:
    """One generator that is ready, and done, as soon as it is asked."""

    def __init__(self) -> None:
        self.receive: Callable[[str, OfRun], None] = lambda *_: None
        self.starts: list[float] = []

    def alive(self) -> list[str]:
        return ["local"]

    admit = alive

    def name(self, node: str) -> str:
        return node

    def send(self, message: Message, node: str) -> None:
        if isinstance(message, Arm):
            self.receive(node, Armed("run", message.phase, 0.0, 0.0))
        elif isinstance(message, Start):
            self.starts.append(message.t0_unix_s)
            done = Done("run", message.phase, 1, 0, None, LoopLag(0.0, 0.0), "", "", 0, [], None)
            self.receive(node, done)


class StarvedNodes(Nodes):
    """One generator that gets the CPU only when each window is over: it sends nothing."""

    def send(self, message: Message, node: str) -> None:
        if isinstance(message, Start):
            done = Done("run", message.phase, 0, 5, None, LoopLag(9.0, 9.0), "", "", 0, [], None)
            self.receive(node, done)
        else:
            super().send(message, node)


class Keeper:
    """Keeps nothing but what is asked for."""

    def note(self, event: Event) -> None: ...

    def phase_planned(self, phase: Phase) -> None: ...

    def phase_started(self, phase: Phase) -> None: ...

    def phase_ended(self, phase: Phase) -> None: ...

    def generator_lost(self, phase: Phase, node: str, slot: int, slots: int) -> None: ...

    def finding(self, phase: Phase, halted: str, loop_lag_max_s: float | None) -> Finding:
        return Finding(phase, (), halted, loop_lag_max_s)


class SilentNodes(Nodes):
    """Two generators; the second is sent the phase and never says what it spent."""

    def alive(self) -> list[str]:
        return ["local", "silent"]

    admit = alive

    def send(self, message: Message, node: str) -> None:
        if isinstance(message, Arm) or node != "silent":
            super().send(message, node)


def test_a_generator_that_is_silent_when_a_run_is_stopped_has_spent_its_share() -> None:
    """Killed with its run: the report must not say that it spent nothing."""

    def program() -> Program:
        yield changed(BASE, kind="steady", users=2)

    nodes, budget = SilentNodes(), RunBudget.of(50.0, 0)
    conductor = Conductor(program(), 2, budget, nodes, Keeper())
    nodes.receive = conductor.receive
    running = gevent.spawn(conductor.run)
    gevent.sleep(0.05)
    running.kill()
    assert budget.spent["money"] == 0.0
    conductor.settle()
    conductor.settle()
    assert budget.spent["money"] == 25.0, "half of it, once"


@pytest.mark.parametrize(("nodes", "nothing"), [(StarvedNodes(), True), (Nodes(), False)])
def test_a_run_of_which_nothing_was_sent_is_known(nodes: Nodes, nothing: bool) -> None:
    """Its exit code is 1: it went through its plan, but measured nothing."""

    def program() -> Program:
        yield changed(BASE, kind="steady")

    conductor = Conductor(program(), 1, RunBudget.of(0.0, 0), nodes, Keeper())
    nodes.receive = conductor.receive
    conductor.run()
    assert conductor.completed and conductor.nothing_sent == nothing


@pytest.mark.parametrize("later_s", [30.0, 0.0, -30.0])
def test_a_phase_begins_no_sooner_than_not_before_and_its_finding_says_when(later_s: float) -> None:
    """A moment in the past delays nothing."""
    before = time.time()
    asked = changed(BASE, kind="steady", not_before_unix_s=before + later_s)
    findings: list[Finding] = []

    def program() -> Program:
        findings.append((yield asked))

    nodes = Nodes()
    conductor = Conductor(program(), 1, RunBudget.of(0.0, 0), nodes, Keeper())
    nodes.receive = conductor.receive
    conductor.run()
    (start,), (finding,) = nodes.starts, findings
    assert conductor.completed and finding.t0_unix_s == start
    assert isinstance(finding.phase, Phase) and start >= before + max(0.0, later_s)
    assert later_s != 30.0 or start == before + 30.0


def test_a_phase_that_goes_on_counts_its_times_from_its_first_beginning() -> None:
    """So its rows lie where they were in time, and its rates are over all of it."""
    steady = changed(BASE, kind="steady")
    other = changed(steady, name="other", task_prefix="other-")

    def program() -> Program:
        yield changed(steady, skip=(1, 2))
        yield other
        yield changed(steady, skip=(0, 2))

    nodes = Nodes()
    conductor = Conductor(program(), 1, RunBudget.of(0.0, 0), nodes, Keeper())
    nodes.receive = conductor.receive
    conductor.run()
    first, between, again = nodes.starts
    assert conductor.completed and again == first < between
