"""Runs a plan's phases one after another on every generator: local, or master and workers.

The same code serves both: a local runner loops its messages back. Per phase: `arm` asks each
generator to say when its users are parked, `phase_start` gives all of them one start time and their
slots, `phase_done` comes back from each. The conductor decides nothing about single requests; the
generators do (engine/generator.py).
"""

import contextlib
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import gevent
from gevent.queue import Empty, Queue

from engine.body_changes import BodyChanges
from engine.budget import RunBudget
from engine.messages import Arm, Armed, Done, Enough, Halt, Message, OfRun, Start, Tripped
from loadshapes.finding import Finding
from loadshapes.phase import Phase
from loadshapes.program import Program
from recording.events import (
    Ended,
    Event,
    Failed,
    LoopLag,
    PhaseEnd,
    PhaseSkipped,
    PhaseStart,
    PrecisionReached,
    Refused,
    StopRule,
    WorkerBack,
    WorkerLost,
)
from recording.reasons import Reason

PARK_WAIT_S = 30.0  # longest wait until users are spawned and parked
LOST_WAIT_S = 15.0  # how long a lost generator may stand still and come back
Answer = TypeVar("Answer", Armed, Done)
log = logging.getLogger("weighbridge")


class Nodes(Protocol):
    """The generators of this run, as the conductor reaches them."""

    def alive(self) -> list[str]:
        """The generators' ids, in the order of their slots."""
        ...

    def admit(self) -> list[str]:
        """Begin a run with the generators that are here now; their ids."""
        ...

    def name(self, node: str) -> str:
        """A generator's short name, as rows and files carry it."""
        ...

    def send(self, message: Message, node: str) -> None:
        """Send one message to one generator."""
        ...


class Watcher(Protocol):
    """The observer of the conductor: the session of the run."""

    def note(self, event: Event) -> None:
        """Write an event down."""
        ...

    def phase_planned(self, phase: Phase) -> None:
        """A phase is about to run, possibly one that was not known in advance."""
        ...

    def phase_started(self, phase: Phase) -> None:
        """The phase's start time is set."""
        ...

    def phase_ended(self, phase: Phase) -> None:
        """Every generator has finished its share or is lost."""
        ...

    def generator_lost(self, phase: Phase, node: str, slot: int, slots: int) -> None:
        """A generator stays lost: record its requests."""
        ...

    def finding(self, phase: Phase, halted: str, loop_lag_max_s: float | None) -> Finding:
        """The finding of a phase, for the program that planned it."""
        ...


def start_lead_s(phase: Phase) -> float:
    """How far in advance a phase's start is set: time to build its first requests and
    connections.
    """
    if phase.kind == "burst":
        return 0.5 + 0.005 * phase.users
    return 0.5 if phase.kind == "arrivals" else 0.05


_SEEKS_THE_EDGE = ("capacity", "limits")  # whose phases the stop rule may end as they were meant


def _belongings(phase: Phase) -> list[tuple[str, ...]]:
    """What a phase is part of that may have been ended before it."""
    climb = [("climb", phase.climb)] if phase.climb is not None else []
    return [*climb, ("model", phase.model), ("mode", phase.model, phase.mode)]


