"""Runs a plan's phases, one after another, on every generator: local, or master and workers.

The same code serves both: a local runner loops its messages back. Per phase: `arm` asks each
generator to say when its users are parked, `phase_start` gives all of them one start time and
their slots, `phase_done` comes back from each. The conductor decides nothing about single
requests; those are the generators' (engine/generator.py).
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import gevent
from gevent.queue import Empty, Queue

from engine.budget import RunBudget
from loadshapes.finding import Finding
from loadshapes.phase import Phase
from loadshapes.program import Program

PARK_WAIT_S = 30.0  # longest wait for users to be spawned and parked
LOST_WAIT_S = 15.0  # how long a lost generator may stand still and come back
_KNOWN = ("run_id", "phase", "stop", "event", "why")  # of a verdict, beside its evidence
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

    def send(self, kind: str, data: dict[str, Any], node: str) -> None:
        """Send one message to one generator."""
        ...


Note = Callable[..., None]


def start_lead_s(phase: Phase) -> float:
    """How far ahead a phase's start is set: time to build its first requests and connections."""
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

    `note` writes to the event log, `progress` tells a person, `write_off(phase, node, slot, slots)`
    records what becomes of the requests of a generator that stays lost, `found` gathers what a
    phase showed. `ended_climbs` are those that the stop rule ended in an earlier attempt.
    """

    def __init__(
        self,
        program: Program,
        users: int,
        budget: RunBudget,
        nodes: Nodes,
        note: Note,
        progress: Callable[[str, Phase], None],
        write_off: Callable[[Phase, str, int, int], None],
        found: Callable[[Phase, str, float | None], Finding],
        ended_climbs: Iterable[str] = (),
    ) -> None:
        self.finished = False
        self.completed = False
        self.ended_early = ""  # why the run was ended before its program, empty: it was not
        self.phase: Phase | None = None
        self.users = users  # the most that a phase so far needs
        self.halts: dict[int, dict[str, Any]] = {}
        self.generators = 0  # how many the run began with; 0: it has not begun
        self.body_changes: list[dict[str, Any]] = []  # what gateways refused of bodies, so far
        self._program = program
        self._phases: list[Phase] = []
        self._budget = budget
        self._nodes = nodes
        self._note = note
        self._progress = progress
        self._write_off = write_off
        self._found = found
        self._box: Queue[tuple[str, str, dict[str, Any]]] = Queue()
        self._ended: dict[tuple[str, ...], str] = {  # what is not run any more, and why
            ("climb", climb): "the stop rule ended its climb" for climb in ended_climbs
        }
        self._cut_short = False  # a phase was ended that its mode meant to go through

    def receive(self, kind: str, node: str, data: dict[str, Any]) -> None:
        """A message of a generator's."""
        if kind == "tripped":
            self._trip(node, data)
        else:
            self._box.put((kind, node, data))

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
            self._note("failed", error=f"{type(error).__name__}: {error}")
        finally:
            self.phase = None
            self.finished = True

    def _after(self, finding: Finding) -> Phase | None:
        """The phase that the program wants next; None: it is through."""
        try:
            return self._program.send(finding)
        except StopIteration:
            return None

    def _visit(self, phase: Phase) -> Finding:
        """Run one phase, or skip it where its climb, its model or its mode of a model has ended."""
        for ended in _belongings(phase):
            if why := self._ended.get(ended):
                self._note("phase_skipped", phase=phase.name, why=why)
                return Finding(phase, halted=why)
        number = len(self._phases)
        self._phases.append(phase)
        self.phase = phase
        self.users = max(self.users, phase.users)
        try:
            return self._run_phase(number, phase)
        finally:
            self.phase = None

    def _run_phase(self, number: int, phase: Phase) -> Finding:
        self._progress("plan", phase)
        armed = self._arm(number, phase)
        if not armed:  # who was asked may have died just before: those who are left are asked
            armed = self._arm(number, phase)
        slots = {node: slot for slot, node in enumerate(armed)}
        if not slots:
            raise RuntimeError("no generator is left to run the plan")
        t0 = max(time.time() + start_lead_s(phase), phase.not_before_unix_s or 0.0)
        self._note(
            "phase_start",
            phase=phase.name,
            t0_unix_s=t0,
            generators=[self._nodes.name(node) for node in slots],
            clock_offsets_s=[armed[node]["clock_offset_s"] for node in slots],
            round_trips_s=[armed[node]["round_trip_s"] for node in slots],
        )
        self._progress("start", phase)
        budgets = self._budget.share(len(slots))
        for node, slot in slots.items():
            message = {"phase": number, "t0_unix_s": t0, "slot": slot, "slots": len(slots)}
            self._nodes.send("phase_start", {**message, "budgets": budgets}, node)
        done = self._collect("phase_done", number, list(slots), None)
        for node in slots.keys() - done.keys():
            self._write_off(phase, node, slots[node], len(slots))
        self._budget.take([done[node]["budgets"] if node in done else None for node in slots])
        lags = {
            name: max((d[name] for d in done.values() if d.get(name) is not None), default=None)
            for name in ("loop_lag_p99_s", "loop_lag_max_s")
        }
        held = sum(d.get("held", 0) for d in done.values())
        cut = next((d["cut"] for d in done.values() if d["cut"]), "")
        if slots.keys() - done.keys():
            cut = cut or "a generator was lost"
        paced = [d["pacer"] for d in done.values() if d.get("pacer")]
        self._note(
            "phase_end",
            phase=phase.name,
            sent=sum(d["sent"] for d in done.values()),
            dropped=sum(d["dropped"] for d in done.values()),
            cut=cut,
            generator=lags,
            **({"held_by_budget": held} if held else {}),
            **({"pacers": paced} if paced else {}),
        )
        self._progress("end", phase)
        halted = next((d["halted"] for d in done.values() if d["halted"]), "")
        return replace(self._found(phase, halted, lags["loop_lag_max_s"]), t0_unix_s=t0)

    def _arm(self, number: int, phase: Phase) -> dict[str, dict[str, Any]]:
        """Ask as many generators as the phase has work for; those that are ready, in order."""
        asked = self._nodes.alive()[: phase.users]
        for slot, node in enumerate(asked):
            place = {"phase": number, "slot": slot, "slots": len(asked), "pool": self.pool}
            known = {"plan": phase.as_dict(), "body_changes": self.body_changes}
            self._nodes.send("arm", {**place, **known}, node)
        armed = self._collect("armed", number, asked, PARK_WAIT_S)
        return {node: armed[node] for node in asked if node in armed}

    def _collect(
        self, kind: str, number: int, nodes: Sequence[str], wait_s: float | None
    ) -> dict[str, dict[str, Any]]:
        """The answers `kind` of the phase's generators, without those that stay lost.

        A lost generator may only have stood still: it is given up when it has been lost for
        LOST_WAIT_S and all others have answered.
        """
        deadline = None if wait_s is None else time.monotonic() + wait_s
        got: dict[str, dict[str, Any]] = {}
        missing, lost = set(nodes), dict[str, float]()
        while missing:
            with contextlib.suppress(Empty):
                said, node, data = self._box.get(timeout=0.2)
                if said == kind and data["phase"] == number:
                    got[node] = data
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
        return got

    def _notice(self, missing: set[str], lost: dict[str, float], now: float, phase: Phase) -> None:
        """Note which of the generators that have not answered were lost, and which came back."""
        alive = set(self._nodes.alive())
        for node in missing - alive - lost.keys():
            lost[node] = now
            log.warning("generator %s is lost", self._nodes.name(node))
            why = "its heartbeats stopped: what it may have sent since its last message is lost"
            self._note("worker_lost", worker=self._nodes.name(node), phase=phase.name, reason=why)
        for node in lost.keys() & alive:
            del lost[node]
            self._welcome(node, phase)

    def _welcome(self, node: str, phase: Phase) -> None:
        """Note that a lost generator has come back."""
        log.warning("generator %s is back", self._nodes.name(node))
        self._note("worker_back", worker=self._nodes.name(node), phase=phase.name)

    def _trip(self, node: str, verdict: dict[str, Any]) -> None:
        """A generator halted its share: halt the phase everywhere, and end its climb or the run."""
        phase = self._phases[verdict["phase"]]
        ends = verdict.get("ends", "phase" if verdict["event"] == "stop_rule" else "run")
        if ends == "run":
            self.end(verdict["why"], verdict["event"])
        if verdict["phase"] in self.halts:
            return
        self.halts[verdict["phase"]] = verdict
        evidence = {k: v for k, v in verdict.items() if k not in _KNOWN}
        self._note(verdict["event"], phase=phase.name, generator=self._nodes.name(node), **evidence)
        log.warning("%s: %s", phase.name, verdict["why"])
        if verdict["event"] == "refused" or phase.mode not in _SEEKS_THE_EDGE:
            self._cut_short = True
        if verdict["event"] == "stop_rule" and phase.climb is not None:
            self._ended["climb", phase.climb] = "the stop rule ended its climb"
        elif ends == "model":
            self._ended["model", phase.model] = "every request to its model was refused"
        elif ends == "mode":
            why = "every request of its mode to its model was refused"
            self._ended["mode", phase.model, phase.mode] = why
        for other in self._nodes.alive():
            if other != node:
                self._nodes.send("halt", {"phase": verdict["phase"], "why": verdict["why"]}, other)

    def fail(self, why: str, cause: str = "disk") -> None:
        """End the run now: this node cannot record it any more (`disk`), or is at fault itself."""
        if not self.ended_early:
            log.error("%s", why)
            self.end(why, cause)
            for node in self._nodes.alive():
                self._nodes.send("halt", {"phase": len(self._phases) - 1, "why": why}, node)

    def end(self, why: str, cause: str) -> None:
        """End the run in good order when the running phase is over."""
        if not self.ended_early:
            self.ended_early = why
            self._note("ended", cause=cause, reason=why)