class Conductor:
    """The greenlet that runs a program, phase by phase; its first one needs `users`.

    `watcher` keeps what happens. `ended_climbs` are those that the stop rule ended in an earlier
    attempt.
    """

    def __init__(
        self,
        program: Program,
        users: int,
        budget: RunBudget,
        nodes: Nodes,
        watcher: Watcher,
        ended_climbs: Iterable[str] = (),
    ) -> None:
        self.finished = False
        self.completed = False
        self.ended_early = ""  # why the run was ended before its program, empty: it was not
        self.phase: Phase | None = None
        self.users = users  # the most that a phase so far needs
        self._halted: set[int] = set()  # the phases that a generator had halted everywhere
        self.generators = 0  # how many the run began with; 0: it has not begun
        self.body_changes = BodyChanges()
        self._program = program
        self._phases: list[Phase] = []
        self._budget = budget
        self._nodes = nodes
        self._watcher = watcher
        self._box: Queue[tuple[str, OfRun]] = Queue()
        self._given_up = set[tuple[int, str]]()  # phase and generator: its share counts as spent
        self._owing = set[tuple[int, str]]()  # the same: it has not said what it spent
        self._ended: dict[tuple[str, ...], Reason] = {  # what is not run any more, and why
            ("climb", climb): Reason.CLIMB_ENDED for climb in ended_climbs
        }
        self._start_s = 0.0  # when the phase that runs begins, by the monotonic clock
        self._begun: dict[str, tuple[float, float]] = {}  # and each, by the wall clock and by it
        self._cut_short = False  # a phase was ended that its mode meant to go through
        self._sent = self._dropped = 0  # requests of all phases

    def receive(self, node: str, message: OfRun) -> None:
        """A message of a generator's."""
        if isinstance(message, Tripped):
            self._trip(node, message)
            return
        if isinstance(message, Done) and (message.phase, node) not in self._given_up:
            # At once, so that a run that is stopped in mid-phase has spent what it says.
            self._budget.take([message.budgets])
            self._owing.discard((message.phase, node))
        self._box.put((node, message))

    @property
    def nothing_sent(self) -> bool:
        """Whether requests were planned, and not one was sent."""
        return self._dropped > 0 and self._sent == 0

    @property
    def pool(self) -> int:
        """Users that each generator needs for the phases so far."""
        return -(-self.users // max(1, self.generators))

    def run(self) -> None:
        """Run every phase; `finished` is true afterwards, whatever happened."""
        try:
            phase = next(self._program, None)
            while phase is not None and not self.ended_early:
                pause_s = phase.pause_after_s
                phase = self._after(self._visit(phase))
                if phase is not None and pause_s and not self.ended_early:
                    self.users = max(self.users, phase.users)
                    gevent.sleep(pause_s)
            self.completed = not (self.ended_early or self._cut_short)
        except gevent.GreenletExit:
            raise
        except Exception as error:
            log.exception("the run failed")
            self._watcher.note(Failed(error=f"{type(error).__name__}: {error}"))
        finally:
            self.phase = None
            self.finished = True

    def _after(self, finding: Finding) -> Phase | None:
        """The next phase of the program; None: it has finished."""
        try:
            return self._program.send(finding)
        except StopIteration:
            return None

    def _visit(self, phase: Phase) -> Finding:
        """Run one phase, or skip it if its climb, its model or its model's mode has ended."""
        for ended in _belongings(phase):
            if why := self._ended.get(ended):
                self._watcher.note(PhaseSkipped(phase=phase.name, why=why))
                return Finding(phase, halted=why.clause.en)
        number = len(self._phases)
        self._phases.append(phase)
        self.phase = phase
        self.users = max(self.users, phase.users)
        try:
            return self._run_phase(number, phase)
        finally:
            self.phase = None

    def _run_phase(self, number: int, phase: Phase) -> Finding:
        self._watcher.phase_planned(phase)
        armed = self._arm(number, phase)
        if not armed:  # a generator may have died just before: the remaining ones are asked
            armed = self._arm(number, phase)
        slots = {node: slot for slot, node in enumerate(armed)}
        if not slots:
            raise RuntimeError("no generator is left to run the plan")
        now_s, now_unix_s = time.monotonic(), time.time()
        t0 = max(now_unix_s + start_lead_s(phase), phase.not_before_unix_s or 0.0)
        # One that goes on (loadshapes/rounds.py) counts its times from its first beginning.
        t0, start_s = self._begun.setdefault(phase.name, (t0, now_s + t0 - now_unix_s))
        self._watcher.note(
            PhaseStart(
                phase=phase.name,
                t0_unix_s=t0,
                generators=tuple(self._nodes.name(node) for node in slots),
                clock_offsets_s=tuple(armed[node].clock_offset_s for node in slots),
                round_trips_s=tuple(armed[node].round_trip_s for node in slots),
            )
        )
        self._watcher.phase_started(phase)
        self._start_s = start_s
        budgets = self._budget.share(len(slots))
        for node, slot in slots.items():
            in_s = start_s - time.monotonic()
            self._owing.add((number, node))
            self._nodes.send(Start(number, t0, in_s, slot, len(slots), budgets), node)
        reports = self._collect(Done, number, list(slots), None)
        lost = slots.keys() - reports.keys()
        for node in lost:
            self._watcher.generator_lost(phase, node, slots[node], len(slots))
        self._give_up({(number, node) for node in lost})
        end = _phase_end(phase, list(reports.values()), lost=bool(lost))
        self._sent += end.sent or 0
        self._dropped += end.dropped or 0
        self._watcher.note(end)
        self._watcher.phase_ended(phase)
        halted = next((report.halted for report in reports.values() if report.halted), "")
        worst_s = None if end.generator is None else end.generator.loop_lag_max_s
        return replace(self._watcher.finding(phase, halted, worst_s), t0_unix_s=t0)

    def settle(self) -> None:
        """At the end of the run: what a generator did not say it spent counts as its whole share,
        also where the run was stopped before that generator was given up.
        """
        self._give_up(set(self._owing))

    def _give_up(self, silent: set[tuple[int, str]]) -> None:
        self._given_up |= silent
        self._owing -= silent
        self._budget.take([None] * len(silent))

    def _arm(self, number: int, phase: Phase) -> dict[str, Armed]:
        """Arm as many generators as the phase has work for, and return the ready ones in order."""
        nodes = self._nodes.alive()[: phase.users]
        for slot, node in enumerate(nodes):
            arm = Arm(number, slot, len(nodes), self.pool, phase, self.body_changes.known)
            self._nodes.send(arm, node)
        armed = self._collect(Armed, number, nodes, PARK_WAIT_S)
        return {node: armed[node] for node in nodes if node in armed}

    def _collect(
        self, kind: type[Answer], number: int, nodes: Sequence[str], wait_s: float | None
    ) -> dict[str, Answer]:
        """The answers `kind` of the phase's generators, without those that stay lost.

        A lost generator may only have stalled: it is given up when it has been lost for LOST_WAIT_S
        and all others have answered.
        """
        deadline = None if wait_s is None else time.monotonic() + wait_s
        answers: dict[str, Answer] = {}
        missing, lost = set(nodes), dict[str, float]()
        while missing:
            with contextlib.suppress(Empty):
                node, message = self._box.get(timeout=0.2)
                if isinstance(message, kind) and message.phase == number:
                    answers[node] = message
                    missing.discard(node)
                    if lost.pop(node, None) is not None:  # its answer came before its heartbeat
                        self._welcome(node, self._phases[number])
                continue
            now = time.monotonic()
            self._notice(missing, lost, now, self._phases[number])
            if missing <= lost.keys():
                missing -= {node for node in missing if now - lost[node] > LOST_WAIT_S}
            if deadline is not None and now > deadline:
                break
        return answers

    def _notice(self, missing: set[str], lost: dict[str, float], now: float, phase: Phase) -> None:
        """Note which of the generators that have not answered were lost, and which came back."""
        alive = set(self._nodes.alive())
        for node in missing - alive - lost.keys():
            lost[node] = now
            log.warning("generator %s is lost", self._nodes.name(node))
            self._watcher.note(
                WorkerLost(
                    phase=phase.name,
                    worker=self._nodes.name(node),
                    reason=Reason.HEARTBEATS_STOPPED,
                )
            )
        for node in lost.keys() & alive:
            del lost[node]
            self._welcome(node, phase)

    def _welcome(self, node: str, phase: Phase) -> None:
        """Note that a lost generator has come back."""
        log.warning("generator %s is back", self._nodes.name(node))
        self._watcher.note(WorkerBack(phase=phase.name, worker=self._nodes.name(node)))

    def _trip(self, node: str, tripped: Tripped) -> None:
        """A generator halted its share: halt the phase everywhere, and end its climb or the run."""
        phase = self._phases[tripped.phase]
        if tripped.ends == "run":
            self.end(tripped.why, Reason(tripped.event.name))
        if tripped.phase in self._halted:
            return
        self._halted.add(tripped.phase)
        who = self._nodes.name(node)
        self._watcher.note(replace(tripped.event, phase=phase.name, generator=who))
        log.warning("%s: %s", phase.name, tripped.why)
        if isinstance(tripped.event, Refused) or phase.mode not in _SEEKS_THE_EDGE:
            self._cut_short = True
        if isinstance(tripped.event, StopRule) and phase.climb is not None:
            self._ended["climb", phase.climb] = Reason.CLIMB_ENDED
        elif tripped.ends == "model":
            self._ended["model", phase.model] = Reason.MODEL_REFUSED
        elif tripped.ends == "mode":
            self._ended["mode", phase.model, phase.mode] = Reason.MODE_REFUSED
        for other in self._nodes.alive():
            if other != node:
                self._nodes.send(Halt(tripped.phase, tripped.why), other)

    def enough(self, phase: Phase, reached: PrecisionReached) -> None:
        """A phase has reached its goal: no generator begins another request of it."""
        if phase is not self.phase:
            return
        self._watcher.note(replace(reached, after_s=max(0.0, time.monotonic() - self._start_s)))
        for node in self._nodes.alive():
            self._nodes.send(Enough(len(self._phases) - 1), node)

    def fail(self, why: str, cause: Reason = Reason.DISK) -> None:
        """End the run now: this node cannot record it any more, or is at fault itself."""
        if not self.ended_early:
            log.error("%s", why)
            self.end(why, cause)
            for node in self._nodes.alive():
                self._nodes.send(Halt(len(self._phases) - 1, why), node)

    def end(self, why: str, cause: Reason) -> None:
        """End the run normally when the running phase is over."""
        if not self.ended_early:
            self.ended_early = why
            self._watcher.note(Ended(cause=cause, reason=why))


def _phase_end(phase: Phase, reports: Sequence[Done], *, lost: bool) -> PhaseEnd:
    """The combined result of the generators' shares of a phase; `lost`: not all of them
    answered.
    """

    def most(values: Iterable[float | None]) -> float | None:
        return max((value for value in values if value is not None), default=None)

    cut = next(
        (report.cut for report in reports if report.cut), "a generator was lost" if lost else ""
    )
    return PhaseEnd(
        phase=phase.name,
        sent=sum(report.sent for report in reports),
        dropped=sum(report.dropped for report in reports),
        cut=cut,
        generator=LoopLag(
            most(report.lag.loop_lag_p99_s for report in reports),
            most(report.lag.loop_lag_max_s for report in reports),
        ),
        held_by_budget=sum(report.waited_for_budget for report in reports) or None,
        pacers=tuple(report.pacer for report in reports if report.pacer is not None),
    )
